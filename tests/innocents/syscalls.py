"""What programs ask of the kernel, with the shim and with an object that does nothing, as strace sees it. Nothing may be missing, and nothing added but
what DESIGN.md names under "Which system calls are added".
"""
import difflib
import os
import re
import shutil
import subprocess

PROGRAMS = {
    'true': ['true'],
    'cat into a pipe': ['cat', '/etc/passwd'],
    'ls': ['ls', '-l', '/etc/apt'],
    'a shell with a pipe, a file and a here-document': ['sh', '-c', 'echo a | cat > f; cat f <<END\nx\nEND\nexit 3'],
    'bash': ['bash', '-c', 'echo a; echo b > f; read -r x < f; echo "$x"; exec 3>&1; echo c >&3'],
    'sed in place': ['sh', '-c', 'seq 100 > n; sed -i s/1/x/ n; tail -n 1 n'],
    'gawk': ['gawk', 'BEGIN { print "a"; print "b" > "f"; system("echo c") }'],
    'tar and gzip': ['sh', '-c', 'seq 1000 > n; tar --mtime=@0 -czf a.tgz n; tar -tzf a.tgz'],
    'perl': ['perl', '-e', 'print "a\\n"; open(F, ">f"); print F "b"; close F; print `echo c`'],
    'sqlite3': ['sqlite3', 'db', 'create table t(a); insert into t values (1); select * from t'],
    'git': ['git', 'init', '-q', 'repository'],
    'gcc': ['sh', '-c', 'echo "int x;" > x.c; gcc -c -o x.o x.c'],
}
# Whatever these say differs from run to run, whether by address, number of a process, time, or by the object that is preloaded.
NOISE = [(r'^\d+ +', ''), (r'0x[0-9a-f]+', 'P'), (r'\[pid +\d+\] ', ''), (r'\b\d{4,}\b', 'N'), (r'""(\.\.\.)?', 'TEXT'), (r'st_size=\d+|st_mtime=[^,}]*', ''),
         (r'(sysinfo|getrusage|rt_sigreturn)\(.*', r'\1'), (r' += ', ' = '), (r'\bsed\w{6}\b', 'TEMPORARY'), (r'"/tmp/[^"]*"', 'TEMPORARY'), (r'libjwtshim\.so|libempty\.so', 'OBJECT')]
# What a process may add at its exec, once: of a large program that may have OpenSSL inside, the symbol table is looked for as well.
AT_EXEC = [r'openat\(AT_FDCWD, "/etc/jwtshim.conf", ', r'newfstatat\(1, TEXT, ', r'openat\(AT_FDCWD, "/proc/self/exe", ',
           r'pread64\(\d+, TEXT, 64, 0\)', r'pread64\(', r'close\(']
# A descriptor of unknown origin is looked at before its first write, once until its number means something else, and before it is duplicated.
LOOK = re.compile(r'newfstatat\((\d+), TEXT, .*AT_EMPTY_PATH\)')
WRITE = r'(write|writev|pwritev2|sendfile|splice)\((\d+, )?%s\b'
DUPLICATE = r'(dup|dup2|dup3|fcntl)\(%s\b'

MEANS_ANOTHER = re.compile(r'^close\((\d+)|^(?:open|openat|pipe|pipe2|dup|dup2|dup3|fcntl|socket)\(.*= (\d+)$')


def trace(place, argv, preloaded):
    """[[call, …], …]: the calls of each process between its execs, without those of the loader that map the preloaded object."""
    shutil.rmtree(place.work, ignore_errors=True)
    os.mkdir(place.work)
    record = os.path.join(os.path.dirname(place.work), 'strace')
    subprocess.run(['strace', '-s', '0', '-ff', '-o', record, '-E', 'LD_PRELOAD=' + preloaded, '-e', 'signal=none'] + argv, cwd=place.work, stdin=subprocess.DEVNULL,
                   env=place.environment(more={'JWTSHIM_LOG': 'off'}), capture_output=True, timeout=60)
    lives = []
    names = [name for name in os.listdir(os.path.dirname(record)) if name.startswith('strace.')]
    for name in sorted(names, key=lambda name: int(name.rpartition('.')[2])):
        path = os.path.join(os.path.dirname(record), name)
        with open(path, encoding='utf-8', errors='replace') as file:
            lives += lives_in(file.read().splitlines())
        os.unlink(path)
    return lives


def lives_in(lines):
    lives, life, mapping = [], [], False
    for line in lines:
        for pattern, replacement in NOISE:
            line = re.sub(pattern, replacement, line)
        if line.startswith('execve(') and line.endswith('= 0') and life:
            lives.append(life)
            life = []
        if line.startswith('openat(') and ('OBJECT' in line or 'TEMPORARY, O_RDONLY|O_CLOEXEC' in line and len(life) < 8):
            mapping = True
        # Where a child's end interrupts its parent, and whether a random name is taken, is chance; how the heap grows and what is sealed is the loader's matter.
        if not mapping and not line.startswith(('mprotect(P, ', 'set_tid_address', 'brk(', 'wait4(', 'rt_sigreturn', 'getrandom')):
            life.append(line)
        if mapping and line.startswith('close('):
            mapping = False
    return lives + [life]


def strangers(without, with_it):
    """What one life has that is not foreseen."""
    once, found, at, looked_at = list(AT_EXEC), [], 0, set()
    for kind, line in ((word[:1], word[2:]) for word in difflib.ndiff(without, with_it)):
        following = with_it[at + 1] if at + 1 < len(with_it) else ''
        if kind == '-':
            found.append('missing: ' + line)
        elif kind == '+':
            known = next((pattern for pattern in once if re.match(pattern, line)), None)
            look = LOOK.match(line)
            if known:
                once.remove(known)
            elif look and re.match(WRITE % look[1], following) and look[1] not in looked_at:
                looked_at.add(look[1])
            elif not look or not re.match(DUPLICATE % look[1], following):
                found.append('added: ' + line)
        looked_at -= {number for numbers in MEANS_ANOTHER.findall(line) for number in numbers}
        at += kind in '+ '
    return found


def syscalls(place, tap, wanted):
    if not shutil.which('strace'):
        tap.skip('system calls', 'strace is not installed')
        return
    empty = os.path.join(os.path.dirname(place.work), 'libempty.so')
    subprocess.run(['cc', '-shared', '-fPIC', '-x', 'c', '/dev/null', '-o', empty], check=True, timeout=60)
    for name, argv in PROGRAMS.items():
        if not wanted('syscalls ' + name) or not shutil.which(argv[0]):
            continue
        without, with_it = trace(place, argv, empty), trace(place, argv, place.shim)
        lines = ['%d processes and execs without, %d with it' % (len(without), len(with_it))] if len(without) != len(with_it) else []
        for first, second in zip(without, with_it):
            lines += [second[0][:60] + ' - ' + line for line in strangers(first, second)] if second else []
        calls = sum(map(len, without))
        tap.report(calls > 10 and not lines, '%s: the same system calls, and no others but those that are documented (%d)' % (name, calls), lines[:20])
