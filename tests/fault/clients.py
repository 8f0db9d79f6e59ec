"""The same in whole runs of real clients: what OpenSSL and GnuTLS make of a transport that misbehaves, allocations that fail one by
one, a log that cannot be written, and a client that is stopped and goes on."""
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'clients'))
import harness  # noqa: E402

URLLIB = ('import sys, urllib.request as r\n'
          'sys.exit(r.urlopen(sys.argv[1], timeout=20).status != 200)')
PYCURL = ('import os, sys, pycurl\n'
          'c = pycurl.Curl(); c.setopt(c.URL, sys.argv[1]); c.setopt(c.HTTP_VERSION, c.CURL_HTTP_VERSION_1_1)\n'
          'c.setopt(c.CAINFO, os.environ["CA"]); c.setopt(c.TIMEOUT, 20); c.setopt(c.WRITEDATA, open(os.devnull, "wb")); c.perform()')
CURL = ['/usr/bin/curl', '-s', '--http1.1', '--max-time', '20', '-o', '/dev/null']
CLIENTS = {
    'curl (OpenSSL)': (CURL + ['--cacert', '{CA}'], 'https'),
    'curl over plain http': (CURL, 'http'),
    'wget (GnuTLS)': (['/usr/bin/wget', '-q', '-t', '1', '-T', '20', '-O', '/dev/null', '--ca-certificate={CA}'], 'https'),
    'pycurl (GnuTLS)': (['/usr/bin/python3', '-c', PYCURL], 'https'),
    'urllib (OpenSSL)': (['/usr/bin/python3', '-c', URLLIB], 'https'),
}
GOES_ON, STOPS, MEMORY = ('short', 'EINTR', 'short-EINTR', 'EAGAIN', 'short-EAGAIN'), ('EPIPE', 'ECONNRESET'), ('memory', 'no-memory')
# What is the client's own way (curl gives up where a signal interrupts it) is the same without the shim.
ROWS = [(name, faults) for name, faults in (
    ('curl (OpenSSL)', GOES_ON + STOPS + MEMORY), ('curl over plain http', GOES_ON + STOPS + MEMORY + ('any-memory',)),
    ('wget (GnuTLS)', GOES_ON[:3] + MEMORY), ('pycurl (GnuTLS)', GOES_ON + STOPS + MEMORY), ('urllib (OpenSSL)', GOES_ON + MEMORY))]
MOST = 5000


class Station:
    def __init__(self, options, mock):
        self.options, self.mock = options, mock
        self.mark = os.path.join(mock.tmp, 'mark')
        self.known = {}

    def run(self, name, url, preload, fault=None, env=None):
        argv, _ = CLIENTS[name]
        objects = ([self.options.shim] if preload else []) + [self.options.inject]
        environment = {'LD_PRELOAD': ':'.join(objects), **(env or {})}
        if fault:
            environment.update(FAULT=fault, FAULT_MARK=self.mark)
        self.mock.mark()
        run = self.mock.run([word.replace('{CA}', self.mock.ca) for word in argv] + [url], False, environment, timeout=self.options.timeout)
        run.happened = os.path.exists(self.mark)
        if run.happened:
            os.unlink(self.mark)
        run.verdicts = [request['verdict'] for request in self.mock.requests()]
        run.captures = self.mock.captures()
        return run

    def normal(self, name):
        """The URL for a client, and what leaves without the shim and with it."""
        if name not in self.known:
            url = self.mock.sign('GET', '%s://site.atlassian.net/rest/api/3/myself?expand=groups' % CLIENTS[name][1])
            without, with_shim = self.run(name, url, False), self.run(name, url, True)
            if with_shim.code != 0 or (without.verdicts, with_shim.verdicts) != (['query-jwt'], ['valid']):
                raise harness.Trouble('%s does not work at all: %s' % (name, with_shim.verdicts))
            self.known[name] = url, without.captures, with_shim.captures
        return self.known[name]

    def one(self, name, fault, number):
        """What is wrong with the number-th, and whether there was one."""
        url, written, moved = self.normal(name)
        run = self.run(name, url, True, '%s:%d' % (fault, number))
        if run.code is None or (run.code < 0 and not self.ends_so_by_itself(name, url, run.code, fault, number)):
            return 'exit %s' % run.code, run.happened
        if not run.happened or (fault in GOES_ON and run.code == 0):
            return (None if run.code == 0 and run.captures == moved else 'it did not leave as it should: %s' % run.verdicts), run.happened
        if fault in MEMORY:
            good = run.captures in (written, moved) and run.verdicts in (['valid'], ['query-jwt'])
            return (None if good else 'neither as written nor as it should: %s' % run.verdicts), run.happened
        if [capture for capture in run.captures if [capture] not in (written, moved)]:
            return 'neither as written nor as it should', run.happened
        without = self.run(name, url, False, '%s:%d' % (fault, number)) if fault in GOES_ON + STOPS else run
        return (None if without.code == run.code else 'exit %s, without the shim %s' % (run.code, without.code)), run.happened

    def ends_so_by_itself(self, name, url, code, fault, number):
        """Some of libc's functions crash without memory. The shim's own allocations only move the number a little."""
        return fault == 'any-memory' and any(self.run(name, url, False, '%s:%d' % (fault, near)).code == code
                                             for near in range(number, max(0, number - 30), -1))

    def until_none_is_left(self, name, fault):
        # The program's own allocations are thousands: by default every 41st.
        for number in range(1, MOST, 41 if fault == 'any-memory' and not self.options.all else 1):
            wrong, happened = self.one(name, fault, number)
            if wrong:
                return ['number %d: %s' % (number, wrong)]
            if not happened:
                return [] if number > 1 or (fault.endswith('EAGAIN') and 'urllib' in name) else ['not one was injected']
        return ['there was no end to them']

    def log_that_is_full(self):
        wrong = []
        for name in ('curl (OpenSSL)', 'urllib (OpenSSL)'):
            url, _, moved = self.normal(name)
            full = os.path.join(self.mock.tmp, 'full')
            os.makedirs(full, exist_ok=True)
            subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', full], check=True, timeout=10)
            try:
                log = os.path.join(full, 'log')
                with open(log, 'wb') as file:
                    file.write(b'x' * 4096)
                run = self.run(name, url, True, env={'JWTSHIM_LOG': log, 'JWTSHIM_LOG_LEVEL': 'all'})
                if run.code != 0 or run.captures != moved or run.err or os.path.getsize(log) != 4096:
                    wrong.append('%s: exit %s, %s' % (name, run.code, run.verdicts))
            finally:
                subprocess.run(['umount', full], check=True, timeout=10)
        return wrong

    def stopped(self):
        """Stopped and continued again and again, from its start to its end."""
        wrong = []
        for name in ('curl (OpenSSL)', 'urllib (OpenSSL)'):
            url, _, moved = self.normal(name)
            argv = [word.replace('{CA}', self.mock.ca) for word in CLIENTS[name][0]] + [url]
            self.mock.mark()
            process = subprocess.Popen(argv, env=self.mock.environment(True), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            stops = 0
            while process.poll() is None and stops < 2000:
                process.send_signal(signal.SIGSTOP)
                time.sleep(0.001)
                process.send_signal(signal.SIGCONT)
                time.sleep(0.001)
                stops += 1
            out, err = process.communicate(timeout=30)
            if process.returncode != 0 or out or err or self.mock.captures() != moved or not stops:
                wrong.append('%s: exit %s after %d stops' % (name, process.returncode, stops))
        return wrong


def tests(options):
    with harness.start_mock(options.build) as mock:
        station = Station(options, mock)
        for name, faults in ROWS:
            for fault in faults:
                sentence = 'clients: %s: %s' % (name, fault)
                if options.only in sentence:
                    yield sentence, lambda name=name, fault=fault: station.until_none_is_left(name, fault)
        for sentence, judge in (('a log on a disk that is full', station.log_that_is_full),
                                ('SIGSTOP and SIGCONT at any moment', station.stopped)):
            if options.only in sentence:
                yield 'clients: ' + sentence, judge
