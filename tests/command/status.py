"""jwtshim status: /etc/ld.so.preload, real processes with the shim, settings and their errors, the end of the log."""
import contextlib
import os
import shutil
import subprocess

from stage import EX_NOINPUT, EX_USAGE, event, private

OBJECT = '/opt/jwtshim/libjwtshim.so'
ACTIVE, NOT_ACTIVE, TROUBLE = 0, 1, 2


def maps_shim(pid):
    with open('/proc/%d/maps' % pid, encoding='utf-8') as maps:
        text = maps.read()
    return '/sleep' in text and 'libjwtshim.so' in text


@contextlib.contextmanager
def sleeper(shim, preexec_fn=None, **settings):
    """A running process with the shim: the loader has mapped it."""
    process = subprocess.Popen(['sh', '-c', 'echo; exec sleep 60'], stdout=subprocess.PIPE, preexec_fn=preexec_fn,
                               env={'PATH': os.environ['PATH'], 'LD_PRELOAD': shim, **settings})
    try:
        process.stdout.readline()
        while process.poll() is None and not maps_shim(process.pid):
            pass
        yield process.pid
    finally:
        process.kill()
        process.wait()


def process_of(run, pid):
    return next((each for each in run.json['processes']['with_shim'] if each['pid'] == pid), None)


def processes(stage):
    shim = stage.path('libjwtshim.so')
    shutil.copy(stage.shim, shim)
    run = stage.json('status')
    stage.check(run.code == NOT_ACTIVE and run.json['active'] is False and run.json['troubles'] == [] and run.json['processes']['looked_at'] > 1,
                'with no entry and no process it is not active: 1', run)
    with sleeper(shim, JWTSHIM='audit', JWTSHIM_LOG='/var/log/x y') as pid:
        run = stage.json('status')
        found = process_of(run, pid)
        stage.check(run.code == ACTIVE and found and found['program'].endswith('/sleep') and found['object'] == shim and found['object_state'] == 'current'
                    and found['version'] == stage.run('--version').out.split()[1] and found['settings'] == {'JWTSHIM': 'audit', 'JWTSHIM_LOG': '/var/log/x y'},
                    'a process that has it: its program, object, version and settings', run)
        run = stage.run('status')
        stage.check(run.code == ACTIVE and '%d  /usr/bin/sleep' % pid in run.out and 'JWTSHIM=audit' in run.out, 'the same as text', run)
        shutil.copy(stage.shim, shim + '.new')
        os.rename(shim + '.new', shim)
        run = stage.json('status')
        stage.check(run.code == TROUBLE and process_of(run, pid)['object_state'] == 'replaced' and 'replaced since it started: restart it' in run.json['troubles'][0],
                    'a process whose object was replaced since: 2, and said', run)
        os.unlink(shim)
        run = stage.json('status')
        stage.check(run.code == TROUBLE and process_of(run, pid)['object_state'] == 'deleted', 'a process whose object was deleted since: 2', run)
    shutil.copy(stage.shim, shim)
    with sleeper(shim, JWTSHIM_PLAINTEXT='maybe', JWTSHIM_NOISE='\x1b[31m') as pid:
        run = stage.json('status')
        stage.check(run.code == TROUBLE and run.json['troubles'] == ['process %d: JWTSHIM_PLAINTEXT: expected auto, always or never' % pid],
                    "an error in a process's environment: 2, named by process and setting", run)
        run = stage.json('status')
        stage.check(run.json['processes']['not_permitted'] > 0, 'processes of outside the namespace may not be looked at, and are counted', run)
    root = stage.root('confined')
    with sleeper(OBJECT, preexec_fn=lambda: (os.chroot(root), os.chdir('/'))) as pid:
        shutil.copy(stage.shim, root + OBJECT + '.new')
        os.rename(root + OBJECT + '.new', root + OBJECT)
        run = stage.json('status')
        stage.check(process_of(run, pid)['object_state'] == 'replaced', "a process in a root of its own: the object is looked for in that", run)
    with sleeper(shim, JWTSHIM_LOG='/\x1b[31m/\u202e') as pid:
        run = stage.run('status')
        stage.check(run.code == ACTIVE and '/\\u001b[31m/\\u202e' in run.out and '\x1b' not in run.out, "control characters of a process's environment never reach the terminal", run)


def entries(stage):
    for sentence, preload, change, code, trouble in (
            ('the shim is in the file', '/a.so\n%s\n' % OBJECT, None, ACTIVE, None),
            ('it is not', '/a.so\n', None, NOT_ACTIVE, None), ('there is no file', None, None, NOT_ACTIVE, None),
            ('it is only in a comment', '# %s\n' % OBJECT, None, NOT_ACTIVE, None),
            ('it is there twice', '%s\n/x/libjwtshim.so' % OBJECT, None, TROUBLE, 'names the shim 2 times'),
            ('the object is gone', OBJECT, os.unlink, TROUBLE, 'No such file or directory: every program prints an error'),
            ('the object is no object', OBJECT, lambda path: os.truncate(path, 0), TROUBLE, 'is no ELF file'),
            ('the object is cut off', OBJECT, lambda path: os.truncate(path, 20_000), TROUBLE, 'is cut off'),
            ('the object is cut off in its headers', OBJECT, lambda path: os.truncate(path, 100), TROUBLE, 'is cut off'),
            ('the object is of another machine', OBJECT, other_machine, TROUBLE, 'is for another 64-bit machine, programs here are for'),
            ('the object can be read by root alone', OBJECT, lambda path: os.chmod(path, 0o600), TROUBLE, 'cannot be read by everyone'),
            ('the object can be written by others', OBJECT, lambda path: os.chmod(path, 0o666), TROUBLE, 'can be changed by others than root')):
        root = stage.root('entry%d' % stage.tap.count, preload)
        if change:
            change(os.path.join(root, OBJECT[1:]))
        run = stage.json('status', '--root', root)
        stage.check(run.code == code and 'processes' not in run.json and ([] if not trouble else [1]) == [1 for each in run.json['troubles'] if trouble in each][:1],
                    'of a root, %s: %d' % (sentence, code), run)
    run = stage.run('status', '--root', stage.path('nowhere'))
    stage.check(run.code == EX_NOINPUT, 'a root that is not there: 66', run)
    run = stage.run('status', '--last', 'many')
    stage.check(run.code == EX_USAGE and "--last needs a number up to 9999, not 'many'" in run.err, 'a wrong number is wrong use', run)


def other_machine(path):
    with open(path, 'r+b') as file:
        file.seek(18)       # e_machine
        file.write(b'\x32\x00')


def settings(stage):
    root = stage.root('settings', OBJECT + '\n')
    config, log = os.path.join(root, 'etc/jwtshim.conf'), os.path.join(root, 'tmp/events.jsonl')

    def look(text, *options):
        with open(config, 'w', encoding='utf-8') as file:
            file.write(text)
        return stage.json('status', '--root', root, *options)

    run = look('JWTSHIM = audit\nJWTSHIM_HOSTS = -jira.com, example.org\nJWTSHIM_SKIP = ssh\n')
    values = run.json['settings']['values']
    stage.check(run.code == ACTIVE and values['JWTSHIM'] == 'audit' and 'example.org' in values['hosts'] and 'jira.com' not in values['hosts']
                and values['JWTSHIM_SKIP'] == ['ssh'], "the file's settings, as programs read them", run)
    run = look('# fleet\nJWTSHIM = maybe\nnonsense\nJWTSHIM_COLOUR = red\n')
    stage.check(run.code == TROUBLE and [each.split(': ')[0] for each in run.json['troubles']] == ['/etc/jwtshim.conf:%d' % line for line in (2, 3, 4)],
                "the file's errors, named by line: 2", run)
    run = look('#' * 20_000)
    stage.check(run.code == TROUBLE and 'longer than 16 KiB' in run.json['troubles'][0], 'a file that is too long for programs: 2', run)
    run = look('JWTSHIM_LOG = stderr\n')
    stage.check(run.code == TROUBLE and 'makes every program' in run.json['troubles'][0], 'a log that would be on every program\'s terminal: 2', run)
    os.chmod(config, 0o666)
    run = look('JWTSHIM = audit\n')
    stage.check(run.code == TROUBLE and '/etc/jwtshim.conf can be changed by others' in run.json['troubles'][0], 'a file that others may write: 2', run)
    os.chmod(config, 0o644)
    run = look('JWTSHIM_LOG = /tmp/events.jsonl\n')
    stage.check(run.code == ACTIVE and run.json['last_events'] == [], 'a log that is not there yet is no trouble', run)
    with open(log, 'w', encoding='utf-8') as file:
        file.write('x' * 2_000_000 + '\n')
        file.writelines(event(host='h%d.example' % i) for i in range(20))
    run = look('JWTSHIM_LOG = /tmp/events.jsonl\n', '--last', '3')
    stage.check(run.code == ACTIVE and [each['host'] for each in run.json['last_events']] == ['h17.example', 'h18.example', 'h19.example']
                and run.json['last_events'][0]['timestamp'] == '2026-11-23T10:15:02.123Z', 'the last three events of a log', run)
    run = stage.run('status', '--root', root)
    stage.check(run.out.count('.example ') == 5 and 'Last events' in run.out, 'five as text', run)
    os.unlink(log)
    os.mkdir(log)
    run = look('JWTSHIM_LOG = /tmp/events.jsonl\n')
    stage.check(run.code == TROUBLE and 'is no file' in run.json['troubles'][0], 'a directory as the log: 2', run)
    os.unlink(config)
    os.mkdir(config)
    run = stage.json('status', '--root', root)
    stage.check(run.code == TROUBLE and 'Is a directory' in run.json['troubles'][0], 'a directory as the file: 2', run)


def this_machine(stage):
    with private(stage, opt={'jwtshim/libjwtshim.so': stage.shim}):
        with open('/etc/ld.so.preload', 'w', encoding='utf-8') as file:
            file.write(OBJECT + '\n')
        with sleeper('') as pid:
            run = stage.json('status')
            stage.check(run.code == ACTIVE and process_of(run, pid) and not any(each['program'].endswith('/jwtshim') for each in run.json['processes']['with_shim']),
                        'a process that has it from /etc/ld.so.preload is named, and the command itself is not', run)
        os.unlink('/etc/ld.so.preload')


def all_of(stage):
    processes(stage)
    entries(stage)
    settings(stage)
    this_machine(stage)
