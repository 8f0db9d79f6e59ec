#!/bin/sh
# socat, fed by a pipe. Two requests are pipelined. Prints the status of each response.
. "$(dirname "$0")/raw_request.sh"
target_of "$2"
# shut-none: at the end of stdin socat would end the TLS session for both directions, and lose what is still to be answered.
if [ $tls = yes ]; then peer=OPENSSL:$host:443,cafile=$CA,commonname=$host,snihost=$host,shut-none; else peer=TCP:$host:80; fi
# -t: how long the other direction may still flow after stdin has ended; the server closes far sooner.
request "$@" | socat -t 15 - "$peer" | statuses
