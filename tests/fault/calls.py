"""One call after the other fails, in whole runs of small programs, until there is none left to fail."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'programs', 'sockets'))
import world  # noqa: E402
from templates import GET, GET_SECOND, GET_WITHOUT, PUT, SITE, big_get, post  # noqa: E402

MOST = 3000        # a bound for a count that never ends
# What a program that goes on sees: everything arrives. Behind a real error it stops, and a beginning has.
GOES_ON, STOPS, MEMORY = ('short', 'EINTR', 'short-EINTR', 'EAGAIN', 'short-EAGAIN'), ('EPIPE', 'ECONNRESET', 'ENOBUFS'), ('memory', 'any-memory', 'no-memory')
ALL = GOES_ON + STOPS + MEMORY

# Sentence, scenario of calls.c, templates, the faults. Those that wait are alone in being refused for now.
ROWS = [
    ('two requests, the second with a body, in one write', 'whole', [GET, PUT], ALL),
    ('a request in single bytes', 'bytes', [GET_SECOND], ('short', 'EINTR', 'EPIPE') + MEMORY),
    ('pipelined requests in pieces', 'pieces', [GET_WITHOUT, PUT, GET], ALL),
    ('pipelined requests by writev', 'gathered', [GET, PUT, GET_WITHOUT], ALL),
    ('a head of 3 KiB and a body by sendmsg', 'messages', [big_get(3000), post(3000)], ALL),
    ('requests without waiting', 'waiting', [GET, PUT, post(40000)], GOES_ON + MEMORY),
    ('requests in pieces without waiting', 'waiting-in-pieces', [PUT, GET], ALL),
    ('requests by writev without waiting', 'waiting-gathered', [PUT, GET], ALL),
]


def is_beginning(wire, requests):
    """Whether `wire` is some of the requests, each as written or as it should leave, the last one cut anywhere."""
    for forms in requests:
        if any(one.startswith(wire) for one in forms):
            return True
        fits = [one for one in forms if wire.startswith(one)]
        if not fits:
            return False
        wire = wire[len(fits[0]):]
    return not wire


def is_whole(wire, requests):
    for forms in requests:
        fits = [one for one in forms if wire.startswith(one)]
        if not fits:
            return False
        wire = wire[len(fits[0]):]
    return not wire


def judge_one(fault, happened, outcome, requests, should):
    wire, programs_own = b''.join(outcome.wires), fault == 'any-memory'
    stopped = outcome.status == 70 or (programs_own and outcome.status != 0)
    if outcome.status is None or outcome.status < 0 or not outcome.all_ended:
        return 'exit %s' % outcome.status
    if stopped != (happened and fault in STOPS) and not programs_own:
        return 'the program went on' if not stopped else 'the program could not go on: ' + outcome.out
    if stopped and fault in STOPS and fault not in outcome.out:
        return 'the program was told something else: ' + outcome.out
    if not (is_beginning if stopped else is_whole)(wire, requests):
        return '%d bytes arrived, of %d' % (len(wire), len(should))
    return 'it did not leave as it should' if fault in GOES_ON and wire != should else None


def judge(options, row, fault):
    _, scenario, templates, _ = row
    requests = [template(SITE) for template in templates]
    content, should = (b''.join(forms[i] for forms in requests) for i in range(2))
    mark = os.path.join(options.programs, 'mark-%d' % os.getpid())
    argv = [os.path.join(options.programs, 'calls'), scenario]
    injected = 0
    for number in range(1, MOST):
        environment = {'LD_PRELOAD': options.shim + ':' + options.inject, 'FAULT': '%s:%d' % (fault, number), 'FAULT_MARK': mark}
        outcome = world.run(argv, [content], {}, environment, options.timeout, 'unix')
        happened = os.path.exists(mark)
        if happened:
            os.unlink(mark)
            injected += 1
        if problem := judge_one(fault, happened, outcome, requests, should):
            return ['number %d: %s' % (number, problem)]
        if not happened:        # there was none left: all must be as ever
            if fault.endswith('EAGAIN') and not injected and not scenario.startswith('waiting'):
                return []
            as_ever = injected and b''.join(outcome.wires) == should
            return [] if as_ever else ['%d were injected, and at the end it did not leave as it should' % injected]
    return ['there was no end to them']


def tests(options):
    for row in ROWS:
        for fault in row[3]:
            sentence = 'calls: %s: %s' % (row[0], fault)
            if options.only in sentence:
                yield sentence, lambda row=row, fault=fault: judge(options, row, fault)
