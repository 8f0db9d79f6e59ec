"""What every scenario of the TLS programs has in common: requests in files, a run without the shim and one with it, and what has to
be true of both. Knows no library.
"""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), 'clients'))
import harness  # noqa: E402
from relay import Relay  # noqa: E402

TLS, SLOW, PLAIN, EARLY = 443, 8443, 80, 8444      # where programs connect
MOCK_TLS, MOCK_PLAIN = 9443, 9080                 # where the mock is, behind the relay
ATLASSIAN, OTHER = 'site.atlassian.net', 'app.example.com'

OWN_SERVER = ('accept', 'refuse', 'accept-either')

# What leaves: method, target, filler in the head, bytes of body.
GET = ('GET', '/rest/api/3/myself?expand=groups', 0, 0)
POST = ('POST', '/rest/api/2/issue', 0, 600)
PUT = ('PUT', '/rest/api/3/issue/A-1/properties/k', 0, 1)
BIG_HEAD = ('GET', '/rest/api/2/search?jql=text+~+%22a+b%22&startAt=50', 40000, 0)
BIG_BODY = ('POST', '/rest/api/2/issue/A-1/attachments', 3000, 150000)
TWO, THREE, BIG = (GET, POST), (PUT, GET, POST), (BIG_HEAD, BIG_BODY)


class Scenario:
    """One way of one program. `requests` are those that it is given; `answers` how many statuses it prints (all by default).
    `kind`: 'moves' (401 without the shim, 200 with it), 'same' (the shim must make no difference at all), 'lost' (none but that
    half a head may stay away, whose transport the program ended itself), or 'accept' and 'refuse' (as
    'moves', but to a server of our own that does so with early data, and judges nothing), or 'accept-either'
    (there a request may also leave as it was)."""

    def __init__(self, name, sentence, program, requests=TWO, kind='moves', layer='openssl', answers=None, port=TLS, needs=(),
                 env=None, valgrind=False):
        self.name, self.sentence, self.program, self.requests, self.kind = name, sentence, program, requests, kind
        self.layer, self.port, self.needs, self.env, self.valgrind = layer, port, needs, env or {}, valgrind
        self.answers = len(requests) if answers is None else answers
        self.way = name.split('/', 1)[1]


class Suite:
    def __init__(self, mock, tap, options, programs):
        self.mock, self.tap, self.options, self.programs = mock, tap, options, programs
        self.relay = Relay([(TLS, MOCK_TLS, False), (SLOW, MOCK_TLS, True), (PLAIN, MOCK_PLAIN, False)])
        self.runs = 0

    # -- requests

    def request_files(self, scenario):
        """The same requests, with the same tokens, for the Atlassian host and for the other one: two lists of files."""
        mine, others = [], []
        inner = self.mock.sign('GET', '/rest/api/2/issue/A-2')
        looks_like_one = 'GET %s HTTP/1.1\r\nHost: %s\r\n\r\n' % (inner, ATLASSIAN)
        for number, (method, target, filler, body_length) in enumerate(scenario.requests):
            target = self.mock.sign(method, target, ('last', 'first')[number % 2])
            fields = ['User-Agent: tls-program/1.0', 'Accept: */*']
            fields += ['X-Filler-%d: %s' % (i, 'abcdefgh' * 100) for i in range(filler // 800)]
            if method != 'GET':
                fields.append('Content-Length: %d' % body_length)
            body = (looks_like_one * (body_length // len(looks_like_one) + 1))[:body_length]
            for host, files in ((ATLASSIAN, mine), (OTHER, others)):
                head = '\r\n'.join(['%s %s HTTP/1.1' % (method, target), 'Host: ' + host] + fields)
                path = os.path.join(self.mock.tmp, 'request-%s-%d' % (host, number))
                with open(path, 'w', encoding='ascii', newline='') as file:
                    file.write(head + '\r\n\r\n' + body)
                files.append(path)
        return mine, others

    # -- one run

    def call(self, scenario, host, files, preload, env=None):
        self.runs += 1
        self.mock.mark()
        own_server = scenario.kind in OWN_SERVER
        argv = [self.programs.path(scenario.program), scenario.way, host, str(EARLY if own_server else scenario.port)] + files
        log = os.path.join(self.mock.logs, '%d.jsonl' % self.runs)
        environment = dict(scenario.env, PLUGINS=self.programs.libraries, **(env or {}))
        if preload:
            environment.setdefault('JWTSHIM_LOG', log)
        report = os.path.join(self.mock.tmp, 'valgrind-%d.xml' % self.runs)
        under_valgrind = self.options.valgrind and preload and scenario.valgrind
        if under_valgrind:
            argv = ['valgrind', '-q', '--leak-check=full', '--show-leak-kinds=definite,indirect', '--xml=yes', '--xml-file=' + report,
                    '--child-silent-after-fork=yes'] + argv
        with self.early_server(scenario.kind.split('-')[0]) if own_server else contextlib.nullcontext() as recorded:
            run = self.mock.run(self.programs.wrap(argv), preload, environment, timeout=self.options.timeout)
            run.settled = recorded() is not None if own_server else self.relay.settle()
        lines = run.out.decode('ascii', 'replace').splitlines()
        run.statuses = [line for line in lines if re.fullmatch(r'\d{3}', line)]
        run.facts = [line for line in lines if line not in run.statuses and not line.startswith('seen ')]
        run.requests = self.mock.requests()
        # Sorted: behind the relay, which of two connections comes first says nothing about the program.
        run.captures = (recorded() or []) if own_server else sorted(self.mock.captures())
        run.events = read_events(log) if preload else []
        run.valgrind = valgrind_errors(report) if under_valgrind else []
        return run

    @contextlib.contextmanager
    def early_server(self, kind):
        """A TLS 1.3 server for two connections. Yields a function that gives what each of them sent, once both have ended."""
        prefix = os.path.join(self.mock.tmp, 'early-%d' % self.runs)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(('127.0.0.1', EARLY))
            listener.listen(4)
            pki = os.path.dirname(self.mock.ca)
            process = subprocess.Popen([self.programs.path('early_server'), kind, str(listener.fileno()), os.path.join(pki, 'leaf.pem'),
                                        os.path.join(pki, 'leaf.key'), '2', prefix], pass_fds=[listener.fileno()],
                                       env=self.mock.environment(False), stdout=subprocess.DEVNULL)

        def recorded():
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                if process.wait(10) == 0:
                    return [open(prefix + number, 'rb').read() for number in ('-0', '-1')]
            return None
        try:
            yield recorded
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    # -- one scenario

    def scenario(self, scenario):
        mine, others = self.request_files(scenario)
        count = scenario.answers
        if scenario.kind == 'moves':
            without = self.call(scenario, ATLASSIAN, mine, False)
            if without.facts and without.facts[0].startswith('skipped: '):
                self.tap.skip(scenario.sentence, without.facts[0][9:])
                return
            self.judge(scenario, without, count, '401', 'query-jwt', ': 401 without the shim')
            with_shim = self.call(scenario, ATLASSIAN, mine, True)
            self.judge(scenario, with_shim, count, '200', 'valid', ': 200 with it')
            self.only_the_token_moved(scenario, without, with_shim, count)
            self.same(scenario, OTHER, others)
        elif scenario.kind in OWN_SERVER:
            # What the server refused is sent again, and told of again.
            count += scenario.kind == 'refuse'
            self.only_the_token_moved(scenario, self.call(scenario, ATLASSIAN, mine, False), self.call(scenario, ATLASSIAN, mine, True), count)
            if scenario.kind != 'accept-either':
                self.same(scenario, OTHER, others)
        else:
            self.same(scenario, ATLASSIAN, mine)

    def judge(self, scenario, run, count, status, verdict, words):
        fine = (run.code == 0 and run.settled and run.statuses == [status] * count
                and [request['verdict'] for request in run.requests] == [verdict] * count
                and all(need in run.facts for need in scenario.needs))
        expected = '%d × %s (%s)%s' % (count, status, verdict, ''.join(', "%s"' % need for need in scenario.needs))
        self.tap.report(fine, scenario.sentence + words, self.diagnose(run, expected))

    def only_the_token_moved(self, scenario, without, with_shim, count):
        tokens = {token.encode() for token in self.mock.tokens[-len(scenario.requests):]}     # two of one second may be the same
        headers = sum(data.count(b'Authorization: JWT %s\r\n' % token) for token in tokens for data in with_shim.captures)
        before, after = ([without_tokens(data, tokens) for data in run.captures] for run in (without, with_shim))
        before, after = sorted(before), sorted(after)
        layers = [event.get('jwtshim.layer') for event in with_shim.events if event.get('jwtshim.action') == 'rewritten']
        reported = layers == [scenario.layer] * count and len(with_shim.events) == count
        if scenario.kind == 'accept-either':
            headers, reported = scenario.answers, True
        fine = bool(before) and before == after and headers == scenario.answers and with_shim.facts == without.facts and reported
        self.tap.report(fine and not with_shim.valgrind, scenario.sentence + ': nothing but the token moved', self.diagnose(
            with_shim, '%d Authorization fields (%d left), no other byte changed, the program sees the same, %d events of layer %s' %
            (scenario.answers, headers, count, scenario.layer), self.difference(before, after) + self.fact_difference(without, with_shim)))

    def same(self, scenario, host, files):
        """The same bytes leave, and the program sees the same; each request that might have been rewritten is told of once."""
        without = self.call(scenario, host, files, False)
        with_shim = self.call(scenario, host, files, True)
        told = [(event.get('jwtshim.action'), event.get('jwtshim.layer')) for event in with_shim.events]
        once = told == [('passed', scenario.layer)] * (scenario.answers + (scenario.kind == 'refuse')) if host == OTHER else ('rewritten', scenario.layer) not in told
        may_stay_away = scenario.kind == 'lost' and not with_shim.captures
        fine = ((without.captures == with_shim.captures or may_stay_away) and without.code == with_shim.code and without.facts == with_shim.facts
                and without.statuses == with_shim.statuses and bool(without.captures) and once
                and without.settled and with_shim.settled and ('done' in without.facts or without.code == -9))
        words = '' if scenario.kind in ('same', 'lost') else ' to %s: the same bytes with and without' % host
        self.tap.report(fine and not with_shim.valgrind, scenario.sentence + words, self.diagnose(
            with_shim, 'what leaves without the shim, %s, exit code %s' % (' '.join(without.statuses) or 'no status', without.code),
            self.difference(without.captures, with_shim.captures) + self.fact_difference(without, with_shim)))

    # -- diagnostics

    def diagnose(self, run, expected, more=()):
        lines = ['expected: ' + expected,
                 'the program: %s, statuses %s, %s' % ('ended for its time' if run.code is None else 'exit code %d' % run.code,
                                                        ' '.join(run.statuses) or 'none', '; '.join(run.facts)),
                 'the mock saw:']
        lines += ['  %(method)s %(target)s on connection %(connection)s, body %(body_length)s: %(status)s %(verdict)s' % request
                  for request in run.requests[:6]] or ['  nothing']
        lines += ['event: %s' % {key: event[key] for key in event if key.startswith('jwtshim.')} for event in run.events[:6]]
        lines += list(more) + ['valgrind: ' + error for error in run.valgrind[:8]]
        lines += ['stderr: ' + line for line in run.err.decode('utf-8', 'replace').splitlines()[-6:]]
        return [self.mock.redact(line) for line in lines]

    def fact_difference(self, without, with_shim):
        if without.facts == with_shim.facts:
            return []
        return ['the program saw without: %s' % '; '.join(without.facts), 'the program saw with:    %s' % '; '.join(with_shim.facts)]

    def difference(self, before, after):
        if before == after:
            return ['the bytes are the same']
        lines = ['connections with bytes: %d without the shim, %d with it' % (len(before), len(after))]
        for number, (a, b) in enumerate(zip(before, after), 1):
            # Without tokens first, cut out afterwards: half a token would be no less secret.
            a, b = (self.mock.redact(data.decode('latin-1')) for data in (a, b))
            at = next((i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1]), min(len(a), len(b)))
            if at < max(len(a), len(b)):
                lines.append('connection %d differs at character %d of %d without, %d with:' % (number, at, len(a), len(b)))
                lines += ['  without …%r' % a[max(0, at - 60):at + 60], '  with    …%r' % b[max(0, at - 60):at + 60]]
        return lines[:12]

    # -- what is not one program's

    def modes(self, scenario):
        """JWTSHIM=audit and off: the same bytes. audit reports each request, off writes nothing."""
        mine, _ = self.request_files(scenario)
        without = self.call(scenario, ATLASSIAN, mine, False)
        for mode in ('audit', 'off'):
            log = os.path.join(self.mock.logs, '%s-%d.jsonl' % (mode, self.runs))
            run = self.call(scenario, ATLASSIAN, mine, True, {'JWTSHIM': mode, 'JWTSHIM_LOG': log})
            self.tap.report(run.captures == without.captures and bool(run.captures) and run.facts == without.facts,
                            '%s with JWTSHIM=%s: the same bytes leave' % (scenario.sentence, mode),
                            self.diagnose(run, 'the same bytes', self.difference(without.captures, run.captures)))
            told = [(event.get('jwtshim.action'), event.get('jwtshim.layer')) for event in read_events(log)]
            wanted = [('would-rewrite', scenario.layer)] * scenario.answers if mode == 'audit' else []
            self.tap.report(told == wanted and (mode == 'audit' or not os.path.exists(log)),
                            '%s with JWTSHIM=%s: the log has %s' % (scenario.sentence, mode, 'one event a request' if wanted else 'nothing'),
                            ['expected %s' % wanted, 'got %s' % told])

    def logs(self):
        leaking = []
        for path in self.mock.log_files():
            with open(path, 'rb') as file:
                if self.mock.leaked(file.read()):
                    leaking.append(os.path.basename(path))
        self.tap.report(not leaking and bool(self.mock.log_files()), 'no token, nor a part of one, is in any log of the shim',
                        ['a token is in %s' % ', '.join(leaking) if leaking else 'there is no log at all'])


def without_tokens(data, tokens):
    """What leaves with neither the parameter nor the header; two requests that differ in nothing else are then the same."""
    for token in tokens:
        for old, new in ((b'?jwt=%s&' % token, b'?'), (b'&jwt=%s' % token, b''), (b'?jwt=%s' % token, b''),
                         (b'Authorization: JWT %s\r\n' % token, b'')):
            data = data.replace(old, new)
    return data


def read_events(path):
    with contextlib.suppress(FileNotFoundError):
        with open(path, encoding='utf-8') as file:
            return [harness.json.loads(line) for line in file]
    return []


def valgrind_errors(path):
    """The errors whose stack goes through the shim, a line each."""
    try:
        errors = xml.etree.ElementTree.parse(path).getroot().findall('error')
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        return ['no report: %s' % error]
    lines = []
    for error in errors:
        frames = error.findall('./stack/frame')
        if any((frame.findtext('obj') or '').endswith('/libjwtshim.so') for frame in frames):
            where = ' < '.join('%s:%s' % (frame.findtext('fn'), frame.findtext('line')) for frame in frames[:9])
            lines.append('%s: %s' % (error.findtext('kind'), where))
    return lines


def has_valgrind():
    return shutil.which('valgrind') is not None
