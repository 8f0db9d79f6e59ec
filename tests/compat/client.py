"""What a row of the compatibility table is: a program, how it is called, and by which mechanism its requests leave. Data only."""
import dataclasses

HTTPS, H2, HTTP = 'https/1.1', 'https/2', 'http/1.1'
TLS_AND_PLAIN, ALL = (HTTPS, HTTP), (H2, HTTPS, HTTP)
GET, GET_AND_POST = ('GET',), ('GET', 'POST')


@dataclasses.dataclass(frozen=True)
class Client:
    """A call is text for sh with these in its environment: URL, CA (a PEM file), BODY (a file of JSON), METHOD (GET, POST), MODE (get, post), VERSION (1.1,
    2), HOST, PORT, SCHEME, TARGET (path and query), OUT (the built program), CACHE (what is kept between runs), HERE (programs/) and CLIENTS (tests/clients).
    It need not print anything: the mock Atlassian says what arrived."""
    name: str
    package: str                      # the Debian package whose version is told; more of them behind it, which must be there too
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
    program: str = ''                 # what the doctor is asked about: the built program where there is one, unless this says otherwise
    build: str = ''                   # makes $OUT, from programs/
    unpack: tuple = ()                # Debian packages that cannot or need not be installed: their files go to $CACHE
    npm: str = ''                     # a package of npm's, in $CACHE
    suffix: str = ''                  # the program itself adds this behind its URL: it is signed with it and called without
    needs_root: bool = False
    env: tuple = ()

    def mechanism(self, transport):
        return {HTTPS: self.tls, H2: self.h2, HTTP: self.plain}[transport]

    def mechanisms(self):
        """In the order of the table, each once: what is special first."""
        names = list(self.also) + [self.mechanism(transport) for transport in ALL if transport in self.transports]
        return list(dict.fromkeys(name for name in names if name))

    def ways(self):
        return [(method, transport) for transport in self.transports for method in self.methods
                if (method, transport) not in self.cannot]
