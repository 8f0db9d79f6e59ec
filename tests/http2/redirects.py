"""Redirects that curl follows by itself: the token rides on exactly the request that carried it."""
from plain_curl import values_of
from stage import APP, MEDIA, NGINX, SITE, sha256

PROTOCOLS = [([], '2.0', 'h2'), (['--http1.1'], '1.1', 'HTTP/1.1')]
BASIC = 'Basic dXNlcjpwYXNz'


def note_tokens(stage, call):
    """The mock signs one of its own for a redirect: nothing may hold that either."""
    for data in call.captures:
        for line in data.split(b'\r\n'):
            if line.startswith(b'Authorization: JWT '):
                stage.mock.tokens.append(line.split()[-1].decode('ascii', 'replace'))


def sites(stage):
    rows = [
        ('/secure/attachment/12600/Some+Image+%28dev%29+x%20y.png', [SITE, MEDIA], ['valid', 'anonymous'],
         'an attachment: the media host sees neither header nor parameter'),
        ('/redirect/same', [SITE, SITE], ['valid', 'anonymous'], 'a redirect on the same host: the second request has no token'),
        ('/redirect/signed', [SITE, SITE], ['valid', 'valid'], 'a redirect that brings its own token: both are moved'),
    ]
    for path, hosts, verdicts, sentence in rows:
        for words, protocol, version in PROTOCOLS:
            for options in (['-L'], ['--location-trusted'], ['-L', '-e', ';auto'], ['--location-trusted', '-e', ';auto', '-u', 'user:pass']):
                if path.endswith('signed') and '-u' in options:
                    continue        # -u adds an Authorization of the program's, whose place the token takes: as below
                site(stage, path, hosts, verdicts, sentence, words, options, protocol, version)


def site(stage, path, hosts, verdicts, sentence, words, options, protocol, version):
    url = stage.sign(path)
    call = stage.call(stage.curl(*words, *options) + [url], True)
    note_tokens(stage, call)
    # --location-trusted sends the program's own password wherever it is sent: its wish, not ours.
    own = '-u' in options
    good = (call.verdicts == [verdicts[0], 'leak' if own else verdicts[1]] and call.protocols == {protocol}
            and [request['authority'] for request in call.requests] == hosts)
    if good and '-e' in options:
        lines = [line for data in call.captures for line in data.split(b'\r\n') if line.startswith(b'Referer: ')]
        good = 'referer' in [name.lower() for name in call.requests[1]['fields']] and not any(map(stage.mock.leaked, lines))
    if good and own:
        sentence = sentence.split(':')[0] + ": the program's own password goes on, and no token"
        if protocol == '1.1':
            sent = b''.join(call.captures)
            good = sent.count(b'\r\nAuthorization: JWT ') == sent.count(b'\r\nAuthorization: %s\r\n' % BASIC.encode()) == 1
        else:
            values = values_of(stage, 'https://%s%s' % (hosts[1], call.requests[1]['target']), 'GET', {
                'referer': 'https://%s%s' % (SITE, path), 'authorization': BASIC})
            good = stage.is_head(call.requests[1], values)
    stage.report(good, 'curl %s over %s, %s' % (' '.join(options), version, sentence), call)


def statuses(stage):
    end = 'https://%s%s' % (NGINX, stage.redirector.to('end', 200, None))
    places = [
        (MEDIA, 'https://%s/file?token=t&client=x' % MEDIA, 'anonymous', 'the media host sees nothing'),
        (APP, 'https://%s/x?a=1' % APP, 'not-atlassian', 'app.example.com sees nothing'),
        (NGINX, end, None, 'the same host sees no token again'),
        (SITE, None, 'valid', 'the Location has a token of its own, which is moved'),
    ]
    for status in (301, 302, 303, 307, 308):
        landing = 'POST' if status > 303 else 'GET'
        for words, _, version in PROTOCOLS:
            for host, location, verdict, sentence in places:
                for options in (['-L'], ['--location-trusted', '-e', ';auto']):
                    one(stage, status, landing, words + options, version, host, location, verdict, sentence)
    kept_password(stage)


def one(stage, status, landing, words, version, host, location, verdict, sentence):
    second = ''
    if not location:
        location = stage.sign('/rest/api/2/landed?a=1', landing)
        second = stage.token()
    target = stage.redirector.to('hop', status, location)
    url = stage.sign(target + '?x=1', 'POST', NGINX)
    first = stage.token()
    call = stage.call(stage.curl('-d', 'a=b', *words) + [url], True)
    lines = stage.nginx.requests()
    good = (call.run.code == 0 and call.lines == ['200'] and lines[0]['target'] == target + '?x=1'
            and sha256(lines[0]['authorization']) == sha256('JWT ' + first))
    if host == NGINX:
        good = (good and len(lines) == 2 and lines[1]['target'] == '/to/end' and lines[1]['method'] == landing
                and not lines[1]['authorization'] and not stage.mock.leaked(lines[1]['referer'].encode()))
    else:
        good = (good and call.verdicts == [verdict] and call.requests[0]['method'] == landing and call.requests[0]['authority'] == host
                and [name.lower() for name in call.requests[0]['fields']].count('authorization') == bool(second)
                and not any(stage.mock.leaked(data.replace(b'Authorization: JWT %s\r\n' % second.encode(), b'')) for data in call.captures))
    if '-e' in words:
        referers = [line['referer'] for line in lines[1:]] or ['referer' in [name.lower() for name in call.requests[0]['fields']]]
        good = good and all(referers)
    options = ' '.join(word for word in words if word != '--http1.1')
    stage.report(good, 'curl %s -d over %s, %d to a %s: %s' % (options, version, status, landing, sentence), call, more=stage.nginx_lines())


def kept_password(stage):
    """An Authorization of the program's own takes the token's place again where curl sends it on."""
    for words, _, version in PROTOCOLS:
        target = stage.redirector.to('password', 302, 'https://%s/x?a=1' % APP)
        url = stage.sign(target, host=NGINX)
        call = stage.call(stage.curl('--location-trusted', '-H', 'Authorization: ' + BASIC, *words) + [url], True)
        lines = stage.nginx.requests()
        good = call.lines == ['200'] and len(lines) == 1 and sha256(lines[0]['authorization']) == sha256('JWT ' + stage.token())
        if words:
            good = good and [data.count(b'\r\nAuthorization: %s\r\n' % BASIC.encode()) for data in call.captures] == [1]
        else:
            values = values_of(stage, 'https://%s/x?a=1' % APP, 'GET', {'authorization': BASIC})
            good = good and len(call.requests) == 1 and stage.is_head(call.requests[0], values)
        stage.report(good, "curl --location-trusted -H Authorization over %s: the token in its place, the program's own on the next host"
                     % version, call, more=stage.nginx_lines())
