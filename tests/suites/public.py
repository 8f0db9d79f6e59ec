"""Other projects' test suites, from Debian's packages: which parts of each are run, how, and how its results are read.

A suite has `parts`, some of them `quick`; `command(part)` has {home} where the directory of the run goes; `outcomes(part, run, home)` says
{test: outcome} for whatever became of it.
"""
import json
import os
import re
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = '/usr/bin/python3'
AS_A_WHOLE = '(as a whole)'


def ending(run):
    if run.code is None:
        return 'did not end'
    return 'exit code %d' % run.code if run.code >= 0 else 'ended by signal %d' % -run.code


class CPython:
    """regrtest, which writes JUnit's XML. Not its tests of VM sockets: they wait for a host that a namespace does not have."""
    name, needs, environment = 'cpython', '/usr/lib/python%d.%d/test/test_socket.py' % sys.version_info[:2], {}
    # The quick ones spend little time asleep and decide nothing by the clock.
    quick = ['test_select', 'test_selectors', 'test_posix', 'test_fileio', 'test_pty', 'test_fork1', 'test_mmap', 'test_httplib', 'test_ctypes',
             'test_asyncio.test_ssl']      # a server's one byte that a request may begin with, too
    parts = quick + [
        'test_socket', 'test_ssl', 'test_subprocess', 'test_os', 'test_io', 'test_signal', 'test_httpservers', 'test_urllib2_localnet',
        'test_socketserver', 'test_poll', 'test_epoll', 'test_ftplib', 'test_smtplib', 'test_imaplib', 'test_poplib', 'test_xmlrpc', 'test_wsgiref',
        'test_popen', 'test_threading', 'test_faulthandler', 'test_file', 'test_largefile', 'test_tempfile', 'test_shutil',
        'test_fcntl', 'test_wait4', 'test_eintr', 'test_pipes', 'test_openpty', 'test_threadsignals', 'test_exceptions', 'test_cmd_line',
    ] + ['test_asyncio.test_' + part for part in (
        'base_events', 'buffered_proto', 'events', 'selector_events', 'sendfile', 'server', 'sock_lowlevel', 'sslproto', 'streams', 'subprocess',
        'tasks', 'transports', 'unix_events')
    ] + ['test_multiprocessing_fork', 'test_concurrent_futures']

    def command(self, part):
        module, _, names = part.partition(':')
        return ([PYTHON, '-u', '-m', 'test', '--junit-xml', '{home}/results.xml', '--tempdir', '{home}', '--timeout', '200', '-i', '*VSOCK*', *(['-u', 'network'] if module == 'test_socketserver' else []), module]
                + [word for name in names.split() for word in ('-m', name)])

    def outcomes(self, part, run, home):
        found = {AS_A_WHOLE: ending(run)}
        try:
            tree = xml.etree.ElementTree.parse(os.path.join(home, 'results.xml'))
        except (OSError, xml.etree.ElementTree.ParseError):
            return dict(found, **{AS_A_WHOLE: ending(run) + ', without results'})
        for case in tree.iter('testcase'):
            children = [child for child in case if child.tag in ('skipped', 'failure', 'error')]
            found[case.get('name')] = children[0].tag + _why(children[0]) if children else 'ok'
        return found

    def narrowed(self, part, tests):
        """The part again, but for these tests alone."""
        names = {test.rsplit('.', 1)[-1].split(' ')[0] for test in tests if test != AS_A_WHOLE}
        return '%s:%s' % (part, ' '.join(sorted(names))) if names else part


def _why(child):
    if child.tag == 'skipped':
        return ': %s' % re.sub(r'\d+', 'N', child.text or child.get('message') or '')      # some name a file by the process
    lines = (child.text or '').strip().splitlines()
    return ': %s' % lines[-1].partition(':')[0] if lines else ''


class Unittests:
    """Suites of unittest cases that are installed with what they test."""
    environment = {}

    def __init__(self, name, needs, parts, quick=()):
        self.name, self.needs, self.parts, self.quick = name, needs, parts, quick

    def command(self, part):
        return [PYTHON, os.path.join(HERE, 'by_unittest.py'), '{home}/results.jsonl'] + part.split(',')

    def outcomes(self, part, run, home):
        found = {AS_A_WHOLE: ending(run)}
        try:
            with open(os.path.join(home, 'results.jsonl'), encoding='utf-8') as file:
                found.update(json.loads(line) for line in file if line.endswith('\n'))
        except OSError:
            found[AS_A_WHOLE] += ', without results'
        return found

    def narrowed(self, part, tests):
        cases = [test for test in tests if test != AS_A_WHOLE]
        return ','.join(cases) if cases else part


class StressNg:
    """Each stressor verifies what it did itself; its number of operations is fixed, so that both sides do the same."""
    name, needs, environment = 'stress-ng', '/usr/bin/stress-ng', {}
    quick = ['vfork:200', 'sockpair:2000', 'pipe:5000', 'close:2000']
    parts = quick + ['sock:500', 'sockfd:2000', 'sockmany:500', 'sockabuse:100', 'epoll:2000', 'fork:300', 'clone:200', 'spawn:50', 'exec:50', 'daemon:100',
                     'splice:2000', 'vm-splice:2000', 'tee:500', 'sendfile:500', 'dup:100', 'udp:2000', 'iomix:300', 'sigpipe:100',
                     'pthread:200', 'dynlib:1000', 'revio:200', 'io-uring:200', 'sockdiag:100', 'signal:5000', 'sigsuspend:1000', 'poll:1000',
                     'eventfd:2000', 'mq:2000', 'session:100', 'pty:3', 'zombie:200', 'kill:500', 'env:5', 'aio:200', 'longjmp:1000', 'seal:100', 'unshare:50']

    def command(self, part):
        name, _, count = part.partition(':')
        return ['/usr/bin/stress-ng', '--seed', '1', '--verify', '--oomable', '--timeout', '60', '--temp-path', '.', '--' + name, '1',
                '--%s-ops' % name, count]

    def outcomes(self, part, run, home):
        # Complaints, without the number of the process.
        lines = re.findall(r'stress-ng: (?:fail|error|warn): *\[\d+\] (.*)', run.out.decode('utf-8', 'replace'))
        return {AS_A_WHOLE: '; '.join([ending(run)] + sorted({re.sub(r'\d+', 'N', line) for line in lines}))}

    def narrowed(self, part, tests):
        return part


def suites():
    tornado, twisted = '/usr/lib/python3/dist-packages/tornado/test', '/usr/lib/python3/dist-packages/twisted/test'
    return [
        CPython(),
        StressNg(),
        Unittests('tornado', tornado, ['tornado.test.%s_test' % part for part in (
            'iostream', 'httpserver', 'simple_httpclient', 'httpclient', 'curl_httpclient', 'tcpserver', 'tcpclient', 'websocket', 'process', 'netutil', 'web',
            'ioloop', 'http1connection', 'wsgi', 'autoreload')], ['tornado.test.iostream_test']),
        Unittests('twisted', twisted, [
            'twisted.test.test_tcp', 'twisted.test.test_ssl', 'twisted.test.test_process', 'twisted.test.test_stdio',
            'twisted.test.test_unix', 'twisted.test.test_udp', 'twisted.internet.test.test_tcp', 'twisted.internet.test.test_tls',
            'twisted.internet.test.test_unix', 'twisted.internet.test.test_process', 'twisted.internet.test.test_fdset', 'twisted.internet.test.test_endpoints',
            'twisted.protocols.test.test_tls', 'twisted.web.test.test_webclient', 'twisted.web.test.test_http', 'twisted.web.test.test_newclient',
            'twisted.web.test.test_cgi'], ['twisted.web.test.test_newclient']),
    ]
