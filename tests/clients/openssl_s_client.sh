#!/bin/sh
# openssl s_client, fed by a pipe. Two requests are pipelined. Prints the status of each response.
. "$(dirname "$0")/raw_request.sh"
target_of "$2"
request "$@" | openssl s_client -quiet -verify_return_error -CAfile "$CA" -servername "$host" -connect "$host:443" 2> /dev/null | statuses
