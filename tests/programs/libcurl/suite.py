"""Runs the client with and without the shim, and compares what arrived and what the program saw."""
import os
import re
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), 'clients'))
import harness  # noqa: E402
from rows import APP, LIKE_ONE, MYSELF, NOT_ATLASSIAN, QUERY, SITE, VALID  # noqa: E402
from station import PLAIN, TLS, Station  # noqa: E402


def is_atlassian(url):
    return 'atlassian.net' in url.split('/')[2]


class Suite:
    def __init__(self, mock, tap, options, programs):
        self.mock, self.tap, self.options, self.programs = mock, tap, options, programs
        self.station = Station(os.path.dirname(mock.ca))
        self.runs = 0

    # -- one run

    def files(self, urls):
        paths = []
        for number, url in enumerate(urls):
            paths.append(os.path.join(self.mock.tmp, 'url-%d' % number))
            with open(paths[-1], 'w', encoding='ascii') as file:
                file.write(url + '\n')
        return paths

    def call(self, library, scenario, urls, preload, http, options='', env=None):
        self.runs += 1
        self.mock.mark()
        self.station.take()
        log = os.path.join(self.mock.logs, '%d.jsonl' % self.runs)
        environment = dict(env or {}, HTTP=http, OPTIONS=options)
        if preload:
            environment.setdefault('JWTSHIM_LOG', log)
        argv = self.programs.argv(library, [scenario] + self.files(urls))
        report = os.path.join(self.mock.tmp, 'valgrind-%d.xml' % self.runs)
        under_valgrind = self.options.valgrind and preload
        if under_valgrind:
            argv = ['valgrind', '-q', '--leak-check=full', '--show-leak-kinds=definite,indirect', '--xml=yes', '--xml-file=' + report] + argv
        run = self.mock.run(argv, preload, environment, timeout=self.options.timeout * (6 if under_valgrind else 1))
        lines = run.out.decode('ascii', 'replace').splitlines()
        run.statuses = [line for line in lines if re.fullmatch(r'\d{3}', line)]
        run.facts = [line for line in lines if line not in run.statuses]
        run.done = run.code == 0 and 'done' in lines
        run.requests, run.captures, run.heads = self.mock.requests(), self.mock.captures(), self.station.take()
        run.events = read_events(environment.get('JWTSHIM_LOG')) if preload else []
        run.valgrind = valgrind_errors(report) if under_valgrind else []
        return run

    def sign(self, method, url, position='last'):
        return self.mock.sign(method, url, position)

    # -- what moves

    def moves(self, row, library, http):
        sentence = '%s, libcurl %s, HTTP/%s' % (row.sentence, library, http)
        urls = [self.sign(method, url, ('last', 'first')[number % 2]) for number, (method, url) in enumerate(row.urls)]
        tokens = self.mock.tokens[-len(urls):]
        mine = [token for token, url in zip(tokens, urls) if is_atlassian(url)]
        without = self.call(library, row.scenario, urls, False, http, row.options)
        with_shim = self.call(library, row.scenario, urls, True, http, row.options)
        count = sum(asked for asked, url in zip(row.asked, urls) if is_atlassian(url))
        others = sum(row.asked) - count
        self.verdicts(sentence + ': 401 without the shim', without, [QUERY] * count + [NOT_ATLASSIAN] * others)
        self.verdicts(sentence + ': 200 with it', with_shim, [VALID] * count + [NOT_ATLASSIAN] * others)

        before, after = sorted(map(entry_key, without.requests)), sorted(map(entry_key, with_shim.requests))
        fine, lines = before == after, ['arrived without: %s' % before, 'arrived with:    %s' % after]
        if row.ordered and http == '1.1':
            same, difference = self.only_tokens_moved(without.captures, with_shim.captures, mine, count)
            fine, lines = fine and same, lines + difference
        fine = fine and with_shim.facts == without.facts and not with_shim.valgrind
        self.tap.report(fine, sentence + ': nothing but the token moved, the program saw the same', self.diagnose(with_shim, lines + [
            'the program saw without: %s' % '; '.join(without.facts)]))
        self.events(sentence, with_shim, library, http, count + (row.unmade if library != 'system' else 0), others)
        clean = not self.mock.leaked(with_shim.out + with_shim.err) and not any(
            self.mock.leaked(head.encode('latin-1')) for where, head in with_shim.heads if where == 'proxy')
        same_proxy = [head for where, head in with_shim.heads if where == 'proxy'] == [head for where, head in without.heads if where == 'proxy']
        if 'proxy' in row.options:
            self.tap.report(clean and same_proxy and with_shim.heads, sentence + ': the proxy is asked for the same, and sees no token',
                            self.diagnose(with_shim, [head for _, head in with_shim.heads]))

    def verdicts(self, sentence, run, verdicts):
        found = sorted(request['verdict'] for request in run.requests)
        self.tap.report(run.done and found == sorted(verdicts), sentence, self.diagnose(run, ['expected: %s' % sorted(verdicts)]))

    def events(self, sentence, run, library, http, moved, others):
        told = [(event.get('jwtshim.action'), event.get('jwtshim.layer'), event.get('jwtshim.reason')) for event in run.events]
        if library == 'system':
            layer = 'nghttp2' if http == '2' else 'openssl'
            wanted = [('rewritten', layer, None)] * moved + [('passed', layer, 'host-not-atlassian')] * others
        else:
            wanted = [('layer-applies', 'libcurl', 'tls-inside')] + [('rewritten', 'libcurl', None)] * moved
            wanted += [('passed', 'libcurl', 'host-not-atlassian')] * others
            if library == 'tls':      # what passed here is met again by nghttp2's hooks
                told = [event for event in told if event[1] != 'nghttp2' or event[0] != 'passed']
        self.tap.report(sorted(told, key=str) == sorted(wanted, key=str), sentence + ': the log tells of each request once, by its layer',
                        ['expected %s' % wanted, 'got %s' % told])

    @staticmethod
    def only_tokens_moved(before, after, tokens, count):
        headers = 0
        before, after = list(before), list(after)
        for token in (token.encode() for token in tokens):
            field = b'Authorization: JWT %s\r\n' % token
            headers += sum(data.count(field) for data in after)
            after = [data.replace(field, b'') for data in after]
            for old, new in ((b'?jwt=%s&' % token, b'?'), (b'&jwt=%s' % token, b''), (b'?jwt=%s' % token, b'')):
                before = [data.replace(old, new) for data in before]
        return before == after and headers == count and bool(before), ['%d Authorization fields of %d, bytes %s' % (
            headers, count, 'the same' if before == after else 'differ: %r, %r' % first_difference(before, after))]

    # -- redirects

    def redirect(self, row, library, http):
        sentence = '%s, libcurl %s, HTTP/%s' % (row.sentence, library, http)
        run = self.call(library, row.scenario, [self.sign(*row.url)], True, http, row.options)
        times = 2 if row.scenario == 'parallel' else 1
        found = [(request['site'], request['method'], request['verdict']) for request in run.requests]
        effective = [fact for fact in run.facts if fact.startswith('the effective URL is ')]
        fine = run.done and found == row.hops * times and not run.valgrind
        self.tap.report(fine, sentence + ': each hop has its own token or none', self.diagnose(run, ['expected: %s' % row.hops]))
        self.tap.report(bool(effective) and all(fact == 'the effective URL is ' + row.effective for fact in effective),
                        sentence + ': the program is told where it has arrived', ['expected: ' + row.effective] + effective)

    def foreign_redirects(self, library, http):
        """From another origin to an URL with a token: libcurl sends no Authorization of ours there by itself."""
        landed = SITE + '/rest/api/2/landed?a=1'
        for first, sentence in (('http://site.atlassian.net:%d/echo' % PLAIN, 'from http to https'),
                                ('https://app.example.com:%d/echo' % TLS, 'from another host')):
            for options, verdict in (('follow', VALID), ('follow user=user:pass', QUERY)):
                self.station.locations['/echo'] = self.sign('GET', landed)
                run = self.call(library, 'get', [first], True, http, options)
                told = [event.get('jwtshim.reason') for event in run.events if event.get('jwtshim.action') == 'passed']
                with_secret = verdict == QUERY
                if with_secret and (library, http) == ('tls', '2'):
                    verdict = VALID       # nghttp2's hook sees that hop, and needs no help of libcurl's
                self.tap.report(run.done and [request['verdict'] for request in run.requests] == [verdict]
                                and ('redirect-with-credentials' in told) == with_secret
                                and not any('jwt' in head.lower() for _, head in run.heads),
                                'a Location with a token, %s, libcurl %s, HTTP/%s%s' % (sentence, library, http, (
                                    ', a password set: not by libcurl, and the log says why' if with_secret else ': moved there')),
                                self.diagnose(run))

    def handle_after_redirect(self, library, http):
        """A first hop with a token at the station, which keeps heads; then another host by the same handle."""
        self.station.locations['/hop'] = APP + ':%d/end' % TLS
        first = self.sign('GET', SITE + ':%d/hop?a=1' % TLS).replace('https://', 'https://user:secret-word@')
        token = self.mock.tokens[-1]
        run = self.call(library, 'get', [first, APP + ':%d/again' % TLS], True, http, 'follow unrestricted autoreferer')
        heads = [head for where, head in run.heads if where == 'tls']
        told = any('secret-word' in head for head in heads)
        with_token = [head.split(' ')[1] for head in heads if token in head]
        self.tap.report(run.done and [head.split(' ')[1] for head in heads] == ['/hop?a=1', '/end', '/again'] and with_token == ['/hop?a=1'] and not told
                        and 'Authorization: JWT ' + token in heads[0] and ('Referer: %s:%d/hop?a=1\r' % (SITE, TLS)) in heads[1],
                        'the token is in the one request that carried it, libcurl %s' % library,
                        self.diagnose(run, [self.mock.redact(head) for head in heads]))

    def h2_inside(self):
        """TLS that is visible, and an HTTP/2 that is not: only the latter is this layer's."""
        for http, layer in (('2', 'libcurl'), ('1.1', 'openssl')):
            run = self.call('h2', 'get', [self.sign(*MYSELF), self.sign(*LIKE_ONE)], True, http)
            told = [(event.get('jwtshim.action'), event.get('jwtshim.layer'), event.get('jwtshim.reason')) for event in run.events]
            wanted = [('rewritten', layer, None), ('passed', layer, 'host-not-atlassian')]
            if layer == 'libcurl':
                wanted.insert(0, ('layer-applies', layer, 'http2-inside'))
            told = [event for event in told if event[1] == layer]
            self.tap.report(run.done and [request['verdict'] for request in run.requests] == [VALID, NOT_ATLASSIAN] and told == wanted,
                            'libcurl with its own HTTP/2 over the system\'s OpenSSL, HTTP/%s: by %s' % (http, layer), self.diagnose(run))

    def chain(self, library):
        """Two hops with a token each (the second one's in its Location), then another host, with CURLOPT_AUTOREFERER."""
        here = SITE + ':%d' % TLS
        first, second = self.sign('GET', here + '/one?a=1'), self.sign('GET', here + '/two?b=2')
        tokens = self.mock.tokens[-2:]
        self.station.locations.update({'/one': second, '/two': APP + ':%d/three' % TLS, '/three': here + '/four'})
        run = self.call(library, 'get', [first], True, '1.1', 'follow autoreferer')
        heads = [head for where, head in run.heads if where == 'tls']
        seen = [(head.split(' ')[1], [number for number, token in enumerate(tokens) if token in head],
                 'Authorization: ' in head, ''.join(re.findall(r'Referer: (\S*)', head))) for head in heads]
        wanted = [('/one?a=1', [0], True, ''), ('/two?b=2', [1], True, here + '/one?a=1'), ('/three', [], False, here + '/two?b=2'),
                  ('/four', [], False, APP + ':%d/three' % TLS)]
        self.tap.report(run.done and seen == wanted, 'a chain of redirects, libcurl %s: each token in its own request alone' % library,
                        self.diagnose(run, ['expected: %s' % wanted, 'got: %s' % seen]))

    # -- conflicts, modes, referers

    def conflicts(self, what, options, scenario, verdicts, library, http):
        for policy, verdict in verdicts.items():
            url = self.sign(*MYSELF)
            if options == 'in-url':
                url = url.replace('https://', 'https://user:pass@')
            run = self.call(library, scenario, [url], True, http, options.replace('in-url', ''), {'JWTSHIM_ON_CONFLICT': policy})
            found = [request['verdict'] for request in run.requests]
            # A challenge that is answered makes more requests of one; the first is what was decided.
            self.tap.report(run.done and found[:1] == [verdict] and len(found) == 1 and not run.valgrind,
                            '%s, ON_CONFLICT=%s, libcurl %s, HTTP/%s: %s' % (what, policy, library, http, verdict), self.diagnose(run))

    def challenge(self, library):
        """A token that is refused with a challenge for the program's password: never two Authorization fields."""
        run = self.call(library, 'get', [self.sign('GET', SITE + ':%d/challenge' % TLS)], True, '1.1', 'user=user:pass auth=2')
        counts = [len(re.findall(r'(?im)^authorization:', head)) for where, head in run.heads if where == 'tls']
        self.tap.report(run.done and run.statuses == ['401'] and bool(counts) and set(counts) == {1},
                        'a challenge for a password, libcurl %s: one Authorization in each request' % library, self.diagnose(run, [counts]))

    def left_later(self, library, http):
        """ON_CONFLICT=leave, where the program's Authorization comes with the second request: its URL is the program's again."""
        run = self.call(library, 'authorization-later', [self.sign(*MYSELF)], True, http, '', {'JWTSHIM_ON_CONFLICT': 'leave'})
        self.tap.report(run.done and [request['verdict'] for request in run.requests] == [VALID, QUERY, QUERY] and not run.valgrind,
                        'a handle whose URL is left alone from the second request on, libcurl %s, HTTP/%s' % (library, http), self.diagnose(run))

    def referers(self, library, http):
        first, second = self.sign(*MYSELF), LIKE_ONE[1]
        run = self.call(library, 'referer', [first, APP + ':%d/page' % TLS], True, http)
        heads = [head for _, head in run.heads]
        self.tap.report(run.done and len(heads) == 2 and all('Referer: %s\r\n' % MYSELF[1] in head for head in heads),
                        'a Referer loses its token on its way to another host, libcurl %s' % library,
                        self.diagnose(run, [self.mock.redact(head) for head in heads] + [second]))

    def modes(self, library, http):
        urls = [self.sign(*MYSELF), self.sign(*LIKE_ONE)]
        without = self.call(library, 'header-before', urls, False, http, 'follow')
        for mode in ('audit', 'off'):
            log = os.path.join(self.mock.logs, '%s-%d.jsonl' % (mode, self.runs))
            run = self.call(library, 'header-before', urls, True, http, 'follow', {'JWTSHIM': mode, 'JWTSHIM_LOG': log})
            same = ([request['head_sha256'] for request in run.requests] == [request['head_sha256'] for request in without.requests]
                    and run.captures == without.captures and run.facts == without.facts and run.statuses == without.statuses)
            self.tap.report(run.done and same and bool(run.requests), 'JWTSHIM=%s, libcurl %s, HTTP/%s: nothing changes' % (mode, library, http),
                            self.diagnose(run))
            actions = [event.get('jwtshim.action') for event in run.events if event.get('jwtshim.layer') != 'nghttp2' or library == 'system']
            wanted = [] if mode == 'off' else ['would-rewrite', 'passed'] if library == 'system' else ['layer-applies', 'would-rewrite', 'passed']
            self.tap.report(actions == wanted, 'JWTSHIM=%s, libcurl %s, HTTP/%s: the log has %s' % (mode, library, http, wanted or 'nothing'),
                            ['got %s' % actions])

    def verbose(self, http):
        """What the system's libcurl tells of a request: the same with and without, since its URL and fields stay the program's."""
        url = self.sign(*MYSELF)
        runs = [self.call('system', 'get', [url], preload, http, 'verbose') for preload in (False, True)]
        sent = [[line for line in run.err.decode('utf-8', 'replace').splitlines() if line.startswith(('> ', '* h2h3', '* Using Stream'))]
                for run in runs]
        sent = [[re.sub(r'easy handle 0x[0-9a-f]+', 'easy handle', line) for line in lines] for lines in sent]
        self.tap.report(sent[0] == sent[1] and any('jwt=' in line for line in sent[0]) and runs[1].statuses == ['200'],
                        'verbose output of the system\'s libcurl, HTTP/%s: the request as the program wrote it' % http,
                        [self.mock.redact(line) for lines in sent for line in lines])

    # -- diagnostics

    def diagnose(self, run, more=()):
        lines = ['the program: %s, statuses %s; %s' % ('ended for its time' if run.code is None else 'exit code %d' % run.code,
                                                       ' '.join(run.statuses), '; '.join(run.facts))]
        lines += ['the mock saw: %(method)s %(authority)s %(target)s HTTP/%(protocol)s: %(status)s %(verdict)s' % request
                  for request in run.requests[:8]]
        lines += ['event: %s' % {key: event[key] for key in event if key.startswith('jwtshim.')} for event in run.events[:8]]
        lines += ['valgrind: ' + error for error in run.valgrind[:8]] + list(more)
        lines += ['stderr: ' + line for line in run.err.decode('utf-8', 'replace').splitlines()[-4:]]
        return [self.mock.redact(str(line)) for line in lines]

    def logs(self):
        leaking = []
        for path in self.mock.log_files():
            with open(path, 'rb') as file:
                if self.mock.leaked(file.read()):
                    leaking.append(os.path.basename(path))
        self.tap.report(not leaking and bool(self.mock.log_files()), 'no token, nor a part of one, is in any log of the shim', leaking)


def entry_key(request):
    """What arrived, without the token and its field."""
    target = re.sub(r'[?&]jwt=<token>$', '', request['target'].replace('jwt=<token>&', '', 1))
    if request['site'] != 'atlassian':
        target = request['target']
    fields = [name for name in request['fields'] if name.lower() != 'authorization' or request['site'] != 'atlassian']
    return str((request['authority'], request['method'], target, request['protocol'], fields, request['body_length'], request['body_sha256']))


def first_difference(before, after):
    for a, b in zip(before + [b''], after + [b'']):
        if a != b:
            at = next((i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1]), min(len(a), len(b)))
            return a[max(0, at - 40):at + 60], b[max(0, at - 40):at + 60]
    return b'', b''


def read_events(path):
    try:
        with open(path, encoding='utf-8') as file:
            return [harness.json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def valgrind_errors(path):
    """The errors that this layer of the shim has a part in, be it that it freed the memory: a line each."""
    try:
        errors = xml.etree.ElementTree.parse(path).getroot().findall('error')
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        return ['no report: %s' % error]
    lines = []
    for error in errors:
        frames = error.findall('./stack/frame')
        if any((frame.findtext('file') or '').startswith('libcurl') and (frame.findtext('obj') or '').endswith('/libjwtshim.so')
               for frame in frames):
            lines.append('%s: %s' % (error.findtext('kind'), ' < '.join('%s:%s' % (frame.findtext('fn'), frame.findtext('line'))
                                                                            for frame in frames[:9])))
    return lines
