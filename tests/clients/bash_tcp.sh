#!/bin/bash
# bash's /dev/tcp, as scripts without curl use it: the head line by line, each by a redirection of its own, the body by a child.
# Prints the status of each response.
mode=$1
shift
host=${1#*://}
host=${host%%/*}
length=$(stat -c %s "$BODY")
exec 3<> "/dev/tcp/$host/80"
while [ $# -gt 0 ]; do
  if [ "$mode" = post ]; then method=POST; else method=GET; fi
  if [ $# -gt 1 ]; then connection=keep-alive; else connection=close; fi
  rest=${1#*://}
  printf '%s /%s HTTP/1.1\r\n' "$method" "${rest#*/}" >&3
  printf 'Host: %s\r\n' "$host" >&3
  if [ "$mode" = post ]; then
    printf 'Content-Type: application/json\r\nContent-Length: %d\r\n' "$length" >&3
  fi
  printf 'Connection: %s\r\n\r\n' "$connection" >&3
  if [ "$mode" = post ]; then cat "$BODY" >&3; fi

  bytes=0
  while IFS= read -r -u 3 line && [ "$line" != $'\r' ]; do
    case ${line,,} in
      http/1.1\ *) line=${line#* } && echo "${line%% *}" ;;
      content-length:*) bytes=${line#*:} && bytes=${bytes//[!0-9]/} ;;
    esac
  done
  IFS= read -r -N "$bytes" -u 3 _
  shift
done
