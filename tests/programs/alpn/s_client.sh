#!/bin/sh
# openssl s_client, whose first SSL_write is the handshake. Prints "PROTOCOL -".
# usage: s_client.sh PROTOCOLS HOST
openssl s_client -alpn "$1" -connect "$2:443" -servername "$2" -CAfile "$CA" < /dev/null 2> /dev/null |
  sed -n 's/^ALPN protocol: \(.*\)/\1 -/p; s/^No ALPN negotiated/none -/p'
