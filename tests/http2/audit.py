"""JWTSHIM=audit and off: nothing on the wire differs from no shim at all. And the sweep at the end: where tokens may be found."""
import os

from proxy import Proxy
from stage import APP, H2C_PORT, NGINX_ADDRESS

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = '/rest/api/3/myself?expand=groups'


def arrived(call):
    """Everything that the mock can tell: over h2 each head by its hash (names and values in order), over HTTP/1 the raw bytes."""
    # Parallel requests of two connections arrive in any order.
    return (sorted((request['protocol'], request['head_sha256'], request['fields'], request['body_sha256']) for request in call.requests),
            call.captures, call.run.out, call.run.code)


def header_frames(data):
    """The payloads of the HEADERS frames of a client's HTTP/2 connection without TLS (RFC 9113 section 4.1), still in HPACK."""
    preface = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    found, at = [], len(preface)
    if not data.startswith(preface):
        return found
    while at + 9 <= len(data):
        length, kind = int.from_bytes(data[at:at + 3], 'big'), data[at + 3]
        if kind == 1:
            found.append(data[at + 4:at + 9 + length])
        at += 9 + length
    return found


def modes(stage):
    url, post, other = stage.sign(TARGET), stage.sign(TARGET, 'POST', position='first'), stage.sign('/x?a=1', host=APP)
    plain = stage.sign(TARGET, scheme='http')
    python = ['/usr/bin/python3', os.path.join(HERE, 'pycurl_client.py')]
    rows = [
        ('curl', stage.curl() + [url], '2', 1), ('curl -d @file', stage.curl('-d', '@' + stage.body) + [post], '2', 1),
        ('curl with a Referer and an Authorization', stage.curl('-e', url, '-H', 'Authorization: Basic eA==') + [url], '2', 1),
        ('curl with three URLs', ['curl', '-sS', '-w', '%{http_code}\\n'] + [word for each in (url, other, url)
                                                                            for word in ('-o', '/dev/null', each)], '2', 2),
        ('pycurl', python + [url, other], '2', 2),
        ('curl --http1.1', stage.curl('--http1.1') + [url], '1.1', 1),
        ('curl --http1.1 -T file', stage.curl('--http1.1', '-T', stage.body) + [post], '1.1', 1),
        ('curl to http', stage.curl() + [plain], '1.1', 1),
    ]
    for name, argv, version, count in rows:
        without = stage.call(argv)
        for mode in ('audit', 'off'):
            call = stage.call(argv, True, {'JWTSHIM': mode}, clean=False)
            stage.report(arrived(call) == arrived(without) and call.requests,
                         '%s with JWTSHIM=%s: the same heads, bodies and answers as without the shim' % (name, mode), without, call)
            would = [event['network.protocol.version'] for event in call.events if event['jwtshim.action'] == 'would-rewrite']
            if mode == 'audit':
                stage.report(would == [version] * count and all('rewritten' != event['jwtshim.action'] for event in call.events),
                             '%s with JWTSHIM=audit: %d would-rewrite over version %s in the log' % (name, count, version), call)
            else:
                stage.report(not call.events, '%s with JWTSHIM=off: no event' % name, call)
    frames(stage)


def frames(stage):
    """HTTP/2 without TLS through a socket of ours, so that its very bytes can be compared."""
    url = stage.sign(TARGET, scheme='http')
    seen = {}
    for mode in (None, 'audit', 'rewrite'):
        path = os.path.join(stage.mock.tmp, 'h2c-%s' % mode)
        relay = Proxy(path, (NGINX_ADDRESS, H2C_PORT))
        call = stage.call(stage.curl('--http2-prior-knowledge', '--unix-socket', path) + [url], bool(mode),
                          {'JWTSHIM': mode} if mode else {}, clean=mode != 'audit')
        seen[mode] = (header_frames(relay.text()), call)
    stage.report(len(seen[None][0]) == 1 and seen[None][0] == seen['audit'][0] and seen['audit'][1].lines == ['401'],
                 'JWTSHIM=audit: the HEADERS frame is the same, byte for byte', seen[None][1], seen['audit'][1],
                 more=['%s: %s bytes' % (mode, [len(frame) for frame in frames]) for mode, (frames, _) in seen.items()])
    # 0x1f 0x08: a literal that is never indexed, with the name of the static table's entry 23, authorization (RFC 7541, 6.2.3).
    never = [b'\x1f\x08' in b''.join(seen[mode][0]) for mode in (None, 'rewrite')]
    stage.report(never == [False, True] and seen['rewrite'][1].lines == ['200'],
                 'our header leaves as a literal that no hop may put into a table', seen['rewrite'][1])


def sweep(stage):
    """Everything that shimmed programs printed and sent over HTTP/1, and all logs of the shim."""
    # nginx passes on in lower case what came over h2.
    fields = [name + b': JWT %s\r\n' % token.encode() for token in stage.mock.tokens for name in (b'Authorization', b'authorization')]
    leaking = []
    for words, data in stage.kept:
        for field in fields:
            data = data.replace(field, b'')
        if stage.mock.leaked(data):
            leaking.append('%d bytes of %s' % (len(data), words))
    words = 'the sweep: in all that shimmed programs printed and sent, tokens are in the one header field alone'
    if stage.kept:
        stage.report(not leaking, words, more=leaking)
    else:
        stage.tap.skip(words, 'nothing that was chosen is to be looked at')
    leaking = []
    for path in stage.mock.log_files():
        with open(path, 'rb') as file:
            if stage.mock.leaked(file.read()):
                leaking.append(os.path.basename(path))
    stage.report(not leaking, 'the sweep: no part of a token is in any log of the shim', more=leaking)
