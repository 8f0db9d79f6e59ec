"""Real programs of this system: by which ways the doctor says their requests leave. A program that is not here is skipped by name."""
import os
import shutil
import subprocess

from doctor import notes, shown, ways

# (program, verdict, mechanisms that must be there, those of them that need a deep hook)
ROWS = [
    ('curl', 'reachable', ['nghttp2', 'openssl', 'socket'], None),
    ('wget', 'reachable', ['gnutls', 'socket'], None),
    ('wget2', 'reachable', ['nghttp2', 'gnutls'], None),
    ('/usr/bin/python3', 'reachable', ['openssl', 'socket'], None),
    ('/usr/bin/perl', 'reachable', ['openssl', 'socket'], None),
    ('ruby', 'reachable', ['openssl', 'socket'], None),
    ('git', 'reachable', ['nghttp2', 'gnutls'], None),
    ('openssl', 'reachable', ['openssl', 'openssl-bio'], None),
    ('w3m', 'reachable', ['openssl', 'socket'], None),
    ('lynx', 'reachable', ['gnutls', 'socket'], None),
    ('aria2c', 'reachable', ['gnutls', 'socket'], None),
    ('socat', 'reachable', ['openssl', 'socket'], None),
    ('ab', 'reachable', ['openssl'], None),
    ('tclsh', 'reachable', ['socket'], None),
    ('php', 'reachable', ['openssl', 'deepbind'], 'loader'),
    ('bash', 'reachable', ['stdio'], 'stdio'),
    ('gawk', 'reachable', ['stdio'], 'stdio'),
    ('java', 'partly', ['own-tls', 'socket'], None),
    ('erl', 'unreachable', ['own-tls'], None),
    ('gron', 'unreachable', ['own-tls'], None),
    ('/usr/bin/true', 'unreachable', [], None),
]

WITHOUT = {'php': 'partly', 'bash': 'unreachable', 'gawk': 'unreachable'}
SETTINGS = {'loader': 'JWTSHIM_LOADER', 'stdio': 'JWTSHIM_STDIO', 'patch': 'JWTSHIM_PATCH'}


def rows(doctor):
    for program, verdict, names, hook in ROWS:
        if not shutil.which(program, path=doctor.environment['PATH']):
            doctor.tap.skip('%s is %s' % (program, verdict), 'it is not installed')
            continue
        answer = doctor.ask(program)
        expected = verdict if not hook or doctor.has(hook) else WITHOUT[program]
        missing = [name for name in names if not ways(answer, name)]
        doctor.tap.report(answer['verdict'] == expected and not missing, '%s is %s, by %s' % (program, expected, ', '.join(names) or 'nothing'),
                          ['missing: %s' % missing] + shown(answer))
        if hook:
            off = doctor.ask(program, env={SETTINGS[hook]: 'off'})
            doctor.tap.report(off['verdict'] == WITHOUT[program], '%s with %s=off is %s' % (program, SETTINGS[hook], WITHOUT[program]), shown(off))


def interpreters(doctor):
    answer = doctor.ask('/usr/bin/python3')
    found = [way for way in ways(answer, 'openssl') if '/lib-dynload/_ssl' in way['object']]
    doctor.tap.report(found and found[0]['hook'] == 'SSL_write_ex' and 'run-time' in notes(answer),
                      "python3's TLS is found in its _ssl module, which is loaded at run time", shown(answer))
    if shutil.which('busybox'):
        answer = doctor.ask('busybox')
        doctor.tap.report(bool(ways(answer, 'stdio')) and bool(ways(answer, 'openssl') or ways(answer, 'own-tls')),
                          "busybox writes by stdio, and its https is openssl's where there is one, else its own", shown(answer))


def settings(doctor):
    answer = doctor.ask('curl', env={'JWTSHIM': 'off'})
    doctor.tap.report(answer['verdict'] == 'unreachable' and 'switched-off' in notes(answer), 'with JWTSHIM=off nothing is seen', shown(answer))
    answer = doctor.ask('curl', env={'JWTSHIM_SKIP': 'wget,curl'})
    doctor.tap.report(answer['verdict'] == 'unreachable' and 'not-meant' in notes(answer), 'a program in JWTSHIM_SKIP is left out', shown(answer))
    answer = doctor.ask('curl', env={'JWTSHIM_ONLY': 'curl'})
    doctor.tap.report(answer['verdict'] == 'reachable', 'a program in JWTSHIM_ONLY is meant', shown(answer))
    answer = doctor.ask('curl', env={'JWTSHIM': 'audit'})
    doctor.tap.report(answer['verdict'] == 'reachable' and 'audit' in notes(answer), 'audit is said, and is no obstacle', shown(answer))


def human(doctor):
    run = doctor.run('curl')
    lines = run.stdout.splitlines()
    doctor.tap.report(run.returncode == 0 and lines and lines[0].startswith('curl: reachable') and 'jwtshim run -- curl' in lines[-1] and
                      '\33' not in run.stdout, 'for people: the verdict first, what to do last, no colours in a file', lines)
    # A terminal of its own, as script(1) gives one.
    if shutil.which('script'):
        shell = "script -qec '%s doctor curl' /dev/null" % doctor.command
        for more, colours in (({}, True), ({'NO_COLOR': '1'}, False)):
            run = subprocess.run(shell, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=30, env=dict(doctor.environment, TERM='xterm', **more))
            doctor.tap.report((b'\33[' in run.stdout) == colours and b'reachable' in run.stdout,
                              'on a terminal there are %s' % ('colours' if colours else 'none with NO_COLOR'), [run.stdout[:100]])
    several = doctor.run('/usr/bin/true', 'curl')
    doctor.tap.report(several.returncode == 2 and '/usr/bin/true: not reachable' in several.stdout, 'of several targets the worst is the exit code',
                      [several.returncode, several.stdout])


def usage(doctor):
    for arguments, code, words in ((['no-such-program-at-all'], 66, 'no program'), (['./nothing/here'], 66, 'no program'), ([], 64, 'name a program'),
                                   (['--colour', 'curl'], 64, 'no such option'), (['--object'], 64, 'needs a value'),
                                   (['/etc/passwd'], 65, 'no ELF'), (['/usr'], 65, 'no ELF'), (['/dev/null'], 65, 'no ELF'),
                                   (['--object', '/bin/true', 'curl'], 66, 'no libjwtshim.so'),
                                   (['--proxy-config=squid'], 64, 'knows haproxy and nginx'),
                                   (['--proxy-config', '--listen', '127.0.0.1:1; evil'], 64, 'must be of letters')):
        run = doctor.run(*arguments)
        doctor.tap.report(run.returncode == code and words in run.stderr and not run.stdout, 'doctor %s: exit code %d, and a line that says why' % (' '.join(arguments), code),
                          [run.returncode, run.stdout, run.stderr])


def reads_only(doctor):
    """By strace: no other program runs, nothing is opened for writing, nothing is made or removed, no socket is opened."""
    if not shutil.which('strace'):
        doctor.tap.skip('it only reads', 'strace is not installed')
        return
    log = os.path.join(doctor.tmp, 'strace')
    calls = 'trace=%process,%file,%network'
    plain = doctor.base
    doctor.base = ['strace', '-f', '-o', log, '-e', calls] + plain
    for target in ('curl', '/usr/bin/python3', 'php', 'erl', str(os.getpid())):
        run = doctor.run(target)
        with open(log, encoding='utf-8', errors='replace') as file:
            lines = file.read().splitlines()
        allowed = ('openat(', 'newfstatat(', 'readlink(', 'access(', 'execve(', 'exit_group(', 'getxattr(', 'statfs(', 'getcwd(', 'lstat(', 'stat(', 'open(',
                   'arch_prctl(', '+++', 'faccessat2(', 'readlinkat(')
        bodies = [line.split(None, 1)[1] for line in lines]
        odd = [line for line in bodies if not line.startswith(allowed) or 'O_WRONLY' in line or 'O_RDWR' in line or 'O_CREAT' in line or 'O_TRUNC' in line]
        doctor.tap.report(len(bodies) > 5 and not odd and sum(line.startswith('execve(') for line in bodies) == 1, 'asked about %s it starts nothing and only reads' % target,
                          odd[:5] + [run.stderr])
    doctor.base = plain


def suite(doctor):
    for part in (rows, interpreters, settings, human, usage, reads_only):
        part(doctor)
