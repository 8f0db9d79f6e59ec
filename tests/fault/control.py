"""Programs whose control leaves a write by another way than its return, or enters it twice: what may arrive, a row each."""
import dataclasses
import os
import sys
from typing import Callable

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'programs', 'sockets'))
import world  # noqa: E402
from memcheck import valgrind_errors  # noqa: E402
from templates import GET, GET_SECOND, OTHER, PUT, SITE, half, same  # noqa: E402


@dataclasses.dataclass
class Row:
    sentence: str
    scenario: str
    files: list               # templates, one a file
    allowed: Callable         # (forms, wires) -> what is wrong, or None; forms: for each file (as written, as it should leave)
    limits: dict = dataclasses.field(default_factory=dict)
    behind: str = 'inject'    # what stands behind the shim: nothing, or as a plugin not even the shim is preloaded
    log: bool = False         # with one
    valgrind: bool = True     # but for stacks that it is not told of, and limits that count its own memory


def sequences(*shapes):
    """Each connection is one of these runs of pieces; a piece is a set of alternatives. In any order of connections, all of them."""
    def allowed(forms, wires):
        for number, (wire, shape) in enumerate(zip(wires, shapes)):
            rest = {b''}
            for alternatives in shape(forms):
                rest = {before + one for before in rest for one in alternatives}
            if wire not in rest:
                return 'connection %d: %d bytes that are none of %s' % (number, len(wire), sorted({len(one) for one in rest}))
        return None if len(wires) == len(shapes) else '%d connections, not %d' % (len(wires), len(shapes))
    return allowed


def torn(forms):
    """The first, stopped behind 40 bytes; the second whole in between; the rest of the first; and the third as it should leave."""
    return [{one[:40] + two + one[40:] for one in forms[0] for two in forms[1]}, {forms[2][1]}]


def torn_alone(forms):
    return [set(forms[0]), {forms[2][1]}]


def moved(number):
    return lambda forms: [{forms[number][1]}]


def repeated(wire, alternatives, to_the_end):
    """Whether `wire` is some of the alternatives one after the other, the last one cut anywhere unless `to_the_end`."""
    count, at = 0, 0
    while at < len(wire):
        for one in alternatives:
            if wire.startswith(one, at):
                at, count = at + len(one), count + 1
                break
            if not to_the_end and one.startswith(wire[at:at + len(one)]) and at + len(one) > len(wire):
                return count
        else:
            return None
    return count


def each_whole(requests, connections):
    def allowed(forms, wires):
        counts = [repeated(wire, forms[0], True) for wire in wires]
        return None if counts == [requests] * connections else 'requests on each connection: %s' % counts
    return allowed


def each_cut(connections):
    def allowed(forms, wires):
        counts = [repeated(wire, forms[0], False) for wire in wires]
        return None if None not in counts and len(counts) == connections else 'requests on each connection: %s' % counts
    return allowed


def canceled(forms, wires):
    """A beginning of the first, then the second whole; twenty times."""
    for number, wire in enumerate(wires):
        good = wire == forms[1][1] if number % 2 else any(one.startswith(wire) and len(wire) >= 40 for one in forms[0])
        if not good:
            return 'connection %d: %d bytes' % (number, len(wire))
    return None if len(wires) == 40 else '%d connections' % len(wires)


def halves_and_wholes(forms, wires):
    for number, wire in enumerate(wires):
        if wire != (forms[0][1] if number % 2 else forms[0][0][:len(forms[0][0]) // 2]):
            return 'connection %d: %d bytes' % (number, len(wire))
    return None if len(wires) == 40 else '%d connections' % len(wires)


def jumped(forms, wires):
    """Whole, by whichever way, and always by the same."""
    return None if len(wires) == 50 and set(wires) <= set(forms[0]) else 'lengths: %s' % sorted({len(wire) for wire in wires})


THREE = [GET, PUT, GET_SECOND]
ROWS = [
    Row('two coroutines in one connection, the second on the higher stack', 'coroutines-lower-first', THREE, sequences(torn), valgrind=False),
    Row('two coroutines in one connection, the second on the lower stack', 'coroutines-higher-first', THREE, sequences(torn), valgrind=False),
    Row('two coroutines of a thread in one connection', 'coroutines-in-thread', THREE, sequences(torn), valgrind=False),
    Row('two coroutines with a connection each', 'coroutines-on-two', THREE, sequences(torn_alone, moved(1)), valgrind=False),
    Row('a handler on a higher stack of its own writes to the connection it interrupts', 'handler-on-own-stack', THREE, sequences(torn)),
    Row('the same in a thread', 'handler-on-own-stack-in-thread', THREE, sequences(torn)),
    Row('fifty writes that were jumped out of and done again', 'jump-out-and-again', [GET], jumped),
    Row('the same in a thread', 'jump-out-and-again-in-thread', [GET], jumped),
    Row('twenty threads that are canceled in the middle of a rewritten head', 'cancel-deferred', [GET, PUT], canceled),
    Row('the same, asynchronously', 'cancel-asynchronous', [GET, PUT], canceled),
    Row('sixty processes made by fork, vfork and posix_spawn while four threads are in mid-request', 'spawn-storm', [PUT],
        each_whole(60, 4)),
    Row('exit in a thread while four others write', 'exit-while-writing', [PUT], each_cut(4)),
    Row('all descriptors from 3 closed in mid-head, twenty times', 'close-all-from-3', [GET], halves_and_wholes),
    Row('a descriptor passed by SCM_RIGHTS in mid-head', 'pass-in-mid-head', [same(GET)], sequences(moved(0)), behind='nothing'),
    Row('the object opened like a plugin, written by, and closed', 'open-and-close-object', [GET, PUT],
        sequences(lambda forms: [{forms[0][1]}, set(forms[1])]), behind='plugin'),
    Row('no descriptor is left (RLIMIT_NOFILE)', 'no-descriptors-left', [GET], sequences(moved(0)), {'RLIMIT_NOFILE': 64}, log=True),
    Row('no memory is left (RLIMIT_AS) for the second request', 'no-memory-left', [GET], sequences(lambda forms: [{forms[0][1] + one for one in forms[0]}]),
        {'RLIMIT_AS': 192 << 20}, valgrind=False),
]


def run(options, row, host, preload):
    """One run of the row's program; without the shim what stands behind it is there all the same."""
    objects = ([options.shim] if preload and row.behind != 'plugin' else []) + ([options.inject] if row.behind == 'inject' else [])
    environment = {'LD_PRELOAD': ':'.join(objects)} if objects else {'OBJECT': options.shim} if preload else {}
    if preload and row.log:
        environment.update(JWTSHIM_LOG='{DIRECTORY}/log', JWTSHIM_LOG_LEVEL='all')
    limits = ['--%s=%d' % (name[7:].lower(), value) for name, value in row.limits.items()]
    under = options.valgrind if preload else []
    argv = (['prlimit'] + limits if limits else []) + under + [os.path.join(options.programs, 'control'), row.scenario]
    files = [template(host)[0] for template in row.files]
    return world.run(argv, files, {}, environment, options.timeout)


def judge(options, row):
    wrong = []
    for host in (SITE, OTHER):
        written = [(template(host)[0],) * 2 for template in row.files]
        forms = [template(host) if host == SITE else (template(host)[0],) * 2 for template in row.files]
        without, outcome = run(options, row, host, False), run(options, row, host, True)
        for name, one, may in (('without the shim', without, written), ('with it', outcome, forms)):
            problem = row.allowed(may, one.wires)
            if problem or not one.all_ended or one.status != 0:
                wrong.append('%s %s: %s; exit %s %s' % (host, name, problem, one.status, one.out))
        if (without.out, without.err) != (outcome.out, outcome.err):
            wrong.append('%s: the program saw a difference:\n%s%s---\n%s%s' % (host, without.out, without.err, outcome.out, outcome.err))
        if options.valgrind:
            wrong += valgrind_errors(outcome.logs)
    return wrong


def tests(options):
    for row in ROWS:
        if options.only in row.sentence + ' ' + row.scenario and (row.valgrind or not options.valgrind):
            yield 'control: ' + row.sentence, lambda row=row: judge(options, row)
