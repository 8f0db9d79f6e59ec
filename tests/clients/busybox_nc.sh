#!/bin/sh
# busybox nc, fed by a pipe. Two requests are pipelined. Prints the status of each response.
. "$(dirname "$0")/raw_request.sh"
target_of "$2"
request "$@" | busybox nc "$host" 80 | statuses
