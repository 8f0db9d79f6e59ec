"""What the HTTP/2 rows play on: the mock, an nginx of their own, proxies, a server of redirects, and runs of programs with all that was
seen of them. Never prints a token, never reaches a host outside the namespace."""
import hashlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time

import harness
from proxy import Proxy

SITE, APP, MEDIA, NGINX = 'site.atlassian.net', 'app.example.com', 'api.media.atlassian.com', 'nginx.atlassian.net'
NGINX_ADDRESS, REDIRECTOR = '127.0.0.2', ('127.0.0.3', 8081)
H2C_PORT, OTHER_TLS_PORT, GOAWAY_PORT = 8080, 8443, 8444

LOG_FORMAT = ('{"method":"$request_method","target":"$request_uri","authorization":"$http_authorization",'
              '"referer":"$http_referer","protocol":"$server_protocol","connection":"$connection"}')
# Root is the only user of the namespace. Everything nginx writes goes into the directory of the test.
NGINX_CONF = '''
daemon off; master_process off; user root root; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format seen escape=json '{format}';
  access_log {dir}/access.log seen;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  client_max_body_size 64m;
  ssl_certificate {pki}/leaf.pem; ssl_certificate_key {pki}/leaf.key;
  server {{
    listen 127.0.0.1:{goaway} ssl http2; keepalive_requests 3;
    location / {{ proxy_pass http://127.0.0.1:80; proxy_set_header Host {site}; }}
  }}
  server {{
    listen {address}:443 ssl http2; listen 127.0.0.1:{other} ssl http2; listen {address}:80; listen {address}:{h2c} http2;
    location /mark/ {{ return 204; }}
    location /git/ {{ root {dir}; }}
    location /to/ {{ proxy_pass http://{redirector}; }}
    location / {{ proxy_pass http://127.0.0.1:80; proxy_set_header Host {site}; }}
  }}
}}
'''


def sha256(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


def more_names():
    """Adds nginx's name to the /etc/hosts of the namespace, and never to another."""
    with open('/etc/hosts', 'r+', encoding='ascii') as file:
        if file.read() != ''.join('127.0.0.1 %s\n' % name for name in harness.HOSTS):
            raise harness.Trouble("/etc/hosts is not the harness's")
        file.write('%s %s\n' % (NGINX_ADDRESS, NGINX))


class Nginx:
    def __init__(self, mock):
        self.directory = os.path.join(mock.tmp, 'nginx')
        os.makedirs(self.directory)
        self.log, self.seen = os.path.join(self.directory, 'access.log'), 0
        self.marks = 0
        configuration = os.path.join(self.directory, 'nginx.conf')
        with open(configuration, 'w', encoding='ascii') as file:
            file.write(NGINX_CONF.format(
                dir=self.directory, format=LOG_FORMAT, address=NGINX_ADDRESS, other=OTHER_TLS_PORT, h2c=H2C_PORT, goaway=GOAWAY_PORT,
                pki=os.path.join(mock.tmp, 'pki'), site=SITE, redirector='%s:%d' % REDIRECTOR))
        program = shutil.which('nginx') or '/usr/sbin/nginx'
        if not os.path.exists(program):
            raise harness.Trouble('nginx is not installed: run "make deps"')
        with open(os.path.join(self.directory, 'output'), 'wb') as output:
            self.process = subprocess.Popen(
                [program, '-p', self.directory, '-e', os.path.join(self.directory, 'error.log'), '-c', configuration],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=harness._die_with_parent)
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex((NGINX_ADDRESS, 443)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        with open(os.path.join(self.directory, 'output'), encoding='utf-8', errors='replace') as file:
            raise harness.Trouble('nginx did not start: ' + file.read()[:300])

    def mark(self):
        self.settle()
        self.seen = os.path.getsize(self.log)

    def settle(self):
        """nginx writes a line once the answer is out: a request of ours behind all others says when theirs are written."""
        self.marks += 1
        target = '/mark/%d' % self.marks
        with socket.create_connection((NGINX_ADDRESS, 80), 10) as probe:
            probe.sendall(b'GET %s HTTP/1.0\r\n\r\n' % target.encode())
            while probe.recv(4096):
                pass
        for _ in range(500):
            if any(line['target'] == target for line in self.lines()):
                return
            time.sleep(0.01)
        raise harness.Trouble('nginx wrote no log')

    def lines(self):
        with open(self.log, 'rb') as file:
            file.seek(self.seen)
            return [json.loads(line) for line in file if line.endswith(b'\n')]

    def requests(self):
        """What nginx logged since mark()."""
        self.settle()
        return [line for line in self.lines() if not line['target'].startswith('/mark/')]

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Redirector:
    """Plain HTTP behind nginx: answers each path under /to/ with the status and Location that were registered for it."""

    def __init__(self):
        answers = self.answers = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get('Content-Length') or 0))
                status, location = answers.get(self.path.split('?')[0], (404, None))
                self.send_response(status)
                if location:
                    self.send_header('Location', location)
                self.send_header('Content-Length', '0')
                self.end_headers()

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(REDIRECTOR, Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def to(self, name, status, location):
        """A URL path that redirects."""
        self.answers['/to/' + name] = (status, location)
        return '/to/' + name


class Call:
    """One run of a program: `run`, the `requests` and `captures` of the mock, the shim's `events`."""

    def __init__(self, run, requests, captures, events):
        self.run, self.requests, self.captures, self.events = run, requests, captures, events
        self.lines = run.out.decode('utf-8', 'replace').split()
        self.verdicts = [request['verdict'] for request in requests]
        self.protocols = {request['protocol'] for request in requests}
        self.connections = len({request['connection'] for request in requests})


class Stage:
    def __init__(self, mock, tap, options):
        self.mock, self.tap, self.timeout, self.build = mock, tap, options.timeout, options.build
        self.count, self.kept = 0, []          # what the shimmed programs printed and sent, for the sweep at the end
        self.body = self.file('body', b'{"fields":{"summary":"x"}}\r\n' * 4096)
        self.nginx, self.redirector, self.proxy = Nginx(mock), Redirector(), Proxy()
        self.tls_proxy = Proxy(tls=os.path.join(mock.tmp, 'pki', 'leaf'))
        self.sockets = {}
        for scheme, port in (('http', 80), ('https', 443)):
            self.sockets[scheme] = os.path.join(mock.tmp, scheme + '.sock')
            Proxy(self.sockets[scheme], ('127.0.0.1', port))

    def file(self, name, data):
        path = os.path.join(self.mock.tmp, name)
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def sign(self, target, method='GET', host=SITE, scheme='https', position='last'):
        return self.mock.sign(method, '%s://%s%s' % (scheme, host, target), position)

    def token(self):
        return self.mock.tokens[-1]

    def call(self, argv, preload=False, env=None, stdin=b'', clean=True):
        """Runs a program. `clean`: with the shim, no token may leave but in the header, nor be printed; the sweep looks at it."""
        self.count += 1
        log = os.path.join(self.mock.logs, '%d.jsonl' % self.count)
        for place in (self.mock, self.nginx, self.proxy, self.tls_proxy):
            place.mark()
        run = self.mock.run(argv, preload, dict({'JWTSHIM_LOG': log} if preload else {}, **(env or {})), stdin, self.timeout)
        events = []
        if os.path.exists(log):
            with open(log, encoding='utf-8') as file:
                events = [json.loads(line) for line in file]
        call = Call(run, self.mock.requests(), self.mock.captures(), events)
        if preload and clean:
            self.kept += [(self.mock.redact(' '.join(argv)), data) for data in [run.out, run.err] + call.captures]
        return call

    def both(self, argv, clean=True, **more):
        """Without the shim, then with it."""
        return self.call(argv, False, **more), self.call(argv, True, clean=clean, **more)

    def curl(self, *words, write='%{http_code}\\n'):
        """curl that prints the status of each response alone."""
        return ['curl', '-sS', '-o', '/dev/null', '-w', write] + list(words)

    # -- verdicts

    def report(self, good, sentence, *calls, more=()):
        lines = list(more)
        for call in calls:
            lines += ['exit code %s, printed %s' % (call.run.code, ' '.join(call.lines)[:300])]
            lines += ['  the mock saw: %(method)s %(authority)s %(target)s HTTP/%(protocol)s on connection %(connection)s, '
                      'fields %(fields)s: %(status)s %(verdict)s' % request for request in call.requests]
            lines += ['  event: ' + ' '.join(str(event.get(name)) for name in (
                'jwtshim.action', 'jwtshim.reason', 'jwtshim.layer', 'network.protocol.version', 'server.address', 'url.path'))
                for event in call.events]
            lines += ['  stderr: ' + line for line in call.run.err.decode('utf-8', 'replace').splitlines()[-4:]]
        self.tap.report(bool(good), sentence, [self.mock.redact(line) for line in lines])

    @staticmethod
    def is_answered(call, statuses, verdicts, protocol=None):
        return (call.run.code == 0 and call.lines == statuses and call.verdicts == verdicts
                and (protocol is None or call.protocols == {protocol}))

    @staticmethod
    def is_head(request, values):
        """Whether the head that arrived over h2 is exactly this: the mock tells the names in order, and a hash of all values."""
        if not all(name in values for name in request['fields']):
            return False
        parts = [values[':method'], values[':path'], request['protocol']]
        for name in request['fields']:
            parts += [name, values[name]]
        return sha256('\n'.join(parts)) == request['head_sha256']

    def is_moved(self, without, with_shim, tokens):
        """HTTP/1: takes the parameters out of what left without the shim and the header out of what left with it: the rest is the same."""
        before, after, headers = list(without.captures), list(with_shim.captures), 0
        for token in (token.encode() for token in tokens):
            field = b'Authorization: JWT %s\r\n' % token
            headers += sum(data.count(field) for data in after)
            after = [data.replace(field, b'') for data in after]
            for old, new in ((b'?jwt=%s&' % token, b'?'), (b'&jwt=%s' % token, b''), (b'?jwt=%s' % token, b'')):
                before = [data.replace(old, new) for data in before]
        return bool(before) and before == after and headers == len(tokens)

    def nginx_saw(self, targets, token, protocol):
        """Whether nginx's own log has these targets, each with the token in the header (compared by hash) and over this protocol."""
        wanted = [(target, sha256('JWT ' + token), protocol) for target in targets]
        return [(line['target'], sha256(line['authorization']), line['protocol']) for line in self.nginx.requests()] == wanted

    def nginx_lines(self):
        """For diagnostics."""
        return ['nginx logged: %s %s %s, Authorization %s, Referer %s' % (
            line['protocol'], line['method'], line['target'], 'present' if line['authorization'] else 'absent',
            'present' if line['referer'] else 'absent') for line in self.nginx.requests()]

    def end(self):
        self.nginx.end()
