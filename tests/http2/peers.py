"""Programs other than curl that speak HTTP/2, and nginx as a peer that is not the mock: its own log says what arrived."""
import collections
import glob
import os
import shutil
import subprocess

from stage import APP, NGINX, OTHER_TLS_PORT, SITE, sha256

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = '/rest/api/3/myself?expand=groups'


def missing(stage, name, path):
    """Reports, and says so, where a program is not installed."""
    if os.path.exists(path) if path.startswith('/') else shutil.which(path):
        return False
    stage.report(False, '%s is installed' % name, more=['needs %s: run "make deps"' % path])
    return True


# --- git ---------------------------------------------------------------------------------------------------------------------------

def make_repository(stage):
    """A bare repository under nginx's root, to be fetched file by file."""
    work, bare = os.path.join(stage.mock.tmp, 'work'), os.path.join(stage.nginx.directory, 'git', 'repo.git')
    with open(os.path.join(stage.mock.tmp, 'content'), 'wb') as file:
        file.write(os.urandom(300000))
    environment = stage.mock.environment(False, {'GIT_CONFIG_NOSYSTEM': '1'})
    who = ['-c', 'user.name=test', '-c', 'user.email=test@example.com']
    for words in (['init', '-q', work], ['-C', work, 'add', 'content'], ['-C', work] + who + ['commit', '-q', '-m', 'one'],
                  ['clone', '-q', '--bare', work, bare], ['-C', bare, 'update-server-info']):
        if words[-1] == 'content':
            shutil.move(os.path.join(stage.mock.tmp, 'content'), work)
        subprocess.run(['git'] + words, check=True, timeout=30, env=environment, stdout=subprocess.DEVNULL)
    return subprocess.run(['git', '-C', bare, 'rev-parse', 'HEAD'], check=True, timeout=30, env=environment,
                          stdout=subprocess.PIPE).stdout.strip().decode()


def git(stage):
    if missing(stage, 'git', '/usr/lib/git-core/git-remote-https'):
        return
    head = make_repository(stage)
    environment = {'GIT_CONFIG_NOSYSTEM': '1', 'GIT_SSL_CAINFO': stage.mock.ca, 'GIT_TERMINAL_PROMPT': '0'}
    number = 0
    for host in (APP, SITE):
        url = 'https://%s:%d/git/repo.git' % (host, OTHER_TLS_PORT)
        seen, calls = [], []
        for preload in (False, True):
            number += 1
            clone = os.path.join(stage.mock.tmp, 'clone%d' % number)
            listed = stage.call(['git', 'ls-remote', url], preload, environment)
            lines = stage.nginx.requests()
            cloned = stage.call(['git', 'clone', '-q', url, clone], preload, environment)
            lines += stage.nginx.requests()
            checked = stage.call(['git', '-C', clone, 'rev-parse', 'HEAD'], False, environment)
            calls += [listed, cloned, checked]
            # git fetches side by side: the order is nobody's promise.
            seen.append((sorted((line['method'], line['target'], line['authorization'], line['protocol']) for line in lines),
                         listed.lines, cloned.run.out, cloned.run.err, checked.lines))
        stage.report(seen[0] == seen[1] and len(seen[0][0]) >= 5 and seen[0][1][:2] == [head, 'HEAD'] and seen[0][4] == [head],
                     'git ls-remote and clone from %s: the same requests and answers with and without' % host, *calls,
                     more=['%d and %d requests' % (len(seen[0][0]), len(seen[1][0]))])
        stage.report({line[3] for line in seen[1][0]} == {'HTTP/2.0'} and not calls[3].events and not calls[4].events,
                     'git from %s: over h2, without an event' % host, *calls[3:5])
    # A token in git's URL: where libcurl over GnuTLS adds git's own path behind it, it is no token any more.
    url = stage.sign('/git/x', host='%s:%d' % (SITE, OTHER_TLS_PORT))
    without, with_shim = stage.both(['git', 'ls-remote', url], env=environment, clean=False)
    stage.report(without.run.code == with_shim.run.code and without.run.err == with_shim.run.err,
                 'git with a token in its URL: the same answer as without', without, with_shim)


# --- PHP, h2load, pycurl, C ----------------------------------------------------------------------------------------------------------

def php(stage):
    if missing(stage, 'php-curl', 'php'):
        return
    client = ['php', os.path.join(HERE, 'php_client.php')]
    urls = [stage.sign(TARGET), stage.sign('/x?a=1', host=APP)]
    without, with_shim = stage.both(client + urls, clean=False)
    stage.report(without.lines == ['h2/401', 'h2/200'], "PHP's curl extension over h2: 401 without the shim", without)
    stage.report(with_shim.lines == ['h2/200'] * 2 and with_shim.verdicts == ['valid', 'not-atlassian'],
                 "PHP's curl extension (RTLD_DEEPBIND would hide its libcurl) over h2: 200 with it", with_shim)
    others(stage, "PHP's curl extension", without, with_shim)
    without, with_shim = stage.both(client + urls, env={'JWTSHIM_LOADER': 'off'}, clean=False)
    stage.report(without.lines == with_shim.lines == ['h2/401', 'h2/200'] and not with_shim.events,
                 "PHP's curl extension with JWTSHIM_LOADER=off: not reached, and no event claims otherwise", without, with_shim)


def h2load_counts(call):
    """The line "status codes: 20 2xx, 0 3xx, 0 4xx, 0 5xx"."""
    for line in call.run.out.decode('ascii', 'replace').splitlines():
        if line.startswith('status codes:'):
            return [int(part.split()[0]) for part in line.split(':')[1].split(',')]
    return None


def h2load(stage):
    if missing(stage, 'h2load', 'h2load'):
        return
    for words, protocol, version in (([], '2.0', 'h2'), (['--h1'], '1.1', 'HTTP/1.1')):
        url = stage.sign(TARGET)
        without, with_shim = stage.both(['h2load', '-n', '20', '-c', '4'] + words + [url], clean=False)
        stage.report(h2load_counts(without) == [0, 0, 20, 0] and without.protocols == {protocol},
                     'h2load, 20 requests on 4 connections over %s: all 401 without the shim' % version, without)
        stage.report(h2load_counts(with_shim) == [20, 0, 0, 0] and with_shim.verdicts == ['valid'] * 20 and with_shim.connections == 4
                     and with_shim.protocols == {protocol},
                     'h2load, 20 requests on 4 connections over %s: all 200 with it' % version, with_shim)


def pycurl(stage):
    client = ['/usr/bin/python3', os.path.join(HERE, 'pycurl_client.py')]
    urls = [stage.sign(TARGET), stage.sign('/x?a=1', host=APP), stage.sign('/rest/api/2/issue/A-1', position='first')]
    without, with_shim = stage.both(client + urls, clean=False)
    stage.report(without.lines == ['h2/%d/own-url' % status for status in (401, 200, 401) * 2],
                 'pycurl over h2, one handle and three at once: 401 without the shim', without)
    stage.report(with_shim.lines == ['h2/200/own-url'] * 6 and sorted(with_shim.verdicts) == ['not-atlassian'] * 2 + ['valid'] * 4,
                 'pycurl over h2, one handle and three at once: 200 with it, and its own URLs', with_shim)
    others(stage, 'pycurl', without, with_shim)
    url = stage.sign(TARGET, 'POST')
    without, with_shim = stage.both(client + [url], env={'POST': 'a=b'})
    stage.report(without.lines == ['h2/401/own-url'] * 2 and with_shim.lines == ['h2/200/own-url'] * 2
                 and {request['body_length'] for request in with_shim.requests} == {3}, 'pycurl POST over h2: from 401 to 200',
                 without, with_shim)


def others(stage, name, without, with_shim):
    """What app.example.com got."""
    heads = [collections.Counter(request['head_sha256'] for request in call.requests if request['site'] == 'other')
             for call in (without, with_shim)]
    fields = {field.lower() for request in with_shim.requests if request['site'] == 'other' for field in request['fields']}
    stage.report(heads[0] and heads[0] == heads[1] and 'authorization' not in fields,
                 "%s: app.example.com never sees our header, and its heads are as they were" % name, without, with_shim)


def multi(stage):
    """The same source with each of Debian's builds of libcurl: they have one header, and names of their own."""
    directory = os.path.join(stage.build, 'tests', 'http2')
    os.makedirs(directory, exist_ok=True)
    for flavour, library in (('OpenSSL', 'libcurl.so.4'), ('GnuTLS', 'libcurl-gnutls.so.4'), ('NSS', 'libcurl-nss.so.4')):
        if not glob.glob('/usr/lib/*/' + library):
            stage.tap.skip('libcurl multi, %s' % flavour, 'this system has no ' + library)
            continue
        program = os.path.join(directory, 'multi-' + flavour.lower())
        subprocess.run(['cc', '-O1', '-Wall', '-Wextra', '-o', program, os.path.join(HERE, 'multi.c'), '-l:' + library],
                       check=True, timeout=60)
        for version, env in ((3, {}), (2, {'HTTP_VERSION': '1'})):
            protocol = {3: 'h2', 2: 'HTTP/1.1'}[version]
            multi_row(stage, program, 'libcurl multi (%s) over %s, 5 handles in 4 rounds' % (flavour, protocol), version, env)


def multi_row(stage, program, words, version, env):
    urls = [stage.sign(TARGET), stage.sign('/x?a=1', host=APP)]
    without, with_shim = stage.both([program] + urls, env=env, clean=False)

    def is_said(call, status):
        lines = ['%d/%d/site/own-url' % (status, version), '200/%d/other/own-url' % version] * 10
        return call.run.code == 0 and sorted(call.lines) == sorted(lines)

    stage.report(is_said(without, 401), words + ': 401 and 200 in turn without the shim', without)
    stage.report(is_said(with_shim, 200) and sorted(with_shim.verdicts) == ['not-atlassian'] * 10 + ['valid'] * 10,
                 words + ': 200 with it, and its own URLs', with_shim)
    # Over HTTP/1.1 which handle finds whose connection idle is a matter of time; never more than one a handle and host.
    most = {3: 2, 2: 10}[version]
    stage.report(max(without.connections, with_shim.connections) <= most, words + ': connections are used again', without, with_shim)
    others(stage, words, without, with_shim)


# --- nginx ---------------------------------------------------------------------------------------------------------------------------

def nginx(stage):
    wget = ['wget', '-q', '-O', '-', '--ca-certificate=' + stage.mock.ca]
    clients = [
        ('curl', stage.curl(), 'https', 'HTTP/2.0', 1), ('curl --http1.1', stage.curl('--http1.1'), 'https', 'HTTP/1.1', 1),
        ('curl to http', stage.curl(), 'http', 'HTTP/1.1', 1),
        ('wget', wget, 'https', 'HTTP/1.1', 1), ('wget to http', wget, 'http', 'HTTP/1.1', 1),
        ('h2load', ['h2load', '-n', '12', '-c', '3', '-m', '2'], 'https', 'HTTP/2.0', 12),
        ('h2load --h1', ['h2load', '-n', '12', '-c', '3', '--h1'], 'https', 'HTTP/1.1', 12),
    ]
    for name, argv, scheme, protocol, count in clients:
        url = stage.sign(TARGET, host=NGINX, scheme=scheme, position='first')
        without = stage.call(argv + [url])
        refused = without.verdicts == ['query-jwt'] * count
        with_shim = stage.call(argv + [url], True, clean='h2load' not in name)
        stage.report(refused and with_shim.verdicts == ['valid'] * count and with_shim.run.code == 0,
                     'nginx in front of the judge, %s: refused without the shim, accepted with it' % name, without, with_shim)
        stage.report(stage.nginx_saw([TARGET] * count, stage.token(), protocol),
                     "nginx's own log, %s: the request target without the token, the header with it, over %s" % (name, protocol),
                     with_shim, more=stage.nginx_lines())
    keep_alive(stage)
    uploads(stage)


def keep_alive(stage):
    for words, protocol in (([], 'HTTP/2.0'), (['--http1.1'], 'HTTP/1.1')):
        targets = ['/rest/api/2/issue/A-%d?fields=summary' % number for number in range(6)]
        urls = [stage.sign(target, host=NGINX) for target in targets]
        tokens = [sha256('JWT ' + token) for token in stage.mock.tokens[-6:]]
        outputs = [word for url in urls for word in ('-o', '/dev/null', url)]
        with_shim = stage.call(['curl', '-sS', '-w', '%{http_code}\\n'] + words + outputs, True)
        lines = stage.nginx.requests()
        stage.report(with_shim.lines == ['200'] * 6 and len({line['connection'] for line in lines}) == 1
                     and [(line['target'], sha256(line['authorization']), line['protocol']) for line in lines]
                     == [(target, token, protocol) for target, token in zip(targets, tokens)],
                     'nginx, curl with six URLs on one %s connection: each token in its own request' % protocol, with_shim,
                     more=stage.nginx_lines())


def uploads(stage):
    data = os.urandom(1 << 20) * 8
    path = stage.file('large', data)
    for words, protocol in (([], 'HTTP/2.0'), (['--http1.1'], 'HTTP/1.1')):
        for how, more, stdin in (('-T file', ['-T', path], b''), ('-T - from stdin', ['-T', '-'], data)):
            url = stage.sign(TARGET, 'PUT', NGINX)
            with_shim = stage.call(stage.curl(*words, *more) + [url], True, stdin=stdin)
            stage.report(stage.is_answered(with_shim, ['200'], ['valid']) and with_shim.requests[0]['body_length'] == len(data)
                         and with_shim.requests[0]['body_sha256'] == sha256(data) and stage.nginx_saw([TARGET], stage.token(), protocol),
                         'nginx, curl %s of 8 MiB over %s: arrives whole' % (how, protocol), with_shim, more=stage.nginx_lines())
