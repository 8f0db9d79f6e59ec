#!/bin/sh
# The wget2 command, which asks once more after a 401. Prints "PROTOCOL STATUS" of its last answer.
for url; do
  wget2 --ca-certificate="$CA" --tries=1 --timeout=20 --server-response -O /dev/null "$url" 2>&1 |
    sed -n 's/^:status: \([0-9]*\)$/h2 \1/p; s/^HTTP\/1.1 \([0-9]*\).*/http\/1.1 \1/p' | tail -n 1
done
