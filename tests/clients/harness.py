"""A private world for tests with real programs: a network namespace with its own /etc/hosts, the mock Atlassian site in it, and runs
of programs with and without the shim. Python's standard library only. Never reaches a host outside, never prints a token.

    import harness
    harness.enter_namespace()                     # runs this very script again inside
    with harness.start_mock(build) as mock:
        url = mock.sign('GET', 'https://site.atlassian.net/rest/api/3/myself')
        run = mock.run(['curl', '--http1.1', '--cacert', mock.ca, url], preload=True)
        mock.requests(), mock.captures()          # what arrived since mock.mark()
"""
import contextlib
import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MOCK = os.path.join(ROOT, 'tests', 'mock-atlassian')
INSIDE = 'JWTSHIM_TEST_NAMESPACE'

HOSTS = ['localhost', 'site.atlassian.net', 'other.atlassian.net', 'app.example.com', 'api.media.atlassian.com',
         'jira.com', 'site.jira.com', 'evilatlassian.net', 'site.atlassian.net.evil.example']


class Trouble(Exception):
    """The harness itself cannot do its work: no verdict about the shim."""


# --- the namespace ---------------------------------------------------------------------------------------------------------------

def enter_namespace():
    """Returns inside a fresh user, mount and network namespace; the first time round by running the script again in one."""
    if os.environ.get(INSIDE) != '1':
        unshare = shutil.which('unshare') or '/usr/bin/unshare'
        environment = dict(os.environ, **{INSIDE: '1'})
        os.execve(unshare, [unshare, '-rmn', sys.executable, os.path.abspath(sys.argv[0])] + sys.argv[1:], environment)
    _loopback_up()
    directory = tempfile.mkdtemp(prefix='jwtshim-etc-')
    try:
        _cover('/etc/hosts', directory, ''.join('127.0.0.1 %s\n' % name for name in HOSTS))
        # Names that are not in the file fail at once instead of after a resolver's patience.
        _cover('/etc/nsswitch.conf', directory, 'passwd: files\ngroup: files\nhosts: files\n')
        _cover('/etc/resolv.conf', directory, 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
    finally:
        shutil.rmtree(directory)      # a bind mount keeps the file itself alive


def _loopback_up():
    siocgifflags, siocsifflags, iff_up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = bytearray(struct.pack('16sh22x', b'lo', 0))
        fcntl.ioctl(control, siocgifflags, request)
        flags = struct.unpack_from('h', request, 16)[0]
        fcntl.ioctl(control, siocsifflags, struct.pack('16sh22x', b'lo', flags | iff_up))


def _cover(path, directory, text):
    if not os.path.exists(path):
        return
    mine = os.path.join(directory, os.path.basename(path))
    with open(mine, 'w', encoding='ascii') as file:
        file.write(text)
    os.chmod(mine, 0o644)
    subprocess.run(['mount', '--bind', mine, path], check=True, timeout=10)


# --- a run of a program ----------------------------------------------------------------------------------------------------------

class Run:
    """What a program did: `code` (None when it was ended for its time), `out` and `err` as bytes."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def text(self):
        return (self.out + b'\n' + self.err).decode('utf-8', 'replace')


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG: nothing outlives the tests


# --- the mock --------------------------------------------------------------------------------------------------------------------

class Mock:
    """A running mock site. Attributes: `ca` (PEM file), `tmp` (a directory for the test's files), `log` (the shim's events)."""

    def __init__(self, tmp, build, process, signer):
        self.tmp, self.build = tmp, build
        self.ca = os.path.join(tmp, 'pki', 'ca.pem')
        self.capture = os.path.join(tmp, 'capture')
        self.logs = os.path.join(tmp, 'logs')
        self.log = os.path.join(self.logs, 'events.jsonl')
        self.home = os.path.join(tmp, 'home')
        self.tokens = []
        self.preload_first = []       # objects that must come before the shim: a sanitizer's runtime
        self.extra_environment = {}
        self._process, self._signer = process, signer
        self._seen_requests, self._seen_captures = 0, set()

    # -- tokens

    def sign(self, method, url, position='last', claims=None):
        """The URL with a really signed token as its `jwt` parameter (first, middle or last)."""
        question = {'method': method, 'url': url, 'position': position, 'claims': claims or {}}
        self._signer.stdin.write(json.dumps(question).encode() + b'\n')
        self._signer.stdin.flush()
        line = self._signer.stdout.readline()
        if not line:
            raise Trouble('the signer ended: are the npm packages of tests/mock-atlassian installed?')
        answer = json.loads(line)
        self.tokens.append(answer['token'])
        return answer['url']

    def redact(self, text):
        """For diagnostics: the text without any token that was signed, or anything that looks like one."""
        for token in self.tokens:
            text = text.replace(token, '<token>')
        text = re.sub(r'eyJ[\w%-]{8,}(\.[\w%-]*){0,2}', '<token>', text)
        return re.sub(r'[\w-]{40,}', '<long run>', text)      # a piece of a broken one

    def leaked(self, data):
        """Whether these bytes hold a token that was signed, or its claims, or its signature, or start like a token."""
        parts = [part for token in self.tokens for part in token.split('.')[1:]]
        return b'eyJ' in data or any(part.encode() in data for part in parts)

    # -- what arrived

    def mark(self):
        """From now on requests() and captures() tell only of what is new."""
        with contextlib.suppress(FileNotFoundError):
            self._seen_requests = os.path.getsize(self._journal_file())
        self._seen_captures = set(self._capture_files())

    def requests(self):
        try:
            with open(self._journal_file(), 'rb') as file:
                file.seek(self._seen_requests)
                return [json.loads(line) for line in file if line.endswith(b'\n')]
        except FileNotFoundError:
            return []

    def captures(self):
        """The raw request bytes of each HTTP/1 connection since mark(), in the order of the connections."""
        found = []
        for name in self._capture_files():
            if name not in self._seen_captures:
                with open(os.path.join(self.capture, name), 'rb') as file:
                    found.append(file.read())
        return [data for data in found if data]

    def _journal_file(self):
        return os.path.join(self.capture, 'journal.jsonl')

    def _capture_files(self):
        return sorted(name for name in os.listdir(self.capture) if name[:6].isdigit())

    # -- programs

    def environment(self, preload, more=None):
        """A small environment: no proxies, no rc files, no locale of the tester; the CA where programs look for one."""
        environment = {
            'PATH': os.environ.get('PATH', '/usr/bin:/bin'), 'HOME': self.home, 'TMPDIR': self.tmp, 'LC_ALL': 'C.UTF-8',
            'TERM': 'dumb', 'CA': self.ca, 'SSL_CERT_FILE': self.ca,
            'PERL_HASH_SEED': '0',    # else HTTP::Tiny shuffles its field lines, and no two runs send the same bytes
        }
        if preload:
            environment['LD_PRELOAD'] = ':'.join(self.preload_first + [self.shim()])
            environment['JWTSHIM_LOG'] = self.log
            environment['JWTSHIM_LOG_LEVEL'] = 'all'
            environment.update(self.extra_environment)
        environment.update(more or {})
        return environment

    def shim(self):
        return os.path.join(self.build, 'libjwtshim.so')

    def run(self, argv, preload=False, env=None, stdin=b'', timeout=30):
        """Runs a program to its end, or ends it and its children after `timeout` seconds (then Run.code is None)."""
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.tmp,
                                   env=self.environment(preload, env), start_new_session=True, preexec_fn=_die_with_parent)
        try:
            out, err = process.communicate(stdin, timeout)
            return Run(process.returncode, out, err)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            return Run(None, out, err)

    # -- the shim's log

    def events(self):
        """The shim's events so far; a line that is no JSON is an error of the shim's and raises ValueError."""
        try:
            with open(self.log, encoding='utf-8') as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def log_files(self):
        return [os.path.join(where, name) for where, _, names in os.walk(self.logs) for name in names]


def _spawn_node(script, arguments, stdout):
    node = shutil.which('node') or shutil.which('nodejs')
    if not node:
        raise Trouble('node is not installed')
    environment = {name: value for name, value in os.environ.items() if name not in ('LD_PRELOAD', 'NODE_OPTIONS')}
    return subprocess.Popen([node, os.path.join(MOCK, script)] + arguments, stdin=subprocess.PIPE, stdout=stdout, env=environment,
                            preexec_fn=_die_with_parent)


def _end(process):
    process.stdin.close()
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def start_mock(build=None, tls_port=443, plain_port=80, lifetime=900, keep=None):
    """Makes the PKI, starts the mock on the ports (both free to use in the namespace) and yields a Mock; leaves nothing behind
    but, with `keep`, that directory."""
    build = os.path.abspath(build or os.path.join(ROOT, 'build'))
    if not os.path.isdir(os.path.join(MOCK, 'node_modules')):
        raise Trouble('the npm packages of tests/mock-atlassian are not installed: run "make deps"')
    tmp = keep or tempfile.mkdtemp(prefix='jwtshim-clients-')
    for name in ('capture', 'logs', 'home'):
        os.makedirs(os.path.join(tmp, name), mode=0o700, exist_ok=True)
    processes = []
    try:
        subprocess.run([os.path.join(MOCK, 'make-pki'), os.path.join(tmp, 'pki')], check=True, timeout=60)
        ready = os.path.join(tmp, 'ready')
        server = _spawn_node('server.js', [
            '--pki', os.path.join(tmp, 'pki'), '--tls-port', str(tls_port), '--plain-port', str(plain_port), '--until-eof',
            '--capture', os.path.join(tmp, 'capture'), '--ready', ready, '--lifetime', str(lifetime)], subprocess.DEVNULL)
        processes.append(server)
        signer = _spawn_node('sign.js', ['--batch'], subprocess.PIPE)
        processes.append(signer)
        deadline = time.monotonic() + 30
        while not os.path.exists(ready):
            if server.poll() is not None or time.monotonic() > deadline:
                raise Trouble('the mock did not start')
            time.sleep(0.02)
        yield Mock(tmp, build, server, signer)
    finally:
        for process in processes:
            _end(process)
        if not keep:
            shutil.rmtree(tmp, ignore_errors=True)


# --- TAP -------------------------------------------------------------------------------------------------------------------------

class Tap:
    """Test Anything Protocol: counts, and says at the end how many there were."""

    def __init__(self):
        self.count, self.failed = 0, 0

    def report(self, passed, sentence, diagnostics=()):
        self.count += 1
        self.failed += not passed
        print('%s %d - %s' % ('ok' if passed else 'not ok', self.count, sentence))
        if not passed:
            for line in diagnostics:
                for part in str(line).splitlines():
                    print('# ' + part)
        sys.stdout.flush()

    def skip(self, sentence, why):
        self.count += 1
        print('ok %d - %s # SKIP %s' % (self.count, sentence, why))

    def finish(self):
        """Prints the plan and gives the exit code."""
        print('1..%d' % self.count)
        return 1 if self.failed or not self.count else 0
