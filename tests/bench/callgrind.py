"""What the bench and the suites that hold it to its budgets share: small C programs built once, the instructions of one call by
callgrind (repeatable to the instruction), and the memory that a process has of its own."""
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
# path of cost.c, what it is, the budget, and what is asserted where that is more
PATHS = [
    ('unrelated', 'write on an unrelated descriptor', 15, 15),
    ('stream', 'flush of a stream to a file', 15, 15),
    ('record', 'send of a TLS record', 40, 40),
    ('head', '1 KiB head without a token', 600, 600),
    ('rewrite', '1 KiB head rewritten', 5000, 6500),      # shim/DESIGN.md says why
    ('dlsym-getopt', 'dlsym of a name that is not hooked', 60, 60),
]
MEMORY_BUDGET = 64 << 10


def environment(preload, more=None):
    """The caller's, without settings of the shim's; `preload` is an object, several separated by colons, or None."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(('JWTSHIM', 'LD_'))}
    if preload:
        env['LD_PRELOAD'] = preload
    env.update(more or {})
    return env


def shim_of(build):
    return os.path.abspath(os.path.join(build, 'libjwtshim.so'))


def compile_program(build, name, *libraries):
    """tests/bench/NAME.c, as a program in the build's directory."""
    return _compile(build, name, ['-O2', '-pthread', os.path.join(HERE, name + '.c')], libraries)


def empty_object(build):
    """An object with nothing in it, which is what any preload costs."""
    return _compile(build, 'empty.so', ['-shared', '-fPIC', '-x', 'c', '/dev/null'], ())


def _compile(build, name, arguments, libraries):
    scratch = os.path.abspath(os.path.join(build, 'bench'))
    os.makedirs(scratch, exist_ok=True)
    program = os.path.join(scratch, name)
    mine = '%s.%d' % (program, os.getpid())       # two suites at once must not run each other's half
    subprocess.run(['cc'] + arguments + ['-o', mine] + ['-l' + library for library in libraries], check=True, timeout=60)
    os.replace(mine, program)
    return program


def collected(argv, preload, more=None, timeout=300):
    """Instructions inside the program's functions measured_*(), in one run."""
    run = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', '--toggle-collect=measured_*'] + argv,
                         env=environment(preload, more), capture_output=True, text=True, timeout=timeout, check=False)
    found = re.search(r'Collected : (\d+)', run.stderr)
    if run.returncode != 0 or not found:
        raise RuntimeError('%s under callgrind: exit code %d\n%s' % (' '.join(argv), run.returncode, run.stderr[-2000:]))
    return int(found.group(1))


def instructions(program, arguments, preload, more=None):
    """Per call: the difference of two runs, so that what happens once does not count. The program's last argument says how often."""
    few, many = (collected([program] + arguments + [str(times)], preload, more) for times in (100, 200))
    return (many - few) / 100


def cost(program, arguments, shim):
    """Instructions per call above the real one."""
    return instructions(program, arguments, shim) - instructions(program, arguments, None)


def private_bytes(argv, preload):
    """Pages that are nobody else's, which the process prints itself from /proc/self/smaps. Not Private_Dirty, which counts a file that was
    just linked, too."""
    run = subprocess.run(argv, env=environment(preload), capture_output=True, text=True, timeout=30, check=True)
    if preload and os.path.basename(preload) not in run.stdout:
        raise RuntimeError('%s was not loaded into %s' % (preload, argv[0]))
    return 1024 * sum(int(size) for size in re.findall(r'^Anonymous: +(\d+) kB', run.stdout, re.MULTILINE))


def has_avx2():
    with open('/proc/cpuinfo', encoding='ascii', errors='replace') as file:
        return ' avx2 ' in file.read()
