"""jwtshim report: what it adds up, what it reads, and what it says of what cannot be read."""
import json
import os
import random
import re
import subprocess

from harness import ROOT
from stage import EX_CANTCREAT, EX_DATAERR, EX_IOERR, EX_NOINPUT, EX_USAGE, event, packed, read

FLEET = (event() * 3 + event(time='2026-11-21T00:00:00.000Z', layer='nghttp2') + event(program='/opt/agent', action='passed', reason='released-early')
         + event(program='/opt/agent', action='passed', reason='host-not-atlassian', host='app.example.com')
         + event(jwt_findings=['expired']) + event(jwt_findings=['long-lifetime']) + event(jwt_qsh='mismatch') + event(action='would-rewrite')
         + event(action='steered') + event(action='setting-ignored', jwtshim_setting='/etc/jwtshim.conf:3', reason='no such setting')
         + event(action='layer-applies', reason='why'))


def rows(run, *names):
    return sorted(tuple(row[name] for name in names) for row in run.json['rows'])


def sums(stage):
    log = stage.write('fleet.jsonl', FLEET)
    run = stage.json('report', log)
    total = run.json['total']
    stage.check(run.code == 0 and not run.err and (total['requests'], total['failing'], total['token'], total['audit'], total['moved'], total['left'])
                == (10, 1, 2, 1, 5, 1), 'requests are counted by how they stand: failing, moved with a doubtful token, audit, moved, left', run)
    stage.check(rows(run, 'program', 'host', 'reason', 'requests') == [
        ('/opt/agent', 'app.example.com', 'host-not-atlassian', 1), ('/opt/agent', 'site.atlassian.net', 'released-early', 1),
        ('/usr/bin/curl', 'site.atlassian.net', '', 5), ('/usr/bin/curl', 'site.atlassian.net', 'expired', 1),
        ('/usr/bin/curl', 'site.atlassian.net', 'long-lifetime', 1), ('/usr/bin/curl', 'site.atlassian.net', 'qsh-mismatch', 1)],
        'rows are by program, host and finding', run)
    first = run.json['rows'][0]
    stage.check((first['requests'], first['first_seen'], first['last_seen'], sorted(first['layers'])) ==
                (5, '2026-11-21T00:00:00.000Z', '2026-11-23T10:15:02.123Z', ['nghttp2', 'openssl']),
                'the first row is that of the most requests, and has its first and last time and its layers', first)
    stage.check(run.json['steered_handshakes'] == 1 and run.json['ignored_settings'] == [
        {'program': '/usr/bin/curl', 'setting': '/etc/jwtshim.conf:3', 'why': 'no such setting', 'events': 1}],
        'handshakes and ignored settings are no requests, and are told apart', run)
    run = stage.json('report', '--by', 'layer', log)
    stage.check(rows(run, 'layer', 'requests') == [('nghttp2', 1), ('openssl', 9)] and 'program' not in run.json['rows'][0], '--by layer', run)
    run = stage.json('report', '--by', 'host,reason', log)
    stage.check(('site.atlassian.net', 'released-early') in rows(run, 'host', 'reason') and 'program' not in run.json['rows'][0], '--by host,reason', run)
    run = stage.json('report', '--top', '2', log)
    stage.check(len(run.json['rows']) == 2 and run.json['rows'][0]['requests'] == 5 and run.json['others']['requests'] == 4, '--top 2: the others are one', run)
    run = stage.run('report', log)
    stage.check(run.code == 0 and re.search(r'/usr/bin/curl +site.atlassian.net +- +5 ', run.out) and 'released-early: The program needed' in run.out
                and '\033' not in run.out, 'as text: the table, and what a reason means; without colours, since it is no terminal', run)


def meanings(stage):
    """Whatever the shim and the inspector may say is explained."""
    reasons = re.findall(r'X\([A-Z_0-9]+, "([a-z0-9-]+)"\)', read(os.path.join(ROOT, 'shim/http/reason.h')))
    findings = re.findall(r'X\([A-Z_0-9]+, "([a-z0-9-]+)"', read(os.path.join(ROOT, 'shim/inspect/examine.h')))
    requests = [reason for reason in reasons if reason not in ('none', 'not-http', 'audit')]     # these are no request's that passed
    run = stage.run('report', '--top', '1', stdin=''.join([event(action='passed', reason=each) for each in requests] + [event(jwt_findings=[each]) for each in findings]).encode())
    left = ('host-not-atlassian', 'plaintext', 'authorization-present')
    missing = [each for each in requests + findings if each not in left and not re.search(r' %s: [A-Z].*' % each, run.out)]
    stage.check(len(requests) > 20 and len(findings) > 20 and not missing, 'every reason and every finding has its meaning (tools/jwtshim/meaning.c)', missing)


def times(stage):
    log = stage.write('times.jsonl', ''.join(event(time='2026-11-%02dT12:00:00.000Z' % day) for day in range(1, 11)) + event(time='yesterday') + event(time=None))
    for sentence, options, expected in (
            ('--since takes a date', ['--since', '2026-11-08'], 3), ('--since takes a time, and includes it', ['--since', '2026-11-08T12:00Z'], 3),
            ('--until excludes its time', ['--until', '2026-11-02T12:00:00.000Z'], 1), ('a time may have an offset', ['--since', '2026-11-10T13:00:00+01:00'], 1),
            ('one that is later by its offset', ['--since', '2026-11-10T12:00:00-00:01'], 0), ('both', ['--since', '2026-11-03', '--until', '2026-11-05'], 2),
            ('without either, events without a time count too', [], 12)):
        run = stage.json('report', *options, log)
        stage.check(run.code == 0 and run.json['total']['requests'] == expected, sentence, run)
    stage.check(run.json['input']['events_undated'] == 2, 'events without a readable time are counted as such', run)
    run = stage.run('report', '--since', '1m', log)
    stage.check(run.code == 0 and run.err == 'jwtshim report: none of the events is of that time\n', 'no event of that time is said, and is no error', run)
    for wrong in ('tomorrow', '2026-13-01', '2026-02-29', '5', '7y', '', '1999-01-01'):
        run = stage.run('report', '--since', wrong, log)
        stage.check(run.code == EX_USAGE and run.err.startswith("jwtshim report: --since needs a time, not '%s'" % wrong), 'a wrong time is wrong use: %r' % wrong, run)


def timelines(stage):
    """Bins widen with the time that they span, whatever the order of events."""
    def bins(times):
        run = stage.json('report', stage.write('timeline', ''.join(event(time=time) for time in times)))
        return run.json['timeline']['bin_seconds'], [(each['from'][:16], each['moved']) for each in run.json['timeline']['bins']]

    minutes = ['2026-11-23T10:%02d:%02d.000Z' % (minute, minute) for minute in (7, 5, 59, 5)]
    days = ['2026-11-%02dT%02d:30:00.000Z' % (day, day) for day in (20, 1, 11, 20)]
    stage.check(bins(minutes) == (60, [('2026-11-23T10:05', 2), ('2026-11-23T10:07', 1), ('2026-11-23T10:59', 1)]), 'an hour is told by minutes', bins(minutes))
    stage.check(bins(days) == (21600, [('2026-11-01T00:00', 1), ('2026-11-11T06:00', 1), ('2026-11-20T18:00', 2)]), 'twenty days by six hours', bins(days))
    width, years = bins(['%d-01-01T00:00:00.000Z' % year for year in range(2099, 1999, -1)] + minutes)
    stage.check(width == 161280 * 60 * 2 and sum(count for _, count in years) == 104, 'a century, backwards, by two thirds of a year', width, years)
    stage.check(bins(['1970-01-01T00:00:00.000Z', '2199-01-01T00:00:00.000Z'] + minutes[:1])[0] == 60, 'a clock that was never set widens nothing')


def inputs(stage):
    two = event() + event(program='/opt/x')
    plain, zipped = stage.write('plain.jsonl', two), stage.write('no-suffix', packed(two))
    for sentence, arguments, stdin, expected in (
            ('plain and gzip, known by content and not by name', [plain, zipped], b'', 4), ('standard input', [], two.encode(), 2),
            ('gzip from standard input, as -', ['-'], packed(two), 2), ('a file twice', [plain, plain], b'', 4),
            ('gzip members one after the other', [stage.write('members', packed(event()) + packed(two))], b'', 3),
            ('gzip padded with zeros', [stage.write('padded', packed(two) + b'\0' * 700)], b'', 2),
            ('line ends of the other kind', [stage.write('crlf', two.replace('\n', '\r\n'))], b'', 2), ('no line end at the end', [], two.strip().encode(), 2),
            ('a byte order mark', [], b'\xef\xbb\xbf' + two.encode(), 2), ('empty lines', [], ('\n \n' + two + '\n').encode(), 2),
            ("a syslog daemon's lines", [], b'Nov 23 10:15:02 host jwtshim: ' + event().encode(), 1),
            ('lines of other programs that are JSON are passed over', [], (two + '{"msg":"hello"}\n{}\n').encode(), 2),
            ('members that are not known are passed over', [], event(new_member={'a': [1, {'b': None}]}).encode(), 1)):
        run = stage.json('report', *arguments, stdin=stdin)
        stage.check(run.code == 0 and not run.err and run.json['total']['requests'] == expected, 'reads %s' % sentence, run)
    parts = b''.join(packed(event())[i:i + 1] for i in range(len(packed(event()))))
    slow = subprocess.Popen([stage.jwtshim, 'report', '--json'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for i in range(len(parts)):
        slow.stdin.write(parts[i:i + 1])
        slow.stdin.flush()
    out = slow.communicate(timeout=30)[0]
    stage.check(json.loads(out)['total']['requests'] == 1, 'reads gzip that comes byte by byte through a pipe')


def broken(stage):
    good, chance = event().encode(), random.Random(20261128)
    cut = packed(event() * 2000 + event(program='/x' * 50))
    damaged = bytearray(packed(''.join(event(program='/opt/%d' % chance.getrandbits(60)) for _ in range(3000))))
    for place in range(len(damaged) // 2, len(damaged) // 2 + 64):
        damaged[place] ^= 0xff
    damaged[len(damaged) // 2 + 1] ^= 0xff
    for sentence, content, line, why in (
            ('text that is no JSON', good + b'hello\n' + good, 2, 'not an event: not a JSON object'),
            ('half an object', good + good[:50] + b'\n' + good, 2, 'not an event: '),
            ('a line of 10 MB', good + b'{"a":"' + b'x' * 10_000_000 + b'"}\n' + good, 2, 'not an event: the line is longer than 256 KiB'),
            ('a string that is not UTF-8', good + b'{"a":"\xff"}\n' + good, 2, 'not an event: a string is not UTF-8'),
            ('brackets without end', good + b'{"a":' + b'[' * 100_000 + b'\n' + good, 2, 'not an event: nested too deeply'),
            ('NUL bytes', good + b'\0\0\0\n' + good, 2, 'not an event: not a JSON object'),
            ('something behind the object', good + good.strip() + b'x\n' + good, 2, 'not an event: something follows the object'),
            ('something behind the gzip', packed(good + good) + b'more', 3, 'something follows the compressed data')):
        path = stage.write('broken', content)
        run = stage.json('report', path)
        stage.check(run.code == EX_DATAERR and run.err.startswith('jwtshim report: %s:%d: %s' % (path, line, why)) and run.err.count('\n') == 1
                    and run.json['total']['requests'] == 2, '%s: named by file and line, 65, and the rest is read' % sentence, run)
    run = stage.json('report', stage.write('cut.gz', cut[:-200]))
    stage.check(run.code == EX_DATAERR and 'the compressed data ends in the middle' in run.err and 1000 < run.json['total']['requests'] <= 2000,
                'gzip that is cut off: what is there is read', run)
    run = stage.json('report', stage.write('damaged.gz', bytes(damaged)))
    stage.check(run.code == EX_DATAERR and 'damaged' in run.err and 500 < run.json['total']['requests'] < 2999, 'gzip that is damaged: what is before that is read', run)
    run = stage.run('report', stage.write('garbage', good + random.Random(5).randbytes(300_000)))
    stage.check(run.code == EX_DATAERR and run.err.count('\n') == 11 and 'further lines are no events' in run.err
                and all(line.isprintable() for line in run.err.splitlines()), 'binary garbage: ten lines are named and the rest counted, none is shown', run)


def unreadable(stage):
    good = stage.write('good.jsonl', event())
    locked = stage.write('locked', event())
    for sentence, path, why in (('a file that is not there', stage.path('nowhere'), 'No such file'), ('a directory', stage.tmp, 'Is a directory')):
        run = stage.json('report', path, good)
        stage.check(run.code == EX_NOINPUT and run.err.startswith('jwtshim report: %s: %s' % (path, why)) and run.json['total']['requests'] == 1,
                    '%s: 66, and the others are read' % sentence, run)
    run = stage.run('report', stage.write('a\x1b[31mred\u202e', 'no event\n'))
    stage.check('a\\u001b[31mred\\u202e:1: not an event' in run.err and '\x1b' not in run.err, "nothing of a file's name moves the cursor", run)
    os.chmod(locked, 0)
    run = stage.run('report', locked, good, before=['setpriv', '--bounding-set=-all', '--inh-caps=-all'])
    stage.check(run.code == EX_NOINPUT and 'Permission denied' in run.err, 'a file that may not be read: 66', run)
    run = stage.run('report', '/proc/self/mem')
    stage.check(run.code == EX_IOERR and '/proc/self/mem:1: Input/output error' in run.err, 'an error in the middle of reading: 74', run)
    for sentence, content in (('an empty file', ''), ("another program's log", '{"msg":"hello"}\n')):
        run = stage.run('report', stage.write('none', content))
        stage.check(run.code == EX_NOINPUT and run.err == 'jwtshim report: there is no event in what was read\n', '%s has no event: 66' % sentence, run)
    for arguments, why in ((['--by', 'colour'], '--by needs a list'), (['--top', '0'], '--top needs a number'), (['--top'], '--top needs a value'),
                           (['--json', '--html'], '--json and --html are two reports'), (['--html='], '--html= needs a file'), (['--jsno'], 'unknown option: --jsno')):
        run = stage.run('report', good, *arguments)
        stage.check(run.code == EX_USAGE and why in run.err and '--help' in run.err, 'wrong use is 64: %s' % ' '.join(arguments), run)


def bounds(stage):
    log = stage.write('hosts.jsonl', ''.join(event(host='h%d.example' % i, layer='l%d' % i, program='/p%d' % (i % 7)) for i in range(60_000)))
    run = subprocess.run(['bash', '-c', 'ulimit -v 150000; exec "$@"', 'sh', stage.jwtshim, 'report', '--json', log], capture_output=True, timeout=60, check=False)
    report = json.loads(run.stdout)
    stage.check(run.returncode == 0 and len(report['rows']) == 10_000 and report['others']['requests'] == 50_000 and report['total']['requests'] == 60_000
                and len(report['total']['layers']) == 32, 'of 60,000 hosts 10,000 have a row of their own, and the rest is summed', run.stderr)
    shown = stage.run('report', '--top', '3', stage.write('hostile', event(host='\x1b[31m\u202egpj.exe\u0085<b>', layer='\x07')))
    as_json = stage.json('report', stage.path('hostile'))
    stage.check(as_json.out.isascii() and '\x1b' not in as_json.out and as_json.json['rows'][0]['host'] == '\x1b[31m\u202egpj.exe\u0085<b>',
                'nor does it as JSON, which says the same', as_json)
    stage.check(shown.code == 0 and '\\u001b[31m\\u202egpj.exe\\u0085<b>' in shown.out and '\\u0007' in shown.out
                and not any(ord(c) < 32 and c != '\n' for c in shown.out), 'control characters of an event never reach the terminal', shown)


def on_a_terminal(stage):
    log = stage.write('fleet.jsonl', FLEET)

    def look(stream, **environment):
        """What the command writes to a terminal that is its standard output or error."""
        ours, its = os.openpty()
        streams = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL, stream: its}
        subprocess.run([stage.jwtshim, 'report', log], **streams, env={'LC_ALL': 'C.UTF-8', **environment}, timeout=30, check=False)
        os.close(its)
        text = os.read(ours, 65536).decode()
        os.close(ours)
        return text

    progress = look('stderr')
    stage.check('MB read' in progress and progress.endswith('\r\x1b[K') and '\n' not in progress, 'on a terminal it shows how far it is, and takes that away again', repr(progress))
    stage.check('\x1b[31m' in look('stdout') and '\x1b' not in look('stdout', NO_COLOR='1'), 'on a terminal it has colours, unless NO_COLOR is set')


def outputs(stage):
    log = stage.write('fleet.jsonl', FLEET)
    small, closed = stage.path('small'), stage.path('closed')
    many = stage.write('many.jsonl', ''.join(event(host='h%d.example' % i) for i in range(900)))
    for path, options in ((small, 'size=64k'), (closed, 'ro')):
        os.mkdir(path)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'none', path], check=True, timeout=30)
    page = os.path.join(small, 'page.html')
    run = stage.run('report', '--html=' + page, many)
    stage.check(run.code == EX_IOERR and run.err == 'jwtshim report: %s: No space left on device\n' % page and os.listdir(small) == [],
                'a page on a full disk: 74, a clear line, and no partial file', run)
    with open(page, 'w', encoding='utf-8') as file:
        file.write('old')
    run = stage.run('report', '--html=' + page, many)
    with open(page, encoding='utf-8') as file:
        stage.check(run.code == EX_IOERR and file.read() == 'old' and os.listdir(small) == ['page.html'], 'and the page that was there stays', run)
    run = stage.run('report', '--html=' + os.path.join(closed, 'page.html'), log)
    stage.check(run.code == EX_CANTCREAT and 'Read-only file system' in run.err, 'a page on a read-only file system: 73', run)
    run = stage.run('report', '--html=' + stage.path('no/such/page.html'), log)
    stage.check(run.code == EX_CANTCREAT and 'No such file or directory' in run.err, 'a page where there is no directory: 73', run)
    run = stage.run('report', '--html=' + stage.tmp, log)
    stage.check(run.code == EX_CANTCREAT and 'Is a directory' in run.err, 'a directory as the page: 73', run)
    for form in ('--json', '--html', '--by=host'):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            run = subprocess.run([stage.jwtshim, 'report', form, log], stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)
        stage.check(run.returncode == EX_IOERR and b'No space left on device' in run.stderr, 'standard output on a full disk: 74 (%s)' % form, run.stderr)
    link = stage.path('link.html')
    os.symlink(stage.write('target.html', ''), link)
    run = stage.run('report', '--html=' + link, log)
    stage.check(run.code == 0 and os.path.islink(link) and os.path.getsize(stage.path('target.html')) > 1000, 'a link as the page leads to where it is written', run)


def all_of(stage):
    sums(stage)
    meanings(stage)
    times(stage)
    timelines(stage)
    inputs(stage)
    broken(stage)
    unreadable(stage)
    bounds(stage)
    on_a_terminal(stage)
    outputs(stage)
