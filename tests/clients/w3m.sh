#!/bin/sh
# w3m (OpenSSL). Prints the status of each response.
mode=$1 url=$2
set -- -o ssl_ca_file="$CA" -o ssl_verify_server=1 -dump_extra
case $mode in
  get) w3m "$@" "$url" ;;
  post) w3m "$@" -post "$BODY" "$url" ;;
esac | sed -n 's/^HTTP\/1\.[01] \([0-9]*\).*/\1/p'
