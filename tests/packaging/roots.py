"""Roots of small Debian systems for tests, in a mount and network namespace of their own. The cached tree of a root is never written to:
each test has an overlay over it, in memory, which ends with the namespace.

    roots.enter()                                  # needs root; runs this very script again inside
    with roots.overlay(roots.debian(cache, 'bookworm', ['curl'])) as root:
        root.run(['curl', '--version']).code
"""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, 'tests', 'clients'))
sys.dont_write_bytecode = True
import harness  # noqa: E402

BASE = ['ca-certificates', 'curl', 'libjansson4', 'libjwt0', 'libssl3', 'python3-minimal']      # what the packages depend on, and what tests run


def needed():
    """Why there can be no roots here, or None."""
    if os.geteuid() != 0:
        return 'roots need the real root user'
    if not shutil.which('debootstrap', path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin'):
        return 'debootstrap is not installed'
    return None


def debian(cache, release, packages=(), optional=False):
    """The tree of a Debian release, made where the cache has none; None for an `optional` one that the mirror no longer has. Call it before enter():
    inside there is no mirror, and what could not be made then is not tried again."""
    made = subprocess.run([os.path.join(HERE, 'make-root'), cache, release] + list(packages), stdout=subprocess.PIPE, check=not optional,
                          timeout=900, text=True, stdin=subprocess.DEVNULL)
    return made.stdout.strip() or None


def enter():
    """As harness.enter_namespace(), but with all of root's user ids: packages own files by several."""
    if os.environ.get(harness.INSIDE) != '1':
        environment = dict(os.environ, **{harness.INSIDE: '1'})
        unshare = shutil.which('unshare') or '/usr/bin/unshare'
        os.execve(unshare, [unshare, '-mn', sys.executable, os.path.abspath(sys.argv[0])] + sys.argv[1:], environment)
    harness.enter_namespace()


class Root:
    """A system under `path`. Programs in it see the mock site by /etc/hosts, and trust `ca` where they are told to."""

    def __init__(self, path):
        self.path = path

    def inside(self, path):
        return os.path.join(self.path, path.lstrip('/'))

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.inside(path)), exist_ok=True)
        with open(self.inside(path), 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(self.inside(path), mode)

    def read(self, path):
        with open(self.inside(path), encoding='utf-8') as file:
            return file.read()

    def has(self, path):
        return os.path.lexists(self.inside(path))

    def copy(self, source, path, mode=None):
        os.makedirs(os.path.dirname(self.inside(path)), exist_ok=True)
        shutil.copy(source, self.inside(path))
        if mode is not None:
            os.chmod(self.inside(path), mode)

    def run(self, argv, env=None, timeout=300):
        environment = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', 'LC_ALL': 'C.UTF-8', 'TERM': 'dumb',
                       'DEBIAN_FRONTEND': 'noninteractive'}
        environment.update(env or {})
        # chroot itself runs outside, and must not load what the environment preloads inside.
        words = ['env', '-i'] + ['%s=%s' % pair for pair in environment.items()] + list(argv)
        done = subprocess.run(['chroot', self.path] + words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=timeout, check=False)
        return harness.Run(done.returncode, done.stdout, done.stderr)

    def ask(self, mock, argv, env=None):
        """The status that a client which takes the URL last gets from the mock for one request, and what it said on stderr."""
        self.copy(mock.ca, '/tmp/ca.pem')
        self.write('/etc/hosts', ''.join('127.0.0.1 %s\n' % name for name in harness.HOSTS))
        run = self.run(list(argv) + [mock.sign('GET', 'https://site.atlassian.net/rest/api/3/myself')], env=env, timeout=60)
        return run.out.decode(), mock.redact(run.err.decode('utf-8', 'replace'))

    def files(self):
        """Every path with what it is: kind, mode, and size of files. What programs write anew by themselves is left out."""
        found = {}
        for where, directories, names in os.walk(self.path):
            if where == self.path:
                directories[:] = [name for name in directories if name not in ('proc', 'sys', 'dev', 'tmp')]
            for name in directories + names:
                path = os.path.join(where, name)
                state = os.lstat(path)
                found[path[len(self.path):]] = (oct(state.st_mode), state.st_size if not os.path.isdir(path) else 0)
        return found


CURL = ['curl', '-s', '--cacert', '/tmp/ca.pem', '-o', '/dev/null', '-w', '%{http_code}']


@contextlib.contextmanager
def overlay(tree):
    memory = tempfile.mkdtemp(prefix='jwtshim-root-')
    subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', memory], check=True, timeout=30)
    upper, work, merged = (os.path.join(memory, name) for name in ('upper', 'work', 'merged'))
    for name in (upper, work, merged):
        os.mkdir(name)
    mounted = [memory]
    try:
        layers = 'lowerdir=%s,upperdir=%s,workdir=%s' % (tree, upper, work)
        subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o', layers, merged], check=True, timeout=30)
        mounted.append(merged)
        for name in ('proc', 'dev'):
            os.makedirs(os.path.join(merged, name), exist_ok=True)
            subprocess.run(['mount', '--rbind', '/' + name, os.path.join(merged, name)], check=True, timeout=30)
            mounted.append(os.path.join(merged, name))
        yield Root(merged)
    finally:
        for path in reversed(mounted):
            subprocess.run(['umount', '-l', path], check=False, timeout=30)
        os.rmdir(memory)
