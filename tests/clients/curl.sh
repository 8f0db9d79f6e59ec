#!/bin/sh
# curl over HTTP/1.1. Prints the status of each response.
mode=$1 url=$2 second=${3-}
set -- -sS --http1.1 --location --cacert "$CA" --output /dev/null --write-out '%{http_code}\n'
case $mode in
  get) exec curl "$@" "$url" ;;
  post) exec curl "$@" --header 'Content-Type: application/json' --data-binary @"$BODY" "$url" ;;
  chunked) exec curl "$@" --header 'Content-Type: application/json' --header 'Transfer-Encoding: chunked' --data-binary @"$BODY" "$url" ;;
  expect) exec curl "$@" --header 'Content-Type: application/json' --header 'Expect: 100-continue' --data-binary @"$BODY" "$url" ;;
  two) exec curl "$@" "$url" --output /dev/null "$second" ;;
esac
