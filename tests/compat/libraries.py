"""Programs that are compiled here against a library of Debian's: each is a small file in programs/."""
from client import ALL, GET, H2, HTTP, HTTPS, TLS_AND_PLAIN, Client

BUILT = '"$OUT" $MODE "$URL"'
CURL, SSL, STATIC_SSL = 'libcurl4-openssl-dev', '-lssl -lcrypto', '-l:libssl.a -l:libcrypto.a'
NIM = 'nim c --hints:off -d:ssl --nimcache:"$CACHE"/nimcache -o:"$OUT" "$HERE"/nim_httpclient.nim'


def c(name, package, file, libraries, tls='', plain='', **more):
    return Client(name, package, BUILT, tls=tls, plain=plain, build='cc -O1 -w -o "$OUT" "$HERE"/%s %s' % (file, libraries), **more)


def over_tls(name, package, file, libraries, tls, **more):
    return c(name, package, file, libraries, tls=tls, transports=(HTTPS,), **more)


def libcurl(flavour, package, library, tls):
    return c('libcurl (%s)' % flavour, '%s %s' % (package, CURL), 'curl_easy.c', '-l:' + library, tls=tls, plain='socket', h2='nghttp2',
             transports=ALL)


def cpp(name, package, file, libraries):
    return Client(name, package + ' g++', BUILT, tls='openssl', plain='socket', build='c++ -O0 -w -o "$OUT" "$HERE"/%s %s' % (file, libraries))


def qt(version, package, **more):
    flags = '$(pkg-config --cflags --libs Qt%dNetwork)' % version
    return Client('Qt %d' % version, package + ' g++', BUILT, tls='openssl', plain='socket', also=('dlsym',),
                  build='c++ -O0 -w -fPIC -std=c++17 -o "$OUT" "$HERE"/qt.cpp ' + flags, **more)


CLIENTS = [
    libcurl('OpenSSL', 'libcurl4', 'libcurl.so.4', 'openssl'),
    libcurl('GnuTLS', 'libcurl3-gnutls', 'libcurl-gnutls.so.4', 'gnutls'),
    libcurl('NSS', 'libcurl3-nss', 'libcurl-nss.so.4', 'nss'),
    over_tls('C, OpenSSL', 'libssl3 libssl-dev', 'openssl_ssl.c', SSL, 'openssl'),
    over_tls('C, OpenSSL by BIO', 'libssl3 libssl-dev', 'openssl_bio.c', SSL, 'openssl-bio'),
    over_tls('C, static OpenSSL, exported', 'libssl-dev', 'openssl_ssl.c', '-rdynamic ' + STATIC_SSL, 'openssl', also=('patch',)),
    over_tls('C, static OpenSSL', 'libssl-dev', 'openssl_ssl.c', STATIC_SSL, 'openssl', also=('patch-symtab',)),
    over_tls('C, GnuTLS', 'libgnutls30 libgnutls28-dev', 'gnutls.c', '-lgnutls', 'gnutls'),
    c('C, mbedTLS', 'libmbedtls14 libmbedtls-dev', 'mbedtls.c', '-lmbedtls -lmbedx509 -lmbedcrypto', tls='mbedtls', plain='socket'),
    c('C, neon', 'libneon27-gnutls libneon27-dev', 'neon.c', '-I/usr/include/neon -l:libneon-gnutls.so.27', tls='gnutls', plain='socket'),
    c('C, libevent', 'libevent-2.1-7 libevent-dev libssl-dev', 'libevent.c', '-levent -levent_openssl ' + SSL, tls='openssl', plain='socket'),
    c('C, libwebsockets', 'libwebsockets17 libwebsockets-dev', 'websockets.c', '-lwebsockets', tls='openssl', plain='socket', methods=GET),
    c('C, stdio', 'libc6', 'stdio.c', '', plain='stdio', transports=(HTTP,)),
    cpp('C++, REST SDK', 'libcpprest2.10 libcpprest-dev', 'cpprest.cpp', '-lcpprest -lboost_system -lpthread ' + SSL),
    cpp('C++, Boost.Beast', 'libboost1.74-dev libssl-dev', 'beast.cpp', '-lpthread ' + SSL),
    cpp('C++, cpp-httplib', 'libcpp-httplib0.11 libcpp-httplib-dev libssl-dev', 'httplib.cpp', '-lcpp-httplib -lpthread ' + SSL),
    cpp('C++, POCO', 'libpoconetssl80 libpoco-dev', 'poco.cpp', '-lPocoNetSSL -lPocoCrypto -lPocoNet -lPocoFoundation -lpthread'),
    qt(5, 'qtbase5-dev', transports=TLS_AND_PLAIN),
    qt(6, 'qt6-base-dev', transports=ALL, h2='openssl'),
    Client('Nim', 'nim libssl-dev', BUILT, tls='openssl', plain='socket', also=('dlsym',), build=NIM),
    Client('D std.net.curl', 'ldc libcurl4', BUILT, h2='nghttp2', plain='socket', also=('dlsym',), transports=(H2, HTTP),
           build='ldc2 -of="$OUT" -od="$CACHE"/ldc "$HERE"/d_curl.d'),
]
