"""Questions to `jwtshim doctor`, and what its answers must look like whatever they say."""
import json
import os
import subprocess

KEYS = {'target': str, 'path': str, 'kind': str, 'verdict': str, 'mechanisms': list, 'notes': list, 'remedy': list}
WAY_KEYS = {'name', 'hook', 'seen', 'object', 'why'}
NAMES = {'openssl', 'openssl-bio', 'gnutls', 'nss', 'mbedtls', 'nghttp2', 'socket', 'stdio', 'dlsym', 'deepbind', 'patch', 'patch-symtab',
         'libcurl-api', 'own-tls', 'syscall', 'static', 'setuid', 'musl', 'wrong-class', 'wrong-machine', 'stripped-static-tls'}
CODES = {'reachable': 0, 'partly': 1, 'unreachable': 2}


def wrong_with(answer, code):
    """What of the form of an answer is not as documented, or None."""
    if {name: type(answer.get(name)) for name in answer} != KEYS:
        return 'keys: %s' % sorted(answer)
    if answer['kind'] not in ('program', 'script', 'process') or CODES.get(answer['verdict']) != code:
        return 'kind %s, verdict %s, exit code %s' % (answer['kind'], answer['verdict'], code)
    for way in answer['mechanisms']:
        if set(way) != WAY_KEYS or way['name'] not in NAMES or not isinstance(way['seen'], bool) or (way['seen'] and not way['hook']):
            return 'mechanism: %s' % way
    if any(set(note) != {'id', 'text'} for note in answer['notes']) or not all(isinstance(line, str) for line in answer['remedy']):
        return 'notes or remedy'
    return None


class Doctor:
    def __init__(self, tap, command, build, tmp):
        self.tap, self.command, self.build, self.tmp = tap, command, build, tmp
        self.base = [command, 'doctor']
        self.environment = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8'}

    def run(self, *arguments, env=None, **more):
        environment = dict(self.environment, **(env or {}))
        return subprocess.run(self.base + [str(word) for word in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60, env=environment, **more)

    def ask(self, target, *options, env=None):
        """The answer about one target, after its form was checked; an empty one where that is wrong."""
        run = self.run('--json', *options, target, env=env)
        try:
            answer = json.loads(run.stdout)
        except ValueError:
            answer = None
        wrong = 'no JSON, exit code %d: %s%s' % (run.returncode, run.stdout[:200], run.stderr[:200]) if answer is None else wrong_with(answer, run.returncode)
        if wrong:
            self.tap.report(False, 'the answer about %s has its form' % target, [wrong])
            return {'verdict': '', 'mechanisms': [], 'notes': [], 'remedy': [], 'kind': '', 'path': ''}
        return answer

    def has(self, name):
        """Whether the built object has this deep hook, asked of the object and not of the doctor."""
        with open(os.path.join(self.build, 'libjwtshim.so'), 'rb') as file:
            data = file.read()
        if name == 'patch':
            return b'libjwtshim-patch.so' in data and os.path.exists(os.path.join(self.build, 'libjwtshim-patch.so'))
        if name == 'loader':
            symbols = subprocess.run(['nm', '-D', '--defined-only', os.path.join(self.build, 'libjwtshim.so')], stdout=subprocess.PIPE,
                                     text=True, check=True, timeout=30).stdout.split()
            return 'dlsym' in symbols and 'dlopen' in symbols
        return b'_IO_file_jumps' in data


def ways(answer, name=None):
    return [way for way in answer['mechanisms'] if name in (None, way['name'])]


def notes(answer):
    return {note['id'] for note in answer['notes']}


def shown(answer):
    """For diagnostics."""
    return ['%s %s' % (answer['verdict'], answer['path'])] + ['%(name)s %(hook)s %(seen)s %(object)s: %(why)s' % way for way in answer['mechanisms']] + \
           ['note %(id)s: %(text)s' % note for note in answer['notes']]
