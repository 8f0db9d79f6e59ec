"""Builds what the libcurl suite needs: libcurls whose TLS or HTTP/2 is their own, from the static libraries of Debian's packages, and the
client linked with each of them and with the system's. Says which package is missing, and never installs one.
"""
import glob
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = ['-D_GNU_SOURCE', '-O1', '-g', '-Wall', '-Wextra', '-Werror']
CLIENT = [os.path.join(HERE, name) for name in ('client.c', 'easy.c', 'multi.c')]

# What libcurl.a refers to beside TLS and HTTP/2: shared libraries that libcurl4 depends on, by the names of their ABIs. No package
# of their headers is needed.
SHARED = ['-l:libidn2.so.0', '-l:librtmp.so.1', '-l:libssh2.so.1', '-l:libpsl.so.5', '-l:libgssapi_krb5.so.2', '-l:liblber-2.5.so.0',
          '-l:libldap-2.5.so.0', '-l:libzstd.so.1', '-l:libbrotlidec.so.1', '-l:libz.so.1', '-lpthread', '-ldl']
PACKAGES = 'libcurl4-openssl-dev, libssl-dev and libnghttp2-dev'


class Missing(Exception):
    """Something cannot be built here."""


class Programs:
    def __init__(self, build):
        self.directory = os.path.join(os.path.abspath(build), 'tests', 'programs', 'libcurl')
        os.makedirs(self.directory, exist_ok=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def build(self):
        self.private()
        self.tls_inside()
        self.h2_inside()
        self.make('client-system', CLIENT, ['-lcurl'])
        rpath = '-Wl,--disable-new-dtags,-rpath,' + self.directory
        for name in ('private', 'tls', 'h2'):
            self.make('client-' + name, CLIENT, [self.path('libcurl-%s.so' % name), rpath])
        self.make('client-plugin.so', CLIENT, ['-DPLUGIN', '-fPIC', '-shared', self.path('libcurl-private.so'), rpath])
        self.make('host', [os.path.join(HERE, 'host.c')], ['-ldl'])

    def argv(self, library, arguments):
        if library == 'plugin':
            return [self.path('host'), self.path('client-plugin.so')] + arguments
        return [self.path('client-' + library)] + arguments

    def private(self):
        """TLS and HTTP/2 inside, and libcurl's calls of itself bound to itself. Debian's libnghttp2.a is no position-independent code
        by one thing alone, its stderr."""
        target = self.path('libcurl-private.so')
        if not self.newer(target, [os.path.abspath(__file__)]):
            objects, nghttp2 = self.position_independent_nghttp2()
            self.library(target, objects, [nghttp2] + self.openssl(), ['-Wl,-Bsymbolic'])

    def h2_inside(self):
        """The reverse: HTTP/2 inside, the system's OpenSSL outside."""
        target = self.path('libcurl-h2.so')
        if not self.newer(target, [os.path.abspath(__file__)]):
            objects, nghttp2 = self.position_independent_nghttp2()
            self.library(target, objects, [nghttp2], ['-lssl', '-lcrypto'])

    def position_independent_nghttp2(self):
        nghttp2, stderr = self.path('libnghttp2-private.a'), self.path('stderr')
        self.call(['objcopy', '--redefine-sym', 'stderr=private_stderr', self.static('libnghttp2.a'), nghttp2])
        with open(stderr + '.c', 'w', encoding='ascii') as file:
            file.write('#include <stdio.h>\n__attribute__((visibility("hidden"))) FILE *private_stderr;\n')
        self.call(['cc', '-fPIC', '-c', '-o', stderr + '.o', stderr + '.c'])
        return [stderr + '.o'], nghttp2

    def openssl(self):
        return [self.static('libssl.a'), self.static('libcrypto.a')]

    def tls_inside(self):
        """TLS inside, nghttp2 outside; libcurl's calls of its own API go by the PLT, where they meet the hooks."""
        target = self.path('libcurl-tls.so')
        if not self.newer(target, [os.path.abspath(__file__)]):
            self.library(target, [], self.openssl(), ['-l:libnghttp2.so.14'])

    def library(self, target, objects, inside, flags):
        names = ':'.join(os.path.basename(path) for path in inside)
        self.call(['cc', '-shared', '-o', target + '.part'] + objects +
                  ['-Wl,-soname,' + os.path.basename(target), '-Wl,--whole-archive', self.static('libcurl.a'), '-Wl,--no-whole-archive'] +
                  inside + ['-Wl,--exclude-libs,' + names, '-Wl,-z,defs'] + flags + SHARED)
        os.rename(target + '.part', target)

    @staticmethod
    def static(name):
        for directory in glob.glob('/usr/lib/*-linux-gnu*') + ['/usr/lib64', '/usr/lib', '/usr/local/lib']:
            path = os.path.join(directory, name)
            if os.path.exists(path):
                return path
        raise Missing('there is no %s: %s are needed, run "make deps"' % (name, PACKAGES))

    def imports(self, name):
        """The names of the undefined dynamic symbols, as binutils reads them."""
        path = self.path(name) if os.path.exists(self.path(name)) else name
        lines = self.call(['nm', '-D', '--undefined-only', path]).splitlines()
        return {line.split()[-1].split('@')[0] for line in lines}

    def make(self, name, sources, flags):
        target = self.path(name)
        headers = [os.path.join(HERE, 'client.h'), os.path.abspath(__file__)]
        libraries = [flag for flag in flags if flag.endswith('.so') and os.path.exists(flag)]
        if not self.newer(target, sources + headers + libraries):
            self.call(['cc'] + FLAGS + ['-o', target] + sources + flags)

    @staticmethod
    def newer(target, used):
        return os.path.exists(target) and os.path.getmtime(target) > max(os.path.getmtime(file) for file in used)

    @staticmethod
    def call(argv):
        try:
            run = subprocess.run(argv, capture_output=True, text=True, timeout=300)
        except FileNotFoundError:
            raise Missing('%s is not installed: run "make deps"' % argv[0]) from None
        if run.returncode:
            raise Missing('%s (are %s installed?)\n%s' % (' '.join(argv[:3]), PACKAGES, run.stderr[-2000:]))
        return run.stdout
