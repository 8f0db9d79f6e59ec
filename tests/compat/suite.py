"""Runs each client in each of its ways, without the shim and with it, and makes a row of what the mock Atlassian saw. Never judges by what a
program prints, never lets one client's trouble reach another."""
import json
import os
import re
import subprocess

import doctor
import harness
import store
from client import H2, HTTP

HERE = os.path.dirname(os.path.abspath(__file__))
NOT_STARTED = 'does not start'
SITE = 'site.atlassian.net'
TARGET = '/rest/api/2/issue/A-%d?fields=summary&expand=names'
LAYERS = {'nspr': 'nss', 'libcurl': 'libcurl-api'}          # the log's names where the doctor has others
SAME_LAYER = {'openssl-bio': 'openssl', 'stdio': 'socket'}  # ways into a layer that the log does not tell apart


class Way:
    """One way of a client: what became of its request. `trouble` says why there is no verdict."""

    def __init__(self, method, transport):
        self.method, self.transport = method, transport
        self.without = self.with_shim = None        # statuses
        self.layers, self.trouble, self.steered = [], '', False

    @property
    def words(self):
        return '%s over %s' % (self.method, {H2: 'TLS, HTTP/2', HTTP: 'plain HTTP/1.1'}.get(self.transport, 'TLS, HTTP/1.1'))

    def is_fixed(self):
        return not self.trouble and (self.without, self.with_shim) == (401, 200)

    def is_unreached(self):
        return not self.trouble and self.without == 401 and self.with_shim in (401, NOT_STARTED)


class Row:
    """A client and what became of it."""

    def __init__(self, client):
        self.client, self.version, self.ways = client, '', []
        self.missing = self.broken = ''     # why it is not installed, or could not be made
        self.diagnosis = None       # the doctor's

    def is_fixed(self):
        return bool(self.ways) and all(way.is_fixed() for way in self.ways)

    def is_unreached(self):
        return bool(self.ways) and all(way.is_unreached() for way in self.ways)

    def troubles(self):
        return [self.broken] * bool(self.broken) + ['%s: %s' % (way.words, way.trouble) for way in self.ways if way.trouble]

    def as_expected(self):
        return bool(self.ways) and all(self.is_wanted(way) for way in self.ways)

    def is_wanted(self, way):
        if not self.client.starts:
            return way.without == 401 and way.with_shim == NOT_STARTED
        return way.is_unreached() if way.transport in self.client.beyond else way.is_fixed()


class Suite:
    def __init__(self, mock, options):
        self.mock, self.timeout = mock, options.timeout
        self.cache, self.count = options.cache, 0
        self.body = os.path.join(mock.tmp, 'body')
        with open(self.body, 'w', encoding='ascii') as file:
            file.write('{"fields":{"summary":"x"}}')

    def row(self, client):
        row = Row(client)
        try:
            row.version, out = store.prepare(client, self.cache)
        except store.Missing as missing:
            row.missing = str(missing)
            return row
        except store.Broken as broken:
            row.broken = str(broken)
            return row
        if client.needs_root and os.environ.get('JWTSHIM_COMPAT_ROOT') != '1':
            row.missing = 'needs root'
            return row
        for method, transport in client.ways():
            way = Way(method, transport)
            row.ways.append(way)
            try:
                self.way(client, way, out)
            except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
                way.trouble = self.mock.redact('%s: %s' % (type(error).__name__, error))
        row.diagnosis = doctor.ask(self.mock, client, out, self.settings(client))
        return row

    def settings(self, client):
        """The client's own part of the environment."""
        places = {'ca': self.mock.ca, 'pki': os.path.dirname(self.mock.ca), 'cache': self.cache}
        return {name: value.format(**places) for name, value in client.env}

    # -- one way

    def way(self, client, way, out):
        self.count += 1
        scheme, version = way.transport.split('/')
        path, url = self.signed(client, way.method, scheme)
        environment = {
            'URL': url, 'SCHEME': scheme, 'HOST': SITE, 'PORT': {'https': '443', 'http': '80'}[scheme], 'TARGET': url.split(SITE + '/', 1)[1],
            'METHOD': way.method, 'MODE': way.method.lower(), 'VERSION': version, 'BODY': self.body, 'OUT': out, 'CACHE': self.cache,
            'HERE': os.path.join(HERE, 'programs'), 'CLIENTS': harness.HERE, 'HTTP2': os.path.join(os.path.dirname(HERE), 'http2')}
        environment.update(self.settings(client))
        without = self.call(client, way, environment, path, False)
        if way.trouble:
            return
        with_shim = self.call(client, way, environment, path, True)
        if not way.trouble and way.with_shim != NOT_STARTED:
            self.compare(way, version, without, with_shim)

    def signed(self, client, method, scheme):
        """A path that no other way has, and the URL to call the program with."""
        path, query = (TARGET % self.count).split('?')
        url = '%s://%s%s?%s' % (scheme, SITE, path, client.suffix or query)
        if not client.suffix:
            return path, self.mock.sign(method, url, 'middle')
        # Up to where the program's own part begins.
        return path, self.mock.sign(method, url, 'first')[:-len(client.suffix)] + client.suffix.split('/')[0]

    def call(self, client, way, environment, path, preload):
        """The requests for this way's path. A method of the program's own (a HEAD beforehand) is not what was signed, and not counted."""
        log = os.path.join(self.mock.logs, '%d.jsonl' % self.count)
        if preload:
            environment = dict(environment, JWTSHIM_LOG=log)
        self.mock.mark()
        run = self.mock.run(['/bin/sh', '-c', client.call], preload, environment, timeout=self.timeout)
        requests = [request for request in self.mock.requests()
                    if request['method'] == way.method and request['target'].split('?')[0] == path]
        if preload and not client.starts and run.code == 127 and not requests:
            way.with_shim = NOT_STARTED
            return requests
        statuses = {request['status'] for request in requests}
        status = statuses.pop() if len(statuses) == 1 else None
        if preload:
            way.with_shim = status
            self.events(way, log)
        else:
            way.without = status
        trouble = trouble_of(run, requests)
        if trouble:
            said = re.sub(r'\s+', ' ', run.text())[-400:].strip()
            way.trouble = self.mock.redact('%s the shim: %s (exit code %s; it said: %s)' % (
                'with' if preload else 'without', trouble, run.code, said))
        return requests

    def events(self, way, log):
        if not os.path.exists(log):
            return
        with open(log, encoding='utf-8') as file:
            events = [json.loads(line) for line in file]
        way.layers = sorted({LAYERS.get(event['jwtshim.layer'], event['jwtshim.layer']) for event in events
                             if event.get('jwtshim.action') == 'rewritten'})
        way.steered = any(event.get('jwtshim.action') == 'steered' for event in events)

    def compare(self, way, version, without, with_shim):
        """Nothing but the token moved: the same fields and body, and one more field where it was fixed."""
        before, after = without[0], with_shim[0]
        fields = sorted(name.lower() for name in before['fields'])
        wanted = sorted(fields + ['authorization']) if after['verdict'] == 'valid' else fields
        is_other = before['protocol'] != after['protocol']
        if before['protocol'] not in {'2': ['2.0'], '1.1': ['1.1', '1.0']}[version]:
            way.trouble = 'it speaks HTTP/%s, not %s' % (before['protocol'], version)
        elif is_other and not way.steered:
            way.trouble = 'HTTP/%s became HTTP/%s' % (before['protocol'], after['protocol'])
        elif not is_other and wanted != sorted(name.lower() for name in after['fields']):
            way.trouble = 'the fields changed from %s to %s' % (before['fields'], after['fields'])
        elif (before['body_length'], before['body_sha256']) != (after['body_length'], after['body_sha256']):
            way.trouble = 'the body changed'


def trouble_of(run, requests):
    """Why a run gives no verdict, '' if it does."""
    verdicts = {request['verdict'] for request in requests}
    if run.code is None:
        return 'it did not end in its time'
    if run.code < 0 or run.code > 128:
        return 'ended by signal %d' % (-run.code if run.code < 0 else run.code - 128)
    if not requests:
        return 'no request arrived'
    if len(verdicts) > 1 or not verdicts <= {'query-jwt', 'valid'}:
        return 'verdicts %s' % ', '.join(sorted(verdicts))
    return ''


def layers_disagree(row):
    """What the log says where the table says something else: each fixed way must have been seen in the layer that is named for it."""
    wrong = []
    for way in row.ways:
        named = row.client.mechanism(way.transport)
        if way.is_fixed() and [SAME_LAYER.get(named, named)] != [SAME_LAYER.get(layer, layer) for layer in way.layers]:
            wrong.append('%s: the table says %s, the log says %s' % (way.words, named, ', '.join(way.layers) or 'nothing'))
    return wrong
