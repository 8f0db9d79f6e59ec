"""HTTP/2 requests are decided like HTTP/1 ones: whose host it is, what a token is, where curl got them from."""
from plain_curl import values_of, without_token
from stage import APP, MEDIA, SITE

TARGET = '/rest/api/3/myself?expand=groups'


def unchanged(stage):
    """The same heads with the shim as without."""
    lookalike = 'site.atlassian.net.evil.example'
    rows = [
        ('to evilatlassian.net', stage.sign(TARGET, host='evilatlassian.net'), [], {}, 'host-not-atlassian'),
        ('to ' + lookalike, stage.sign(TARGET, host=lookalike), ['-k'], {}, 'host-not-atlassian'),
        ('to the media host', stage.sign(TARGET, host=MEDIA), [], {}, None),
        ('to app.example.com', stage.sign(TARGET, host=APP), [], {}, 'host-not-atlassian'),
        ('to a host that JWTSHIM_HOSTS takes out', stage.sign(TARGET), [], {'JWTSHIM_HOSTS': '-atlassian.net'}, 'host-not-atlassian'),
        ('with a jwt that is no token', 'https://%s/x?jwt=one.two' % SITE, [], {}, 'not-a-token'),
        ('with the token in another parameter', stage.sign('/x').replace('jwt=', 'xjwt='), [], {}, None),
        ('with a token nested in a value', 'https://%s/x?u=%%3Fjwt%%3D%s' % (SITE, stage.token()), [], {}, None),
        ('without a token', 'https://%s%s' % (SITE, TARGET), [], {}, None),
    ]
    for name, url, words, env, reason in rows:
        without, with_shim = stage.both(stage.curl(*words) + [url], env=env, clean=False)
        same = [(request['head_sha256'], request['fields'], request['verdict']) for request in without.requests]
        stage.report(len(same) == 1 and without.protocols == {'2.0'} and without.lines == with_shim.lines
                     and same == [(request['head_sha256'], request['fields'], request['verdict']) for request in with_shim.requests],
                     'curl %s: the same head over h2 as without the shim' % name, without, with_shim)
        reasons = [(event['jwtshim.action'], event.get('jwtshim.reason')) for event in with_shim.events]
        if reason:
            stage.report(reasons == [('passed', reason)], 'curl %s: the log says %s' % (name, reason), with_shim)
        else:
            stage.report(all(action == 'passed' for action, _ in reasons), 'curl %s: nothing is said to be rewritten' % name, with_shim)


def is_rewritten(stage, call, host, path, token, more=None):
    values = dict(values_of(stage, 'https://%s%s' % (host, path), 'GET', {}), authorization='JWT ' + token, **(more or {}))
    return len(call.requests) == 1 and call.protocols == {'2.0'} and stage.is_head(call.requests[0], values)


def rewritten(stage):
    for host in ('jira.com', 'site.jira.com', 'other.atlassian.net'):
        url = stage.sign(TARGET, host=host)
        call = stage.call(stage.curl() + [url], True)
        stage.report(call.lines == ['200'] and is_rewritten(stage, call, host, TARGET, stage.token()), 'curl to %s over h2: 200' % host, call)
    url = stage.sign(TARGET, host=APP)
    call = stage.call(stage.curl() + [url], True, {'JWTSHIM_HOSTS': 'example.com'})
    stage.report(is_rewritten(stage, call, APP, TARGET, stage.token()), 'curl to a host that JWTSHIM_HOSTS adds, over h2: rewritten', call)

    url = stage.sign(TARGET)
    token = stage.token()
    ways = [
        ('curl -G -d jwt=TOKEN', ['-G', '-d', 'jwt=' + token, 'https://%s%s' % (SITE, TARGET)]),
        ('curl --request-target', ['--request-target', url.split(SITE)[1], 'https://%s/' % SITE]),
        ('curl with a percent-encoded name of the parameter', [url.replace('jwt=', '%6Awt=')]),
        ('curl with the token twice', [url + '&jwt=' + token]),
        ('curl with a fragment', [url + '#jwt=' + token]),
        ('curl with a user name and password in the URL', [url.replace('://', '://user:pass@')]),
        ('curl with -u', ['-u', 'user:pass', url]),
        ('curl with --oauth2-bearer', ['--oauth2-bearer', 'abc', url]),
        ('curl with --anyauth', ['--anyauth', '-u', 'user:pass', url]),
        ('curl with port 443 in the URL', [url.replace(SITE, SITE + ':443')]),
        ('curl over TLS 1.2', ['--tls-max', '1.2', url]),
        ('curl with --compressed', ['--compressed', url]),
        ('curl --tcp-fastopen', ['--tcp-fastopen', url]),
    ]
    for name, words in ways:
        call = stage.call(stage.curl() + words, True)
        good = call.lines == ['200'] and is_rewritten(stage, call, SITE, without_token(TARGET, token), token,
                                                      {'accept-encoding': 'deflate, gzip, br, zstd'})
        stage.report(good and not any(map(stage.mock.leaked, (call.run.out, call.run.err))), name + ': from 401 to 200 over h2', call)
    for word, line in (('an empty Authorization', 'Authorization;'), ('a Cookie', 'Cookie: a=b')):
        call = stage.call(stage.curl('-H', line) + [url], True)
        stage.report(call.lines == ['200'] and is_rewritten(stage, call, SITE, TARGET, token, {'cookie': 'a=b'}),
                     'curl with %s: from 401 to 200 over h2' % word, call)
