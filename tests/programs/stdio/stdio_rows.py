"""The table of what is tested of streams over a socket: what each program is given and what must arrive; runs nothing. The columns
are those of the socket suite's rows."""
import os

import templates
from templates import GET, GET_SECOND, GET_WITHOUT, NUMBERED, PUT, big_get, half, post
from rows import MIB, PAUSED, SLOW, row     # the socket suite's

HERE = os.path.dirname(os.path.abspath(__file__))
HALF_GET = len(GET(templates.SITE)[0]) // 2


def script(name):
    return os.path.join(HERE, name)


def check_threads(wires, written, rewritten):
    """Whole requests of eight threads, each thread's in its order, all rewritten."""
    expected = {(rewritten[0].decode() % (ord('a') + who, which)).encode(): (who, which) for who in range(8) for which in range(50)}
    following = [0] * 8
    requests = [request + b'\r\n\r\n' for request in wires[0].split(b'\r\n\r\n')[:-1]]
    for request in requests:
        if request not in expected:
            return 'one of %d requests is not as it should be' % len(requests)
        who, which = expected[request]
        if following[who] != which:
            return 'request %d of thread %d came where %d was due' % (which, who, following[who])
        following[who] += 1
    return None if following == [50] * 8 else 'requests are missing: %s' % following


def check_lost_flush(wires, written, rewritten):
    """libc empties its buffer whatever a flush could send: the rest of the first request is lost. The second one is whole, and at
    the end."""
    if not wires[0].endswith(written[1]):
        return 'the second request is not whole'
    rest = wires[0][:-len(written[1])]
    good = any(text.startswith(rest) for text in (written[0], rewritten[0]))
    return None if good and len(rest) < len(rewritten[0]) else 'what came of the first request is not its beginning'


def check_lost_in_head(wires, written, rewritten):
    """But a head that was on its way rewritten goes out whole, and the second one is rewritten too."""
    if written == rewritten:
        return check_lost_flush(wires, written, rewritten)
    return None if wires[0] == rewritten[0] + rewritten[1] else 'the head that was under way, or the second request, is not whole'


ROWS = [
    row('a request by fwrite and fflush', 'streams', 'flushed', [[PUT]]),
    row('JWTSHIM=audit: as it was written', 'streams', 'flushed', [[GET], [PUT]], [[templates.same(GET), templates.same(PUT)]],
        env={'JWTSHIM': 'audit'}),
    row('JWTSHIM_STDIO=off: as it was written', 'streams', 'flushed', [[GET], [PUT]], [[templates.same(GET), templates.same(PUT)]],
        env={'JWTSHIM_STDIO': 'off'}),
    row('JWTSHIM_STDIO=off: half a head by write(), the rest by fclose', 'streams', 'half-by-write', [[GET]], [[templates.same(GET)]],
        env={'JWTSHIM_STDIO': 'off'}),
    row('half a head by write(), the rest by fclose', 'streams', 'half-by-write', [[GET]]),
    row('the same over a UNIX socket', 'streams', 'flushed', [[GET]], over='unix'),
    row('three requests in one flush', 'streams', 'flushed', [[GET], [PUT], [GET_WITHOUT]], [[GET, PUT, GET_WITHOUT]]),
    row('a body of 1 MiB that is full of requests', 'streams', 'flushed', [[post(MIB)], [GET]], [[post(MIB), GET]]),
    row('a request that only fclose flushes', 'streams', 'closed-unflushed', [[GET]]),
    row('the number of a closed stream becomes a file\'s, which is left alone', 'streams', 'closed-and-number-used-again', [[GET]]),
    row('a line-buffered stream, line by line', 'streams', 'line-buffered', [[GET], [PUT]], [[GET, PUT]]),
    row('an unbuffered stream, line by line', 'streams', 'unbuffered', [[GET], [PUT]], [[GET, PUT]]),
    row('a buffer of 16 bytes', 'streams', 'tiny-buffer', [[GET], [PUT]], [[GET, PUT]]),
    row('a buffer of 256 KiB', 'streams', 'large-buffer', [[big_get(30000)], [PUT]], [[big_get(30000), PUT]]),
    row('an unbuffered stream, by single characters', 'streams', 'single-characters', [[GET]]),
    row('a wide stream: fputwc and fwprintf', 'streams', 'wide', [[GET], [GET_SECOND]], [[GET, GET_SECOND]]),
    row('the unlocked functions', 'streams', 'unlocked', [[GET]]),
    row('one stream for both directions: a read after a whole request', 'streams', 'read-after-write', [[GET]],
        recorder={'answer_at': 100}),
    row('a read of stdio\'s after half a head: that is on the wire', 'streams', 'read-after-half', [[GET]],
        [[templates.same(GET)]], recorder={'answer_at': HALF_GET - 10}),
    row('two streams over two descriptors of one socket', 'streams', 'two-streams', [[GET], [GET_SECOND]], [[GET, GET_SECOND]],
        recorder={'answer_at': 100}),
    row('a non-blocking socket that takes less than fwrite shows', 'streams', 'non-blocking-unbuffered',
        [[big_get(30000), post(MIB // 4), GET]], over='unix', recorder=PAUSED),
    row('a non-blocking socket that refuses a flush in the middle of a body', 'streams', 'non-blocking-flush',
        [[post(MIB // 2)], [GET_SECOND]], [[post(MIB // 2)], [GET_SECOND]], over='unix', recorder=PAUSED, check=check_lost_flush),
    row('a non-blocking socket that refuses a flush in the middle of a head', 'streams', 'non-blocking-flush',
        [[big_get(30000)], [GET_SECOND]], [[big_get(30000)], [GET_SECOND]], over='unix', recorder=PAUSED, check=check_lost_in_head),
    row('a peer that is gone: EPIPE at the same calls', 'streams', 'broken-pipe', [[GET]], []),
    row('a descriptor that was closed under its stream', 'streams', 'closed-underneath', [[GET]],
        [[lambda host: (b'', b'')]]),
    row('a file\'s stream whose descriptor becomes a socket', 'streams', 'file-becomes-socket', [[GET]]),
    row('signals cut a write of 1 MiB short', 'streams', 'signals-in-a-write', [[post(MIB)]], over='unix', recorder=SLOW),
    row('half a head, and the rest by fclose', 'streams', 'half-then-the-rest-by-fclose', [[GET]]),
    row('half a head, and the rest by freopen', 'streams', 'half-then-the-rest-by-freopen', [[GET]]),
    row('a descriptor on standard output for one line after the other', 'streams', 'shell-redirections', [[GET]]),
    row('the stream is closed in mid-head, another descriptor goes on', 'streams', 'close-of-one-of-two', [[GET]]),
    row('a request that freopen flushes, and one into the new file', 'streams', 'reopened-unflushed', [[GET]]),
]
for end in ('fclose', 'freopen', 'freopen64', 'close-range', 'dup2', 'shutdown'):
    ROWS.append(row('half a head is on the wire after %s' % end, 'streams', 'half-then-' + end, [[GET]], [[half(GET)]]))

ROWS += [
    row('exit() flushes a whole request', 'lives', 'exit-unflushed', [[GET]]),
    row('exit() flushes the end of a head that is longer than the buffer', 'lives', 'exit-unflushed', [[big_get(6000)]],
        [[templates.same(big_get(6000))]]),
    row('exit() flushes half a head', 'lives', 'exit-half-unflushed', [[GET]], [[half(GET)]]),
    row('exit() flushes the second half of a head', 'lives', 'exit-half-flushed', [[GET]], [[templates.same(GET)]]),
    row('an exit handler writes a request', 'lives', 'exit-handler-writes', [[GET]]),
    row('a fork with a request in the buffer: both send it', 'lives', 'fork-unflushed', [[GET]], [[GET, GET]]),
    row('a fork in the middle of a head: the child goes on', 'lives', 'fork-in-the-middle', [[GET]], [[templates.same(GET)]]),
    row('vfork and exec with half a head in the buffer', 'lives', 'vfork-and-exec', [[GET]]),
    # valgrind makes a fork of it
    row('the child of a vfork duplicates an inherited socket; the parent closes it in mid-head', 'lives', 'vfork-child-duplicates', [[GET]],
        [[half(GET)]], valgrind=False),
    row('popen in the middle of a head', 'lives', 'popen-in-the-middle', [[GET]]),
    row('eight threads print to one stream', 'lives', 'threads-on-one-stream', [[NUMBERED]], check=check_threads),
    row('eight threads print to one unbuffered stream', 'lives', 'threads-on-one-unbuffered-stream', [[NUMBERED]], check=check_threads),
    # a thread does not wait for long until another one's change of the table is done
    row('eight threads make the process\'s first connection at once', 'lives', 'threads-on-their-own', [[GET]], [[GET]] * 8, either=True),
    row('the first socket while other threads print to files', 'lives', 'first-socket-while-others-print', [[GET]]),
    row('a jump out of a blocking read of stdio\'s', 'lives', 'jump-out-of-a-read', [[GET], [GET_SECOND]], [[GET, GET_SECOND]]),
    # valgrind does not know the ioctl by which a terminal is opened
    row('files, pipes, terminals, memory and programs', 'lives', 'innocents', [[GET]], [[lambda host: (b'', b'')]], valgrind=False),

    row('C++: a stdio_filebuf over a descriptor', 'cxx', 'over-a-descriptor', [[GET]]),
    row('C++: a stdio_filebuf over a FILE', 'cxx', 'over-a-file', [[GET]]),
    row('C++: std::cout', 'cxx', 'standard-output', [[GET]]),
    row('C++: std::cout, not synchronised with stdio', 'cxx', 'standard-output-not-synced', [[GET]]),
    row('C++: an ofstream of /dev/fd, which no socket can be opened by', 'cxx', 'by-name', [[GET]], [[lambda host: (b'', b'')]]),

    row('bash: a line at a time', '/bin/bash', script('lines.bash'), [[GET]]),
    row('bash: a here-string, and a block of lines', '/bin/bash', script('heredoc.bash'), [[GET]], [[GET, GET]]),
    row('bash: its children send', '/bin/bash', script('children.bash'), [[GET]], [[GET, GET, GET, GET]]),
    row('gawk: a line at a time, and all at once', '/usr/bin/gawk', '--file=' + script('inet.awk'), [[GET]], [[GET, GET]]),
]
