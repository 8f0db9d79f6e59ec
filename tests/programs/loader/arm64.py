"""The assembly's other half: the object and asks.c built for arm64 and run by qemu, where Debian's packages for that are installed."""
import os
import platform
import shutil
import subprocess

from build import Loader, Missing
import facts

COMPILER, EMULATOR, SYSROOT = 'aarch64-linux-gnu-gcc', 'qemu-aarch64-static', '/usr/aarch64-linux-gnu'
SENTENCE = 'on arm64: what a program sees of the loader'


class There:
    """What facts.py needs, for runs under qemu."""

    def __init__(self, here, programs, directory):
        self.programs, self.options, self.tap = programs, here.options, here.tap
        self.mock, self._run, self._shim = self, here.mock.run, os.path.join(directory, 'libjwtshim.so')

    def shim(self):
        return self._shim

    def run(self, argv, preload, env, timeout):
        del preload
        there = [EMULATOR, '-L', SYSROOT]
        for name, value in env.items():
            there += ['-E', '%s=%s' % (name, value)]
        return self._run(there + argv, False, {}, timeout=timeout * 5)


def facts_there(here):
    missing = [tool for tool in (COMPILER, EMULATOR) if not shutil.which(tool)]
    if platform.machine() != 'x86_64' or missing or not os.path.isdir(SYSROOT):
        here.tap.skip(SENTENCE, 'this is another machine' if platform.machine() != 'x86_64' else '%s is not installed' % ', '.join(missing or [SYSROOT]))
        return
    directory = os.path.join(here.options.build, 'arm64')
    made = subprocess.run(['make', '-s', 'B=' + here.options.build, 'arm64'], cwd=facts.ROOT, capture_output=True, text=True, timeout=600)
    if made.returncode:
        here.tap.report(False, 'the object builds for arm64', made.stderr.splitlines()[-10:])
        return
    programs = Loader(directory, COMPILER)
    try:
        programs.asking()
    except Missing as wrong:
        here.tap.report(False, 'the programs build for arm64', str(wrong).splitlines())
        return
    there = There(here, programs, directory)
    for name, sentence in facts.SAME:
        if name == 'namespaces-by-threads':     # the emulator ends by a signal there, with and without the shim
            continue
        without = facts.ask(there, [name], False)
        facts.judge_same(there, 'on arm64: ' + sentence, without, facts.ask(there, [name], True))
    for name, sentence, count in facts.REACHED:
        without = facts.ask(there, [name], False)
        facts.judge_reached(there, 'on arm64: %s: the token moves' % sentence, without, facts.ask(there, [name], True), count, True)
