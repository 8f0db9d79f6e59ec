"""The official Node.js, OpenSSL and nghttp2 inside: every way its programs ask for something, without the shim and with it."""
import collections
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'tls'))
from static import NODE  # noqa: E402
from suite import Suite, harness, read_events, without_tokens  # noqa: E402

SITE, OTHER = 'https://site.atlassian.net', 'https://app.example.com'
TARGETS = ['/rest/api/2/search/?jql=text+~+%22a+b%22&startAt=0', '/rest/api/3/myself', '/wiki/rest/api/content?expand=body.storage',
           '/rest/api/2/issue/A-1?fields=summary&expand=names']

# way of node_client.js, what it is, how often it asks, by which method, and which hook sees that
Way = collections.namedtuple('Way', 'name sentence count method layer')
WAYS = [
    Way('get', 'https.request, two GETs', 2, 'GET', 'openssl'),
    Way('post', 'https.request, a POST', 1, 'POST', 'openssl'),
    Way('chunked', 'https.request, a chunked POST', 1, 'POST', 'openssl'),
    Way('pieces', 'https.request, a PUT with 100-continue and a body in pieces', 1, 'PUT', 'openssl'),
    Way('keep-alive', 'four requests on one connection of a keep-alive agent', 4, 'GET', 'openssl'),
    Way('parallel', 'four requests at once on two connections', 4, 'GET', 'openssl'),
    Way('fetch', 'fetch', 1, 'GET', 'openssl'),
    Way('fetch-post', 'fetch, a POST', 1, 'POST', 'openssl'),
    Way('http2', 'http2, a GET', 1, 'GET', 'nghttp2'),
    Way('http2-post', 'http2, a POST', 1, 'POST', 'nghttp2'),
    Way('http2-many', 'http2, four requests at once in one session', 4, 'GET', 'nghttp2'),
    Way('worker', 'three worker threads at once', 3, 'GET', 'openssl'),
    Way('spawn', 'child_process.spawn of another node', 2, 'GET', 'openssl'),
    Way('fork', 'child_process.fork', 2, 'GET', 'openssl'),
    Way('shell', 'child_process.exec of a shell that runs node', 2, 'GET', 'openssl'),
    Way('execfile', 'child_process.execFile', 2, 'GET', 'openssl'),
    Way('cluster', 'a worker of the cluster module', 2, 'GET', 'openssl'),
]
REDIRECTS = [
    ('/secure/attachment/12600/image.png', ['valid', 'anonymous'], 'an attachment, and the media host sees no token'),
    ('/redirect/same', ['valid', 'anonymous'], 'a redirect on the same host, and the second request has no token'),
    ('/redirect/signed', ['valid', 'valid'], 'a redirect that brings its own token, and both are accepted'),
]
SOAK = 2000


class NodeSuite(Suite):
    def __init__(self, mock, tap, options, relay):
        self.mock, self.tap, self.options, self.relay, self.runs = mock, tap, options, relay, 0
        self.body = os.path.join(mock.tmp, 'node-body')
        inner = mock.sign('GET', '/rest/api/2/issue/A-2')
        with open(self.body, 'w', encoding='ascii', newline='') as file:
            file.write('{"a":1}\r\n\r\nGET %s HTTP/1.1\r\nHost: site.atlassian.net\r\n\r\n' % inner)

    def node(self, way, arguments, preload, env=None):
        self.runs += 1
        self.mock.mark()
        log = os.path.join(self.mock.logs, 'node-%d.jsonl' % self.runs)
        environment = dict({'NODE_EXTRA_CA_CERTS': self.mock.ca, 'BODY': self.body, 'NODE_NO_WARNINGS': '1'}, **(env or {}))
        if preload:
            environment.setdefault('JWTSHIM_LOG', log)
        script = os.path.join(HERE, 'node_client.js')
        run = self.mock.run([NODE, script, way] + arguments, preload, environment, timeout=self.options.timeout * 8)
        run.settled = self.relay.settle()
        lines = run.out.decode('ascii', 'replace').split()
        run.statuses = [line for line in lines if len(line) == 3]
        run.facts = [line for line in lines if len(line) != 3]
        run.requests, run.captures, run.valgrind = self.mock.requests(), sorted(self.mock.captures()), []
        events = read_events(log) if preload else []
        run.events = [event for event in events if event['jwtshim.action'] not in ('patched', 'not-patched')]
        run.patched = [(event['jwtshim.symbol'], event.get('jwtshim.reason')) for event in events if event not in run.events]
        return run

    def expect(self, run, count, status, verdict, sentence):
        fine = (run.code == 0 and run.statuses == [status] * count and [r['verdict'] for r in run.requests] == [verdict] * count
                and not run.err)
        self.tap.report(fine, 'node: ' + sentence, self.diagnose(run, '%d × %s (%s), nothing on stderr' % (count, status, verdict)))

    def way(self, way):
        urls = [self.mock.sign(way.method, SITE + target, ('first', 'last')[i % 2]) for i, target in enumerate(TARGETS[:way.count])]
        tokens = {token.encode() for token in self.mock.tokens[-way.count:]}
        without, with_shim = self.node(way.name, urls, False), self.node(way.name, urls, True)
        self.expect(without, way.count, '401', 'query-jwt', way.sentence + ': 401 without the shim')
        self.expect(with_shim, way.count, '200', 'valid', way.sentence + ': 200 with it')
        told = [(event['jwtshim.action'], event['jwtshim.layer']) for event in with_shim.events]
        before, after = (sorted(without_tokens(data, tokens) for data in run.captures) for run in (without, with_shim))
        # Which request goes on which of two connections is nobody's promise.
        before, after = ([sorted(b''.join(data).split(b'\r\n'))] if way.name == 'parallel' else data for data in (before, after))
        self.tap.report(told == [('rewritten', way.layer)] * way.count and before == after and bool(before or way.layer == 'nghttp2'),
                        'node: %s: nothing but the token moved, and each was told of once' % way.sentence,
                        self.diagnose(with_shim, '%d events of %s' % (way.count, way.layer), [str(told)] + self.difference(before, after)))
        self.unchanged(way, [url.replace(SITE, OTHER) for url in urls])

    def unchanged(self, way, urls):
        without, with_shim = self.node(way.name, urls, False), self.node(way.name, urls, True)
        self.expect(with_shim, way.count, '200', 'not-atlassian', way.sentence + ' to app.example.com: as ever')
        heads = [sorted(request['head_sha256'] for request in run.requests) for run in (without, with_shim)]
        passed = [event['jwtshim.action'] for event in with_shim.events]
        self.tap.report(heads[0] == heads[1] and len(heads[0]) == way.count and passed == ['passed'] * way.count,
                        'node: %s to app.example.com: the same heads with and without' % way.sentence,
                        self.diagnose(with_shim, 'the same heads', [str(passed)]))

    def redirects(self):
        for path, verdicts, words in REDIRECTS:
            run = self.node('follow', [self.mock.sign('GET', SITE + path)], True)
            for data in run.captures:       # a token of the mock's own, which no log may hold either
                for line in data.split(b'\r\n'):
                    if line.startswith(b'Authorization: JWT '):
                        self.mock.tokens.append(line.split()[-1].decode('ascii', 'replace'))
            self.tap.report([r['verdict'] for r in run.requests] == verdicts and run.statuses == ['200'],
                            'node: fetch follows ' + words, self.diagnose(run, 'verdicts ' + ' '.join(verdicts)))

    def soak(self):
        url = self.mock.sign('GET', SITE + TARGETS[1])
        grown = {}
        for preload in (False, True):
            run = self.node('soak', [url, str(SOAK)], preload)
            facts = json.loads(run.facts[0]) if run.facts else {'seen': {}, 'grown': 0}
            grown[preload] = facts['grown']
            status = '200' if preload else '401'
            self.tap.report(facts['seen'] == {status: SOAK} and len(run.requests) == SOAK,
                            'node: %d requests on four connections: %s %s the shim' % (SOAK, status, 'with' if preload else 'without'),
                            ['the program: %s' % facts['seen'], 'the mock saw %d' % len(run.requests)] + run.text().splitlines()[-5:])
        # What is left of a request would be more than a page: its token, head and connection.
        print('# memory grew by %d KiB without, %d KiB with' % (grown[False] // 1024, grown[True] // 1024))
        self.tap.report(grown[True] - grown[False] < SOAK * 4096, 'node: its memory does not grow with the requests',
                        ['it grew by %d' % grown[True]])

    def modes(self):
        url = self.mock.sign('GET', SITE + TARGETS[0])
        for env, words, patched, actions in (
                ({'JWTSHIM': 'audit'}, 'JWTSHIM=audit', True, ['would-rewrite']), ({'JWTSHIM': 'off'}, 'JWTSHIM=off', False, []),
                ({'JWTSHIM_PATCH': 'off'}, 'JWTSHIM_PATCH=off', False, []), ({'JWTSHIM_SKIP': 'node'}, 'JWTSHIM_SKIP=node', False, [])):
            run = self.node('get', [url], True, env)
            self.expect(run, 1, '401', 'query-jwt', '%s: 401 as without' % words)
            self.tap.report([event['jwtshim.action'] for event in run.events] == actions and bool(run.patched) == patched,
                            'node: %s: %s' % (words, 'it is told what would be' if actions else 'nothing is done and nothing told'),
                            self.diagnose(run, str(actions), [str(run.patched)]))

    def all(self, is_chosen):
        version = self.mock.run([NODE, '--version']).text().strip()
        print('# node ' + version)
        for way in WAYS:
            if is_chosen('node/' + way.name):
                self.way(way)
        if is_chosen('node/redirects'):
            self.redirects()
        if is_chosen('node/modes'):
            self.modes()
        if is_chosen('node/soak'):
            self.soak()


