"""The table of what is tested: one row a scenario. Says what each program is given and what must arrive; runs nothing."""
import dataclasses
import re
from typing import Callable, Optional

import templates
from templates import (ABSOLUTE, GET, GET_SECOND, GET_WITHOUT, NUMBERED, PRINTED, PRINTED_CONVERSIONS, PRINTED_LINES, PUT, big_get,
                       first, half, open_post, post, same)
from world import PUBLIC


@dataclasses.dataclass
class Row:
    sentence: str
    program: str
    scenario: str
    files: list                        # the files it is given: a list of templates each
    wires: Optional[list] = None       # a list of templates for each connection; by default one, with all files
    over: str = 'tcp'
    recorder: dict = dataclasses.field(default_factory=dict)
    env: dict = dataclasses.field(default_factory=dict)
    either: bool = False               # as written is as good as rewritten, as long as it is one of them
    unordered: bool = False            # of the connections
    prefix: tuple = ()                 # connections of which only a beginning has to arrive
    descriptors: Optional[int] = None  # that must have come with the first connection's bytes
    check: Optional[Callable] = None   # (wires, written, rewritten) -> what is wrong, in place of `wires`
    argv: Optional[list] = None        # in place of the program
    early: bool = False                # with the library whose constructor writes first
    valgrind: bool = True

    def __post_init__(self):
        if self.wires is None:
            self.wires = [sum(self.files, [])] if self.files else []


def row(sentence, program, scenario, files, wires=None, **more):
    return Row(sentence, program, scenario, files, wires, **more)


ROWS = []
MIB = 1 << 20
A_LITTLE_MORE = post(MIB // 8 + 10 - (len(post(MIB // 8)(templates.SITE)[0]) - MIB // 8))
SLOW = {'slow': True}
PAUSED = {'paused': True}
SLOW_PAUSED = {'slow': True, 'paused': True}

# --- the write and send families -------------------------------------------------------------------------------------------------

for scenario, call in (('one-write', 'write()'), ('one-send', 'send()'), ('one-sendto', 'sendto() without an address')):
    ROWS += [row('a request in one %s' % call, 'send', scenario, [[GET]]),
             row('a request in one %s over a UNIX socket' % call, 'send', scenario, [[PUT]], over='unix')]
ROWS += [
    row('a request where standard error was, which is the log too', 'send', 'one-write-to-2', [[GET]], env={'JWTSHIM_LOG': 'stderr'}),
    row('a request while standard error, which is the log, is a pipe that nobody reads', 'send', 'one-write-beside-full-stderr', [[GET]],
        env={'JWTSHIM_LOG': 'stderr'}),
    row('head and body in two writes', 'send', 'head-then-body', [[PUT]]),
    row('a request with a body in single bytes', 'send', 'single-bytes', [[PUT]]),
    row('two requests in single bytes, the second with the token', 'send', 'single-bytes', [[GET_WITHOUT, PUT]]),
    row('a body of 1 MiB that is full of requests, in a blocking loop with a tiny buffer and a slow reader', 'send', 'tiny-blocking',
        [[post(MIB)]], over='unix', recorder=SLOW),
    row('the same with the head in a write of its own', 'send', 'tiny-blocking-head-then-body', [[post(MIB)]], over='unix',
        recorder=SLOW),
    row('256 KiB in a blocking loop over TCP with a tiny buffer and a slow reader', 'send', 'tiny-blocking', [[post(MIB // 4)]],
        recorder=SLOW),
    row('1 MiB driven by poll() with a tiny buffer and a slow reader', 'send', 'tiny-poll', [[post(MIB)]], over='unix',
        recorder=SLOW_PAUSED),
    row('256 KiB driven by poll() over TCP', 'send', 'tiny-poll', [[post(MIB // 4)]], recorder=SLOW_PAUSED),
    row('heads of 30 KiB driven by poll(): "would block" in the middle of a head', 'send', 'tiny-poll', [[big_get(30000), big_get(20000), GET]],
        over='unix', recorder=PAUSED),
    row('heads of 30 KiB in writes of 1,000 bytes driven by poll()', 'send', 'tiny-poll-pieces', [[big_get(30000), GET, big_get(9000)]],
        over='unix', recorder=PAUSED),
    row('heads of 30 KiB in writes that are longer and shorter than what was refused', 'send', 'tiny-poll-changing',
        [[big_get(30000), GET, big_get(20000), PUT]], over='unix', recorder=PAUSED),
    row('1 MiB driven by edge-triggered epoll', 'send', 'tiny-edge', [[post(MIB)]], over='unix', recorder=SLOW_PAUSED),
    row('heads of 30 KiB driven by edge-triggered epoll', 'send', 'tiny-edge', [[big_get(30000), big_get(30000), PUT]], over='unix',
        recorder=PAUSED),
    row('writev of 39 pieces, the first one empty', 'send', 'writev-39', [[PUT]]),
    row('writev of a little more than is copied at once leaves no copy of the token', 'send', 'writev-and-look-back', [[A_LITTLE_MORE]],
        valgrind=False),
    row('writev of 39 pieces with a body of 1 MiB', 'send', 'writev-39', [[post(MIB)]], over='unix'),
    row('writev of 39 pieces into a tiny buffer', 'send', 'writev-tiny', [[big_get(20000), post(MIB // 4)]], over='unix', recorder=SLOW),
    row('writev of as many pieces as there may be, and of too many', 'send', 'writev-most', [[big_get(20000)]]),
    row('pwritev2 at the stream\'s own position', 'send', 'pwritev2', [[PUT]]),
    row('pwritev2 with RWF_HIPRI', 'send', 'pwritev2-high-priority', [[PUT]]),
    row('pwritev2 with RWF_NOWAIT on a blocking socket that is full', 'send', 'pwritev2-no-wait', [[PUT]], []),
    row('sendmsg with a descriptor and a request', 'send', 'rights-with-request', [[GET]], over='unix', descriptors=1),
    row('sendmsg with a descriptor and half a head', 'send', 'rights-with-half-head', [[GET]], over='unix', descriptors=1, either=True),
    row('sendmsg with a descriptor and the second half of a head', 'send', 'rights-with-second-half', [[GET]], over='unix', descriptors=1),
    row('sendmsg with a descriptor and a head that the buffer does not take at once', 'send', 'rights-when-full', [[big_get(30000)]],
        over='unix', recorder=PAUSED, descriptors=1, either=True),
    row('sendmmsg of three requests', 'send', 'several-messages', [[GET], [PUT], [GET_SECOND]]),
    row('a request in three parts with MSG_MORE', 'send', 'more-to-come', [[PUT]]),
    row('an urgent byte between two requests', 'send', 'out-of-band', [[GET], [GET_SECOND]],
        [[GET, lambda host: (b'!', b'!'), GET_SECOND]]),
    row('MSG_FASTOPEN without connect, the head whole', 'send', 'fast-open-whole', [[GET]], [[GET], [GET]]),
    row('MSG_FASTOPEN without connect, the head incomplete', 'send', 'fast-open-half', [[GET]], [[GET], [GET]], either=True),
    row('send with MSG_ZEROCOPY leaves as it is, and completes', 'send', 'zerocopy-send', [[same(post(MIB // 2))]], recorder=SLOW_PAUSED),
    row('sendmsg with MSG_ZEROCOPY leaves as it is, and completes', 'send', 'zerocopy-sendmsg', [[same(post(MIB // 2))]],
        recorder=SLOW_PAUSED),
    row('kept-alive requests with a token in the second', 'send', 'several-in-one-write', [[GET_WITHOUT], [GET], [GET_WITHOUT]]),
    row('pipelined requests with tokens in all', 'send', 'several-in-one-write', [[GET, PUT], [GET_SECOND, GET], [PUT]]),
]

# --- files, pipes, printf, syscall() -----------------------------------------------------------------------------------------------

for program, kind in (('files', ''), ('files-fortified', ' of a fortified program')):
    ROWS += [
        row('dprintf of a whole request' + kind, program, 'dprintf', [[GET]]),
        row('vdprintf of a whole request' + kind, program, 'vdprintf', [[GET]]),
        row('dprintf and vdprintf in pieces' + kind, program, 'dprintf-pieces', [[GET], [PUT]]),
        row('dprintf with the head as its format' + kind, program, 'dprintf-format', [[GET_SECOND]], [[PRINTED]]),
        row('dprintf of a line at a time' + kind, program, 'dprintf-lines', [[GET_SECOND]], [[PRINTED_LINES]]),
        row('dprintf with %m and %n' + kind, program, 'dprintf-conversions', [[GET_SECOND]], [[PRINTED_CONVERSIONS]],
            either=program != 'files'),
        row('dprintf to a file' + kind, program, 'dprintf-to-file', [[GET]], []),
    ]
ROWS += [
    row('sendfile of a body behind a written head', 'files', 'sendfile-body', [[post(MIB)]]),
    row('sendfile of a whole request by offset', 'files', 'sendfile-offset', [[post(MIB // 4), GET]]),
    row('sendfile of whole requests by position', 'files', 'sendfile-position', [[GET, PUT, GET_SECOND]]),
    row('sendfile of half a head, then the rest', 'files', 'sendfile-half-head', [[PUT]]),
    row('sendfile of a whole request, driven by poll()', 'files', 'sendfile-tiny', [[big_get(30000), post(MIB // 4)]], over='unix',
        recorder=PAUSED),
    row('sendfile that fails', 'files', 'sendfile-errors', [[GET]], check=lambda wires, written, rewritten: None),
    row('splice of a body behind a written head', 'files', 'splice-body', [[post(MIB)]]),
    row('splice of a request leaves as it is', 'files', 'splice-request', [[same(GET)]]),
    row('splice of the second half of a head', 'files', 'splice-second-half', [[same(GET)]]),
    row('syscall(SYS_write)', 'files', 'syscall-write', [[GET]]),
    row('syscall(SYS_writev)', 'files', 'syscall-writev', [[GET]]),
    row('syscall(SYS_sendto)', 'files', 'syscall-sendto', [[GET]]),
    row('syscall(SYS_sendmsg)', 'files', 'syscall-sendmsg', [[GET]]),
    row('syscall(SYS_sendmmsg)', 'files', 'syscall-sendmmsg', [[GET]]),
    row('syscall(SYS_sendfile)', 'files', 'syscall-sendfile', [[GET]]),
    row('syscall(SYS_pwritev2)', 'files', 'syscall-pwritev2', [[GET]]),
    # valgrind itself complains of the numbers that are no system call's
    row('a connection\'s whole life by syscall()', 'files', 'syscall-life', [[GET]], valgrind=False),
]

# --- descriptors -------------------------------------------------------------------------------------------------------------------

for scenario in ('dup', 'dup2', 'dup3', 'fcntl', 'fcntl-cloexec', 'moved', 'over-itself'):
    ROWS.append(row('half a head by one descriptor, the rest by a copy: %s' % scenario, 'descriptors', 'copy-' + scenario, [[PUT]]))
ROWS.append(row('half a head, then the original is closed, the rest by a copy', 'descriptors', 'copy-original-closed', [[PUT]], either=True))
ROWS += [
    row('half a head by one descriptor, the rest by a copy that was made before the first byte', 'descriptors', 'copy-made-first',
        [[PUT], [GET]]),
    row('a body that looks like a request by a copy that was made before the first byte', 'descriptors', 'copy-sends-body',
        [[open_post(PUT)], [PUT]], [[open_post(PUT), same(PUT)]]),
    row('a copy over a connection in mid-head that fails', 'descriptors', 'copy-fails', [[PUT]], either=True),
]
for scenario in ('close', 'close_range', 'closefrom', 'shutdown', 'dup2-over', 'dup3-over', 'fclose'):
    ROWS.append(row('half a head is on the wire after %s' % scenario, 'descriptors', 'end-' + scenario, [[GET]], [[half(GET)]]))
ROWS += [
    row('half a head behind a full buffer is on the wire after close', 'descriptors', 'end-close-full', [[big_get(2000)], [post(MIB // 4)]],
        [[post(MIB // 4), first(big_get(2000), 1000)]], over='unix', recorder=SLOW_PAUSED),
    row('the same over TCP', 'descriptors', 'end-close-full', [[big_get(2000)], [post(MIB // 4)]],
        [[post(MIB // 4), first(big_get(2000), 1000)]], recorder=SLOW_PAUSED),
    row('close_range that only marks for exec ends nothing', 'descriptors', 'close_range-marks', [[PUT]]),
    row('close_range that fails ends nothing', 'descriptors', 'range-errors', [[PUT]], either=True),
    row('shutdown of the reading side ends nothing', 'descriptors', 'shutdown-read-side', [[PUT]]),
]
for scenario in ('read', 'readv', 'recv', 'recvfrom', 'recvmsg', 'recvmmsg', 'syscall', 'poll_and_read', 'splice', 'preadv2'):
    ROWS.append(row('the peer gets a half head before a read that blocks: %s' % scenario, 'descriptors', 'read-' + scenario,
                    [[same(PUT)]], recorder={'answer_at': 100}))      # the query begins before that
ROWS += [
    row('reads that do not block, and poll(), release nothing', 'descriptors', 'read-nonblocking', [[PUT]]),
    row('a single byte is answered that a request may begin with: the program waits by poll(), and goes on', 'descriptors', 'read-after-one-byte',
        [[PUT]], recorder={'answer_at': 1}),
    row('a file with the number of a connection gets its bytes', 'descriptors', 'file-after-request', [[PUT]]),
    row('a file with the number of a connection gets each piece at once', 'descriptors', 'file-after-request-pieces', [[PUT]]),
    row('a file with the number of a connection that was closed without libc gets its bytes', 'descriptors', 'file-after-unseen-close', [[PUT]]),
    row('a file with the number of a connection that was closed without libc gets each piece at once', 'descriptors',
        'file-after-unseen-close-pieces', [[PUT]]),
    row('a file with the number of a connection in mid-head gets its bytes', 'descriptors', 'file-after-half', [[PUT]], [[half(PUT)]]),
    row('a file with the number of a connection in mid-head gets each piece at once', 'descriptors', 'file-after-half-pieces', [[PUT]],
        [[half(PUT)]]),
    row('a file with the number of a new connection gets each piece at once', 'descriptors', 'file-after-nothing', [[PUT]], [[]]),
    row('a connection with the number of a file', 'descriptors', 'socket-after-file', [[PUT]]),
    row('a connection that arrived by recvmsg', 'descriptors', 'received-by-recvmsg', [[PUT]]),
    row('a connection that arrived by syscall(SYS_recvmmsg)', 'descriptors', 'received-by-syscall', [[PUT]]),
    row('the accepted side of a connection', 'descriptors', 'accepted-side', [[GET]], []),
    row('the accepted side of a connection, by accept4 and syscall()', 'descriptors', 'accepted-otherwise', [[GET]], []),
    row('UDP, datagrams and packets', 'descriptors', 'datagrams', [[GET]], []),
    row('pipes and terminals', 'descriptors', 'pipes-and-terminals', [[GET]], [], valgrind=False),
    row('single bytes through a socket pair are delivered at once', 'descriptors', 'wake-up-pair', [[GET]], []),
    row('3,000 connections, each in mid-head', 'descriptors', 'many', [[GET]], [[GET]] * 3000, over='unix', valgrind=False),
]

# --- numbers that become another socket's --------------------------------------------------------------------------------------------

ROWS += [
    row('an unseen socket with the number of a connection gets its bytes', 'numbers', 'unseen-after-request', [[GET], [GET_SECOND]],
        [[GET], [same(GET_SECOND)]]),
    row('an unseen socket with the number of a connection in mid-head gets its bytes alone', 'numbers', 'unseen-in-head', [[GET], [GET_SECOND]],
        [[half(GET)], [same(GET_SECOND)]], prefix=(0,)),
    row('an unseen socket with the number of a connection in a body gets its bytes', 'numbers', 'unseen-in-body',
        [[open_post(GET)], [GET], [GET_SECOND]], [[open_post(GET)], [same(GET), same(GET_SECOND)]]),
    row('close_range with unknown flags ends no body', 'numbers', 'refused-flags', [[open_post(GET)], [GET]], [[open_post(GET), same(GET)]],
        valgrind=False),
    row('close_range that the kernel does not have ends no body', 'numbers', 'missing-call', [[open_post(GET)], [GET]],
        [[open_post(GET), same(GET)]], valgrind=False),
    row('close_range of a thread with descriptors of its own ends no body', 'numbers', 'anothers-table', [[open_post(GET)], [GET]],
        [[open_post(GET), same(GET)]], valgrind=False),
]
for scenario in ('close_range', 'close_range-by-syscall', 'closefrom', 'dup2', 'dup3', 'dup3-by-syscall', 'fcntl', 'fcntl-by-syscall'):
    ROWS.append(row('a connection with the number of one in a body: %s' % scenario, 'numbers', 'seen-' + scenario, [[open_post(GET)], [GET]],
                    [[open_post(GET)], [GET]]))

# --- processes -----------------------------------------------------------------------------------------------------------------------

PROCESSES = [
    ('cat in a child writes to an inherited connection', 'inherited-cat', [[PUT]], None, {}),
    ('the same with another thread in dl_iterate_phdr() meanwhile', 'inherited-cat-beside-unwinder', [[PUT]], None, {}),
    ('two children in turn write requests to an inherited connection', 'inherited-in-turn', [[PUT], [GET]], None, {}),
    ('a body that looks like a request, by a command behind fork and exec', 'body-by-exec', [[open_post(PUT)], [PUT]],
     [[open_post(PUT), same(PUT)]], {}),
    ('a body that looks like a request, by a command behind vfork and exec', 'body-by-vfork', [[open_post(PUT)], [PUT]],
     [[open_post(PUT), same(PUT)]], {}),
    ('a body that looks like a request, by system()', 'body-by-system', [[open_post(PUT)], [PUT]], [[open_post(PUT), same(PUT)]], {}),
    ('a body that looks like a request, by posix_spawn()', 'body-by-spawn', [[open_post(PUT)], [PUT]], [[open_post(PUT), same(PUT)]], {}),
    ('a command in the middle of a body, and one behind it that sends a request', 'body-then-command', [[open_post(PUT)], [PUT], [GET]],
     [[open_post(PUT), same(PUT), GET]], {}),
    ('a command in the middle of a body, and SIGIO asked for behind it', 'body-asynchronous', [[open_post(PUT)], [PUT]],
     [[open_post(PUT), same(PUT)]], {'recorder': {'answer_at': 420}}),
    ('system() while another thread waits in a write, and a request behind that', 'system-beside-writer', [[post(MIB)], [PUT]],
     [[post(MIB), PUT]], {'over': 'unix', 'recorder': PAUSED}),
    ('a forked child sends, then the parent', 'forked-sends', [[PUT], [GET]], None, {}),
    ('fork in mid-head, the child ends by _exit', 'fork-child-_exits', [[same(PUT)]], None, {}),
    ('fork in mid-head, the child ends by exit', 'fork-child-exits', [[same(PUT)]], None, {}),
    ('fork in mid-head, the child closes', 'fork-child-closes', [[same(PUT)]], None, {}),
    ('fork in mid-head, the child goes on', 'fork-child-goes-on', [[same(PUT)]], None, {}),
    ('fork by syscall(SYS_clone) in mid-head', 'fork-by-syscall', [[PUT]], None, {'either': True}),
    ('fork by _Fork() in mid-head', 'fork-by-_Fork', [[PUT]], None, {'either': True}),
    ('vfork and exec in mid-head, on a connection that exec closes', 'vfork-exec-closes-on-exec', [[PUT]], None, {}),
    ('vfork and exec in mid-head, on a connection that the child inherits', 'vfork-exec-inherits', [[same(PUT)]], None, {}),
    ('vfork in mid-head, the child ends by _exit', 'vfork-exits', [[PUT]], None, {}),
    ('vfork in a body that looks like a request, the child closes', 'vfork-child-closes', [[open_post(PUT)], [PUT]],
     [[open_post(PUT), same(PUT)]], {}),
    ('vfork in a body that looks like a request, the child closes all', 'vfork-child-closes-range', [[open_post(PUT)], [PUT]],
     [[open_post(PUT), same(PUT)]], {}),
    ('vfork in a body that looks like a request, the child puts another over it', 'vfork-child-puts-another-over',
     [[open_post(PUT)], [PUT]], [[open_post(PUT), same(PUT)]], {}),
    ('vfork, the child makes the connection its output', 'vfork-child-takes-as-output', [[GET], [PUT]], None, {}),
    ('clone() with a stack of its own', 'clone', [[GET]], [], {}),
    ('syscall(SYS_clone) with a stack of its own', 'clone-by-syscall', [[GET]], [], {}),
    ('syscall(SYS_vfork)', 'vfork-by-syscall', [[GET]], [], {}),
    ('posix_spawn in mid-head', 'posix_spawn', [[same(PUT)]], None, {}),
    ('posix_spawnp of a child that sends the second request', 'posix_spawnp', [[PUT], [GET]], None, {}),
    ('system() with a command that sends the second request', 'system', [[PUT], [GET]], None, {}),
    ('popen() of a command that sends the second request', 'popen', [[PUT], [GET]], None, {}),
    ('exec with many arguments in mid-head', 'exec-arguments', [[PUT]], [[half(PUT)]], {}),
    ('exec that fails in mid-head', 'exec-fails', [[PUT]], None, {'either': True}),
    ('an atexit handler sends the second half', 'end-handler-sends', [[PUT]], None, {}),
]
# valgrind makes a fork of vfork, children of clone() are its own affair, and a thread's memory is possibly lost in a child that it is not in
ROWS += [row(sentence, 'processes', scenario, files, wires, valgrind=not scenario.startswith(('vfork', 'clone', 'inherited-cat-beside', 'body-by-vfork')), **more)
         for sentence, scenario, files, wires, more in PROCESSES]
for scenario in ('execve', 'execv', 'execvp', 'execvpe', 'execl', 'execlp', 'execle', 'fexecve', 'execveat', 'syscall_execve'):
    ROWS.append(row('half a head is on the wire after %s' % scenario, 'processes', scenario, [[GET]], [[half(GET)]]))
for scenario in ('return', 'exit', '_exit', '_Exit', 'quick_exit', 'exit_group'):
    ROWS.append(row('half a head is on the wire after the process ends by %s' % scenario, 'processes', 'end-' + scenario, [[GET]],
                    [[half(GET)]]))

ROWS.append(row('seccomp that leaves read, write and exit: files, standard error, a connection in mid-head, a new one, one that was written to',
                'processes', 'strict', [[PUT], [GET]], [[same(PUT)], [same(GET)], [GET, same(PUT)]], valgrind=False))
for scenario in ('prctl', 'seccomp', 'syscall'):
    ROWS.append(row('a filter that kills at fstat, by %s: a file and standard error' % scenario, 'processes', 'filter-by-' + scenario, [[GET]], [],
                    valgrind=False))

# --- threads and signals -------------------------------------------------------------------------------------------------------------


def check_numbered(wires, written, rewritten):
    """Whole requests of two threads: all there, each thread's in its order, each as written or as rewritten and nothing between."""
    expected = {}
    for who in range(2):
        for which in range(200):
            for text in (written[0], rewritten[0]):
                expected[(text.decode() % (ord('a') + who, which)).encode()] = (who, which)
    position, following = 0, [0, 0]
    while position < len(wires[0]):
        end = wires[0].find(b'\r\n\r\n', position) + 4
        found = expected.get(wires[0][position:end])
        if end == 3 or found is None:
            return 'at byte %d there is no whole request of a thread' % position
        if following[found[0]] != found[1]:
            return 'request %d of thread %d came where %d was due' % (found[1], found[0], following[found[0]])
        following[found[0]] += 1
        position = end
    return None if following == [200, 200] else 'requests are missing: %s' % following


def check_handler(wires, written, rewritten):
    if wires[0] != b'x' * 50:
        return 'the handler\'s connection has %d bytes' % len(wires[0])
    wrong = sum(wire != rewritten[0] and wire != b'' for wire in wires[2:])
    return '%d of %d requests are wrong' % (wrong, len(wires) - 2) if wrong else None


def check_same_handler(wires, written, rewritten):
    """One byte of the handler's in the middle of the head, which is the middle of the token."""
    middle = len(written[0]) // 2
    token = templates.TOKEN.encode()
    at = middle - written[0].index(token)
    longer = token[:at] + b'x' + token[at:]
    good = [text.replace(token, longer) for text in (written[0], rewritten[0])]
    return None if wires[0] in good else 'the bytes are lost, doubled or out of order'


def check_last(wires, written, rewritten):
    return None if wires[-1] == rewritten[0] else 'the new connection\'s request is not what it should be'


ROWS += [
    row('eight threads with connections of their own', 'threads', 'eight', [[PUT]], [[PUT]] * 160, unordered=True),
    row('two threads send whole requests on one connection', 'threads', 'two-on-one', [[NUMBERED]], check=check_numbered),
    row('shutdown while another thread writes', 'threads', 'shutdown-while-writing', [[GET]], check=check_last),
    row('a SIGALRM handler writes to another connection and a pipe', 'threads', 'signal-handler-writes', [[GET]], check=check_handler),
    row('a signal handler writes to the same connection in mid-head', 'threads', 'signal-handler-writes-same', [[GET]],
        check=check_same_handler),
    row('siglongjmp out of a blocking write', 'threads', 'jump-out-of-write', [[post(MIB)], [GET]],
        [[post(MIB)], [GET], [GET], [GET]], over='unix', recorder=PAUSED, prefix=(0,)),
    row('siglongjmp out of a blocking write in mid-head', 'threads', 'jump-out-of-write', [[big_get(60000)], [GET]],
        [[big_get(60000)], [GET], [GET], [GET]], over='unix', recorder=PAUSED, prefix=(0,)),
    row('pthread_cancel in a blocking write', 'threads', 'cancel-in-write', [[post(MIB)], [GET]], [[post(MIB)], [GET], [GET], [GET]],
        over='unix', recorder=PAUSED, prefix=(0,)),
    row('pthread_cancel in a blocking write in mid-head', 'threads', 'cancel-in-write', [[big_get(60000)], [GET]],
        [[big_get(60000)], [GET], [GET], [GET]], over='unix', recorder=PAUSED, prefix=(0,)),
]

# --- errors ----------------------------------------------------------------------------------------------------------------------------

for scenario, sentence in (
        ('unix-peer-gone', 'a request to a UNIX peer that has gone'), ('tcp-reset', 'a request on a connection that was reset'),
        ('half-to-unix-peer-gone', 'half a head to a UNIX peer that has gone'),
        ('half-to-tcp-reset', 'half a head on a connection that was reset'),
        ('after-shutdown', 'requests and half heads after shutdown'), ('sigpipe-by-default', 'SIGPIPE with its default action'),
        ('bad-descriptor', 'descriptors that are closed, or none'), ('whole-to-nobody', 'a request on a socket that is not connected'),
        ('half-to-nobody', 'half a head on a socket that is not connected'), ('buffer-full', 'a request into a buffer that is full'),
        ('fault-on-pipe', 'unreadable memory to a pipe'), ('fault-on-file', 'unreadable memory to a file'),
        ('fault-on-plain', 'unreadable memory to another protocol'), ('fault-in-body', 'unreadable memory in a body'),
        ('fault-by-minus-one', 'a length of -1')):
    # valgrind itself complains of unreadable memory in a system call, and of libc's own leak in a dprintf() to a bad descriptor
    ROWS.append(row('errors as they were: ' + sentence, 'errors', scenario, [[GET], [open_post(post(MIB))]], [],
                    valgrind=not scenario.startswith(('fault', 'bad-descriptor'))))

# --- settings --------------------------------------------------------------------------------------------------------------------------

for mode in ('audit', 'off'):
    env = {'JWTSHIM': mode}
    ROWS += [
        row('JWTSHIM=%s: single bytes' % mode, 'send', 'single-bytes', [[same(PUT), same(GET)]], env=env),
        row('JWTSHIM=%s: half a head arrives at once' % mode, 'send', 'half-is-answered', [[same(PUT)]], env=env,
            recorder={'answer_at': len(half(PUT)(templates.SITE)[0]) - 20}),
        row('JWTSHIM=%s: 256 KiB driven by poll()' % mode, 'send', 'tiny-poll', [[same(post(MIB // 4)), same(GET)]], env=env, over='unix',
            recorder=SLOW_PAUSED),
        row('JWTSHIM=%s: pipelined requests' % mode, 'send', 'several-in-one-write', [[same(GET)], [same(PUT)], [same(GET_SECOND)]], env=env),
        row('JWTSHIM=%s: sendfile of a whole request' % mode, 'files', 'sendfile-offset', [[same(GET)]], env=env),
        row('JWTSHIM=%s: writev' % mode, 'send', 'writev-39', [[same(PUT)]], env=env),
    ]

AT_80, AT_8080 = {'at': (PUBLIC, 80)}, {'at': (PUBLIC, 8080)}
for setting, at, template, becomes, sentence in (
        ('auto', AT_80, GET, same(GET), 'origin-form to port 80 of a public address stays'),
        ('auto', AT_80, ABSOLUTE, ABSOLUTE, 'absolute-form to port 80 of a public address is rewritten'),
        ('auto', AT_8080, GET, GET, 'origin-form to another port of a public address is rewritten'),
        ('auto', {'at': ('127.0.0.1', 80)}, GET, GET, 'origin-form to port 80 of a loopback address is rewritten'),
        ('always', AT_80, GET, GET, 'origin-form to port 80 of a public address is rewritten'),
        ('never', AT_80, ABSOLUTE, same(ABSOLUTE), 'absolute-form to port 80 of a public address stays'),
        ('never', AT_8080, GET, same(GET), 'origin-form to another port stays'),
        ('never', {}, GET, same(GET), 'origin-form to a loopback address stays')):
    ROWS.append(row('JWTSHIM_PLAINTEXT=%s: %s' % (setting, sentence), 'send', 'single-bytes', [[template]], [[becomes]],
                    env={'JWTSHIM_PLAINTEXT': setting}, recorder=at))
ROWS += [
    row('JWTSHIM_PLAINTEXT=auto: MSG_FASTOPEN to port 80 of a public address stays', 'send', 'fast-open-whole', [[GET]],
        [[same(GET)], [same(GET)]], recorder=AT_80),
    row('JWTSHIM_PLAINTEXT=never: half a head arrives as it is', 'descriptors', 'read-read', [[same(PUT)]],
        env={'JWTSHIM_PLAINTEXT': 'never'}, recorder={'answer_at': 3}),
]

# --- other libraries -------------------------------------------------------------------------------------------------------------------

EARLY = {'EARLY_FILE': '{FILE}', 'EARLY_PORT': '{PORT}'}
ROWS += [
    row('a constructor writes before the shim\'s own has run', 'send', 'one-write', [[GET]], [[GET], [GET]], env=EARLY, early=True, valgrind=False),
    row('a constructor writes before the shim\'s own has run, with JWTSHIM=off', 'send', 'one-write', [[same(GET)]],
        [[same(GET)], [same(GET)]], env=dict(EARLY, JWTSHIM='off'), early=True,
        valgrind=False),
]
