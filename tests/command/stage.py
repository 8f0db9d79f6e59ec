"""What the tests of the command share: a directory of their own, runs of the command, events, and roots to change."""
import contextlib
import gzip
import json
import os
import shutil
import subprocess

EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_CANTCREAT, EX_IOERR, EX_TEMPFAIL, EX_NOPERM = 64, 65, 66, 73, 74, 75, 77


class Stage:
    def __init__(self, build, tmp, tap):
        self.build, self.tmp, self.tap = os.path.abspath(build), tmp, tap
        self.jwtshim = os.path.join(self.build, 'jwtshim')
        self.shim = os.path.join(self.build, 'libjwtshim.so')

    def run(self, *arguments, stdin=b'', env=None, before=(), cwd=None, timeout=120):
        """Runs the command to its end. `code`, `out` and `err` of what comes back are a number and two texts."""
        environment = {'PATH': os.environ.get('PATH', '/usr/bin:/bin'), 'LC_ALL': 'C.UTF-8', 'HOME': self.tmp, **(env or {})}
        run = subprocess.run([*before, self.jwtshim, *arguments], input=stdin, capture_output=True, cwd=cwd or self.tmp, env=environment,
                             timeout=timeout, check=False)
        run.code, run.out, run.err = run.returncode, run.stdout.decode('utf-8', 'replace'), run.stderr.decode('utf-8', 'replace')
        return run

    def json(self, *arguments, **more):
        run = self.run(*arguments, '--json', **more)
        try:
            run.json = json.loads(run.out)
        except ValueError as error:
            raise AssertionError('no JSON, but %d: %s%s' % (run.code, run.out, run.err)) from error
        return run

    def check(self, good, sentence, *seen):
        self.tap.report(bool(good), sentence, ['%s %s %s' % (each.code, each.out, each.err) if hasattr(each, 'code') else each for each in seen])

    def path(self, name):
        return os.path.join(self.tmp, name)

    def write(self, name, content):
        with open(self.path(name), 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def root(self, name, preload=None, shim=True):
        """A root file system with this machine's programs and libraries (bound, read only), an /etc of its own, and the object."""
        root = self.path(name)
        for directory in ('etc', 'usr', 'opt/jwtshim', 'tmp', 'dev'):
            os.makedirs(os.path.join(root, directory), exist_ok=True)
        os.chmod(root, 0o755)
        for options in (['--bind', '/usr'], ['-o', 'remount,bind,ro']):
            subprocess.run(['mount', *options, os.path.join(root, 'usr')], check=True, timeout=30)
        for link in ('bin', 'lib', 'lib64', 'sbin'):
            if os.path.islink('/' + link):
                os.symlink(os.readlink('/' + link), os.path.join(root, link))
        if shim:
            shutil.copy(self.shim, os.path.join(root, 'opt/jwtshim/libjwtshim.so'))
            os.chmod(os.path.join(root, 'opt/jwtshim/libjwtshim.so'), 0o644)
        if preload is not None:
            with open(os.path.join(root, 'etc/ld.so.preload'), 'w', encoding='utf-8') as file:
                file.write(preload)
        return root


@contextlib.contextmanager
def private(stage, **content):
    """Copies of this machine's directories in their place: /etc, and what is asked for by name with files put into it."""
    covered = []
    try:
        for name in ('etc', *content):
            copy = stage.path('own-' + name)
            shutil.copytree('/' + name, copy, symlinks=True, ignore_dangling_symlinks=True,
                            ignore=lambda where, names: [each for each in names if not os.access(os.path.join(where, each), os.R_OK)])
            for path, source in content.get(name, {}).items():
                os.makedirs(os.path.dirname(os.path.join(copy, path)), exist_ok=True)
                shutil.copy(source, os.path.join(copy, path))
                os.chmod(os.path.join(copy, path), 0o644)
            subprocess.run(['mount', '--bind', copy, '/' + name], check=True, timeout=30)
            covered.append('/' + name)
        yield
    finally:
        for path in reversed(covered):
            subprocess.run(['umount', '-l', path], check=True, timeout=30)
        for name in ('etc', *content):
            shutil.rmtree(stage.path('own-' + name), ignore_errors=True)


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def event(action='rewritten', program='/usr/bin/curl', host='site.atlassian.net', time='2026-11-23T10:15:02.123Z', layer='openssl', reason=None, **more):
    """A line as the shim writes it."""
    members = {'timestamp': time, 'process.pid': 4242, 'process.executable.path': program, 'http.request.method': 'GET', 'server.address': host,
               'url.path': '/rest/api/3/myself', 'network.protocol.version': '1.1', 'jwtshim.action': action}
    if reason:
        members['jwtshim.reason'] = reason
    members['jwtshim.layer'] = layer
    members.update({name.replace('_', '.', 1): value for name, value in more.items()})
    return json.dumps({name: value for name, value in members.items() if value is not None}, separators=(',', ':')) + '\n'


def packed(text):
    return gzip.compress(text if isinstance(text, bytes) else text.encode())
