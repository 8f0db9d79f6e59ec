"""Programs that are compiled here against a library of Debian's: each is a small file in programs/."""
from client import ALL, GET, H2, HTTP, HTTPS, TLS_AND_PLAIN, Client

CALL = '"$OUT" $MODE "$URL"'


def c(name, package, file, libraries, tls='', plain='', **more):
    return Client(name, package, CALL, tls=tls, plain=plain, build='cc -O1 -w -o "$OUT" "$HERE"/%s %s' % (file, libraries), **more)


def cpp(name, package, file, libraries, **more):
    return Client(name, package, CALL, tls=more.pop('tls', 'openssl'), plain='socket', build='c++ -O0 -w -o "$OUT" "$HERE"/%s %s' % (file, libraries), **more)


def qt(version, **more):
    flags = '$(pkg-config --cflags --libs Qt%dNetwork)' % version
    package = {5: 'qtbase5-dev g++', 6: 'qt6-base-dev g++'}[version]
    return Client('Qt %d' % version, package, CALL, tls='openssl', plain='socket', also=('dlsym',),
                  build='c++ -O0 -w -fPIC -std=c++17 -o "$OUT" "$HERE"/qt.cpp %s' % flags, **more)


CLIENTS = [
    c('libcurl (OpenSSL)', 'libcurl4 libcurl4-openssl-dev', 'curl_easy.c', '-l:libcurl.so.4', tls='openssl', plain='socket', h2='nghttp2', transports=ALL),
    c('libcurl (GnuTLS)', 'libcurl3-gnutls libcurl4-openssl-dev', 'curl_easy.c', '-l:libcurl-gnutls.so.4', tls='gnutls', plain='socket', h2='nghttp2', transports=ALL),
    c('libcurl (NSS)', 'libcurl3-nss libcurl4-openssl-dev', 'curl_easy.c', '-l:libcurl-nss.so.4', tls='nss', plain='socket', h2='nghttp2', transports=ALL),
    c('C, OpenSSL', 'libssl3 libssl-dev', 'openssl_ssl.c', '-lssl -lcrypto', tls='openssl', transports=(HTTPS,)),
    c('C, OpenSSL by BIO', 'libssl3 libssl-dev', 'openssl_bio.c', '-lssl -lcrypto', tls='openssl-bio', transports=(HTTPS,)),
    c('C, static OpenSSL, exported', 'libssl-dev', 'openssl_ssl.c', '-rdynamic -l:libssl.a -l:libcrypto.a', tls='openssl', transports=(HTTPS,), also=('patch',)),
    c('C, static OpenSSL', 'libssl-dev', 'openssl_ssl.c', '-l:libssl.a -l:libcrypto.a', tls='openssl', transports=(HTTPS,), also=('patch-symtab',)),
    c('C, GnuTLS', 'libgnutls30 libgnutls28-dev', 'gnutls.c', '-lgnutls', tls='gnutls', transports=(HTTPS,)),
    c('C, mbedTLS', 'libmbedtls14 libmbedtls-dev', 'mbedtls.c', '-lmbedtls -lmbedx509 -lmbedcrypto', tls='mbedtls', plain='socket'),
    c('C, neon', 'libneon27-gnutls libneon27-dev', 'neon.c', '-I/usr/include/neon -l:libneon-gnutls.so.27', tls='gnutls', plain='socket'),
    c('C, libevent', 'libevent-2.1-7 libevent-dev libssl-dev', 'libevent.c', '-levent -levent_openssl -lssl -lcrypto', tls='openssl', plain='socket'),
    c('C, libwebsockets', 'libwebsockets17 libwebsockets-dev', 'websockets.c', '-lwebsockets', tls='openssl', plain='socket', methods=GET),
    c('C, stdio', 'libc6', 'stdio.c', '', plain='stdio', transports=(HTTP,)),
    cpp('C++, REST SDK', 'libcpprest2.10 libcpprest-dev g++', 'cpprest.cpp', '-lcpprest -lboost_system -lssl -lcrypto -lpthread'),
    cpp('C++, Boost.Beast', 'libboost1.74-dev libssl-dev g++', 'beast.cpp', '-lssl -lcrypto -lpthread'),
    cpp('C++, cpp-httplib', 'libcpp-httplib0.11 libcpp-httplib-dev libssl-dev g++', 'httplib.cpp', '-lcpp-httplib -lssl -lcrypto -lpthread'),
    cpp('C++, POCO', 'libpoconetssl80 libpoco-dev g++', 'poco.cpp', '-lPocoNetSSL -lPocoCrypto -lPocoNet -lPocoFoundation -lpthread'),
    qt(5, transports=TLS_AND_PLAIN),
    qt(6, transports=ALL, h2='openssl'),
    Client('Nim', 'nim libssl-dev', CALL, tls='openssl', plain='socket', also=('dlsym',),
           build='nim c --hints:off -d:ssl --nimcache:"$CACHE"/nimcache -o:"$OUT" "$HERE"/nim_httpclient.nim'),
    Client('D std.net.curl', 'ldc libcurl4', CALL, h2='nghttp2', plain='socket', also=('dlsym',), transports=(H2, HTTP),
           build='ldc2 -of="$OUT" -od="$CACHE"/ldc "$HERE"/d_curl.d'),
]
