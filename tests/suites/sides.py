"""The same command on several sides: with nothing preloaded, with the shim, with an object that does nothing. The sides of one run go on at the same
time and under the same load, each in a network, a directory and a home of its own, so that no two of them meet.
"""
import concurrent.futures
import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'clients'))
import harness  # noqa: E402

WITHOUT, SHIM, EMPTY = 'without', 'with the shim', 'with an empty object'
CLONE_NEWNET = 0x40000000


class Sides:
    """`events` of the shim are collected, since a suite that is no client of Atlassian's must leave none."""

    def __init__(self, build, scratch):
        self.build, self.scratch = os.path.abspath(build), scratch
        self.log = os.path.join(scratch, 'events.jsonl')
        self.empty = os.path.join(scratch, 'libempty.so')

    def preload_of(self, side):
        if side == EMPTY and not os.path.exists(self.empty):
            subprocess.run(['cc', '-shared', '-fPIC', '-x', 'c', '/dev/null', '-o', self.empty], check=True, timeout=60)
        return {WITHOUT: None, SHIM: os.path.join(self.build, 'libjwtshim.so'), EMPTY: self.empty}[side]

    def environment(self, side, home, more):
        environment = {'PATH': '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', 'HOME': home, 'TMPDIR': home, 'LC_ALL': 'C.UTF-8', 'TERM': 'dumb',
                       'JWTSHIM_LOG': self.log, 'JWTSHIM_LOG_LEVEL': 'all', 'PYTHONDONTWRITEBYTECODE': '1', 'PYTHONHASHSEED': '1'}
        if self.preload_of(side):
            environment['LD_PRELOAD'] = self.preload_of(side)
        environment.update(more)
        return environment

    def run(self, side, argv, timeout, more=()):
        """A harness.Run and the directory it ran in (to be removed by the caller)."""
        home = tempfile.mkdtemp(prefix='side-', dir=self.scratch)
        process = subprocess.Popen([word.replace('{home}', home) for word in argv], cwd=home, env=self.environment(side, home, dict(more)),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                   preexec_fn=_own_network)
        try:
            out, _ = process.communicate(timeout=timeout)
            return harness.Run(process.returncode, out, b''), home
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            try:
                out, _ = process.communicate(timeout=10)
            except subprocess.TimeoutExpired:       # something that left the group still has the pipe
                process.stdout.close()
                out = b''
            return harness.Run(None, out, b''), home

    def outcomes(self, suite, part, sides, timeout):
        """{side: {test: outcome}} of one part of a suite, all sides at once."""
        def one(side):
            run, home = self.run(side, suite.command(part), timeout, suite.environment)
            try:
                return suite.outcomes(part, run, home)
            finally:
                shutil.rmtree(home, ignore_errors=True)
        with concurrent.futures.ThreadPoolExecutor(len(sides)) as pool:
            return dict(zip(sides, pool.map(one, sides)))

    def events(self):
        with contextlib.suppress(FileNotFoundError), open(self.log, encoding='utf-8') as file:
            return file.read().splitlines()
        return []


def _own_network():
    harness._die_with_parent()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), 'unshare')
    harness._loopback_up()
