"""curl as people call it: no option about protocols, HTTP/2 by ALPN; and beside it the same over HTTP/1.1. Every head that arrives is
compared with the one that left without the shim."""
import re

from stage import APP, GOAWAY_PORT, H2C_PORT, NGINX, SITE

EXPECT, BASIC = 'Expect: 100-continue', 'Authorization: Basic dXNlcjpwYXNz'


def values_of(stage, url, method, more):
    """What curl says in a head, by name."""
    scheme, rest = url.split('://', 1)
    authority, target = rest.split('/', 1)
    return dict({':method': method, ':path': '/' + target, ':scheme': scheme, ':authority': authority, 'user-agent': stage.agent,
                 'accept': '*/*', 'content-type': 'application/x-www-form-urlencoded'}, **more)


def without_token(path, token):
    return path.replace('?jwt=%s&' % token, '?').replace('&jwt=' + token, '').replace('?jwt=' + token, '')


def row(stage, sentence, words, method='GET', target='/rest/api/3/myself?expand=groups', position='last', host=SITE, more=None, stdin=b'',
        body=b''):
    """One request over h2: 401 and 200, and the head of the second is that of the first but for the token."""
    url = stage.sign(target, method, host, position=position)
    token = stage.token()
    without, with_shim = stage.both(stage.curl(*words) + [url], stdin=stdin)
    stage.report(stage.is_answered(without, ['401'], ['query-jwt'], '2.0'), sentence + ': 401 over h2 without the shim', without)
    stage.report(stage.is_answered(with_shim, ['200'], ['valid'], '2.0'), sentence + ': 200 over h2 with it', with_shim)
    values = values_of(stage, url, method, more or {})
    wanted = dict(values, **{':path': without_token(values[':path'], token), 'authorization': 'JWT ' + token})
    good = len(without.requests) == len(with_shim.requests) == 1
    if good:
        before, after = without.requests[0], with_shim.requests[0]
        good = (stage.is_head(before, values) and stage.is_head(after, wanted) and after['fields'] == before['fields'] + ['authorization']
                and before['body_sha256'] == after['body_sha256'] and after['body_length'] == len(body))
    stage.report(good, sentence + ': nothing but the token moved, body and order of fields as they were', without, with_shim)
    stage.report([(event['jwtshim.action'], event['network.protocol.version'], event['http.request.method'], event['url.path'])
                  for event in with_shim.events] == [('rewritten', '2', method, target.split('?')[0])],
                 sentence + ': one event, over version 2', with_shim)


def methods(stage):
    with open(stage.body, 'rb') as file:
        body = file.read()
    length = {'content-length': str(len(body))}
    url = stage.sign('/rest/api/3/myself?expand=groups')
    without, with_shim = stage.both(['curl', url])
    stage.report(b'Client must be authenticated' in without.run.out and with_shim.run.code == 0 and with_shim.verdicts == ['valid']
                 and with_shim.protocols == {'2.0'} and b'"verdict":"valid"' in with_shim.run.out,
                 'curl URL, without any option: from 401 to 200 over h2', without, with_shim)
    row(stage, 'curl GET', [])
    row(stage, 'curl GET, the token first', [], position='first')
    row(stage, 'curl GET, the token between two parameters', [], target='/rest/api/2/search?jql=a+b&startAt=0', position='middle')
    row(stage, 'curl GET, the token alone', [], target='/rest/api/3/myself')
    row(stage, 'curl -d TEXT', ['-d', 'a=b'], 'POST', more={'content-length': '3'}, body=b'a=b')
    row(stage, 'curl --data-binary @file', ['--data-binary', '@' + stage.body], 'POST', more=length, body=body)
    stripped = body.replace(b'\r', b'').replace(b'\n', b'')
    row(stage, 'curl -d @file', ['-d', '@' + stage.body], 'POST', more={'content-length': str(len(stripped))}, body=stripped)
    row(stage, 'curl -T - from stdin', ['-T', '-'], 'PUT', stdin=body, body=body)
    row(stage, 'curl -I', ['-I'], 'HEAD')
    row(stage, 'curl with Expect: 100-continue', ['-H', EXPECT, '--data-binary', '@' + stage.body], 'POST', body=body,
        more=dict(length, expect='100-continue'))
    row(stage, 'curl to SITE.Atlassian.NET', [], host='SITE.Atlassian.NET')


def http1(stage):
    for sentence, words, method in (('GET', [], 'GET'), ('-d @file', ['-d', '@' + stage.body], 'POST'),
                                    ('-T file', ['-T', stage.body], 'PUT'),
                                    ('Expect: 100-continue', ['-H', EXPECT, '-d', '@' + stage.body], 'POST')):
        for scheme in ('https', 'http'):
            url = stage.sign('/rest/api/2/issue/A-1?x=1', method, scheme=scheme, position='first')
            where = 'curl --http1.1 %s over %s' % (sentence, {'https': 'TLS', 'http': 'plain'}[scheme])
            # A pause of curl's own before the body, where no 100 comes, decides nothing here: the mock sends one.
            without, with_shim = stage.both(stage.curl('--http1.1', *words) + [url])
            stage.report(stage.is_answered(without, ['401'], ['query-jwt'], '1.1')
                         and stage.is_answered(with_shim, ['200'], ['valid'], '1.1'), where + ': from 401 to 200', without, with_shim)
            stage.report(stage.is_moved(without, with_shim, [stage.token()]), where + ': nothing but the token moved', without, with_shim)


def connections(stage):
    urls = [stage.sign('/rest/api/2/issue/A-%d?fields=summary' % number, position=('first', 'middle', 'last')[number % 3])
            for number in range(10)]
    outputs = [word for url in urls for word in ('-o', '/dev/null', url)]
    several = ['curl', '-sS', '-w', '%{http_code}\\n'] + outputs
    parallel = several[:1] + ['--parallel', '-Z', '--parallel-max', '10'] + several[1:]
    for sentence, argv in (('curl with ten URLs', several), ('curl --parallel -Z with ten URLs', parallel)):
        without, with_shim = stage.both(argv)
        stage.report(stage.is_answered(without, ['401'] * 10, ['query-jwt'] * 10, '2.0') and without.connections == 1,
                     sentence + ': ten 401 on one h2 connection without the shim', without)
        stage.report(stage.is_answered(with_shim, ['200'] * 10, ['valid'] * 10, '2.0') and with_shim.connections == 1,
                     sentence + ': ten 200 on one h2 connection with it', with_shim)
    mixed = []
    for number, url in enumerate(urls):
        mixed += ['-o', '/dev/null', url if number % 2 else url.replace(SITE, APP)]
    without, with_shim = stage.both(['curl', '-sS', '-Z', '-w', '%{http_code}\\n'] + mixed, clean=False)
    heads = [sorted(request['head_sha256'] for request in call.requests if request['site'] == 'other') for call in (without, with_shim)]
    stage.report(sorted(with_shim.verdicts) == ['not-atlassian'] * 5 + ['valid'] * 5 and heads[0] == heads[1],
                 'curl -Z to two hosts in turn: app.example.com gets its five heads as they were', without, with_shim)

    url = stage.sign('/rest/api/3/myself?x=1', host='%s:%d' % (NGINX, H2C_PORT), scheme='http')
    argv = stage.curl('--http2-prior-knowledge') + [url]
    without = stage.call(argv)
    with_shim = stage.call(argv, True)
    stage.report(without.lines == ['401'] and with_shim.lines == ['200']
                 and stage.nginx_saw(['/rest/api/3/myself?x=1'], stage.token(), 'HTTP/2.0'),
                 'curl --http2-prior-knowledge over plain TCP: from 401 to 200', without, with_shim, more=stage.nginx_lines())
    goaway(stage)
    upgrade(stage)


def goaway(stage):
    """A server that ends its connections after three requests: curl sends again what was refused, and each needs its own token."""
    host = '%s:%d' % (SITE, GOAWAY_PORT)
    targets = ['/rest/api/2/issue/B-%d?fields=summary' % number for number in range(10)]
    urls = [stage.sign(target, host=host) for target in targets]
    outputs = [word for url in urls for word in ('-o', '/dev/null', url)]
    for words in ([], ['-Z']):
        with_shim = stage.call(['curl', '-sS', '-w', '%{http_code}\\n'] + words + outputs, True)
        lines = stage.nginx.requests()
        stage.report(with_shim.lines == ['200'] * 10 and set(with_shim.verdicts) == {'valid'}
                     and sorted({line['target'] for line in lines}) == targets and len({line['connection'] for line in lines}) > 1,
                     ' '.join(['curl'] + words) + ' with ten URLs to a server that says GOAWAY after three: all 200', with_shim,
                     more=stage.nginx_lines())


def upgrade(stage):
    """An offer of h2c that the server does not take up."""
    urls = [stage.sign('/rest/api/2/issue/C-%d?x=1' % number, scheme='http') for number in range(2)]
    outputs = [word for url in urls for word in ('-o', '/dev/null', url)]
    for count, words in ((1, 'one URL'), (2, 'two URLs')):
        argv = ['curl', '-sS', '-w', '%{http_code}\\n', '--http2'] + outputs[:3 * count]
        without, with_shim = stage.both(argv, clean=count == 1)
        stage.report(stage.is_answered(without, ['401'] * count, ['query-jwt'] * count, '1.1')
                     and stage.is_answered(with_shim, ['200'] * count, ['valid'] * count, '1.1'),
                     'curl --http2 over plain TCP, %s, where the server stays with HTTP/1.1: from 401 to 200' % words, without, with_shim)


def view(stage):
    """What the program tells of itself: its own URL, and the same words as without the shim."""
    write = '%{url_effective} %{http_version} %{num_connects} %{method} %{scheme} %{num_redirects} %{urlnum} %{http_code}\\n'
    for words, version in (([], '2'), (['--http1.1'], '1.1')):
        url = stage.sign('/rest/api/3/myself?expand=groups', position='first')
        without, with_shim = stage.both(stage.curl(*words, write=write) + [url], clean=False)
        expected = [url, version, '1', 'GET', 'HTTPS', '0', '0']
        stage.report(without.lines == expected + ['401'] and with_shim.lines == expected + ['200'],
                     'curl -w over HTTP/%s: its own URL, version and connections, and another status' % version, without, with_shim)

        def said(call, sign):
            found = re.findall(r'^%s .*$' % sign, call.run.err.decode('utf-8', 'replace').replace('\r', ''), re.M)
            # Session tickets arrive when they arrive, and a handle's address is never the same.
            return [re.sub(r'0x[0-9a-f]+', 'ADDRESS', line) for line in found if not re.search('Newsession|old SSL session', line)]

        without, with_shim = stage.both(stage.curl('-v', *words) + [url], clean=False)
        stage.report(said(without, '>') == said(with_shim, '>') and len(said(without, '>')) > 3 and with_shim.lines == ['200'],
                     'curl -v over HTTP/%s: the same request lines as without' % version, without, with_shim)
        stage.report(sorted(said(without, r'\*')) == sorted(said(with_shim, r'\*')) and len(said(without, r'\*')) > 10,
                     'curl -v over HTTP/%s: the same words about connection and TLS' % version, without, with_shim, more=sorted(
                         set(said(without, r'\*')) ^ set(said(with_shim, r'\*'))))
        stage.report(with_shim.run.err.count(stage.token().encode()) == without.run.err.count(stage.token().encode()),
                     'curl -v over HTTP/%s: the token is where curl itself prints its URL, and nowhere else' % version, without, with_shim)


def conflicts(stage):
    target = '/rest/api/3/myself?expand=groups'
    for policy, verdict in (('jwt', 'valid'), ('header', 'wrong-scheme'), ('leave', 'query-jwt')):
        url = stage.sign(target)
        basic = BASIC.split(': ')[1]
        with_shim = stage.call(stage.curl('-H', BASIC) + [url], True, {'JWTSHIM_ON_CONFLICT': policy}, clean=policy != 'leave')
        values = dict(values_of(stage, url, 'GET', {}), authorization=basic)
        if policy != 'leave':
            values[':path'] = target
        if policy == 'jwt':
            values['authorization'] = 'JWT ' + stage.token()
        status = '200' if policy == 'jwt' else '401'
        stage.report(stage.is_answered(with_shim, [status], [verdict], '2.0') and with_shim.requests[0]['fields'].count('authorization') == 1
                     and stage.is_head(with_shim.requests[0], values),
                     'curl -H Authorization over h2, JWTSHIM_ON_CONFLICT=%s: %s' % (policy, {
                         'jwt': 'the token takes its place', 'header': 'it stays, and the parameter goes',
                         'leave': 'both stay'}[policy]), with_shim)


def referers(stage):
    for host in (SITE, APP):
        for words, protocol in (([], 'h2'), (['--http1.1'], 'HTTP/1.1')):
            referer = stage.sign('/x?a=1')
            url = 'https://%s/rest/api/3/myself?expand=groups' % host
            with_shim = stage.call(stage.curl('-e', referer, *words) + [url], True)
            if protocol == 'h2':
                values = dict(values_of(stage, url, 'GET', {}), referer='https://%s/x?a=1' % SITE)
                good = len(with_shim.requests) == 1 and stage.is_head(with_shim.requests[0], values)
            else:
                good = [data.count(b'\r\nReferer: https://site.atlassian.net/x?a=1\r\n') for data in with_shim.captures] == [1]
            stage.report(good and 'authorization' not in [name.lower() for name in with_shim.requests[0]['fields']]
                         and not any(map(stage.mock.leaked, with_shim.captures)),
                         'curl -e URL-with-token to %s over %s: the Referer loses it, and no header comes' % (host, protocol), with_shim)
    url, referer = stage.sign('/rest/api/3/myself?expand=groups'), None
    token = stage.token()
    referer = stage.sign('/x?a=1')
    with_shim = stage.call(stage.curl('-e', referer) + [url], True)
    values = dict(values_of(stage, url, 'GET', {}), referer='https://%s/x?a=1' % SITE, authorization='JWT ' + token)
    values[':path'] = '/rest/api/3/myself?expand=groups'
    stage.report(stage.is_answered(with_shim, ['200'], ['valid'], '2.0') and stage.is_head(with_shim.requests[0], values),
                 "curl -e with another token than the URL's: the URL's is in the header, the other is gone", with_shim)
