"""What becomes of a program's code: byte by byte against its file, and page by page in /proc/PID/maps, while it waits."""
import contextlib
import os
import shutil
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'tls'))
from static import LIBRARIES, NODE, VARIANTS  # noqa: E402
from suite import harness, read_events  # noqa: E402

JUMP, HEAD = 5, 4
LOADER = '/lib64/ld-linux-x86-64.so.2'
NODE_WAITS = "process.stdout.write('up\\n'); process.stdin.once('data', () => process.exit())"
# How made.c's SSL_write begins, and why it stays (None: it is led to the hook).
MADE = [
    ('plain', None, 'pushes'),
    ('endbr', None, 'an endbr64'),
    ('relative', None, 'an operand relative to the code'),
    ('condition', None, 'a conditional jump'),
    ('call', None, 'a call'),
    ('jump', ('SSL_write', 'prologue-leaves'), 'a jump'),
    ('pointer', ('SSL_write', 'prologue-leaves'), 'a call by a pointer'),
    ('entered', ('SSL_write', 'prologue-is-entered'), 'a loop that goes back into it'),
    ('short', ('SSL_write', 'prologue-leaves'), 'four bytes and a return'),
    ('nosize', ('SSL_write', 'function-too-short'), 'a symbol without a size'),
    ('unknown', ('SSL_write', 'instruction-unknown'), 'something behind it that is no instruction'),
    ('data', ('SSL_sendfile', 'not-code'), 'pushes, and another of its set that is data'),
    ('boring', ('SSL_write', 'another-library'), 'pushes, in BoringSSL'),
    ('alone', ('SSL_read', 'library-incomplete'), 'pushes, and there is no other function of OpenSSL'),
]


class Elf:
    """Just enough of a 64-bit program's file."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = file.read()
        self.fixed = struct.unpack_from('<H', self.data, 16)[0] == 2
        offset, size, count = struct.unpack_from('<Q', self.data, 32)[0], *struct.unpack_from('<HH', self.data, 54)
        rows = [struct.unpack_from('<IIQQQQ', self.data, offset + i * size) for i in range(count)]
        self.code = [(at, address, length) for kind, flags, at, address, _, length in rows if kind == 1 and flags & 3 == 1]
        self.symbols = {}
        for options in ([], ['-D']):
            listed = subprocess.run(['nm', '--defined-only', *options, path], capture_output=True, text=True, timeout=60).stdout
            self.symbols.update((line.split()[2], int(line.split()[0], 16)) for line in listed.splitlines() if len(line.split()) == 3)

    def changes(self, process, base):
        """[(symbol, byte in it)] of what differs in memory; anything far from a hooked function as (None, address)."""
        found = []
        starts = sorted((address, name) for name, address in self.symbols.items()
                        if name.startswith(('SSL_', 'BIO_', 'nghttp2_submit_')))
        with open('/proc/%d/mem' % process.pid, 'rb', buffering=0) as memory:
            for at, address, length in self.code:
                memory.seek(base + address)
                there, here = memory.read(length), self.data[at:at + length]
                blocks = [i for i in range(0, length, 4096) if there[i:i + 4096] != here[i:i + 4096]]
                for i in (i for block in blocks for i in range(block, min(block + 4096, length)) if there[i] != here[i]):
                    owner = next(((start, name) for start, name in reversed(starts) if start <= address + i), (0, None))
                    near = address + i - owner[0] < HEAD + JUMP
                    found.append((owner[1], address + i - owner[0]) if near else (None, hex(address + i)))
        return found


class CodeSuite:
    def __init__(self, mock, tap, options, directory):
        self.mock, self.tap, self.directory, self.runs = mock, tap, directory, 0
        self.timeout = options.timeout

    # -- what is built

    @staticmethod
    def build(directory):
        def cc(name, source, *flags):
            subprocess.run(['cc', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-o', os.path.join(directory, name),
                            os.path.join(HERE, source + '.c'), *flags], check=True, timeout=120)
        cc('deny', 'deny', '-O1')
        cc('thread.so', 'thread', '-shared', '-fPIC', '-pthread')
        for number, (way, _, _) in enumerate(MADE):
            kind = ['-pie', '-fPIE'] if number % 2 else ['-no-pie', '-fno-pie']
            cc('made-%s' % way, 'made', '-O0', '-DWAY_' + way, '-rdynamic', *kind)
            cc('made-%s-listed' % way, 'made', '-O0', '-DWAY_' + way, *kind)
        cc('made-plain-stripped', 'made', '-O0', '-s')
        cc('made-plain-small', 'made', '-O0', '-DSMALL', '-rdynamic')
        cc('waits', 'waits', '-O1', *VARIANTS['listed'], *LIBRARIES)
        cc('waits-imports', 'waits', '-O1', '-DPOINTS', '-no-pie', '-fno-pie', '-lssl', '-lcrypto')

    def path(self, name):
        return NODE if name == 'node' else os.path.join(self.directory, name)

    # -- a program that waits

    @contextlib.contextmanager
    def waiting(self, name, preload, env=None, before=()):
        """Yields the process while it waits for a line, its base address and its maps; sets its output and events behind that."""
        self.runs += 1
        log = os.path.join(self.mock.logs, 'code-%d.jsonl' % self.runs)
        environment = self.mock.environment(preload, dict({'JWTSHIM_LOG': log} if preload else {}, **(env or {})))
        argv = [*before, self.path(name)] + (['-e', NODE_WAITS] if name == 'node' else [])
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        try:
            first = process.stdout.readline()
            with open('/proc/%d/maps' % process.pid, encoding='utf-8') as file:
                process.maps = [line.split(None, 5) for line in file]
            process.base = next((int(row[0].split('-')[0], 16) for row in process.maps if row[2] == '0' * 8 and len(row) > 5
                                 and row[5].strip() == os.path.realpath(self.path(name))), 0)
            process.events = read_events(log) if preload else []
            yield process
            out, err = process.communicate(b'\n', timeout=self.timeout)
            process.told = first + out, err, process.returncode
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def look(self, name, preload=True, env=None, before=()):
        """What is to be said of one run: changed bytes, rows of maps, events, output."""
        elf = Elf(self.path(name))
        with self.waiting(name, preload, env, before) as process:
            process.changes = elf.changes(process, 0 if elf.fixed else process.base)
        process.patched = [event['jwtshim.symbol'] for event in process.events if event['jwtshim.action'] == 'patched']
        process.refused = [(event['jwtshim.symbol'], event['jwtshim.reason']) for event in process.events
                           if event['jwtshim.action'] == 'not-patched']
        process.both = [row for row in process.maps if 'w' in row[1] and 'x' in row[1]]
        process.made = [row for row in process.maps if 'x' in row[1] and (len(row) < 6 or not row[5].strip())]
        return process

    def report(self, good, sentence, *processes):
        lines = []
        for process in processes:
            lines += ['changes %s' % process.changes[:8], 'patched %s, refused %s' % (process.patched, process.refused),
                      'executable and writable: %s; nobody\'s code: %s' % (process.both, process.made), 'told %r' % (process.told,)]
        self.tap.report(good, sentence, [self.mock.redact(line) for line in lines])

    # -- tests

    def is_led(self, process):
        """Changed are first bytes of functions, and nothing else; each is led, and there is one page of trampolines."""
        names = {name for name, _ in process.changes}
        return bool(names) and None not in names and not process.both and len(process.made) == 1 and process.made[0][1] == 'r-xp'

    @staticmethod
    def is_untouched(process):
        return process.changes == [] and process.made == [] and process.both == [] and process.patched == []

    def made(self):
        for way, refused, words in MADE:
            for name, where in (('made-' + way, 'exported'), ('made-%s-listed' % way, 'in the symbol table')):
                without, process = self.look(name, False), self.look(name)
                good = process.told == without.told and process.told[2] == 0 and process.told[0] == b'10\n10\n'
                if refused:
                    good = good and self.is_untouched(process) and process.refused == [refused]
                else:
                    offset = HEAD if way == 'endbr' else 0
                    first = min(at for name, at in process.changes if name == 'SSL_write') if process.changes else -1
                    good = good and self.is_led(process) and process.patched == ['SSL_write'] and process.refused == [] and first == offset
                self.report(good, 'SSL_write that begins with %s, %s: %s' % (words, where, 'stays, and the log says why' if refused else
                                                                              'is led to the hook, and does its work'), process)
        process = self.look('waits-imports')
        self.report(self.is_untouched(process) and process.events == [], 'a program that imports SSL_write and takes its address: nothing is done',
                    process)
        for kind, words in (('stripped', 'a stripped program that exports nothing'), ('small', 'a program too small for OpenSSL')):
            process = self.look('made-plain-' + kind)
            self.report(self.is_untouched(process) and process.events == [] and process.told[0] == b'10\n10\n',
                        words + ': nothing is done', process)

    def switches(self):
        for name, words in (('waits', 'a static program'), ('node', 'node')):
            if not os.path.exists(self.path(name)):
                continue
            process = self.look(name)
            is_led = self.is_led(process) if name != 'node' else None not in {n for n, _ in process.changes} and bool(process.changes)
            self.report(is_led and {'SSL_write', 'BIO_write'} <= {n for n, _ in process.changes} and process.refused == [],
                        '%s: its code is as in its file, but for the first bytes of hooked functions' % words, process)
            for env in ({'JWTSHIM_PATCH': 'off'}, {'JWTSHIM': 'off'}, {'JWTSHIM_SKIP': os.path.basename(self.path(name))}):
                process = self.look(name, env=env)
                self.report(process.changes == [] and process.events == [] and process.told[2] == 0,
                            '%s with %s=%s: its code is as in its file' % ((words,) + list(env.items())[0]), process)
        if os.path.exists(NODE):
            shape = [sorted((row[1], os.path.basename(row[5].strip()) if len(row) > 5 else '') for row in self.look('node', preload).both)
                     for preload in (False, True)]
            self.tap.report(len(shape[0]) == len(shape[1]), "node: no page is writable and executable but V8's own", [str(shape)])

    def systems(self):
        """Systems that deny, and processes that are not as they usually are."""
        process = self.look('waits', before=[self.path('deny'), 'both'])
        self.report(self.is_led(process) and process.refused == [],
                    'where no page may be writable and executable: all is led, so no such page was ever asked for', process)
        process = self.look('waits', before=[self.path('deny'), 'code'])
        self.report(self.is_untouched(process) and process.refused == [('SSL_write', 'protection-refused')]
                    and process.told[2] == 0, 'where nothing may become code (as MemoryDenyWriteExecute): nothing is changed, and the log says why', process)
        process = self.look('waits', env={'LD_PRELOAD': '%s:%s' % (self.mock.shim(), self.path('thread.so'))})
        self.report(self.is_untouched(process) and process.refused == [('SSL_write', 'other-threads')],
                    'where a thread is running already: nothing is changed, and the log says why', process)
        process = self.look('made-plain', before=[LOADER])
        self.report(self.is_untouched(process) and process.refused == [('SSL_write', 'program-file-unknown')] and process.told[2] == 0,
                    'where the loader was started with its name: nothing is changed, and the log says why', process)
        alone = os.path.join(self.directory, 'alone')
        os.makedirs(alone, exist_ok=True)
        shutil.copy(self.mock.shim(), alone)
        process = self.look('waits', env={'LD_PRELOAD': os.path.join(alone, 'libjwtshim.so')})
        self.report(self.is_untouched(process) and process.refused == [('SSL_write', 'decoder-missing')],
                    'where libjwtshim-patch.so is missing: nothing is changed, and the log says why', process)
        loaded = [row[5].strip() for row in self.look('waits').maps if len(row) > 5]
        self.tap.report(not any('Zydis' in name or 'jwtshim-patch' in name for name in loaded), 'the decoder is gone when the program runs', loaded)
        process = self.look('made-alone', env={'JWTSHIM_LOG_LEVEL': 'rewrite'})
        self.report(process.refused == [('SSL_read', 'library-incomplete')], 'what is not reached is told at every level of the log', process)

    def all(self, is_chosen):
        for name in ('made', 'switches', 'systems'):
            if is_chosen('code/' + name):
                getattr(self, name)()
