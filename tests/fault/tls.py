"""The same inside TLS: real libraries, real handshakes, and a peer that records what it decrypts. What may arrive, a row each."""
import dataclasses
import json
import os
import ssl
import subprocess
import sys
import tempfile
from typing import Callable

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'programs', 'sockets'))
import world  # noqa: E402
from control import repeated  # noqa: E402
from memcheck import valgrind_errors  # noqa: E402
from templates import GET, OTHER, PUT, SITE, _template, big_get  # noqa: E402

LIBRARIES = ('openssl', 'gnutls')
UPLOAD = _template('PUT /upload?jwt={T} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 1000000\r\n\r\n',
                   'PUT /upload HTTP/1.1\r\nHost: {H}\r\nContent-Length: 1000000\r\nAuthorization: JWT {T}\r\n\r\n')
BODY = bytes(ord('A') + i % 26 for i in range(60))


class Recorder(world.Recorder):
    """Over TCP it speaks TLS, over the UNIX address it does not. `stalls`: those connections, by number, that are not read from behind
    their handshake before a byte on the control pipe, or the program's end."""

    context = None

    def __init__(self, directory, stalls=None):
        self.stalls, self.stalled = stalls or (lambda number: False), []
        super().__init__(directory)
        if stalls:
            self.listeners[0].setsockopt(world.socket.SOL_SOCKET, world.socket.SO_RCVBUF, 8192)

    def _accept(self, listener):
        known = len(self.connections)
        super()._accept(listener)
        for number, connection in enumerate(self.connections[known:], known):
            connection.shaken = connection.socket.family == world.socket.AF_UNIX
            if connection.shaken:
                continue
            self.selector.unregister(connection.socket)
            connection.socket = self.context.wrap_socket(connection.socket, server_side=True, do_handshake_on_connect=False)
            connection.stalls = self.stalls(number)
            self.selector.register(connection.socket, world.selectors.EVENT_READ, connection)

    def _resume(self):
        for connection in self.stalled:
            self.selector.register(connection.socket, world.selectors.EVENT_READ, connection)
            self._read(connection)
        self.stalled = []

    def _read(self, connection):
        if connection.socket.family == world.socket.AF_UNIX:
            super()._read(connection)
            return
        try:
            if not connection.shaken:
                connection.socket.do_handshake()
                connection.shaken = True
                if connection.stalls and not self.deadline:
                    self.selector.unregister(connection.socket)
                    self.stalled.append(connection)
                    return
            data = connection.socket.recv(65536)       # more than a record, so that none is left behind in the library
            connection.data += data
            if data:
                return
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            pass         # cut off in the middle of a record
        self.selector.unregister(connection.socket)
        connection.socket.close()
        connection.socket = None


@dataclasses.dataclass
class Row:
    sentence: str
    scenario: str
    files: list               # templates, one a file
    allowed: Callable         # (forms, wires) -> what is wrong, or None; forms: for each file (as written, as it should leave)
    stalls: Callable = None
    behind: bool = True       # the object that calls the program in the middle of its writes stands behind the shim
    libraries: tuple = LIBRARIES
    valgrind: bool = False
    told: bool = True         # something is decided, and so in the log


def counts_of(wires, alternatives, to_the_end=True):
    return [repeated(wire, alternatives, to_the_end) for wire in wires]


def canceled(rounds):
    """One connection of a thread that is not concerned; then a beginning of the first, and the second whole on the next, in turn."""
    def allowed(forms, wires):
        should = forms[1][1]
        if len(wires) != 1 + 2 * rounds:
            return '%d connections' % len(wires)
        if not repeated(wires[0], [should], True):
            return 'the other thread sent %d bytes that are not whole requests as they should leave' % len(wires[0])
        for number, wire in enumerate(wires[1:]):
            if wire != should if number % 2 else not (forms[0][1].startswith(wire) and wire != forms[0][1]):
                return 'connection %d: %d bytes' % (number + 1, len(wire))
        return None
    return allowed


def storm(as_they_should, senders):
    """Four connections of whole requests, and a request and half of one on each of a child's own."""
    def allowed(forms, wires):
        counts = counts_of(wires[:4], forms[0][1:] if as_they_should else forms[0])
        if len(wires) != 4 + senders or not all(counts):
            return '%d connections; whole requests on each: %s' % (len(wires), counts)
        whole, half = forms[1][1], forms[1][0][:len(forms[1][0]) // 2]
        return None if all(wire == whole + half for wire in wires[4:]) else 'children sent %s bytes' % [len(wire) for wire in wires[4:]]
    return allowed


def each_moved(count):
    return lambda forms, wires: None if wires == [forms[0][1]] * count else 'lengths: %s' % [len(wire) for wire in wires]


def each_cut(forms, wires):
    counts = counts_of(wires, forms[0], False)
    return None if None not in counts and len(counts) == 4 else 'requests on each connection: %s' % counts


def half_of_it(forms, wires):
    return None if wires == [forms[0][0][:len(forms[0][0]) // 2]] else 'lengths: %s' % [len(wire) for wire in wires]


def both_whole(forms, wires):
    counts = [repeated(wire, [form[1]], True) for wire, form in zip(wires, forms)]
    return None if counts == [50, 50] else 'requests on each: %s' % counts


def beside_a_timer(forms, wires):
    if len(wires) != 4 or not repeated(wires[0], [forms[0][1]], True) or not repeated(wires[3], [forms[0][1]], True):
        return 'the requests are not whole, or not as they should be'
    good = wires[1] == b'tick\n' * (len(BODY) + 1) and wires[2] == forms[1][1] + BODY
    return None if good else 'the handler\'s connections have %d and %d bytes' % (len(wires[1]), len(wires[2]))


def one_after_the_other(forms, wires):
    return None if wires == [forms[0][1] + forms[1][1]] else 'lengths: %s' % [len(wire) for wire in wires]


LONG = big_get(40000)
BLOCKS = big_get(60000)
ROWS = [
    Row('twenty threads that are canceled in the middle of a rewritten head, while another writes', 'cancel-deferred', [LONG, PUT], canceled(20)),
    Row('the same, asynchronously', 'cancel-asynchronous', [LONG, PUT], canceled(20)),
    Row('threads that are canceled where a peer that does not read keeps them waiting', 'cancel-blocked', [BLOCKS, PUT], canceled(4),
        stalls=lambda number: number % 2, behind=False),
    Row('the same, asynchronously', 'cancel-blocked-asynchronous', [BLOCKS, PUT], canceled(4), stalls=lambda number: number % 2, behind=False),
    Row('threads that are canceled, and the session is left', 'cancel-and-keep', [LONG, PUT], canceled(5), valgrind=True),
    Row('seventy processes, made in seven ways, while four threads write whole requests', 'storm-and-wholes', [PUT, GET], storm(True, 10)),
    Row('the same while they write requests in pieces', 'storm-and-pieces', [PUT, GET], storm(False, 10)),
    Row('two hundred forks without handlers while four threads write whole requests', 'bare-forks', [big_get(6000), GET], storm(True, 0)),
    Row('a fork without handlers while another thread is in the middle of a rewritten head', 'bare-fork-in-mid-write', [LONG], each_moved(1)),
    Row('processes made while another thread has half a head out, and looks for an answer', 'births-beside-a-reader', [GET], each_moved(6)),
    Row('sixty vforks while four threads write requests in pieces', 'vforks-and-pieces', [PUT, GET], storm(True, 0)),
    Row('a few forks and spawns while four threads write requests in pieces', 'few-forks', [PUT, GET], storm(False, 0), valgrind=True),
    # GnuTLS frees what its threads still use.
    Row('exit in a thread while four others write', 'exit-while-writing', [PUT], each_cut, libraries=('openssl',), valgrind=True),
    Row('exit in a thread while another has written half a head', 'exit-in-mid-head', [GET], half_of_it, libraries=('openssl',), valgrind=True,
        told=False),
    Row('a handler in the middle of a rewritten head sends a request to another', 'handler-in-write', [LONG, PUT], both_whole, valgrind=True),
    Row('a timer\'s handler writes to sockets without TLS', 'timer-writes-plain', [GET, UPLOAD], beside_a_timer),
    Row('stopped and continued in a write that is blocked', 'stopped-while-blocked', [BLOCKS, PUT], one_after_the_other,
        stalls=lambda number: True, behind=False),
]


class Bench:
    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.log = os.path.join(directory, 'log')
        pki = os.path.join(os.path.dirname(HERE), 'mock-atlassian', 'make-pki')
        subprocess.run([pki, directory], check=True, timeout=60)
        Recorder.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        Recorder.context.load_cert_chain(os.path.join(directory, 'leaf.pem'), os.path.join(directory, 'leaf.key'))
        Recorder.context.num_tickets = 0      # what a client does not read would reset its connection

    def run(self, row, library, host, preload):
        options = self.options
        objects = ([options.shim] if preload else []) + ([options.inject] if row.behind else [])
        environment = {'CA': os.path.join(self.directory, 'ca.pem'), 'LD_PRELOAD': ':'.join(objects)}
        if preload:
            environment.update(JWTSHIM_LOG=self.log, JWTSHIM_LOG_LEVEL='all')
        argv = [os.path.join(options.programs, 'tls-' + library), row.scenario, host, '{PORT}']
        if preload and options.valgrind:
            argv = options.valgrind + argv
        files = [template(host)[0] for template in row.files]
        return world.run(argv, files, {'stalls': row.stalls}, environment, options.timeout, recorder_class=Recorder)

    def log_is_whole(self, told):
        """Whatever happened to the process, each line is an event."""
        try:
            with open(self.log, encoding='utf-8') as file:
                for line in file:
                    json.loads(line)
            os.unlink(self.log)
        except FileNotFoundError:
            return 'there is none' if told else None
        except ValueError as error:
            return str(error)
        return None

    def judge(self, row, library):
        wrong = []
        for host in (SITE, OTHER):
            forms = [template(host) if host == SITE else (template(host)[0],) * 2 for template in row.files]
            written = [(template(host)[0],) * 2 for template in row.files]
            without, outcome = self.run(row, library, host, False), self.run(row, library, host, True)
            for name, one, may in (('without the shim', without, written), ('with it', outcome, forms)):
                problem = row.allowed(may, one.wires)
                if problem or not one.all_ended or one.status != 0:
                    wrong.append('%s %s: %s; exit %s %s' % (host, name, problem, one.status, one.out))
            if (without.out, without.err) != (outcome.out, outcome.err):
                wrong.append('%s: the program saw a difference:\n%s%s---\n%s%s' % (host, without.out, without.err, outcome.out, outcome.err))
            if self.options.valgrind:
                wrong += valgrind_errors(outcome.logs)
            if problem := self.log_is_whole(row.told):
                wrong.append('%s: the log: %s' % (host, problem))
        return wrong


def tests(options):
    with tempfile.TemporaryDirectory(prefix='jwtshim-tls-') as directory:
        bench = Bench(options, directory)
        for row in ROWS:
            for library in row.libraries:
                sentence = 'tls: %s: %s' % (library, row.sentence)
                if options.only in sentence + ' ' + row.scenario and (row.valgrind or not options.valgrind):
                    yield sentence, lambda row=row, library=library: bench.judge(row, library)
