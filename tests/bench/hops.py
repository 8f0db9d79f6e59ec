"""Requests by wrk and uploads by curl, to a site of nginx's: with the header sent by the program itself, with the shim, and through a
local proxy. A run counts only if the site answered each request with 200, which it does for a token in the header alone."""
import contextlib
import os
import re
import statistics
import subprocess

import callgrind
import harness
import servers

TOKEN = ('eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJjb20uZXhhbXBsZS5hcHAiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMDE4MCwicXNoIjoiNjk3'
         'NzY4ZjU2Mjk0YWY3OGJlYjIxM2Q1NGE1N2U2Y2VjZDNiOGViZDdkYTg4M2I3ODY1M2ZjODAzZDQ2NzVhNiJ9.c2lnbmF0dXJl')
TARGET = '/rest/api/2/search?jql=project&fields=summary'
FIELDS = ['User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0',
          'Accept: application/json, text/plain, */*', 'Accept-Encoding: gzip, deflate, br', 'Accept-Language: en-US,en;q=0.9',
          'Cache-Control: no-cache', 'X-Request-Id: 0123456789abcdef0123456789abcdef', 'X-Long: ' + 'x' * 300]
WAYS = ('plain', 'tls')
CONNECTIONS = (1, 32)
UNITS = {'us': 1.0, 'ms': 1e3, 's': 1e6}


class Contestant:
    """`preload` is loaded into the client; `hop` is a proxy that it speaks to; `header`: it needs no help."""

    def __init__(self, name, preload=None, hop=None, header=False):
        self.name, self.preload, self.hop, self.header = name, preload, hop, header

    def url(self, way, target):
        scheme = 'https' if way == 'tls' else 'http'
        port = servers.HOPS[self.hop][way] if self.hop else servers.PORTS[way]
        query = '' if self.header else ('&' if '?' in target else '?') + 'jwt=' + TOKEN
        return '%s://%s:%d%s%s' % (scheme, servers.SITE, port, target, query)

    def fields(self):
        return ['Authorization: JWT ' + TOKEN] if self.header else []


def contestants(shim, empty):
    return [Contestant('nothing', header=True), Contestant('an empty object', preload=empty, header=True),
            Contestant('jwtshim', preload=shim)] + [Contestant(name, hop=name) for name in servers.HOPS if servers.has(name)]


def run(argv, contestant):
    got = subprocess.run(argv, env=callgrind.environment(contestant.preload), capture_output=True, text=True, timeout=120, check=False)
    if got.returncode != 0:
        raise harness.Trouble('%s, %s: exit code %d\n%s' % (contestant.name, argv[0], got.returncode,
                                                            (got.stdout + got.stderr).replace(TOKEN, '<token>')))
    return got.stdout


def microseconds(text, percent):
    found = re.search(r'^ +%d%% +([\d.]+)(us|ms|s)$' % percent, text, re.MULTILINE)
    return float(found.group(1)) * UNITS[found.group(2)]


def load(contestant, way, connections, seconds):
    """p50 and p99 in µs, and requests a second."""
    argv = ['wrk', '--latency', '-t1', '-c%d' % connections, '-d%ds' % seconds]
    for field in FIELDS + contestant.fields():
        argv += ['-H', field]
    text = run(argv + [contestant.url(way, TARGET)], contestant)
    if 'Non-2xx' in text or 'Socket errors' in text:
        raise harness.Trouble('%s, %s: not every request was answered with 200\n%s' % (contestant.name, way, text))
    return microseconds(text, 50), microseconds(text, 99), float(re.search(r'^Requests/sec: +([\d.]+)', text, re.MULTILINE).group(1))


def upload(contestant, way, file, ca):
    """MiB a second."""
    argv = ['curl', '-sS', '--http1.1', '--cacert', ca, '-H', 'Expect:', '-o', '/dev/null', '-w', '%{http_code} %{size_upload} %{time_total}',
            '-T', file]
    for field in contestant.fields():
        argv += ['-H', field]
    status, size, seconds = run(argv + [contestant.url(way, '/upload/file')], contestant).split()
    if status != '200' or int(size) != os.path.getsize(file):
        raise harness.Trouble('%s, %s: an upload of %s bytes was answered with %s' % (contestant.name, way, size, status))
    return int(size) / float(seconds) / (1 << 20)


def rows(measure, them, rounds, turns, say):
    """Medians by contestant, of rounds in which each has its turn; those without a hop differ least, and have `turns`, spread over the round."""
    seen = {contestant.name: [] for contestant in them}
    near, far = [contestant for contestant in them if not contestant.hop], [contestant for contestant in them if contestant.hop]
    order = [contestant for turn in range(turns) for contestant in near + far[turn::turns]]
    for number in range(rounds):
        for contestant in order:
            say('round %d of %d, %s' % (number + 1, rounds, contestant.name))
            value = measure(contestant)
            seen[contestant.name].append(value if isinstance(value, tuple) else (value,))
    return {name: tuple(statistics.median(column) for column in zip(*values)) for name, values in seen.items()}


def measure(build, tmp, shim, empty, quick, say):
    """{'load': {(way, connections): {name: (p50, p99, rate)}}, 'upload': {way: {name: (MiB/s,)}}, 'memory': {name: bytes}}."""
    them = contestants(shim, empty)
    pki = servers.make_pki(tmp)
    file = os.path.join(tmp, 'upload')
    with open(file, 'wb') as out:
        out.truncate((servers.UPLOAD >> 3) if quick else servers.UPLOAD)
    found = {'load': {}, 'upload': {}, 'memory': {}}
    with contextlib.ExitStack() as stack:
        stack.enter_context(servers.origin(tmp, pki))
        for way in WAYS:
            with contextlib.ExitStack() as hops:
                running = {c.name: hops.enter_context(servers.hop(c.hop, os.path.join(build, 'jwtshim'), tmp, pki, way)) for c in them if c.hop}
                for connections in CONNECTIONS:
                    found['load'][way, connections] = rows(lambda c, n=connections: load(c, way, n, 1), them, 1 if quick else 6, 2,
                                                           lambda text, n=connections: say('%s, %d connections: %s' % (way, n, text)))
                found['upload'][way] = rows(lambda c: upload(c, way, file, pki + '/ca.pem'), them, 1 if quick else 4, 2 if quick else 8,
                                            lambda text: say('%s, uploads: %s' % (way, text)))
                for name, process in running.items():
                    found['memory'][name] = max(found['memory'].get(name, 0), servers.memory_of(process))
    return found
