"""Programs that no preload can enter, or whose TLS is their own: where that is so they must leave as they are, and the doctor must say it."""
from client import GET, H2, HTTP, HTTPS, TLS_AND_PLAIN, Client

BUILT = '"$OUT" $MODE "$URL"'
DENO = 'deno@2'
DENO_PROGRAM = '$CACHE/%s/node_modules/@deno/linux-x64-glibc/deno' % DENO
BUSYBOX = '$CACHE/busybox-static/files/bin/busybox'


def own_tls(name, package, call, **more):
    return Client(name, package, call, tls='own-tls', plain='socket', beyond=(HTTPS,), **more)


def raw(name, package, mechanism, compiler, **more):
    """A socket and nothing else, by this compiler."""
    return Client(name, package, BUILT, plain=mechanism, transports=(HTTP,), beyond=(HTTP,), build=compiler + ' -O1 -w -o "$OUT" "$HERE"/raw.c',
                  **more)


CLIENTS = [
    own_tls('Java', 'openjdk-17-jdk-headless', 'java -cp "$CACHE"/java Java $MODE "$URL"', program='/usr/bin/java',
            build='javac -d "$CACHE"/java "$HERE"/Java.java && : > "$OUT"'),
    own_tls('Mono', 'mono-runtime mono-mcs', 'mono "$OUT" $MODE "$URL"', program='/usr/bin/mono', build='mcs -out:"$OUT" "$HERE"/Mono.cs'),
    own_tls('GHC: pandoc', 'pandoc', 'pandoc -f html -t plain "$URL"', methods=GET, program='pandoc'),
    own_tls('Erlang httpc', 'erlang-base erlang-inets erlang-ssl', 'escript "$HERE"/erlang_httpc.escript $MODE "$URL"',
            program='/usr/lib/erlang/erts-13.1.5/bin/beam.smp'),
    Client('rustls: Deno', '', '"%s" run --allow-net --cert "$CA" "$HERE"/fetch.js $MODE "$URL"' % DENO_PROGRAM, h2='own-tls', plain='socket',
           transports=(H2, HTTP), beyond=(H2,), npm=DENO, program=DENO_PROGRAM, env=(('DENO_NO_UPDATE_CHECK', '1'),)),
    Client('Go: hey', 'hey', 'if [ $METHOD = POST ]; then set -- -d {} -T application/json; fi; hey -n 1 -c 1 -m $METHOD "$@" "$URL"',
           tls='own-tls', plain='own-tls', beyond=TLS_AND_PLAIN, program='hey'),
    Client('C, wolfSSL', 'libwolfssl35 libwolfssl-dev', BUILT, tls='own-tls', transports=(HTTPS,), beyond=(HTTPS,),
           build='cc -O1 -w -o "$OUT" "$HERE"/wolfssl.c -lwolfssl -lm'),
    # Its sockets are system calls of its own.
    Client('Free Pascal', 'fp-compiler fp-units-fcl libssl-dev', BUILT, tls='openssl', plain='syscall', also=('dlsym',), beyond=(HTTP,),
           build='fpc -v0 -o"$OUT" -FU"$CACHE" "$HERE"/pascal_http.pas'),
    Client('C, static OpenSSL, stripped', 'libssl-dev', BUILT, tls='stripped-static-tls', transports=(HTTPS,), beyond=(HTTPS,),
           build='cc -O1 -w -s -o "$OUT" "$HERE"/openssl_ssl.c -l:libssl.a -l:libcrypto.a'),
    # Over TLS it starts openssl.
    Client('busybox wget, static', '', 'if [ $METHOD = POST ]; then set -- --post-data a=b; fi; "%s" wget -q -O /dev/null "$@" "$URL"' % BUSYBOX,
           tls='openssl', plain='static', beyond=(HTTP,), unpack=('busybox-static',), program=BUSYBOX),
    raw('C, static', 'gcc', 'static', 'cc -static'),
    raw('C, musl', 'musl-tools', 'musl', 'musl-gcc', starts=False),
    raw('C, 32 bits', 'gcc-12-multilib', 'wrong-class', 'cc -m32 -I/usr/include/x86_64-linux-gnu'),
    Client('curl, setuid', 'curl', '"$OUT" -sk --http1.1 -o /dev/null "$URL"', tls='setuid', methods=GET, transports=(HTTPS,), beyond=(HTTPS,),
           needs_root=True, build='cp "$(command -v curl)" "$OUT" && chown nobody "$OUT" && chmod 4755 "$OUT"'),
]
