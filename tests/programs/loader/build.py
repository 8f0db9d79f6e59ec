"""Builds the loader's programs, plugins and preloads, for this machine or another, and copies of libssl by the TLS suite's hand."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TLS = os.path.join(os.path.dirname(HERE), 'tls')
sys.path.insert(0, TLS)
from programs import Missing, Programs  # noqa: E402

FLAGS = ['-D_GNU_SOURCE', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-Wno-deprecated-declarations', '-pthread']
SHARED = ['-shared', '-fPIC']


class Loader(Programs):
    """`cc`: another machine's compiler, which then makes asks.c and its plugins alone."""

    def __init__(self, build, cc='cc'):
        super().__init__(build)
        self.cc = cc
        self.directory = os.path.join(os.path.abspath(build), 'tests', 'programs', 'loader')
        self.plugin_directory = os.path.join(self.directory, 'plugins')
        os.makedirs(os.path.join(self.plugin_directory, 'deep'), exist_ok=True)

    def compile(self, target, source, flags):
        path = os.path.join(self.directory, target)
        used = [os.path.join(HERE, name) for name in (source, 'asks.h', 'namespaces.c', 'build.py')]
        used += [os.path.join(TLS, name) for name in ('common.h', 'openssl.h')]
        if os.path.exists(path) and os.path.getmtime(path) > max(map(os.path.getmtime, used)):
            return path
        run = subprocess.run([self.cc] + FLAGS + ['-o', path, os.path.join(HERE, source)] + flags, capture_output=True, text=True, timeout=120)
        if run.returncode:
            raise Missing('%s\n%s' % (target, run.stderr[-2000:]))
        return path

    def plugin(self, target, macro, *flags):
        return self.compile('plugins/' + target, 'plugins.c', SHARED + ['-D' + macro] + list(flags))

    def asking(self):
        """asks.c and what it opens."""
        self.compile('asks', 'asks.c', [os.path.join(HERE, 'namespaces.c'), '-ldl'])
        self.plugin('neighbour.so', 'NEIGHBOUR')
        self.plugin('bare.so', 'NEIGHBOUR', '-nostdlib')
        self.plugin('deep/neighbour.so', 'NEIGHBOUR', '-Wl,-soname,neighbour.so')
        self.plugin('deep/asker.so', 'ASKER', '-Wl,--enable-new-dtags,-rpath,$ORIGIN', '-ldl')
        self.plugin('own_write.so', 'OWN_WRITE', '-ldl')
        for letter in 'ab':
            script = os.path.join(self.directory, 'fake.map')
            with open(script, 'w', encoding='ascii') as file:
                file.write('FAKE_1 { global: *; };\n')
            self.plugin('fake-%s.so' % letter, 'FAKE="%s"' % letter, '-Wl,--version-script=' + script, '-Wl,-soname,fake-%s.so' % letter)
        os.makedirs(os.path.join(self.plugin_directory, 'many'), exist_ok=True)
        for number in range(90):
            shutil.copy(os.path.join(self.plugin_directory, 'fake-a.so'), os.path.join(self.plugin_directory, 'many', 'fake-%d.so' % number))
        self.plugin('fake_user.so', 'FAKE_USER', '-Wl,-rpath,' + self.plugin_directory, os.path.join(self.plugin_directory, 'fake-a.so'))

    def all(self):
        self.asking()
        for letter in 'abcd':
            more = {'c': ['-DWRAP_DLSYM'], 'd': ['-DWRAP_HANDLE']}.get(letter, [])
            self.compile('wrap-%s.so' % letter, 'wrap.c', SHARED + ['-DWRAP=' + letter] + more + ['-ldl'])
        self.compile('audit.so', 'audit.c', SHARED)
        self.compile('pointers', 'pointers.c', ['-ldl'])
        self.compile('stacked', 'stacked.c', ['-ldl'] + self.pkg_config('libssl libcrypto', 'libssl-dev'))

    def copies_of_libssl(self):
        """libssl-a.so and libssl-b.so, as the TLS suite makes them. They find their libcrypto by a path of their own."""
        tls = Programs(os.path.dirname(os.path.dirname(os.path.dirname(self.directory))))
        tls.plugins()
        return tls.libraries
