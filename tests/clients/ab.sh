#!/bin/sh
# ApacheBench (OpenSSL; it has no way to trust a CA, and verifies nothing). HTTP/1.0, with -k for two requests on one connection,
# both for the same URL. Prints the status of each response.
mode=$1 url=$2
case $mode in
  get) set -- -n 1 ;;
  post) set -- -n 1 -p "$BODY" -T application/json ;;
  two) set -- -n 2 -k ;;
esac
ab -v 3 -c 1 "$@" "$url" | sed -n 's/^HTTP\/1\.[01] \([0-9]*\).*/\1/p'
