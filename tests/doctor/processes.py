"""Running processes: what is really loaded, what is set in their environment, and those that are gone or another's."""
import contextlib
import os
import shutil
import subprocess

from crafted import CONNECT, Workshop
from doctor import notes, shown, ways

WAIT = 'int printf(const char *, ...); int puts(const char *); int fflush(void *); int getchar(void);\n'
PLAIN = WAIT + CONNECT + 'int main(int c, char **v) { puts("ready"); fflush(0); getchar(); if (c > 9) talk(); return 0; }\n'
LOADER = WAIT + '#include <dlfcn.h>\nint main(int c, char **v) { if (c > 1 && !dlopen(v[1], RTLD_LAZY)) return 3; puts("ready"); fflush(0); getchar(); return 0; }\n'


@contextlib.contextmanager
def running(argv, env=None, **more):
    """A process that has said it is ready, and waits."""
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env or {}, **more)
    try:
        if process.stdout.readline() != b'ready\n':
            raise RuntimeError('%s did not start' % argv[0])
        yield process
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def alive(shop, program):
    doctor, tap = shop.doctor, shop.tap
    shim = os.path.join(doctor.build, 'libjwtshim.so')
    with running([program]) as process:
        answer = doctor.ask(process.pid)
        tap.report(answer['kind'] == 'process' and answer['path'] == program and answer['verdict'] == 'reachable' and 'not-preloaded' in notes(answer),
                   'a process without the shim: how it would be with it, and that it is not there', shown(answer))
        text = doctor.run(process.pid)
        tap.report('start it again' in text.stdout and 'ask about each' in text.stdout, 'and that it must be started again, and its children asked about', [text.stdout])
    with running([program], {'LD_PRELOAD': shim}) as process:
        answer = doctor.ask(process.pid)
        version = subprocess.run([doctor.command, '--version'], stdout=subprocess.PIPE, text=True, check=True, timeout=10).stdout.split()[1]
        said = [note['text'] for note in answer['notes'] if note['id'] == 'preloaded']
        tap.report(len(said) == 1 and version in said[0] and shim in said[0] and 'not-preloaded' not in notes(answer),
                   'a process with the shim: where it is loaded from, and which version', shown(answer))
    copy = shutil.copy(shim, shop.path('libjwtshim.so'))
    with running([program], {'LD_PRELOAD': copy}) as process:
        os.unlink(copy)
        answer = doctor.ask(process.pid)
        tap.report(any('deleted' in note['text'] for note in answer['notes'] if note['id'] == 'preloaded'), 'that its object was replaced since', shown(answer))
    for variable, note in (('JWTSHIM=off', 'switched-off'), ('JWTSHIM_SKIP=' + os.path.basename(program), 'not-meant')):
        name, value = variable.split('=')
        with running([program], {name: value}) as process:
            answer = doctor.ask(process.pid)
            tap.report(answer['verdict'] == 'unreachable' and note in notes(answer), '%s in its own environment is what counts' % variable, shown(answer))
            answer = doctor.ask(program)
            tap.report(answer['verdict'] == 'reachable', 'and not for its file', shown(answer))


def mapped(shop):
    plugin = shop.stub('plugins/libtalks.so', ['talks'], ['SSL_write'], '-Wl,--unresolved-symbols=ignore-all')
    lazy = shop.build('plugins/lazy.so', 'int SSL_write(void); int talks(void) { return SSL_write(); }\n', '-shared', '-fPIC')
    loader = shop.build('loader', LOADER)
    with running([loader, lazy]) as process:
        answer = shop.doctor.ask(process.pid)
        shop.tap.report([way['object'] for way in ways(answer, 'openssl')] == [lazy], 'a plugin that is loaded is seen in the process', shown(answer))
    answer = shop.doctor.ask(loader)
    shop.tap.report(not ways(answer, 'openssl') and 'plugins' in notes(answer) and plugin, 'of the file it is not known, and that is said', shown(answer))


def replaced(shop):
    program = shop.build('replaced', PLAIN)
    with running([program]) as process:
        os.unlink(program)
        run = shop.doctor.run(process.pid)
        gone = run.returncode
        shop.build('replaced', PLAIN)
        answer = shop.doctor.ask(process.pid)
        shop.tap.report(gone == 66 and 'deleted' in notes(answer), 'a process whose program was replaced: the file of today, and that it is another', shown(answer))


def confined(shop, program):
    doctor = shop.doctor
    with running(['setpriv', '--no-new-privs', program] if shutil.which('setpriv') else [program]) as process:
        answer = doctor.ask(process.pid)
        shop.tap.report('no-new-privileges' in notes(answer) or not shutil.which('setpriv'), 'NoNewPrivs is noted', shown(answer))
    root = shop.path('root')
    libraries = subprocess.run(['ldd', program], stdout=subprocess.PIPE, text=True, check=True, timeout=30).stdout.split()
    for library in [word for word in libraries if word.startswith('/')]:
        os.makedirs(root + os.path.dirname(library), exist_ok=True)
        shutil.copy(library, root + library)
    os.makedirs(root + '/opt', exist_ok=True)
    libc = next(word for word in libraries if word.endswith('/libc.so.6'))
    os.rename(root + libc, root + '/opt/the-libc-of-this-root')
    os.symlink('/opt/the-libc-of-this-root', root + libc)
    shutil.copy(program, root + '/opt/inside')
    # A link that means another file in another root.
    os.symlink('/opt/inside', root + '/opt/link')
    with running(['/opt/link'], preexec_fn=lambda: (os.chroot(root), os.chdir('/'))) as process:
        answer = doctor.ask(process.pid)
        shop.tap.report(answer['path'] == '/opt/inside' and answer['verdict'] == 'reachable' and 'missing-library' not in notes(answer),
                        'a process in a root of its own is looked at in that', shown(answer))
    loader = shutil.copy(shop.build('loader', LOADER), root + '/opt/loader')
    lazy = shop.build('plugins/lazy.so', 'int SSL_write(void); int talks(void) { return SSL_write(); }\n', '-shared', '-fPIC')
    shutil.copy(lazy, root + '/opt/lazy.so')
    shutil.copy(os.path.join(doctor.build, 'libjwtshim.so'), root + '/opt/libjwtshim.so')
    version = subprocess.run([doctor.command, '--version'], stdout=subprocess.PIPE, text=True, check=True, timeout=10).stdout.split()[1]
    with running([loader[len(root):], '/opt/lazy.so'], {'LD_PRELOAD': '/opt/libjwtshim.so'}, preexec_fn=lambda: (os.chroot(root), os.chdir('/'))) as process:
        answer = doctor.ask(process.pid)
        shop.tap.report([way['object'] for way in ways(answer, 'openssl')] == ['/opt/lazy.so'], 'a plugin that it has loaded from there is seen', shown(answer))
        said = [note['text'] for note in answer['notes'] if note['id'] == 'preloaded']
        shop.tap.report(len(said) == 1 and version in said[0] and said[0].endswith('from /opt/libjwtshim.so.'), 'and which version of the shim', shown(answer))


def gone_and_foreign(shop):
    process = subprocess.Popen(['/bin/true'])
    process.wait()
    for pid, code, what in ((process.pid, 66, 'that is gone'), (1, 77, "that is another's")):
        run = shop.doctor.run(pid)
        shop.tap.report(run.returncode == code and run.stderr and not run.stdout, 'a process %s: exit code %d' % (what, code), [run.returncode, run.stdout, run.stderr])
    zombie = subprocess.Popen(['/bin/true'])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    run = shop.doctor.run(zombie.pid)
    zombie.wait()
    shop.tap.report(run.returncode in (65, 66, 77) and run.stderr, 'nor is there anything to say of one that has ended and is not reaped', [run.returncode, run.stderr])


def suite(doctor):
    shop = Workshop(doctor)
    program = shop.build('waits', PLAIN)
    alive(shop, program)
    mapped(shop)
    replaced(shop)
    confined(shop, program)
    gone_and_foreign(shop)
