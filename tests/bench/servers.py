"""An nginx that stands for the site, and HAProxy, nginx and mitmproxy in front of it that make the same change as the shim. Their rules
are those that `jwtshim doctor --proxy-config` prints; what is changed in them here (the site's address instead of a resolver,
connections that are kept) is in their favour. To be used inside the namespace."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import callgrind
import harness

HERE = os.path.dirname(os.path.abspath(__file__))
SITE = 'site.atlassian.net'
PORTS = {'plain': 80, 'tls': 443}                                    # the site's
HOPS = {'haproxy': {'plain': 9101, 'tls': 9102}, 'nginx': {'plain': 9201, 'tls': 9202}, 'mitmproxy': {'plain': 9301, 'tls': 9302}}
UPLOAD = 256 << 20
COMMANDS = {'haproxy': 'haproxy', 'nginx': 'nginx', 'mitmproxy': 'mitmdump'}

# A body is read whole, to memory, before the answer: else it would leave at the pace at which it is thrown away.
ORIGIN = '''
worker_processes 1;
error_log stderr emerg;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_buffer_size %(body)d;
    %(room)s
    ssl_certificate %(pki)s/leaf.pem;
    ssl_certificate_key %(pki)s/leaf.key;
    server {
        listen 80;
        listen 443 ssl;
        location / {
            if ($http_authorization !~ "^JWT [^.]+[.][^.]+[.][^.]+$") { return 401; }
            if ($args ~ "(^|&)jwt=") { return 401; }
            return 200 "{}";
        }
        location /upload {
            if ($http_authorization !~ "^JWT ") { return 401; }
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_pass http://127.0.0.1:8081;
        }
    }
    server { listen 127.0.0.1:8081; location / { return 200 "{}"; } }
}
'''


def wait_for(port, process, name, said):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
            return
        time.sleep(0.05)
    said.seek(0)
    raise harness.Trouble('%s does not listen on port %d\n%s' % (name, port, said.read().decode('utf-8', 'replace')))


@contextlib.contextmanager
def serving(argv, port, name):
    said = tempfile.TemporaryFile()
    process = subprocess.Popen(argv, env=callgrind.environment(None), stdout=said, stderr=said)
    try:
        wait_for(port, process, name, said)
        yield process
    finally:
        said.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def room_in(tmp, name):
    """The directories that nginx makes for itself at its start, whether it needs them or not."""
    return ' '.join('%s_temp_path %s/%s-%s;' % (what, tmp, name, what) for what in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))


def nginx_argv(config, tmp, name):
    # No master: in the namespace there is no other user that nginx could become.
    return ['nginx', '-c', config, '-g', 'user root; daemon off; master_process off; pid %s/%s.pid;' % (tmp, name)]


def write(tmp, name, text):
    path = os.path.join(tmp, name)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    return path


def make_pki(tmp):
    pki = os.path.join(tmp, 'pki')
    subprocess.run([os.path.join(harness.MOCK, 'make-pki'), pki], check=True, timeout=60)
    both = ''.join(open(os.path.join(pki, name), encoding='ascii').read() for name in ('leaf.key', 'leaf.pem'))
    write(pki, 'both.pem', both)
    return pki


def origin(tmp, pki):
    config = write(tmp, 'origin.conf', ORIGIN % {'room': room_in(tmp, 'origin'), 'pki': pki, 'body': UPLOAD + 1})
    return serving(nginx_argv(config, tmp, 'origin'), PORTS['tls'], 'the origin')


def printed(command, name, way, pki):
    """What the doctor prints, for this listener."""
    argv = [command, 'doctor', '--proxy-config=' + name, '--ca-file', pki + '/ca.pem', '--resolver', '127.0.0.1:53', '--listen',
            '127.0.0.1:%d' % HOPS[name][way]] + (['--cert', pki + '/both.pem'] if way == 'tls' else [])
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout


def replaced(pattern, by, text):
    text, count = re.subn(pattern, by, text, flags=re.MULTILINE)
    if not count:
        raise harness.Trouble('the doctor prints another configuration than this bench knows: no %s in it' % pattern)
    return text


def haproxy_argv(command, tmp, pki, way):
    text = printed(command, 'haproxy', way, pki)
    text = replaced(r'^resolvers dns\n(    .*\n)+', '', text)
    text = replaced(r'^    http-request (do-resolve|set-dst|return status 502).*\n', '', text)
    server = 'server site 127.0.0.1:%d' % PORTS[way]
    text = replaced(r'server site 0\.0\.0\.0:443', server, text) if way == 'tls' else replaced(r'server site .*', server, text)
    return ['haproxy', '-db', '-f', write(tmp, 'haproxy-%s.conf' % way, text)]


def nginx_hop_argv(command, tmp, pki, way):
    text = printed(command, 'nginx', way, pki)
    text = replaced(r'^    resolver .*\n', '''    upstream site { server 127.0.0.1:%d; keepalive 64; keepalive_requests 1000000000; }
    keepalive_requests 1000000000;
    %s
''' % (PORTS[way], room_in(tmp, 'hop-' + way)), text)
    text = replaced(r'proxy_pass https://\$host:443', 'proxy_pass %s://site' % ('https' if way == 'tls' else 'http'), text)
    return nginx_argv(write(tmp, 'nginx-%s.conf' % way, text), tmp, 'hop-' + way)


def mitmproxy_argv(tmp, pki, way):
    scheme = 'https' if way == 'tls' else 'http'
    argv = ['mitmdump', '-q', '--no-http2', '--set', 'confdir=' + os.path.join(tmp, 'mitmproxy'), '--mode',
            'reverse:%s://%s:%d' % (scheme, SITE, PORTS[way]), '--listen-host', '127.0.0.1', '--listen-port', str(HOPS['mitmproxy'][way]),
            '--set', 'keep_host_header=true', '--set', 'stream_large_bodies=1m', '--set',
            'ssl_verify_upstream_trusted_ca=' + pki + '/ca.pem', '-s', os.path.join(HERE, 'mitmproxy_rule.py')]
    return argv + (['--certs', '%s=%s/both.pem' % (SITE, pki)] if way == 'tls' else [])


def hop(name, command, tmp, pki, way):
    """A context with the running proxy. Its rules are plain text, in `tmp`."""
    argv = {'haproxy': lambda: haproxy_argv(command, tmp, pki, way), 'nginx': lambda: nginx_hop_argv(command, tmp, pki, way),
            'mitmproxy': lambda: mitmproxy_argv(tmp, pki, way)}[name]()
    return serving(argv, HOPS[name][way], name)


def has(name):
    return shutil.which(COMMANDS[name]) is not None


def memory_of(process):
    """Bytes of a process with its children, what it shares with others counted by its part."""
    total = 0
    listed = subprocess.run(['ps', '-o', 'pid=', '--pid', str(process.pid), '--ppid', str(process.pid)], stdout=subprocess.PIPE,
                            text=True, timeout=10, check=False).stdout
    for pid in listed.split():
        with contextlib.suppress(OSError), open('/proc/%s/smaps_rollup' % pid, encoding='ascii') as file:
            total += 1024 * sum(int(size) for size in re.findall(r'^Pss: +(\d+) kB', file.read(), re.MULTILINE))
    return total
