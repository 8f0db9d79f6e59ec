#!/bin/sh
# lynx (GnuTLS in Debian; it takes the CA from SSL_CERT_FILE). Prints the status of each response.
case $1 in
  get) lynx -noredir -source -mime_header "$2" < /dev/null 2>&1 ;;
  post) { cat "$BODY"; printf '\n---\n'; } | lynx -noredir -source -mime_header -post_data "$2" 2>&1 ;;
esac |
  # A 401 with a challenge that it does not know is not shown but answered with this alert.
  sed -n -e 's/^HTTP\/1\.[01] \([0-9]*\).*/\1/p' -e "s/^Alert!: Can't retry with authorization.*/401/p"
