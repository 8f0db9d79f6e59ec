#!/bin/sh
# wget (GnuTLS in Debian). Prints the status of each response.
mode=$1 url=$2 second=${3-}
set -- --server-response --tries=1 --output-document=/dev/null --ca-certificate="$CA"
case $mode in
  get) wget "$@" "$url" ;;
  post) wget "$@" --header='Content-Type: application/json' --post-file="$BODY" "$url" ;;
  two) wget "$@" "$url" "$second" ;;
esac 2>&1 | sed -n 's/^ *HTTP\/1\.[01] \([0-9]*\).*/\1/p'
