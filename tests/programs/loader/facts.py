"""What asks.c prints of the loader: the same with the shim, and with JWTSHIM_LOADER=off, as without it. Where a library's writes are
meant to be reached, the lines that say where the token was differ as they should."""
import glob
import os

from suite import read_events

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
TOKEN_IN = b'the token is in the '
SAME = [
    ('origin', "a plugin's RUNPATH of $ORIGIN is its own"),
    ('own', "a plugin's own functions of hooked names stay its own"),
    ('handles', "write() by each kind of handle works"),
    ('versions', 'dlvsym() finds the versions there are, and no other'),
    ('absent', 'functions of libraries that are not loaded are not found'),
    ('errors', 'errno and dlerror() are the same at each step'),
    ('namespaces', 'dlmopen() succeeds as often, one after the other'),
    ('many-namespaces', 'dlmopen() gives as many namespaces at once, of objects that need no libc'),
    ('many-libcs', 'dlmopen() gives as many namespaces at once, each with a libc'),
    ('namespaces-by-threads', 'two threads that call dlmopen() at once get a namespace each'),
    ('calls', 'syscall()'),
    ('count', 'nothing is counted where nothing wraps'),
]
REACHED = [
    ('reached', 'two copies of a library by dlsym() and dlvsym()', 5),
    ('mixed', 'a copy in the global scope and one by its handle, called from one place', 6),
    ('reload', 'a library unloaded and loaded elsewhere more often than there are pointers', 7),
    ('deep', 'a plugin opened with RTLD_DEEPBIND', 1),
    ('namespaces-again', 'a plugin in a namespace, ten times, with failures in between', 10),
    ('namespace-life', 'a plugin in a namespace of its own, and in a child of a fork', 3),
]
STACKS = [
    ('before the shim', ('wrap-a.so',), ()),
    ('behind the shim', (), ('wrap-b.so',)),
    ('before and behind the shim', ('wrap-a.so',), ('wrap-b.so',)),
    ("before the shim, with libc's function by a handle", ('wrap-d.so',), ()),
    ("behind the shim, with libc's function by a handle", (), ('wrap-d.so',)),
    ('before the shim, wrapping dlsym() too', ('wrap-c.so',), ()),
    ('behind the shim, wrapping dlsym() too', (), ('wrap-c.so',)),
]
ALLOCATORS = [('jemalloc', 'libjemalloc.so.2'), ('tcmalloc', 'libtcmalloc.so.4'), ('tcmalloc_minimal', 'libtcmalloc_minimal.so.4'),
              ('mimalloc', 'libmimalloc.so.*')]


def library(name):
    return min(glob.glob('/usr/lib/*/' + name), default=None)


def ask(here, scenarios, shim, more=None, before=(), behind=()):
    environment = {'PLUGINS': here.programs.plugin_directory}
    objects = list(before) + [here.mock.shim()] * shim + list(behind)
    if objects:
        environment['LD_PRELOAD'] = ':'.join(objects)
    environment.update(more or {})
    return here.mock.run([here.programs.path('asks')] + scenarios, shim, environment, timeout=here.options.timeout)


def ended_well(run):
    return run.code == 0 and run.out.endswith(b'done\n') and not run.err


def judge_same(here, sentence, without, run):
    here.tap.report(ended_well(run) and ended_well(without) and run.out == without.out, sentence,
                    ['without: exit code %s' % without.code] + without.text().splitlines() + ['with: exit code %s' % run.code] +
                    run.text().splitlines())


def judge_reached(here, sentence, without, run, count, moved):
    wanted = without.out.replace(TOKEN_IN + b'query', TOKEN_IN + b'header') if moved else without.out
    here.tap.report(ended_well(run) and run.out == wanted and without.out.count(TOKEN_IN + b'query') == count, sentence,
                    ['without: exit code %s' % without.code] + without.text().splitlines() + ['with: exit code %s' % run.code] +
                    run.text().splitlines())


def all_of_them(here):
    for name, sentence in SAME:
        without = ask(here, [name], False)
        judge_same(here, sentence, without, ask(here, [name], True))
        off = ask(here, [name], True, {'JWTSHIM_LOADER': 'off'})
        if name == 'absent':        # what a preload that only exports functions cannot do
            found = [line.replace(b': 0 1', b': 1 0') if not line.startswith(b'no_such_name') else line for line in without.out.splitlines()]
            for words, run in (('JWTSHIM_LOADER=off', off), ('JWTSHIM=off', ask(here, [name], True, {'JWTSHIM': 'off'}))):
                here.tap.report(run.out.splitlines() == found, 'with %s our own exports are found, and no more' % words, run.text().splitlines())
            continue
        judge_same(here, sentence + ', with JWTSHIM_LOADER=off', without, off)
    for name, sentence, count in REACHED:
        without = ask(here, [name], False)
        judge_reached(here, sentence + ': the token moves', without, ask(here, [name], True), count, True)
        if name == 'mixed':         # our export is found by RTLD_DEFAULT anyway
            off = ask(here, [name], True, {'JWTSHIM_LOADER': 'off'})
            copy = b'copy b of the library: ' + TOKEN_IN
            here.tap.report(ended_well(off) and off.out == without.out.replace(copy + b'query', copy + b'header'), sentence +
                            ': with JWTSHIM_LOADER=off the global one is reached, as itself', off.text().splitlines())
            continue
        judge_reached(here, sentence + ': it does not with JWTSHIM_LOADER=off', without, ask(here, [name], True, {'JWTSHIM_LOADER': 'off'}),
                      count, False)
    judge_reached(here, 'with JWTSHIM=off nothing moves', ask(here, ['reached'], False), ask(here, ['reached'], True, {'JWTSHIM': 'off'}), 5, False)


def refused(here, name):
    """The run, and what its log says was not reached, and why."""
    log = os.path.join(here.mock.logs, 'loader-%s.jsonl' % name)
    run = ask(here, [name], True, {'JWTSHIM_LOG': log})
    events = read_events(log)
    return run, [(event['jwtshim.layer'], event['jwtshim.reason']) for event in events if event['jwtshim.action'] == 'layer-refused']


def limits(here):
    """What there is no room for is left as it is, and said once."""
    run, told = refused(here, 'many-libraries')
    where = [line[len(b'copy a of the library: ') + len(TOKEN_IN):] for line in run.out.splitlines() if TOKEN_IN in line]
    here.tap.report(ended_well(run) and where == [b'header'] * 85 + [b'query'] * 5, 'the 256 pointers reach 85 libraries with three functions each',
                    run.text().splitlines()[-12:])
    here.tap.report(told == [('loader', 'too-many-pointers')], 'that there is no other pointer is said once', [str(told)])
    run, told = refused(here, 'many-namespaces')
    here.tap.report(ended_well(run) and told == [('loader', 'too-many-namespaces')], 'that other namespaces have no copy of the shim is said once',
                    [str(told)] + run.text().splitlines())


def stacks(here):
    names = [name for name, _ in SAME if not name.startswith('many')]
    for words, before, behind in STACKS:
        before, behind = ([here.programs.path(name) for name in names_of] for names_of in (before, behind))
        wrapping_dlsym = 'dlsym' in words        # in C: RTLD_NEXT is that wrapper's own then, with and without us
        asked = ['own', 'count', 'versions', 'absent'] if not wrapping_dlsym else ['origin', 'count', 'namespaces']
        without = ask(here, asked, False, None, before, behind)
        judge_same(here, 'another preload %s sees and gets the same' % words, without, ask(here, asked, True, None, before, behind))
    for words, name in ALLOCATORS:
        object_of = library(name)
        for where in ('before', 'behind'):
            sentence = '%s preloaded %s the shim: the program sees the same' % (words, where)
            if not object_of:
                here.tap.skip(sentence, name + ' is not installed')
                continue
            objects = {where: [object_of]}
            judge_same(here, sentence, ask(here, names, False, None, **objects), ask(here, names, True, None, **objects))
    auditor = {'LD_AUDIT': here.programs.path('audit.so')}
    asked = ['origin', 'own', 'handles', 'errors', 'absent']
    judge_same(here, 'under an auditor (LD_AUDIT) the program sees the same', ask(here, asked, False, auditor), ask(here, asked, True, auditor))
