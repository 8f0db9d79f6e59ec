"""A signal in the middle of writing: the command ends by it, what was there is as it was, and nothing unfinished lies beside it."""
import os
import signal
import subprocess

from rollout import OBJECT, preload_of, set_preload
from stage import read

EVENT = '{"timestamp":"2026-11-23T10:15:02.123Z","jwtshim.action":"rewritten","server.address":"site.atlassian.net","url.path":"/a"}\n'

# The moment is fixed: before what was written is flushed to the disk, and before it gets its name.
RAISER = r"""
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
static void at(const char *call)
{
    if (getenv("SIGNAL_AT") && strcmp(getenv("SIGNAL_AT"), call) == 0)
        raise(atoi(getenv("SIGNAL")));
}
int fsync(int fd)
{
    at("fsync");
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int fchmod(int fd, unsigned mode)
{
    at("fchmod");
    return ((int (*)(int, unsigned))dlsym(RTLD_NEXT, "fchmod"))(fd, mode);
}
"""


def all_of(stage):
    raiser = stage.path('raiser.so')
    subprocess.run(['cc', '-shared', '-fPIC', '-D_GNU_SOURCE', '-o', raiser, stage.write('raiser.c', RAISER)], check=True, timeout=60)
    log = stage.write('events.jsonl', EVENT)
    root = stage.root('root')
    os.mkdir(stage.path('pages'))
    page = stage.path('pages/page.html')
    for call in ('fchmod', 'fsync'):
        for name in ('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE', 'SIGXFSZ'):
            number = getattr(signal, name)
            environment = {'LD_PRELOAD': raiser, 'SIGNAL_AT': call, 'SIGNAL': str(int(number))}
            stage.write('pages/page.html', 'before')
            # Python ignores SIGPIPE and SIGXFSZ, and what is ignored stays so over an exec.
            run = stage.run('report', '--html=' + page, log, env=environment, before=('env', '--default-signal'))
            stage.check(run.code == -number and os.listdir(stage.path('pages')) == ['page.html'] and read(page) == 'before',
                        'report, ended by %s at %s, leaves the old page and nothing else' % (name, call), run, str(os.listdir(stage.path('pages'))))
            set_preload(root, '/other.so\n')
            for words in (['enable', '--root', root, '--object', OBJECT], ['disable', '--root', root, '--object', '/other.so']):
                if words[0] == 'disable':
                    set_preload(root, '/other.so\n/more.so\n')
                old = preload_of(root)
                run = stage.run(*words, env=environment, before=('env', '--default-signal'))
                left = os.listdir(os.path.join(root, 'etc'))
                stage.check(run.code == -number and left == ['ld.so.preload'] and preload_of(root) == old,
                            '%s, ended by %s at %s, leaves the old file and nothing else' % (words[0], name, call), run, str(left))
    stage.write('pages/page.html', 'before')
    run = stage.run('report', '--html=' + page, log, env={'LD_PRELOAD': raiser, 'SIGNAL_AT': 'fsync', 'SIGNAL': '1'}, before=('env', '--ignore-signal=HUP'))
    stage.check(run.code == 0 and read(page) != 'before', 'a signal that is ignored stays so', run)
