"""Builds the C programs of this directory. Says which development package is missing, and never installs one."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = ['-D_GNU_SOURCE', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-Wno-error=deprecated-declarations', '-Wno-deprecated-declarations']

#            program          pkg-config modules            development package
PROGRAMS = {
    'openssl_write': ('libssl libcrypto', 'libssl-dev'),
    'openssl_hold': ('libssl libcrypto', 'libssl-dev'),
    'openssl_bio': ('libssl libcrypto', 'libssl-dev'),
    'gnutls': ('gnutls', 'libgnutls28-dev'),
    'nspr': ('nss nspr', 'libnss3-dev and libnspr4-dev'),
    'mbedtls': ('-lmbedtls -lmbedx509 -lmbedcrypto', 'libmbedtls-dev'),
}


class Missing(Exception):
    """A program cannot be built here."""


class Programs:
    def __init__(self, build):
        self.directory = os.path.join(os.path.abspath(build), 'tests', 'programs', 'tls')
        os.makedirs(self.directory, exist_ok=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def wrap(self, scenario, argv):
        return argv

    def build(self, names):
        for name in sorted(names):
            modules, package = PROGRAMS[name]
            source, program = os.path.join(HERE, name + '.c'), self.path(name)
            newest = max(os.path.getmtime(os.path.join(HERE, file)) for file in (name + '.c', 'common.h', 'openssl.h'))
            if os.path.exists(program) and os.path.getmtime(program) > newest:
                continue
            flags = modules.split() if modules.startswith('-') else self.pkg_config(modules, package)
            self.compile(['cc'] + FLAGS + ['-o', program, source] + flags, 'the program %s needs %s' % (name, package))

    @staticmethod
    def pkg_config(modules, package):
        run = subprocess.run(['pkg-config', '--cflags', '--libs'] + modules.split(), capture_output=True, text=True, timeout=20)
        if run.returncode:
            raise Missing('%s is not installed: run "make deps"' % package)
        return run.stdout.split()

    @staticmethod
    def compile(argv, hint):
        run = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        if run.returncode:
            raise Missing('%s\n%s' % (hint, run.stderr[-2000:]))
