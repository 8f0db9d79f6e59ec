"""Requests of C programs that leave by pointers from dlsym(), from plugins with RTLD_DEEPBIND, from another namespace, and between
other preloads: the TLS suite's judgement of each, and with JWTSHIM_LOADER=off the bytes of a run without the shim."""
from suite import GET, POST, Scenario, Suite

OFF = {'JWTSHIM_LOADER': 'off'}


class LoaderSuite(Suite):
    """A scenario may have objects that are preloaded before and behind the shim, in the runs without it too."""

    def call(self, scenario, host, files, preload, env=None):
        before, behind = getattr(scenario, 'before', ()), getattr(scenario, 'behind', ())
        objects = [self.programs.path(name) for name in before] + [self.mock.shim()] * preload + [self.programs.path(name) for name in behind]
        more = {'LD_LIBRARY_PATH': self.programs.libraries}
        if objects:
            more['LD_PRELOAD'] = ':'.join(self.mock.preload_first * preload + objects)
        return super().call(scenario, host, files, preload, dict(more, **(env or {})))


def row(way, sentence, program='pointers', kind='moves', before=(), behind=(), **more):
    scenario = Scenario(program + '/' + way, sentence, program, (POST, GET), kind, **more)
    scenario.before, scenario.behind = before, behind
    return scenario


def off(scenario):
    """The same with the hooks of the loader switched off: nothing of it happens."""
    return row(scenario.way, scenario.sentence + ', JWTSHIM_LOADER=off', scenario.program, 'same', scenario.before, scenario.behind, env=OFF,
               answers=scenario.answers)


def wrapped(letter, seen):
    return 'preload %s: 0 writes, %s records' % (letter, seen)


POINTERS = [
    row('dlsym', "libssl's functions by dlsym()"),
    row('dlvsym', "libssl's functions by dlvsym()"),
    row('two-copies', 'two copies of libssl by dlsym() from one place, each its own', answers=4,
        needs=('the record is written by libssl-a.so', 'the record is written by libssl-b.so')),
    row('jit', 'SSL_write from code that lies in no object, in two copies of libssl',
        needs=('the record is written by libssl-a.so', 'the record is written by libssl-b.so')),
]
STACKED = [
    row('linked', 'a program whose dlerror() is pending', 'stacked', needs=('still pending: no_such_name',),
        env={'JWTSHIM_INSPECT': 'off'}),       # the inspector is opened by dlopen()
    row('linked', 'a preload that wraps SSL_write before the shim', 'stacked', before=('wrap-a.so',), needs=(wrapped('a', 'some'),)),
    row('linked', 'a preload that wraps SSL_write behind the shim', 'stacked', behind=('wrap-b.so',), needs=(wrapped('b', 'some'),)),
    row('linked', 'preloads that wrap SSL_write before and behind the shim', 'stacked', before=('wrap-a.so',), behind=('wrap-b.so',),
        needs=(wrapped('a', 'some'), wrapped('b', 'some'))),
    row('linked', 'a preload that wraps dlsym() before the shim', 'stacked', before=('wrap-c.so',), needs=(wrapped('c', 'some'),)),
    row('linked', 'a preload that wraps dlsym() behind the shim', 'stacked', behind=('wrap-c.so',), needs=(wrapped('c', 'some'),)),
]


def all_of_them(here):
    for scenario in POINTERS + STACKED:
        here.scenario(scenario)
    for scenario in POINTERS[:2]:       # of two copies, which one a call means can be told by its pointer alone
        here.scenario(off(scenario))
    here.modes(POINTERS[0])
