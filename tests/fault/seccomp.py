"""Programs under a filter that kills at any system call but those that they make without the shim and the few that DESIGN.md names
("Which system calls are added"). What a program makes by itself is found with strace."""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'programs', 'sockets'))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'clients'))
import harness  # noqa: E402
import world  # noqa: E402
from clients import CLIENTS  # noqa: E402
from templates import GET, PUT, SITE  # noqa: E402

AT_EXEC = {'openat', 'read', 'close', 'newfstatat', 'fstat', 'mmap', 'mprotect', 'munmap', 'pread64'}    # ld.so maps the object with these
CONNECTION = {'sched_yield', 'getsockopt', 'getpeername', 'poll', 'fcntl', 'getpid', 'rt_sigprocmask', 'gettid', 'mprotect', 'brk'}
EVENT = {'readlink', 'readlinkat', 'write', 'rt_sigprocmask', 'rt_sigpending', 'rt_sigtimedwait'}
IN_MAIN = {'pread64', 'openat', 'close'}      # a program that may have OpenSSL inside


def numbers():
    """The kernel's number of each system call's name."""
    program = '#include <sys/syscall.h>\n'
    text = subprocess.run(['cc', '-E', '-dM', '-'], input=program, capture_output=True, text=True, check=True).stdout
    return {name: int(number) for name, number in re.findall(r'#define __NR_(\w+) (\d+)', text)}


def calls_of(argv, run, tmp):
    """The names of the system calls of a run without the shim."""
    trace = os.path.join(tmp, 'trace')
    run([shutil.which('strace'), '-f', '-qq', '-o', trace] + argv)
    with open(trace, encoding='utf-8', errors='replace') as file:
        return set(re.findall(r'^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)', file.read(), re.M))


class Bench:
    def __init__(self, options, mock):
        self.options, self.mock, self.numbers = options, mock, numbers()

    def under(self, names, argv):
        known = sorted({self.numbers[name] for name in names if name in self.numbers})
        return [os.path.join(self.options.programs, 'allow'), ','.join(map(str, known))] + argv

    def small(self, log):
        """A small program: each piece on its own, and the call is `write` alone."""
        files, environment = [GET(SITE)[0] + PUT(SITE)[0]], {'LD_PRELOAD': self.options.shim}
        argv = [os.path.join(self.options.programs, 'calls'), 'bytes']
        names = calls_of(argv, lambda all_of_it: world.run(all_of_it, files, {}, {}, self.options.timeout), self.mock.tmp)
        if log:
            environment['JWTSHIM_LOG'] = os.path.join(self.mock.tmp, 'small.jsonl')
            environment['JWTSHIM_INSPECT'] = 'off'
        more = AT_EXEC | CONNECTION | (EVENT if log else set())
        # The object is for the program behind the filter alone.
        argv = self.under(names | more, ['/usr/bin/env'] + ['%s=%s' % pair for pair in environment.items()] + argv)
        names |= calls_of(['/usr/bin/env', 'true'], lambda all_of_it: world.run(all_of_it, [], {}, {}, self.options.timeout), self.mock.tmp)
        outcome = world.run(self.under(names | more, argv[2:]), files, {}, {}, self.options.timeout)
        wanted = GET(SITE)[1] + PUT(SITE)[1]
        if outcome.status != 0 or outcome.wires != [wanted]:
            return ['exit %s %s' % (outcome.status, outcome.out)]
        return ['no event was written'] if log and not os.path.exists(environment['JWTSHIM_LOG']) else []

    def client(self, name):
        argv, scheme = CLIENTS[name]
        url = self.mock.sign('GET', scheme + '://site.atlassian.net/rest/api/3/myself')
        argv = ['/usr/bin/env', 'LD_PRELOAD='] + [word.replace('{CA}', self.mock.ca) for word in argv] + [url]
        names = calls_of(argv, lambda all_of_it: self.mock.run(all_of_it, False), self.mock.tmp) | {'write'}    # of the answer
        self.mock.mark()
        argv[1] = 'LD_PRELOAD=' + self.options.shim
        run = self.mock.run(self.under(names | AT_EXEC | CONNECTION | IN_MAIN, argv), False)
        verdicts = [request['verdict'] for request in self.mock.requests()]
        return [] if run.code == 0 and verdicts == ['valid'] else ['exit %s, %s' % (run.code, verdicts)]

    def filter_kills(self):
        """Without the documented ones the small program does not live: the filter is one."""
        outcome = world.run(self.under({'execve', 'exit_group'}, [os.path.join(self.options.programs, 'calls'), 'bytes']), [b'x'], {}, {},
                            self.options.timeout)
        return [] if outcome.status == -31 else ['exit %s' % outcome.status]      # SIGSYS


def tests(options):
    with harness.start_mock(options.build) as mock:
        bench = Bench(options, mock)
        rows = [('the filter kills', bench.filter_kills), ('a small program', lambda: bench.small(False)),
                ('a small program, with a log', lambda: bench.small(True))]
        rows += [(name, lambda name=name: bench.client(name)) for name in CLIENTS]
        for sentence, judge in rows:
            if options.only in sentence:
                yield 'seccomp: ' + sentence, judge
