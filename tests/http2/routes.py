"""Ways to the site that are not a straight connection: HTTP proxies (plain and inside TLS) that keep what they can read, SOCKS, and UNIX
sockets."""
import os

from proxy import Proxy
from stage import APP, SITE

TARGET = '/rest/api/3/myself?expand=groups'


def is_only_in_the_field(stage, data, tokens):
    """Whether these bytes hold each token once, in its Authorization field, and nothing of it elsewhere."""
    for token in tokens:
        field = b'Authorization: JWT %s\r\n' % token.encode()
        if data.count(field) != 1:
            return False
        data = data.replace(field, b'')
    return not stage.mock.leaked(data)


def ways(stage):
    """(name, arguments of curl, environment, the proxy) of each way to a proxy."""
    proxy, tls = 'http://127.0.0.1:%d' % stage.proxy.port, 'https://localhost:%d' % stage.tls_proxy.port
    return [
        ('-x', ['-x', proxy], {}, stage.proxy),
        ('with proxy variables', [], {'http_proxy': proxy, 'https_proxy': proxy}, stage.proxy),
        ('-x with a password for the proxy', ['-x', proxy, '-U', 'user:pass'], {}, stage.proxy),
        ('-x to a proxy inside TLS', ['-x', tls, '--proxy-cacert', stage.mock.ca], {}, stage.tls_proxy),
    ]


def tunnels(stage):
    python = ['/usr/bin/python3', os.path.join(os.path.dirname(os.path.abspath(__file__)), 'pycurl_client.py')]
    rows = []
    for name, words, env, proxy in ways(stage):
        rows.append(('curl ' + name, stage.curl(*words), env, '2.0', proxy))
        rows.append(('curl --http1.1 ' + name, stage.curl('--http1.1', *words), env, '1.1', proxy))
        if env:
            rows.append(('wget ' + name, wget(stage), env, '1.1', proxy))
            rows.append(('pycurl ' + name, python, env, '2.0', proxy))
    for name, argv, env, protocol, proxy in rows:
        url = stage.sign(TARGET)
        without = stage.call(argv + [url], env=env)
        read = proxy.text()
        with_shim = stage.call(argv + [url], True, env, clean='pycurl' not in name)
        stage.report(set(without.verdicts) == {'query-jwt'} and set(with_shim.verdicts) == {'valid'} and with_shim.protocols == {protocol}
                     and set(proxy.heads) == {'CONNECT %s:443 HTTP/1.1' % SITE},
                     '%s, to https: from 401 to 200 over %s in a tunnel' % (name, protocol), without, with_shim, more=proxy.heads)
        stage.report(proxy.text() == read and read and not stage.mock.leaked(read),
                     '%s, to https: the proxy reads the same bytes as without, and no token' % name, without, with_shim)


def wget(stage):
    return ['wget', '-q', '-O', '-', '--ca-certificate=' + stage.mock.ca]


def absolute_form(stage):
    rows = []
    for name, words, env, proxy in ways(stage):
        for more, method in (([], 'GET'), (['-d', 'a=b'], 'POST'), (['-T', stage.body], 'PUT')):
            rows.append((' '.join(['curl'] + more[:1] + [name]), stage.curl(*words, *more), env, method, 'http://', proxy))
        if env:
            rows.append(('wget ' + name, wget(stage), env, 'GET', 'http://', proxy))
        rows.append(('curl --proxytunnel ' + name, stage.curl('-p', *words), env, 'GET', '', proxy))
    for name, argv, env, method, scheme, proxy in rows:
        url = stage.sign(TARGET, method, scheme='http')
        without = stage.call(argv + [url], env=env)
        read = proxy.text()
        with_shim = stage.call(argv + [url], True, env)
        head = '%s http://%s/' % (method, SITE) if scheme else 'CONNECT %s:80' % SITE
        stage.report(without.verdicts == ['query-jwt'] and with_shim.verdicts == ['valid'] and with_shim.run.code == 0
                     and len(proxy.heads) == 1 and proxy.heads[0].startswith(head),
                     '%s, to http: from 401 to 200 %s' % (name, 'in absolute-form' if scheme else 'in a tunnel'), without, with_shim,
                     more=proxy.heads)
        field = b'\r\nProxy-Authorization: Basic '
        stage.report(stage.mock.leaked(read) and is_only_in_the_field(stage, proxy.text(), [stage.token()])
                     and read.count(field) == proxy.text().count(field) == (1 if '-U' in argv else 0),
                     "%s, to http: the proxy's log has the token in the Authorization field alone" % name, without, with_shim)
        stage.report(stage.is_moved(without, with_shim, [stage.token()]), '%s, to http: nothing but the token moved' % name,
                     without, with_shim)


def shared(stage):
    proxy = 'http://127.0.0.1:%d' % stage.proxy.port
    # One connection to the proxy for two hosts.
    urls = [stage.sign(TARGET, scheme='http'), 'http://%s/x?a=1' % APP, stage.sign('/rest/api/2/issue/A-1', scheme='http')]
    tokens = stage.mock.tokens[-2:]
    outputs = [word for url in urls for word in ('-o', '/dev/null', url)]
    with_shim = stage.call(['curl', '-sS', '-w', '%{http_code}\\n', '-x', proxy] + outputs, True)
    fields = [request['fields'] for request in with_shim.requests if request['site'] == 'other']
    stage.report(stage.is_answered(with_shim, ['200'] * 3, ['valid', 'not-atlassian', 'valid'], '1.1') and len(stage.proxy.heads) == 1
                 and 'Authorization' not in fields[0] and is_only_in_the_field(stage, stage.proxy.text(), tokens),
                 'curl -x to http, two hosts on one connection to the proxy: each request has its own', with_shim, more=stage.proxy.heads)


def sockets(stage):
    for scheme, words, protocol in (('http', [], '1.1'), ('https', [], '2.0'), ('https', ['--http1.1'], '1.1')):
        url = stage.sign(TARGET, scheme=scheme, position='first')
        without, with_shim = stage.both(stage.curl('--unix-socket', stage.sockets[scheme], *words) + [url])
        where = ' '.join(['curl --unix-socket'] + words + ['to', scheme])
        stage.report(stage.is_answered(without, ['401'], ['query-jwt'], protocol)
                     and stage.is_answered(with_shim, ['200'], ['valid'], protocol), where + ': from 401 to 200', without, with_shim)
        if protocol == '1.1':
            stage.report(stage.is_moved(without, with_shim, [stage.token()]), where + ': nothing but the token moved', without, with_shim)


def socks(stage):
    path = os.path.join(stage.mock.tmp, 'socks')
    servers = [('TCP', Proxy(socks=True), '127.0.0.1:'), ('a UNIX socket', Proxy(path, socks=True), 'localhost' + path)]
    for where, server, name in servers:
        name += str(server.port or '')
        for scheme, words, protocol in (('http', [], '1.1'), ('https', [], '2.0'), ('https', ['--http1.1'], '1.1')):
            url = stage.sign(TARGET, scheme=scheme)
            server.mark()
            without, with_shim = stage.both(stage.curl('--socks5-hostname', name, *words) + [url], clean=scheme == 'https')
            if scheme == 'http':    # a known limit: the connection begins with SOCKS, which is not HTTP
                stage.report(stage.is_answered(without, ['401'], ['query-jwt'], protocol)
                             and stage.is_answered(with_shim, ['401'], ['query-jwt'], protocol) and not stage.is_moved(without, with_shim, [stage.token()]),
                             'curl --socks5-hostname by %s to http: the request stays as it is' % where, without, with_shim)
                continue
            stage.report(stage.is_answered(without, ['401'], ['query-jwt'], protocol)
                         and stage.is_answered(with_shim, ['200'], ['valid'], protocol) and len(server.heads) == 2
                         and not stage.mock.leaked(server.text()),
                         'curl --socks5-hostname by %s to %s over HTTP/%s: from 401 to 200' % (where, scheme, protocol), without, with_shim)
            if protocol == '1.1':
                stage.report(stage.is_moved(without, with_shim, [stage.token()]),
                             'curl --socks5-hostname by %s to %s over HTTP/1.1: nothing but the token moved' % (where, scheme),
                             without, with_shim)
