"""jwtshim enable and disable: /etc/ld.so.preload of this machine (a private one) and of roots, and everything by which they refuse."""
import os
import shutil
import subprocess

from stage import EX_DATAERR, EX_IOERR, EX_CANTCREAT, EX_NOINPUT, EX_NOPERM, EX_TEMPFAIL, EX_USAGE, private, read

NOBODY = ['unshare', '-U']      # a user of no name in a namespace of its own
OBJECT = '/opt/jwtshim/libjwtshim.so'


def preload_of(root):
    path = os.path.join(root, 'etc/ld.so.preload')
    return read(path) if os.path.exists(path) else None


def enable(stage, root, *options, **more):
    return stage.run('enable', '--root', root, '--object', OBJECT, *options, **more)


def disable(stage, root, *options, **more):
    return stage.run('disable', '--root', root, *options, **more)


def set_preload(root, text):
    with open(os.path.join(root, 'etc/ld.so.preload'), 'w', encoding='utf-8') as file:
        file.write(text)


def texts(stage, root):
    """What is in the file before, with the shim, and without it again."""
    for sentence, before, enabled, disabled in (
            ('an empty file', '', OBJECT + '\n', None), ('another entry', '/a.so\n', '/a.so\n' + OBJECT + '\n', '/a.so\n'),
            ('another entry without a line end', '/a.so', '/a.so\n' + OBJECT + '\n', '/a.so\n'),
            ('comments', '# ours: %s\n/a.so # a\n' % OBJECT, '# ours: %s\n/a.so # a\n%s\n' % (OBJECT, OBJECT), '# ours: %s\n/a.so # a\n' % OBJECT),
            ('a comment without a line end', '# x', '# x\n' + OBJECT + '\n', '# x\n'),
            ('spaces, tabs and colons', ' /a.so:/b.so\t/c.so\n\n', ' /a.so:/b.so\t/c.so\n\n' + OBJECT + '\n', ' /a.so:/b.so\t/c.so\n\n'),
            ('the shim at another path, first', '/x/libjwtshim.so:/b.so\n', OBJECT + ':/b.so\n', '/b.so\n'),
            ('the shim at another path, between', '/a.so:/x/libjwtshim.so:/b.so\n', '/a.so:' + OBJECT + ':/b.so\n', '/a.so:/b.so\n'),
            ('the shim at another path, last', '/a.so /x/libjwtshim.so\n/b.so', '/a.so ' + OBJECT + '\n/b.so', '/a.so\n/b.so'),
            ('the shim before a comment', '/x/libjwtshim.so # shim\n', OBJECT + ' # shim\n', '# shim\n'),
            ('the shim twice', '/x/libjwtshim.so\n/a.so\nlibjwtshim.so', OBJECT + '\n/a.so\n', '/a.so\n'),
            ('the shim here, and at another path before', '/x/libjwtshim.so /a.so\n%s\n' % OBJECT, '/a.so\n' + OBJECT + '\n', '/a.so\n'),
            ('a name that only ends like it', '/x/notlibjwtshim.so\n', '/x/notlibjwtshim.so\n' + OBJECT + '\n', '/x/notlibjwtshim.so\n')):
        set_preload(root, before)
        run = enable(stage, root)
        stage.check(run.code == 0 and preload_of(root) == enabled, 'enable, %s: nothing else changes' % sentence, run, preload_of(root))
        again = enable(stage, root)
        stage.check(again.code == 0 and again.out.startswith('Already enabled') and preload_of(root) == enabled, 'and a second time it says so', again)
        run = disable(stage, root)
        stage.check(run.code == 0 and preload_of(root) == disabled, 'disable, %s: nothing else changes' % sentence, run, preload_of(root))
        again = disable(stage, root)
        stage.check(again.code == 0 and again.out.startswith('Already disabled') and preload_of(root) == disabled, 'and a second time it says so', again)


def attributes(stage, root):
    path = os.path.join(root, 'etc/ld.so.preload')
    set_preload(root, '/a.so\n')
    os.chmod(path, 0o640)
    before = os.stat(path)
    enable(stage, root)
    after = os.stat(path)
    stage.check((after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid) and after.st_ino != before.st_ino,
                'owner and mode stay, though the file is another: it was replaced whole')
    os.unlink(path)
    os.umask(0o077)
    enable(stage, root)
    os.umask(0o022)
    stage.check(os.stat(path).st_mode & 0o777 == 0o644, 'a file that is made can be read by everyone, whatever the umask')
    disable(stage, root)
    stage.check(not os.path.exists(path), 'and goes with its last line')
    set_preload(root, '/a.so\n')
    run = enable(stage, root, '--dry-run')
    stage.check(run.code == 0 and run.out == '/a.so\n' + OBJECT + '\n' and preload_of(root) == '/a.so\n', '--dry-run shows the file as it would be', run)
    os.unlink(path)
    run = enable(stage, root, '--dry-run')
    stage.check(run.code == 0 and run.out == OBJECT + '\n' and not os.path.exists(path), 'and makes none', run)
    stage.check(os.listdir(os.path.join(root, 'etc')) == [], 'nothing else is left in /etc')


def links(stage, root):
    etc = os.path.join(root, 'etc')
    path = os.path.join(etc, 'ld.so.preload')
    outside = stage.write('outside', '/outside.so\n')
    os.makedirs(os.path.join(root, 'opt/conf'))
    for sentence, target, real in (('a relative link', '../opt/conf/preload', 'opt/conf/preload'), ('an absolute link', '/opt/conf/preload2', 'opt/conf/preload2'),
                                   ('a link that would lead out of the root', '../../../../opt/conf/preload3', 'opt/conf/preload3')):
        os.symlink(target, path)
        run = enable(stage, root)
        real = os.path.join(root, real)
        stage.check(run.code == 0 and os.path.islink(path) and read(real) == OBJECT + '\n', '%s is followed inside the root, and stays' % sentence, run)
        run = disable(stage, root)
        stage.check(run.code == 0 and not os.path.exists(real), 'and back', run)
        os.unlink(path)
    os.symlink(outside, path)
    run = enable(stage, root)
    stage.check(run.code == EX_NOINPUT and read(outside) == '/outside.so\n', 'what a link names outside of the root is not touched', run)
    os.unlink(path)
    os.symlink('ld.so.preload', path)
    run = enable(stage, root)
    stage.check(run.code == EX_NOINPUT and 'Too many levels' in run.err, 'a link to itself is refused', run)
    os.unlink(path)
    os.mkdir(path)
    run = enable(stage, root)
    stage.check(run.code == EX_IOERR and 'Is a directory' in run.err, 'a directory in its place is refused', run)
    os.rmdir(path)


def refusals(stage, root):
    def refused(sentence, code, why, *options, path=None, **more):
        run = stage.run('enable', '--root', root, '--object', path or OBJECT, *options, **more)
        stage.check(run.code == code and why in run.err and preload_of(root) is None, sentence, run)

    real = os.path.join(root, OBJECT[1:])
    opt = os.path.dirname(real)
    refused('an object that is not there: 66', EX_NOINPUT, 'No such file', path='/opt/nowhere.so')
    refused('an object that is no ELF file: 65', EX_DATAERR, 'is no shared object', path='/usr/bin/ldd')
    refused('an object that is none of ours: 65', EX_DATAERR, 'is not libjwtshim.so', path=os.path.realpath('/lib64/ld-linux-x86-64.so.2')
            if os.path.exists('/lib64/ld-linux-x86-64.so.2') else '/usr/bin/env')
    os.chmod(real, 0o600)
    refused('an object that only root can read: 65', EX_DATAERR, 'cannot be read by everyone')
    for mode, what in ((0o646, real), (0o757, opt)):
        os.chmod(real, 0o644)
        os.chmod(what, mode)
        refused('an object that others could change, itself or by its directory: 77', EX_NOPERM, 'can be changed by others than root')
        os.chmod(what, 0o755)
    os.chmod(opt, 0o757)
    run = enable(stage, root, '--force')
    stage.check(run.code == 0 and preload_of(root) == OBJECT + '\n', 'with --force it is taken', run)
    disable(stage, root)
    os.chmod(opt, 0o755)
    os.mkdir(os.path.join(root, 'opt/open'))
    os.chmod(os.path.join(root, 'opt/open'), 0o777)
    os.rename(real, os.path.join(root, 'opt/open/libjwtshim.so'))
    os.symlink('/opt/open/libjwtshim.so', real)
    refused('an object behind a link in a directory that others could change: 77', EX_NOPERM, '/opt/open can be changed')
    os.unlink(real)
    os.rename(os.path.join(root, 'opt/open/libjwtshim.so'), real)
    refused('a path with a space: 65', EX_DATAERR, 'cannot hold a path with a space', path='/opt/a b.so')
    refused('a relative path: 64', EX_USAGE, 'must be absolute', path='opt/x.so')
    refused('an argument: 64', EX_USAGE, 'no argument is expected', 'x')
    trials(stage, root, refused)
    run = stage.run('enable', '--root', stage.path('nowhere'))
    stage.check(run.code == EX_NOINPUT and 'No such file' in run.err, 'a root that is not there: 66', run)
    for name in ('enable', 'disable'):
        run = stage.run(name, '--root', root, before=NOBODY)
        stage.check(run.code == EX_NOPERM and 'only root' in run.err, '%s by somebody else than root: 77' % name, run)


def trials(stage, root, refused):
    """What the object does to a program before it is let into all of them."""
    real = os.path.join(root, OBJECT[1:])
    whole = os.path.join(root, 'opt/whole.so')
    shutil.copy(real, whole)
    with open(real, 'r+b') as file:
        file.truncate(20_000)
    refused('an object that was cut off: 65', EX_DATAERR, 'is cut off')
    os.truncate(real, 100)
    refused('an object that was cut off in its headers: 65', EX_DATAERR, 'is cut off')
    source = stage.write('bad.c', '''
        #include <stdlib.h>
        #include <unistd.h>
        __asm__(".pushsection .note.jwtshim, \\"a\\", %note\\n.balign 4\\n.long 8, 2, 1\\n.asciz \\"jwtshim\\"\\n.asciz \\"x\\"\\n.balign 4\\n.popsection");
        __attribute__((constructor)) static void start(void)
        {
        #if defined(SAYS)
            if (write(2, "hello\\n", 6) < 0) return;
        #elif defined(ENDS)
            _exit(3);
        #elif defined(DIES)
            abort();
        #elif defined(LACKS)
            extern void no_such_function(void);
            no_such_function();
        #endif
        }''')
    for name, why in (('SAYS', 'says with it: hello'), ('ENDS', 'ends with 3 with it'), ('DIES', 'is ended by signal 6'), ('LACKS', 'undefined symbol: no_such_function')):
        subprocess.run(['cc', '-shared', '-fPIC', '-D' + name, '-Wl,-z,now', '-o', real, source], check=True, timeout=60)
        refused('an object by which a program %s: 65, with the text' % why.split(':')[0], EX_DATAERR, why)
    os.rename(whole, real)
    subprocess.run(['cc', '-static', '-o', os.path.join(root, 'opt/static'), '-x', 'c', '-'], input=b'int main(void) { return 0; }', check=True, timeout=60)
    refused('a static program to try it with: it would prove nothing', EX_DATAERR, 'is linked statically', '--try', '/opt/static')
    refused('a program to try it with that fails by itself', EX_DATAERR, 'fails even without it', '--try', '/bin/false')
    refused('a program to try it with that is not there', EX_DATAERR, 'there is nothing to try it with', '--try', '/bin/nowhere')
    set_preload(root, '/gone.so\n')
    run = enable(stage, root)
    stage.check(run.code == 0 and preload_of(root) == '/gone.so\n' + OBJECT + '\n', "another entry's error is not held against it", run)
    os.unlink(os.path.join(root, 'etc/ld.so.preload'))


def gone(stage, root):
    real = os.path.join(root, OBJECT[1:])
    for sentence, change in (('is cut off', lambda: os.truncate(real, 100)), ('is gone', lambda: os.unlink(real))):
        set_preload(root, '/a.so\n' + OBJECT + '\n')
        change()
        run = disable(stage, root)
        stage.check(run.code == 0 and preload_of(root) == '/a.so\n', 'disable works when the object %s' % sentence, run)
    shutil.copy(stage.shim, os.path.join(root, 'opt/other.so'))
    set_preload(root, '/opt/other.so /opt/gone.so\n')
    run = disable(stage, root)
    stage.check(run.code == 0 and preload_of(root) == '/opt/gone.so\n', 'a shim of another name is known by its note', run)
    run = disable(stage, root, '--object', '/opt/gone.so')
    stage.check(run.code == 0 and preload_of(root) is None, '--object takes out a path that says nothing of itself', run)


def token(stage, root):
    """$LIB, by which one line serves the programs of several architectures."""
    library = os.path.dirname(next(path for path in ('/lib/x86_64-linux-gnu/libc.so.6', '/lib/aarch64-linux-gnu/libc.so.6', '/lib64/libc.so.6') if os.path.exists(path)))
    directory = os.path.join(root, 'opt' + library)
    os.makedirs(directory)
    shutil.copy(stage.shim, directory)
    os.chmod(os.path.join(directory, 'libjwtshim.so'), 0o644)
    run = stage.run('enable', '--root', root, '--object', '/opt/$LIB/libjwtshim.so')
    seen = subprocess.run(['chroot', root, '/bin/true'], capture_output=True, timeout=30, check=False)
    stage.check(run.code == 0 and preload_of(root) == '/opt/$LIB/libjwtshim.so\n' and not seen.stderr.startswith(b'ERROR'), '$LIB stays as it is, and ld.so knows it', run, seen.stderr)
    status = stage.json('status', '--root', root)
    stage.check(status.code == 0 and status.json['preload']['entries'][0]['path'] == '/opt%s/libjwtshim.so' % library, 'and status follows it', status)


def at_once(stage, root):
    """Many at once: each adds or removes, none tears the file or loses what others have in it."""
    set_preload(root, '/a.so # keep\n')
    command = [stage.jwtshim, None, '--root', root, '--object', OBJECT]
    several = [subprocess.Popen(command[:1] + [name] + command[2:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for name in ('enable', 'disable') * 6]
    codes = [process.wait(60) for process in several]
    complaints = [process.stderr.read() for process in several]
    stage.check(0 in codes and set(codes) <= {0, EX_TEMPFAIL} and preload_of(root) in ('/a.so # keep\n', '/a.so # keep\n' + OBJECT + '\n') and
                os.listdir(os.path.join(root, 'etc')) == ['ld.so.preload'], 'twelve at once wait for one another', codes, complaints, preload_of(root))
    lock = os.path.join(root, 'etc/.jwtshim.ld.so.preload')
    set_preload(root, '/a.so\n')
    with open(lock, 'w', encoding='utf-8') as file:
        file.write('half of')
    run = enable(stage, root)
    stage.check(run.code == 0 and preload_of(root) == '/a.so\n' + OBJECT + '\n' and not os.path.exists(lock), 'what a killed run left behind is in nobody\'s way', run)
    disable(stage, root)
    holder = subprocess.Popen(['flock', lock, 'sh', '-c', 'echo; exec sleep 60'], stdout=subprocess.PIPE)
    holder.stdout.readline()
    run = enable(stage, root)
    stage.check(run.code == EX_TEMPFAIL and 'another run is changing it' in run.err and preload_of(root) == '/a.so\n' and os.path.exists(lock),
                'one that is held for long: 75, and it stays', run)
    holder.kill()
    holder.wait()
    os.unlink(lock)


def full_and_closed(stage, root):
    etc = os.path.join(root, 'etc')
    for sentence, options, code, why in (('a full disk: 74', 'size=4k', EX_IOERR, 'No space left'), ('a read-only file system: 73', 'ro', EX_CANTCREAT, 'Read-only')):
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=8k', 'none', etc], check=True, timeout=30)
        set_preload(root, '# ' + 'x' * 4000 + '\n')
        before = preload_of(root)
        subprocess.run(['mount', '-o', 'remount,' + ('size=8k' if 'size' in options else options), etc], check=True, timeout=30)
        filler = os.path.join(etc, 'filler')
        if 'size' in options:
            with open(filler, 'wb', buffering=0) as file:
                file.write(b'x' * 4096)
        run = enable(stage, root)
        stage.check(run.code == code and why in run.err and preload_of(root) == before and set(os.listdir(etc)) <= {'ld.so.preload', 'filler'},
                    '%s, and the file is as it was' % sentence, run, os.listdir(etc))
        subprocess.run(['umount', etc], check=True, timeout=30)


def this_machine(stage):
    """Without --root: this machine's own file, in a private /etc. Every program then has it, and none says a word."""
    with private(stage, opt={'jwtshim/libjwtshim.so': stage.shim}):
        run = stage.run('enable', '--object', OBJECT)
        stage.check(run.code == 0 and run.out.startswith('Now enabled in /etc/ld.so.preload'), 'enable on this machine', run)
        seen = subprocess.run(['grep', '-c', OBJECT, '/proc/self/maps'], capture_output=True, timeout=30, check=False)
        stage.check(seen.returncode == 0 and not seen.stderr, 'from then on a program has it', seen.stderr)
        status = stage.json('status')
        entry = status.json['preload']['entries']
        stage.check(status.code == 0 and status.json['active'] and len(entry) == 1 and entry[0]['path'] == OBJECT, 'status says so', status)
        run = stage.run('disable', '--dry-run', before=NOBODY)
        stage.check(run.code == 0 and run.out == '' and read('/etc/ld.so.preload') == OBJECT + '\n', 'a dry run needs no root', run)
        run = stage.run('disable')
        seen = subprocess.run(['grep', '-c', OBJECT, '/proc/self/maps'], capture_output=True, timeout=30, check=False)
        stage.check(run.code == 0 and seen.returncode == 1 and not os.path.exists('/etc/ld.so.preload'), 'disable on this machine, and no program has it', run)


def all_of(stage):
    root = stage.root('root')
    texts(stage, root)
    shutil.rmtree(os.path.join(root, 'etc'))
    os.mkdir(os.path.join(root, 'etc'))
    attributes(stage, root)
    links(stage, root)
    refusals(stage, root)
    gone(stage, stage.root('root2'))
    at_once(stage, stage.root('root3'))
    full_and_closed(stage, stage.root('root4'))
    token(stage, stage.root('root5', shim=False))
    this_machine(stage)
