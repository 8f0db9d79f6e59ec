"""Programs that no preload can enter, or whose TLS is their own: they must leave as they are, and the doctor must say so."""
from client import GET, H2, HTTP, HTTPS, TLS_AND_PLAIN, Client

RAW = '"$OUT" $MODE "$URL"'
DENO = 'deno@2'


def own_tls(name, package, call, **more):
    transports = more.pop('transports', TLS_AND_PLAIN)
    return Client(name, package, call, tls='own-tls', plain='socket', transports=transports, beyond=(HTTPS,), **more)


def raw(name, package, mechanism, build, **more):
    return Client(name, package, RAW, plain=mechanism, transports=(HTTP,), beyond=(HTTP,), build=build, **more)


CLIENTS = [
    own_tls('Java', 'openjdk-17-jdk-headless', 'java -cp "$CACHE"/java Java $MODE "$URL"', program='/usr/bin/java',
            build='javac -d "$CACHE"/java "$HERE"/Java.java && : > "$OUT"'),
    Client('Go: hey', 'hey', 'if [ $METHOD = POST ]; then set -- -d {} -T application/json; fi; hey -n 1 -c 1 -m $METHOD "$@" "$URL"', tls='own-tls', plain='own-tls',
           beyond=TLS_AND_PLAIN, program='hey'),
    own_tls('GHC: pandoc', 'pandoc', 'pandoc -f html -t plain "$URL"', methods=GET, program='pandoc'),
    own_tls('Erlang httpc', 'erlang-inets erlang-ssl', 'escript "$HERE"/erlang_httpc.escript $MODE "$URL"', program='/usr/lib/erlang/erts-13.1.5/bin/beam.smp'),
    Client('rustls: Deno', '', '"$CACHE"/%s/node_modules/@deno/linux-x64-glibc/deno run --allow-net --cert "$CA" "$HERE"/fetch.js $MODE "$URL"' % DENO, npm=DENO,
           h2='own-tls', plain='socket', transports=(H2, HTTP), beyond=(H2,), program='$CACHE/%s/node_modules/@deno/linux-x64-glibc/deno' % DENO,
           env=(('DENO_NO_UPDATE_CHECK', '1'),)),
    own_tls('Mono', 'mono-runtime mono-mcs', 'mono "$OUT" $MODE "$URL"', program='/usr/bin/mono', build='mcs -out:"$OUT" "$HERE"/Mono.cs'),
    own_tls('C, wolfSSL', 'libwolfssl35 libwolfssl-dev', RAW, transports=(HTTPS,), build='cc -O1 -w -o "$OUT" "$HERE"/wolfssl.c -lwolfssl -lm'),
    Client('Free Pascal', 'fp-compiler fp-units-fcl libssl-dev', RAW, tls='openssl', plain='syscall', also=('dlsym',), beyond=(HTTP,), build='fpc -v0 -o"$OUT" -FU"$CACHE" "$HERE"/pascal_http.pas'),
    Client('C, static OpenSSL, stripped', 'libssl-dev', RAW, tls='stripped-static-tls', transports=(HTTPS,), beyond=(HTTPS,),
           build='cc -O1 -w -s -o "$OUT" "$HERE"/openssl_ssl.c -l:libssl.a -l:libcrypto.a'),
    Client('busybox wget, static', '', 'if [ $METHOD = POST ]; then set -- --post-data a=b; fi; "$CACHE"/busybox-static/files/bin/busybox wget -q -O /dev/null "$@" "$URL"',
           tls='openssl', plain='static', beyond=(HTTP,), unpack=('busybox-static',), program='$CACHE/busybox-static/files/bin/busybox'),
    raw('C, static', 'gcc', 'static', 'cc -O1 -w -static -o "$OUT" "$HERE"/raw.c'),
    raw('C, musl', 'musl-tools', 'musl', 'musl-gcc -O1 -w -o "$OUT" "$HERE"/raw.c', starts=False),
    raw('C, 32 bits', 'gcc-12-multilib', 'wrong-class', 'cc -m32 -O1 -w -I/usr/include/x86_64-linux-gnu -o "$OUT" "$HERE"/raw.c'),
    Client('curl, setuid', 'curl', '"$OUT" -sk --http1.1 -o /dev/null "$URL"', tls='setuid', methods=GET, transports=(HTTPS,), beyond=(HTTPS,), needs_root=True,
           build='cp "$(command -v curl)" "$OUT" && chown nobody "$OUT" && chmod 4755 "$OUT"'),
]
