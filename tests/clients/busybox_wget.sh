#!/bin/sh
# busybox wget: one page a run. Over TLS it runs openssl s_client. Prints the status of the response.
mode=$1 url=$2
set -- -S -O /dev/null --header 'Content-Type: application/json'
case $mode in
  get) busybox wget "$@" "$url" ;;
  post) busybox wget "$@" --post-data "$(cat "$BODY")" "$url" ;;
esac 2>&1 | sed -n 's/.*HTTP\/1\.[01] \([0-9]*\).*/\1/p' | uniq
