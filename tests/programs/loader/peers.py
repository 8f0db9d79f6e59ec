"""Real programs whose requests leave by dlsym() or from plugins with RTLD_DEEPBIND, and others with another allocator beside the shim."""
import os
import shutil

from facts import ALLOCATORS, library
from suite import ATLASSIAN, OTHER

HERE = os.path.dirname(os.path.abspath(__file__))
TARGETS = (('GET', '/rest/api/3/myself?expand=groups'), ('POST', '/rest/api/2/issue'))


def urls(here, host, over='https'):
    return [here.mock.sign(method, '%s://%s%s' % (over, host, target)) for method, target in TARGETS]


def run(here, command, preload, env=None):
    here.mock.mark()
    result = here.mock.run(command, preload, env, timeout=here.options.timeout)
    result.settled = here.relay.settle()
    result.requests, result.lines = here.mock.requests(), result.out.decode('ascii', 'replace').split()
    return result


def judge(here, sentence, result, lines, verdicts):
    seen = [request['verdict'] for request in result.requests]
    here.tap.report(result.code == 0 and result.lines == lines and seen == verdicts, sentence,
                    [here.mock.redact(line) for line in ['expected %s %s' % (lines, verdicts), 'got %s %s' % (result.lines, seen)] +
                     result.err.decode('utf-8', 'replace').splitlines()[-6:]])


def client(here, name, command, versions):
    """`versions`: what it is told, and what it speaks without and with the shim."""
    for version, bare, shimmed in versions:
        mine, others = urls(here, ATLASSIAN), urls(here, OTHER)
        words = '%s over %s' % (name, version)
        judge(here, words + ': 401 without the shim', run(here, command + [version] + mine, False), [bare + '/401'] * 2, ['query-jwt'] * 2)
        judge(here, words + ': 200 with it', run(here, command + [version] + mine, True), [shimmed + '/200'] * 2, ['valid'] * 2)
        judge(here, words + ': 401 with JWTSHIM_LOADER=off', run(here, command + [version] + mine, True, {'JWTSHIM_LOADER': 'off'}),
              [bare + '/401'] * 2, ['query-jwt'] * 2)
        judge(here, words + ' to another host: as without', run(here, command + [version] + others, True), [bare + '/200'] * 2,
              ['not-atlassian'] * 2)


def php(here):
    if not shutil.which('php') or here.mock.run(['php', '-r', 'curl_init();']).code:
        here.tap.skip("PHP's curl extension", 'php-curl is not installed')
        return
    client(here, "PHP's curl extension", ['php', os.path.join(HERE, 'php_client.php')], [('h1', 'h1', 'h1'), ('h2', 'h2', 'h2')])


def qt(here):
    if here.mock.run(['/usr/bin/python3', '-c', 'import PyQt5.QtNetwork']).code:
        here.tap.skip("Qt's QNetworkAccessManager", 'python3-pyqt5 is not installed')
        return
    # Its HTTP/2 is its own: to Atlassian's hosts it is steered to HTTP/1.1.
    client(here, "Qt's QNetworkAccessManager", ['/usr/bin/python3', os.path.join(HERE, 'qt_client.py')], [('h1', 'h1', 'h1'), ('h2', 'h2', 'h1')])


def allocators(here):
    curl = ['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}\n', '--cacert', here.mock.ca]
    python = ['/usr/bin/python3', os.path.join(HERE, 'python_client.py')]
    for words, name in ALLOCATORS:
        object_of = library(name)
        for where in ('before', 'behind'):
            sentence = '%s preloaded %s the shim: curl and Python get' % (words, where)
            if not object_of:
                here.tap.skip(sentence + ' 200', name + ' is not installed')
                continue
            objects = [object_of, here.mock.shim()] if where == 'before' else [here.mock.shim(), object_of]
            for command in (curl, python):
                url = urls(here, ATLASSIAN)[:1]
                judge(here, sentence.replace('curl and Python get', os.path.basename(command[0]) + ' gets 401 without it'),
                      run(here, command + url, False, {'LD_PRELOAD': object_of}), ['401'], ['query-jwt'])
                judge(here, sentence.replace('curl and Python get', os.path.basename(command[0]) + ' gets 200'),
                      run(here, command + url, True, {'LD_PRELOAD': ':'.join(objects)}), ['200'], ['valid'])
