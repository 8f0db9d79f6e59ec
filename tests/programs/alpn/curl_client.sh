#!/bin/sh
# The curl command. Prints "PROTOCOL STATUS".
for url; do
  curl -sS --max-time 20 --cacert "$CA" -o /dev/null -w '%{http_version} %{http_code}\n' "$url" | sed 's/^2 /h2 /; s/^1.1 /http\/1.1 /'
done
