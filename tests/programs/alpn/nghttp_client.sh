#!/bin/sh
# The nghttp command, a main program that calls OpenSSL and nghttp2 itself. Prints "PROTOCOL STATUS".
for url; do
  nghttp --null-out --verbose --timeout=20 "$url" 2>&1 | sed -n 's/.*) :status: \([0-9]*\)$/h2 \1/p'
done
