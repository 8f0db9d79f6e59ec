"""Programs that are called as they are: downloaders, browsers, load generators, tools that fetch by the way."""
from client import ALL, GET, H2, HTTP, HTTPS, Client


def openssl(name, package, call, **more):
    return Client(name, package, call, tls='openssl', plain='socket', **more)


def gnutls(name, package, call, **more):
    return Client(name, package, call, tls='gnutls', plain='socket', **more)


def plain(name, package, call, mechanism, **more):
    return Client(name, package, call, plain=mechanism, transports=(HTTP,), **more)


def when(condition, words):
    """Adds these words to "$@"."""
    return 'if [ %s ]; then set -- "$@" %s; fi; ' % (condition, words)


def post(words):
    return when('$METHOD = POST', words)


JSON = '"Content-Type: application/json"'
RAW = '. "$CLIENTS"/raw_request.sh; '                       # has `request`
LFTP = ('if [ $METHOD = POST ]; then set -- "open $SCHEME://$HOST; quote post \\"/$TARGET\\" {}"; else set -- "cat \\"$URL\\""; fi; '
        'lftp -c "set ssl:ca-file $CA; set net:max-retries 1; set http:post-content-type application/json; $1"')
SIEGE = ('printf "verbose = false\\nshow-logfile = false\\nlogging = false\\n" > siege.conf; '
         'if [ $METHOD = POST ]; then URL="$URL POST a=b"; fi; siege -R siege.conf -q -c 1 -r 1 "$URL"')
WRK = ('printf \'wrk.method = "%s"\\nwrk.body = "{}"\\nresponse = function() wrk.thread:stop() end\\n\' $METHOD > wrk.lua; '
       'wrk -t 1 -c 1 -d 1 -s wrk.lua "$URL"')
CMAKE = 'printf \'file(DOWNLOAD "%s" cmake.out TLS_CAINFO "%s")\\n\' "$URL" "$CA" > get.cmake; cmake -P get.cmake; rm -f cmake.out'

# git adds a path behind its URL, which must not end up in the token.
GIT_SUFFIX = 'path=/info/refs&service=git-upload-pack'
GIT = (('GIT_CONFIG_NOSYSTEM', '1'), ('GIT_TERMINAL_PROMPT', '0'), ('GIT_SSL_CAINFO', '{ca}'))

CLIENTS = [
    Client('curl', 'curl', post('-H %s --data-binary @"$BODY"' % JSON) + 'curl -s -o /dev/null --http$VERSION --cacert "$CA" "$@" "$URL"',
           tls='openssl', plain='socket', h2='nghttp2', transports=ALL, program='curl'),
    gnutls('wget', 'wget', '"$CLIENTS"/wget.sh $MODE "$URL"', program='wget'),
    Client('wget2', 'wget2', post('--post-file="$BODY"') + when('$VERSION = 1.1', '--no-http2')
           + 'wget2 -q --no-config --tries=1 --ca-certificate="$CA" -O /dev/null "$@" "$URL"',
           tls='gnutls', plain='socket', h2='nghttp2', transports=ALL, cannot=(('POST', H2),), program='wget2'),
    gnutls('aria2', 'aria2', '"$CLIENTS"/aria2.sh $MODE "$URL"', methods=GET, program='aria2c'),
    openssl('axel', 'axel', 'axel -k -q -n 1 -o axel.out "$URL"; rm -f axel.out*', methods=GET, program='axel'),
    gnutls('lynx', 'lynx', '"$CLIENTS"/lynx.sh $MODE "$URL"', program='lynx'),
    openssl('w3m', 'w3m', '"$CLIENTS"/w3m.sh $MODE "$URL"', program='w3m'),
    openssl('links', 'links2', 'links2 -ssl.certificates 0 -source "$URL"', methods=GET, program='links2'),
    gnutls('elinks', 'elinks', 'elinks -no-home -eval "set connection.ssl.cert_verify = 0" -source 1 "$URL"', methods=GET, program='elinks'),
    openssl('httpie', 'httpie', post('a=b') + 'http --ignore-stdin --verify "$CA" $METHOD "$URL" "$@"', program='/usr/bin/python3'),
    gnutls('lftp', 'lftp', LFTP, program='lftp'),
    Client('git', 'git', 'git -c http.version=HTTP/$VERSION ls-remote "$URL"', tls='gnutls', plain='socket', h2='nghttp2',
           transports=ALL, methods=GET, env=GIT, suffix=GIT_SUFFIX, program='/usr/lib/git-core/git-remote-https'),
    openssl('socat', 'socat', '"$CLIENTS"/socat.sh $MODE "$URL"', program='socat'),
    Client('openssl s_client', 'openssl', '"$CLIENTS"/openssl_s_client.sh $MODE "$URL"', tls='openssl', transports=(HTTPS,), program='openssl'),
    Client('gnutls-cli', 'gnutls-bin', RAW + 'request $MODE "$URL" | gnutls-cli --logfile=/dev/null --x509cafile="$CA" "$HOST"',
           tls='gnutls', transports=(HTTPS,), program='gnutls-cli'),
    openssl('ncat', 'ncat', RAW + when('$SCHEME = https', '--ssl --ssl-trustfile "$CA"') + 'request $MODE "$URL" | ncat "$@" "$HOST" $PORT',
            program='ncat'),
    plain('nc (OpenBSD)', 'netcat-openbsd', RAW + 'request $MODE "$URL" | nc.openbsd "$HOST" $PORT', 'socket', program='nc.openbsd'),
    openssl('ab', 'apache2-utils', '"$CLIENTS"/ab.sh $MODE "$URL"', program='ab'),
    openssl('siege', 'siege', SIEGE, program='siege'),
    openssl('wrk', 'wrk', WRK, program='wrk'),
    Client('h2load', 'nghttp2-client', post('-d "$BODY" -H %s' % JSON) + when('$VERSION = 1.1', '--h1') + 'h2load -n 1 "$@" "$URL"',
           tls='openssl', plain='socket', h2='nghttp2', transports=ALL, program='h2load'),
    Client('nghttp', 'nghttp2-client', post('-d "$BODY" -H %s' % JSON.lower()) + 'nghttp -n "$@" "$URL"', h2='nghttp2', transports=(H2,),
           program='nghttp'),
    openssl('httrack', 'httrack', 'httrack "$URL" -O httrack -r1 -q -s0; rm -rf httrack', methods=GET, program='httrack'),
    openssl('httping', 'httping', when('$SCHEME = https', '-l') + 'httping -c 1 -G "$@" -g "$URL"', methods=GET, program='httping'),
    openssl('check_http', 'monitoring-plugins-basic', post('-P a=b') + when('$SCHEME = https', '-S')
            + '/usr/lib/nagios/plugins/check_http -H "$HOST" -u "/$TARGET" "$@"', program='/usr/lib/nagios/plugins/check_http'),
    openssl('tnftp', 'tnftp', 'tnftp -o /dev/null "$URL"', methods=GET, program='tnftp'),
    gnutls('ffmpeg', 'ffmpeg', 'ffmpeg -v quiet -ca_file "$CA" -i "$URL" -f null -', methods=GET, program='ffmpeg'),
    plain('xmllint', 'libxml2-utils', 'xmllint --html --noout "$URL"', 'socket', methods=GET, program='xmllint'),
    Client('cmake', 'cmake', CMAKE, plain='socket', h2='nghttp2', methods=GET, transports=(H2, HTTP), program='cmake'),
    plain('bash /dev/tcp', 'bash', '"$CLIENTS"/bash_tcp.sh $MODE "$URL"', 'stdio', program='bash'),
    plain('gawk /inet', 'gawk', '"$CLIENTS"/gawk_inet.awk $MODE "$URL"', 'stdio', program='gawk'),
    Client('busybox wget', 'busybox', '"$CLIENTS"/busybox_wget.sh $MODE "$URL"', tls='stdio', plain='stdio', program='busybox'),
    plain('busybox nc', 'busybox', '"$CLIENTS"/busybox_nc.sh $MODE "$URL"', 'socket', program='busybox'),
]
