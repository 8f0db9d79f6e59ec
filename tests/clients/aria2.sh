#!/bin/sh
# aria2 (GnuTLS in Debian). Prints the status of each response.
mode=$1 url=$2 second=${3-}
case $mode in
  get) set -- "$url" ;;
  two) set -- --force-sequential=true --max-concurrent-downloads=1 "$url" "$second" ;;
esac
directory=$(mktemp -d)
aria2c --no-conf=true --ca-certificate="$CA" --split=1 --max-tries=1 --dir="$directory" --allow-overwrite=true \
  --async-dns=false --quiet=true --log=- --log-level=info "$@" | sed -n 's/^HTTP\/1\.[01] \([0-9]*\).*/\1/p'
rm -r "$directory"
