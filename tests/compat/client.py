"""What a row of the compatibility table is: a program, how it is called, and by which mechanism its requests leave. Data only."""
import dataclasses

HTTPS, H2, HTTP = 'https/1.1', 'https/2', 'http/1.1'
TLS_AND_PLAIN, ALL = (HTTPS, HTTP), (H2, HTTPS, HTTP)
GET, GET_AND_POST = ('GET',), ('GET', 'POST')


@dataclasses.dataclass(frozen=True)
class Client:
    """A call is text for sh. In its environment are URL, METHOD (GET, POST), MODE (get, post), VERSION (1.1, 2), the URL's parts SCHEME, HOST, PORT
    and TARGET (without its first slash), CA (a PEM file), BODY (a file of JSON), OUT (the built program), CACHE (what is kept between runs), HERE
    (programs/), CLIENTS (tests/clients) and HTTP2 (tests/http2). It need not print anything: the mock Atlassian says what arrived."""
    name: str
    package: str                      # the Debian package whose version is told; behind it others that must be there too
    call: str                         # for GET and POST alike: '… "$MODE" "$URL"'
    tls: str = ''                     # the mechanism over TLS, as the doctor names it
    plain: str = ''                   # without TLS
    h2: str = ''                      # over HTTP/2
    also: tuple = ()                  # how it gets there: dlsym, deepbind, patch, …
    methods: tuple = GET_AND_POST
    transports: tuple = TLS_AND_PLAIN
    cannot: tuple = ()                # ways that the program itself has not: ('POST', H2)
    beyond: tuple = ()                # transports where nothing stands in the way: there it must stay as it is
    starts: bool = True               # whether it starts with the shim: a dynamic linker of another C library refuses the object
    program: str = ''                 # what the doctor is asked about: the built program, unless this says otherwise
    build: str = ''                   # makes $OUT, from programs/
    unpack: tuple = ()                # Debian packages that need not be installed: their files go to $CACHE. A@B is A in B's version
    npm: str = ''                     # a package of npm's, in $CACHE
    suffix: str = ''                  # the program itself adds this behind its URL: it is signed with it and called without
    needs_root: bool = False
    env: tuple = ()                   # pairs; {ca}, {pki} (its directory) and {cache} stand for paths

    def mechanism(self, transport):
        return {HTTPS: self.tls, H2: self.h2, HTTP: self.plain}[transport]

    def mechanisms(self):
        """In the order of the table, each once: what is special first."""
        names = list(self.also) + [self.mechanism(transport) for transport in ALL if transport in self.transports]
        return list(dict.fromkeys(name for name in names if name))

    def ways(self):
        return [(method, transport) for transport in self.transports for method in self.methods
                if (method, transport) not in self.cannot]
