"""Programs that are called as they are: downloaders, browsers, load generators, tools that fetch by the way."""
from client import GET, GET_AND_POST, H2, HTTP, HTTPS, ALL, Client

TYPE = '"Content-Type: application/json"'


def openssl(name, package, call, **more):
    return Client(name, package, call, tls='openssl', plain='socket', **more)


def gnutls(name, package, call, **more):
    return Client(name, package, call, tls='gnutls', plain='socket', **more)


CURL = 'if [ $METHOD = POST ]; then set -- -H %s --data-binary @"$BODY"; fi; curl -s -o /dev/null --http$VERSION --cacert "$CA" "$@" "$URL"' % TYPE
HTTPIE = 'http --ignore-stdin --verify "$CA" $METHOD "$URL"'
LOAD = 'if [ $METHOD = POST ]; then set -- -d "$BODY" -H "content-type: application/json"; fi; '
SIEGE = 'printf "verbose = false\\nshow-logfile = false\\nlogging = false\\n" > siege.conf; '
WRK = 'printf \'wrk.method = "%s"\\nwrk.body = "{}"\\nresponse = function() wrk.thread:stop() end\\n\' $METHOD > wrk.lua; wrk -t 1 -c 1 -d 1 -s wrk.lua "$URL"'
FFMPEG = 'ffmpeg -v quiet -ca_file "$CA" %s -f null -'

CLIENTS = [
    Client('curl', 'curl', CURL, tls='openssl', plain='socket', h2='nghttp2', transports=ALL, program='curl'),
    gnutls('wget', 'wget', '"$CLIENTS"/wget.sh $MODE "$URL"', program='wget'),
    Client('wget2', 'wget2', 'if [ $METHOD = POST ]; then set -- --post-file="$BODY"; fi; '
           'if [ $VERSION = 1.1 ]; then set -- "$@" --no-http2; fi; '
           'wget2 -q --no-config --tries=1 --ca-certificate="$CA" -O /dev/null "$@" "$URL"',
           tls='gnutls', plain='socket', h2='nghttp2', transports=ALL, program='wget2', cannot=(('POST', H2),)),
    gnutls('aria2', 'aria2', '"$CLIENTS"/aria2.sh $MODE "$URL"', methods=GET, program='aria2c'),
    openssl('axel', 'axel', 'axel -k -q -n 1 -o axel.out "$URL"; rm -f axel.out*', methods=GET, program='axel'),
    gnutls('lynx', 'lynx', '"$CLIENTS"/lynx.sh $MODE "$URL"', program='lynx'),
    openssl('w3m', 'w3m', '"$CLIENTS"/w3m.sh $MODE "$URL"', program='w3m'),
    openssl('links', 'links2', 'links2 -ssl.certificates 0 -source "$URL"', methods=GET, program='/usr/bin/links2'),
    gnutls('elinks', 'elinks', 'elinks -no-home -eval "set connection.ssl.cert_verify = 0" -source 1 "$URL"', methods=GET, program='elinks'),
    openssl('httpie', 'httpie', 'if [ $METHOD = POST ]; then http --ignore-stdin --verify "$CA" POST "$URL" a=b; else %s; fi' % HTTPIE,
            program='/usr/bin/python3'),
    gnutls('lftp', 'lftp', 'if [ $METHOD = POST ]; then set -- "open $SCHEME://$HOST; quote post \\"/$TARGET\\" {}"; else set -- "cat \\"$URL\\""; fi; '
           'lftp -c "set ssl:ca-file $CA; set net:max-retries 1; set http:post-content-type application/json; $1"', program='lftp'),
    Client('git', 'git', 'GIT_SSL_CAINFO="$CA" git -c http.version=HTTP/$VERSION ls-remote "$URL"', tls='gnutls', plain='socket', h2='nghttp2',
           transports=ALL, methods=GET, program='/usr/lib/git-core/git-remote-https', env=(('GIT_CONFIG_NOSYSTEM', '1'), ('GIT_TERMINAL_PROMPT', '0')),
           suffix='path=/info/refs&service=git-upload-pack'),
    openssl('socat', 'socat', '"$CLIENTS"/socat.sh $MODE "$URL"', program='socat'),
    Client('openssl s_client', 'openssl', '"$CLIENTS"/openssl_s_client.sh $MODE "$URL"', tls='openssl-bio', transports=(HTTPS,), program='openssl'),
    Client('gnutls-cli', 'gnutls-bin', '. "$CLIENTS"/raw_request.sh; '
           'request $MODE "$URL" | gnutls-cli --logfile=/dev/null --x509cafile="$CA" "$HOST"', tls='gnutls', transports=(HTTPS,), program='gnutls-cli'),
    openssl('ncat', 'ncat', '. "$CLIENTS"/raw_request.sh; if [ $SCHEME = https ]; then set -- --ssl --ssl-trustfile "$CA"; fi; '
            'request $MODE "$URL" | ncat "$@" "$HOST" $PORT', program='ncat'),
    Client('nc (OpenBSD)', 'netcat-openbsd', '. "$CLIENTS"/raw_request.sh; request $MODE "$URL" | nc.openbsd "$HOST" $PORT', plain='socket',
           transports=(HTTP,), program='/bin/nc.openbsd'),
    openssl('ab', 'apache2-utils', '"$CLIENTS"/ab.sh $MODE "$URL"', program='ab'),
    openssl('siege', 'siege', SIEGE + 'if [ $METHOD = POST ]; then URL="$URL POST a=b"; fi; siege -R siege.conf -q -c 1 -r 1 "$URL"',
            program='siege'),
    openssl('wrk', 'wrk', WRK, program='wrk'),
    Client('h2load', 'nghttp2-client', LOAD + 'if [ $VERSION = 1.1 ]; then set -- "$@" --h1; fi; h2load -n 1 "$@" "$URL"',
           tls='openssl', plain='socket', h2='nghttp2', transports=ALL, program='h2load'),
    Client('nghttp', 'nghttp2-client', LOAD + 'nghttp -n "$@" "$URL"', h2='nghttp2', transports=(H2,), program='nghttp'),
    openssl('httrack', 'httrack', 'httrack "$URL" -O httrack -r1 -q -s0; rm -rf httrack', methods=GET, program='httrack'),
    openssl('httping', 'httping', 'if [ $SCHEME = https ]; then set -- -l; fi; httping -c 1 -G "$@" -g "$URL"', methods=GET, program='httping'),
    openssl('check_http', 'monitoring-plugins-basic', 'if [ $METHOD = POST ]; then set -- -P a=b; fi; if [ $SCHEME = https ]; then set -- "$@" -S; fi; '
            '/usr/lib/nagios/plugins/check_http -H "$HOST" -u "/$TARGET" "$@"', program='/usr/lib/nagios/plugins/check_http'),
    openssl('tnftp', 'tnftp', 'tnftp -o /dev/null "$URL"', methods=GET, program='tnftp', env=(('SSL_NO_VERIFY', '1'), ('FTPSSLNOVERIFY', '1'))),
    gnutls('ffmpeg', 'ffmpeg', 'if [ $METHOD = POST ]; then ' + FFMPEG % '-f lavfi -i anullsrc=d=0.1 -f wav -method POST "$URL"' + '; else '
           + FFMPEG % '-i "$URL"' + '; fi', methods=GET, program='ffmpeg'),
    Client('xmllint', 'libxml2-utils', 'xmllint --html --noout "$URL"', plain='socket', methods=GET, transports=(HTTP,), program='xmllint'),
    Client('cmake', 'cmake', 'printf \'file(DOWNLOAD "%s" cmake.out TLS_CAINFO "%s")\\n\' "$URL" "$CA" > get.cmake; cmake -P get.cmake; rm -f cmake.out',
           plain='socket', h2='nghttp2', methods=GET, transports=(H2, HTTP), program='cmake'),
    Client('bash /dev/tcp', 'bash', '"$CLIENTS"/bash_tcp.sh $MODE "$URL"', plain='stdio', transports=(HTTP,), program='bash'),
    Client('gawk /inet', 'gawk', '"$CLIENTS"/gawk_inet.awk $MODE "$URL"', plain='stdio', transports=(HTTP,), program='gawk'),
    Client('busybox wget', 'busybox', '"$CLIENTS"/busybox_wget.sh $MODE "$URL"', tls='openssl', plain='stdio', program='busybox'),
    Client('busybox nc', 'busybox', '"$CLIENTS"/busybox_nc.sh $MODE "$URL"', plain='socket', transports=(HTTP,), program='busybox'),
]
