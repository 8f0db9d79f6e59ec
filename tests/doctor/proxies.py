"""The proxy configurations that the doctor prints, run by the real HAProxy and nginx between curl and the mock site, as they were printed.
A name server of the test's own answers 127.0.0.1 for every name.
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import harness

PORT, TLS_PORT = 8480, 8443
PLAIN_URL = 'http://site.atlassian.net%s'

# What is written in place of {jwt}, and what the site must get. T is a token as it is, E one with its dots percent-encoded.
TARGETS = [
    ('alone', '/rest/api/3/myself?jwt={T}', '/rest/api/3/myself'),
    ('first', '/rest/api/2/search?jwt={T}&jql=text+~+%22a+b%22', '/rest/api/2/search?jql=text+~+%22a+b%22'),
    ('last', '/rest/api/2/search?jql=a%3db&x=%2F..%2f&jwt={T}', '/rest/api/2/search?jql=a%3db&x=%2F..%2f'),
    ('in the middle', '/rest/api/2/search?a=1&jwt={T}&b=%E2%82%AC', '/rest/api/2/search?a=1&b=%E2%82%AC'),
    ('twice', '/rest/api/2/search?jwt={T}&a=1&jwt={T}&b=2', '/rest/api/2/search?a=1&b=2'),
    ('with percent-encoded dots', '/rest/api/2/search?a=1&jwt={E}', '/rest/api/2/search?a=1'),
    ('beside names that are like it', '/rest/api/2/search?xjwt=1&jwtx=2&JWT=3&jwt={T}', '/rest/api/2/search?xjwt=1&jwtx=2&JWT=3'),
    ('behind a path with escapes and two slashes', '/a%20b//c%2Fd/?jwt={T}&e', '/a%20b//c%2Fd/?e'),
]
UNTOUCHED = [
    ('a jwt that is no token', '/rest/api/2/search?jwt=T&a=1'),
    ('a token inside another value', '/rest/api/2/search?u=https%3A%2F%2Fe.com%2F%3Fjwt%3Da.b.c&q=1?jwt=a.b.c'),
    ('a parameter of another name', '/rest/api/2/search?token=a.b.c&;jwt=a.b.c'),
    ('no query', '/rest/api/2//search/%7e'),
]


def answer(question):
    """A DNS response with the address 127.0.0.1 to a question for one, and with nothing to any other."""
    end = question.index(b'\0', 12) + 5
    asks_for_a = question[end - 4:end - 2] == b'\0\1'
    header = question[:2] + struct.pack('>HHHHH', 0x8180, 1, int(asks_for_a), 0, 0)
    record = b'\xc0\x0c' + struct.pack('>HHIH', 1, 1, 60, 4) + bytes([127, 0, 0, 1])
    return header + question[12:end] + (record if asks_for_a else b'')


@contextlib.contextmanager
def name_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(('127.0.0.1', 53))
        server.settimeout(0.2)
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                with contextlib.suppress(socket.timeout):
                    question, peer = server.recvfrom(4096)
                    server.sendto(answer(question), peer)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(10)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


@contextlib.contextmanager
def running(argv, port):
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 20
        while not listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise harness.Trouble('%s does not listen' % argv[0])
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def own_logs(server):
    """A directory of the test's own where `server` writes its logs if nobody says otherwise; none where it has no such place."""
    said = subprocess.run([server, '-V'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30).stdout if server == 'nginx' else ''
    path = re.search(r'--http-log-path=(\S+)', said)
    directory = os.path.dirname(path.group(1)) if path else None
    if directory:
        os.makedirs(directory, exist_ok=True)
        subprocess.run(['mount', '-t', 'tmpfs', 'none', directory], check=True, timeout=30)
    try:
        yield directory
    finally:
        if directory:
            subprocess.run(['umount', '-l', directory], check=True, timeout=30)


class Proxy:
    def __init__(self, tap, mock, name, command):
        self.tap, self.mock, self.name, self.command = tap, mock, name, command
        self.config = os.path.join(mock.tmp, name + '.conf')

    def check(self, good, sentence, *seen):
        self.tap.report(good, '%s: %s' % (self.name, sentence), [self.mock.redact(str(line)) for line in seen])

    def print(self, *options):
        run = subprocess.run([self.command, 'doctor', '--proxy-config=' + self.name, '--ca-file', self.mock.ca, '--resolver',
                              '127.0.0.1:53'] + list(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(run.stdout)
        return run

    def pid_file(self):
        return ['-g', 'pid %s;' % os.path.join(self.mock.tmp, 'nginx.pid')]

    def checking(self):
        return ['haproxy', '-c', '-f', self.config] if self.name == 'haproxy' else ['nginx', '-t', '-c', self.config] + self.pid_file()

    def serving(self):
        # No master: in the namespace there is no other user that nginx could become.
        if self.name == 'haproxy':
            return ['haproxy', '-db', '-f', self.config]
        return ['nginx', '-c', self.config, '-g', 'daemon off; master_process off; pid %s;' % os.path.join(self.mock.tmp, 'nginx.pid')]

    def accepted(self):
        run = self.print()
        verdict = subprocess.run(self.checking(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        self.check(run.returncode == 0 and verdict.returncode == 0, 'the printed configuration is accepted', run.stderr, verdict.stdout)

    # -- one request

    def curl(self, *arguments, proxy=True):
        self.mock.mark()
        argv = ['curl', '-s', '--path-as-is', '-o', '/dev/null', '-w', '%{http_code}']
        run = self.mock.run(argv + ['--max-time', '20'] + (['-x', 'http://127.0.0.1:%d' % PORT] if proxy else []) + list(arguments))
        return run.out.decode(), b''.join(self.mock.captures())

    def token(self, target, method='GET'):
        """A token for the request that is left when the parameter is gone."""
        url = self.mock.sign(method, 'https://site.atlassian.net' + target)
        return url.rsplit('jwt=', 1)[1]

    def moved(self):
        for what, target, left in TARGETS:
            token = self.token(left)
            sent = target.replace('{T}', token).replace('{E}', token.replace('.', '%2E'))
            status, wire = self.curl(PLAIN_URL % sent)
            line, _, rest = wire.partition(b'\r\n')
            good = status == '200' and line == b'GET %s HTTP/1.1' % left.encode() and wire.count(token.encode()) == 1
            self.check(good and rest.lower().count(b'\r\nauthorization: jwt ') == 1, 'a token %s is moved, and no other byte of the target changes' % what,
                       status, line.decode())

    def by_address(self):
        left = '/rest/api/3/myself'
        url = 'http://site.atlassian.net:%d%s?jwt=%s' % (PORT, left, self.token(left))
        status, wire = self.curl('--connect-to', '::127.0.0.1:%d' % PORT, url, proxy=False)
        self.check(status == '200' and b'\r\nhost: site.atlassian.net\r\n' in wire.lower(),
                   'it is a site itself as well (a base URL with its port), and the site sees its own name', status, wire.decode())

    def posts(self):
        left = '/rest/api/2/issue'
        body = 'x' * 70000 + '?jwt=a.b.c'
        file = os.path.join(self.mock.tmp, 'body')
        with open(file, 'w', encoding='ascii') as out:
            out.write(body)
        token = self.token(left, 'POST')
        status, wire = self.curl('--data-binary', '@' + file, PLAIN_URL % (left + '?jwt=' + token))
        self.check(status == '200' and wire.endswith(body.encode()) and wire.count(token.encode()) == 1,
                   'a POST of 70 KB arrives whole, with its token moved', status, wire[:80])
        token = self.token(left)
        status, wire = self.curl('-H', 'Authorization: Basic c2VjcmV0', PLAIN_URL % (left + '?jwt=' + token))
        self.check(status == '200' and b'c2VjcmV0' not in wire and wire.lower().count(b'\r\nauthorization:') == 1,
                   'an Authorization that was there gives way', status, wire[:80])

    def untouched(self):
        for what, target in UNTOUCHED:
            status, wire = self.curl('-H', 'Authorization: Basic eHl6', PLAIN_URL % target)
            self.check(wire.startswith(b'GET %s HTTP/1.1\r\n' % target.encode()) and b'\r\nauthorization: Basic eHl6\r\n' in
                       wire.replace(b'\r\nAuthorization', b'\r\nauthorization'), 'left as it was: %s' % what, status, wire[:200])

    def referers(self):
        token = self.token('/rest/api/3/myself')
        for what, referer, left in (('alone', 'https://site.atlassian.net/a?jwt=%s' % token, b'https://site.atlassian.net/a'),
                                    ('first', 'https://site.atlassian.net/a?jwt=%s&b=1' % token, b'https://site.atlassian.net/a?b=1'),
                                    ('last', 'https://site.atlassian.net/a?b=1&jwt=%s' % token, b'https://site.atlassian.net/a?b=1')):
            _, wire = self.curl('-e', referer, PLAIN_URL % '/rest/api/3/myself')
            self.check(token.encode() not in wire and b'eferer: ' + left + b'\r\n' in wire, 'a Referer loses its token: %s' % what, wire[:200])

    def others(self):
        token = self.token('/rest/api/3/myself')
        for host in ('app.example.com', 'evilatlassian.net', 'api.media.atlassian.com', 'site.atlassian.net.evil.example', '127.0.0.1'):
            status, wire = self.curl('http://%s/rest/api/3/myself?jwt=%s' % (host, token))
            self.check(status == '421' and not wire, 'a request to %s goes nowhere' % host, status, wire[:80])

    def quiet(self, process):
        process.send_signal(signal.SIGTERM)
        out = process.communicate(timeout=20)[0]
        self.check(not self.mock.leaked(out), 'and no token is in what it printed', out.decode('utf-8', 'replace'))

    def logs_nothing(self, directory):
        written = b''
        for name in os.listdir(directory):
            with open(os.path.join(directory, name), 'rb') as file:
                written += file.read()
        self.check(not self.mock.leaked(written) and b'/rest/api/' not in written, 'nor is anything of a request in a log where it keeps them by itself',
                   os.listdir(directory), written[:200])

    def refuses_a_stranger(self):
        other = os.path.join(self.mock.tmp, 'other-ca')
        subprocess.run([os.path.join(harness.MOCK, 'make-pki'), other], check=True, timeout=60)
        self.print('--ca-file', os.path.join(other, 'ca.pem'))
        token = self.token('/rest/api/3/myself')
        with running(self.serving(), PORT) as process:
            status, wire = self.curl(PLAIN_URL % ('/rest/api/3/myself?jwt=' + token))
            self.check(status in ('502', '503') and not wire, 'a site whose certificate nobody vouches for gets nothing', status, wire[:80])
            self.quiet(process)

    def with_certificate(self):
        pem = os.path.join(self.mock.tmp, 'listener.pem')
        with open(pem, 'w', encoding='ascii') as out:
            for name in ('leaf.pem', 'leaf.key'):
                with open(os.path.join(self.mock.tmp, 'pki', name), encoding='ascii') as part:
                    out.write(part.read())
        self.print('--listen', '127.0.0.1:%d' % TLS_PORT, '--cert', pem)
        token = self.token('/rest/api/3/myself')
        with running(self.serving(), TLS_PORT):
            status, wire = self.curl('--cacert', self.mock.ca, '--connect-to', '::127.0.0.1:%d' % TLS_PORT,
                                     'https://site.atlassian.net/rest/api/3/myself?jwt=' + token, proxy=False)
        self.check(status == '200' and wire.startswith(b'GET /rest/api/3/myself HTTP/1.1\r\n'), 'with a certificate it stands in for the site: 200', status, wire[:80])


def suite(tap, mock, command):
    token_url = mock.sign('GET', 'https://site.atlassian.net/rest/api/3/myself')
    straight = mock.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', mock.ca, token_url])
    tap.report(straight.out == b'401', 'straight to the site, the query gets 401', [straight.out])
    with name_server():
        for name in ('haproxy', 'nginx'):
            if not shutil.which(name):
                tap.skip('%s with the printed configuration' % name, '%s is not installed' % name)
                continue
            proxy = Proxy(tap, mock, name, command)
            with own_logs(name) as logs:
                proxy.accepted()
                with running(proxy.serving(), PORT) as process:
                    for part in (proxy.moved, proxy.by_address, proxy.posts, proxy.untouched, proxy.referers, proxy.others):
                        part()
                    proxy.quiet(process)
                proxy.with_certificate()
                proxy.refuses_a_stranger()
                if logs:
                    proxy.logs_nothing(logs)
