# Sourced by the clients that send what stdin gives them: target_of URL sets host and tls, request MODE URL [URL2] prints the requests,
# statuses takes the status of each response out of the answer. Never talks to the network itself.

target_of() {
  rest=${1#*://}
  host=${rest%%/*}
  case $1 in https:*) tls=yes ;; *) tls=no ;; esac
}

request() {
  method=GET
  if [ "$1" = post ]; then method=POST; fi
  rest=${2#*://}
  printf '%s /%s HTTP/1.1\r\nHost: %s\r\n' "$method" "${rest#*/}" "${rest%%/*}"
  case $1 in
    post)
      printf 'Content-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' "$(wc -c < "$BODY")"
      cat "$BODY" ;;
    two)
      printf '\r\n'
      request get "$3" ;;
    get) printf 'Connection: close\r\n\r\n' ;;
  esac
}

# A status line may follow a body that ends without a line end.
statuses() {
  grep -o 'HTTP/1\.[01] [0-9]*' | cut -d ' ' -f 2
}
