"""Builds the C programs of this directory, their plugins, and copies of libssl under other names. Says which development package is
missing, and never installs one.
"""
import glob
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = ['-D_GNU_SOURCE', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-Wno-deprecated-declarations']
OPENSSL = ['-lssl', '-lcrypto']

# Programs that are made from the file of their name: what they are linked with, and the packages that this is of.
PROGRAMS = {
    'openssl_write': ('libssl libcrypto', 'libssl-dev'),
    'openssl_hold': ('libssl libcrypto', 'libssl-dev'),
    'openssl_queue': ('libssl libcrypto', 'libssl-dev'),
    'openssl_bio': ('libssl libcrypto', 'libssl-dev'),
    'openssl_references': ('libssl libcrypto', 'libssl-dev'),
    'openssl_early': ('libssl libcrypto', 'libssl-dev'),
    'early_server': ('libssl libcrypto', 'libssl-dev'),
    'gnutls': ('gnutls', 'libgnutls28-dev'),
    'nspr': ('nss nspr', 'libnss3-dev and libnspr4-dev'),
    'mbedtls': ('-lmbedtls -lmbedx509 -lmbedcrypto', 'libmbedtls-dev'),
}


class Missing(Exception):
    """A program cannot be built here."""


class Programs:
    def __init__(self, build):
        self.directory = os.path.join(os.path.abspath(build), 'tests', 'programs', 'tls')
        self.libraries = os.path.join(self.directory, 'libraries')      # copies of libssl, and plugins
        self.others = os.path.join(self.directory, 'openssl')           # 1.1.1 and 3.5, as fetched
        os.makedirs(self.libraries, exist_ok=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    # -- by scenario

    def build(self, names):
        for name in sorted(names):
            if name in PROGRAMS:
                self.program(name)
            elif name.startswith('resolve'):
                self.plugins()
                linked = ['-DLINKED'] if name == 'resolve_linked' else []
                self.make(name, [os.path.join(HERE, 'resolve.c')], linked + ['-ldl'] + (OPENSSL if linked else []))
            else:
                program, version = name.rsplit('-', 1)
                self.of_version(program, version)

    def program(self, name):
        modules, package = PROGRAMS[name]
        flags = modules.split() if modules.startswith('-') else self.pkg_config(modules, package)
        self.make(name, [os.path.join(HERE, name + '.c')], flags, 'the program %s needs %s' % (name, package))

    # -- OpenSSL under other names, and the plugins that use it

    def plugins(self):
        system = {name: self.system_library(name) for name in ('libssl.so.3', 'libcrypto.so.3')}
        if not shutil.which('patchelf'):
            raise Missing('patchelf is not installed: run "make deps"')
        for letter in 'ab':
            ssl, crypto = (os.path.join(self.libraries, 'lib%s-%s.so' % (name, letter)) for name in ('ssl', 'crypto'))
            if os.path.exists(ssl):
                continue
            shutil.copy(system['libcrypto.so.3'], crypto)
            shutil.copy(system['libssl.so.3'], ssl + '.part')
            self.call(['patchelf', '--set-soname', os.path.basename(crypto), crypto])
            # Two calls: in one, patchelf 0.14 gives the second name to both.
            self.call(['patchelf', '--set-soname', os.path.basename(ssl), ssl + '.part'])
            self.call(['patchelf', '--replace-needed', 'libcrypto.so.3', os.path.basename(crypto), ssl + '.part'])
            os.rename(ssl + '.part', ssl)
        for suffix, libraries in (('', OPENSSL), ('-a', self.copies('a')), ('-b', self.copies('b'))):
            self.plugin(suffix, libraries)
        if self.fetched('1.1.1'):
            self.plugin('-1.1.1', self.link_with('1.1.1'))

    def copies(self, letter):
        return [os.path.join(self.libraries, 'lib%s-%s.so' % (name, letter)) for name in ('ssl', 'crypto')]

    def plugin(self, suffix, libraries):
        for tail, optimise in (('', '-fno-optimize-sibling-calls'), ('-tail', '-O2')):
            name = 'libraries/plugin%s%s.so' % (suffix, tail)
            self.make(name, [os.path.join(HERE, 'plugin.c')],
                      [optimise, '-fPIC', '-shared', '-Wl,--disable-new-dtags,-rpath,' + self.libraries] + libraries)
            calls_at_the_end = self.jumps_to_ssl_write(self.path(name))
            if calls_at_the_end != (tail == '-tail'):
                raise Missing('the compiler made plugin_write of %s %s tail call' % (name, 'a' if calls_at_the_end else 'no'))

    def jumps_to_ssl_write(self, library):
        code = self.call(['objdump', '-d', '--no-show-raw-insn', '--disassemble=plugin_write', library])
        lines = [line for line in code.splitlines() if 'SSL_write' in line and 'plugin_write' not in line]
        return bool(lines) and all('jmp' in line or '\tb\t' in line for line in lines)

    @staticmethod
    def system_library(name):
        for line in subprocess.run(['/sbin/ldconfig', '-p'], capture_output=True, text=True, timeout=20).stdout.splitlines():
            if line.split()[:1] == [name]:
                return line.split()[-1]
        raise Missing('%s is not installed: run "make deps"' % name)

    # -- other versions

    def fetch(self):
        """Fetches them where that is possible. Returns why it is not, or an empty string."""
        try:
            run = subprocess.run([os.path.join(HERE, 'fetch-openssl'), self.others], capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return 'fetching other versions of OpenSSL takes too long'
        if run.returncode == 0:
            return ''
        return 'no other version of OpenSSL can be had: ' + (run.stderr.strip().splitlines() or ['?'])[-1][:120]

    def fetched(self, version):
        return os.path.exists(os.path.join(self.others, 'complete')) and os.path.join(self.others, version)

    def link_with(self, version):
        directory = os.path.join(self.others, version)
        libraries = [glob.glob(os.path.join(directory, 'lib%s.so.*' % name))[0] for name in ('ssl', 'crypto')]
        return libraries + ['-Wl,--allow-shlib-undefined,--disable-new-dtags,-rpath,' + directory]

    def of_version(self, program, version):
        self.make('%s-%s' % (program, version), [os.path.join(HERE, program + '.c')], self.link_with(version))

    def wrap(self, argv):
        """3.5 comes with its own libc, which its own loader has to load."""
        if not argv[0].endswith('-3.5'):
            return argv
        directory = os.path.join(self.others, '3.5')
        loader = glob.glob(os.path.join(directory, 'ld-linux*'))[0]
        return [loader, '--library-path', directory] + argv

    # -- the tools

    def make(self, name, sources, flags, hint=''):
        target = self.path(name)
        used = sources + [os.path.join(HERE, header) for header in ('common.h', 'openssl.h')] + [os.path.abspath(__file__)]
        if os.path.exists(target) and os.path.getmtime(target) > max(os.path.getmtime(file) for file in used):
            return
        self.call(['cc'] + FLAGS + ['-o', target] + sources + flags, hint)

    def pkg_config(self, modules, package):
        return self.call(['pkg-config', '--cflags', '--libs'] + modules.split(), package + ' is not installed: run "make deps"').split()

    @staticmethod
    def call(argv, hint=''):
        try:
            run = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        except FileNotFoundError:
            raise Missing('%s is not installed: run "make deps"' % argv[0]) from None
        if run.returncode:
            raise Missing('%s\n%s' % (hint or ' '.join(argv[:1] + argv[-2:]), run.stderr[-2000:]))
        return run.stdout
