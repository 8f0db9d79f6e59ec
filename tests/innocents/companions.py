"""Other things that put themselves into programs, or watch them: sanitizers, memory checkers, debuggers, tracers, auditors, allocators, other ways
of binding. Each comparison is of the same companion with and without the shim.
"""
import glob
import os
import re
import shutil
import subprocess

from sameness import PIPE, SOCKET, differences

HERE = os.path.dirname(os.path.abspath(__file__))
WATCHED = os.path.join(HERE, 'watched.c')
SANITIZERS = {'address': 'libasan.so.*', 'thread': 'libtsan.so.*', 'undefined': 'libubsan.so.*', 'leak': 'liblsan.so.*'}
# ThreadSanitizer wants the addresses where they are without randomness; the runtimes print addresses and process numbers.
UNRANDOM = ['setarch', '-R']
SOME_PROGRAMS = {
    'bash': ['bash', '-c', 'echo a | cat; exec 3<> f; echo b >&3; cat f; (exit 3); echo $?; printf "GET / HTTP/1.1\\n"'],
    'python': ['/usr/bin/python3', '-c', 'import socket, subprocess; a, b = socket.socketpair(); a.sendall(b"GET /"); print(subprocess.run(["echo", "x"]).returncode)'],
    'curl': ['curl', '-s', 'http://127.0.0.1:9/', '-w', '%{http_code} %{exitcode}\n'],
    'gcc': ['sh', '-c', 'echo "int main(void) { return 0; }" | gcc -x c - -o t && ./t && echo made'],
    'openssl': ['sh', '-c', 'seq 100 | openssl dgst -sha256; openssl req -x509 -newkey ed25519 -nodes -subj /CN=x -keyout /dev/null -out /dev/null 2>&1 | wc -l'],
}


def same(place, tap, name, argv, output=PIPE, before=(), more=None, patience=20):
    """The command with the objects `before` preloaded, and with the shim behind those."""
    without = place.play(argv, before, more, output, patience)
    if without[0].code is None or without[0].code < 0 or not (without[0].out or without[0].err):
        tap.skip(name, 'it does not run so without the shim (exit code %s)' % without[0].code)
        return
    with_it = place.play(argv, [*before, place.shim], more, output)
    lines = differences(_scrubbed(without), _scrubbed(with_it))
    tap.report(not lines, name, lines)


# An unwinder that follows what it takes for frames comes to the stack itself: how far depends on the length of LD_PRELOAD alone.
STRAY_FRAMES = rb'(?m)^ *#\d+ .*(?:\[stack\]|<unknown module>).*\n'


def _scrubbed(result, ordered=True):
    """Without what is another in each run: numbers, stray frames, and the order of lines where several processes print at once."""
    run, files = result
    for attribute in ('out', 'err'):
        setattr(run, attribute, re.sub(rb'==\d+==|0x[0-9a-f]+|\b\d{3,} Segm|\[\d+\]|\bprocess \d+|\bLWP \d+', b'', re.sub(STRAY_FRAMES, b'', getattr(run, attribute))))
        if not ordered:
            setattr(run, attribute, b'\n'.join(sorted(getattr(run, attribute).split(b'\n'))))
    return run, files


def runtimes(place, tap, wanted):
    """A sanitizer's runtime preloaded into programs that were built without one."""
    for sanitizer, pattern in SANITIZERS.items():
        found = sorted(path for path in glob.glob('/usr/lib/*/' + pattern) if not os.path.islink(path) and os.uname().machine in path)
        for name, argv in SOME_PROGRAMS.items():
            if name == 'curl' or sanitizer == 'thread' and name != 'python':       # these do not start so, with or without the shim
                continue
            sentence = '%s with the runtime of -fsanitize=%s preloaded works as without the shim' % (name, sanitizer)
            if not wanted('companions ' + sentence):
                continue
            if not found:
                tap.skip(sentence, 'the runtime is not installed')
                continue
            same(place, tap, sentence, UNRANDOM + argv, before=found[:1], more={'ASAN_OPTIONS': 'detect_leaks=0', 'TSAN_OPTIONS': 'report_bugs=0'})


def sanitized(place, tap, wanted):
    """Programs that were built with one: its runtime is in the program with clang, and a library that must come first with gcc."""
    for compiler in ('gcc', 'clang'):
        for sanitizer in ('address', 'thread', 'undefined', 'leak'):
            sentence = 'a program of %s -fsanitize=%s, its output' % (compiler, sanitizer)
            if not wanted('companions ' + sentence):
                continue
            program = os.path.join(os.path.dirname(place.work), '%s-%s' % (compiler, sanitizer))
            built = subprocess.run([compiler, '-g', '-O1', '-fsanitize=' + sanitizer, '-pthread', '-o', program, WATCHED], capture_output=True)
            if built.returncode:
                tap.skip(sentence, '%s has no such runtime here' % compiler)
                continue
            before = ()
            if compiler == 'gcc' and sanitizer in ('address', 'leak'):
                before = [path for path in subprocess.run(['ldd', program], capture_output=True, text=True).stdout.split() if re.search('/lib[al]san', path)]
            for output in (PIPE, SOCKET):
                same(place, tap, '%s into %s is as without the shim' % (sentence, output), UNRANDOM + [program], output, before,
                     {'TSAN_OPTIONS': 'exitcode=66', 'LSAN_OPTIONS': 'exitcode=23'})


def watchers(place, tap, wanted):
    program = os.path.join(os.path.dirname(place.work), 'watched')
    subprocess.run(['cc', '-g', '-pthread', '-o', program, WATCHED], check=True, timeout=60)
    given = ['LD_PRELOAD=' + place.shim, 'JWTSHIM_LOG=' + place.log]
    rows = {
        'valgrind': ['valgrind', '-q', '--leak-check=full', '--error-exitcode=99', '--trace-children=no', program],
        'helgrind': ['valgrind', '-q', '--tool=helgrind', '--error-exitcode=99', program],
    }
    for name, argv in rows.items():
        if wanted('companions ' + name) and shutil.which(argv[0]):
            same(place, tap, '%s says of a program what it says without the shim' % name, argv)
    # These start the program with the shim in it, and are free of it themselves.
    inside = {
        'gdb': lambda more: ['gdb', '-q', '-nx', '-batch', *[word for text in more for word in ('-ex', 'set environment ' + text.replace('=', ' ', 1))],
                             '-ex', 'set startup-with-shell off', '-ex', 'set debuginfod enabled off', '-ex', 'set print thread-events off', '-ex', 'break drain', '-ex', 'run', '-ex', 'bt 1', '-ex', 'finish', '-ex', 'continue', program],
        'strace': lambda more: ['strace', '-f', '-e', 'trace=execve', '-e', 'signal=none', '-o', '/dev/null', *[word for text in more for word in ('-E', text)], program],
        'ltrace': lambda more: ['env', *more, 'ltrace', '-f', '-o', '/dev/null', program],
        'time': lambda more: ['env', *more, 'timeout', '20', 'nice', 'stdbuf', '-o0', program],
    }
    for name, command in inside.items():
        if not wanted('companions ' + name) or not shutil.which(name) and name != 'time':
            continue
        without, with_it = place.play(command([])), place.play(command(given))
        lines = differences(*(_scrubbed(result, name != 'gdb') for result in (without, with_it))) + ([] if without[0].out else ['no output: %s' % without[0].text()])
        tap.report(not lines, 'a program with the shim in it under %s does what it does without' % name, lines)


def bindings(place, tap, wanted):
    """Other ways to bind, and another C library's allocator."""
    allocators = [path for pattern in ('libjemalloc.so.2', 'libtcmalloc.so.4', 'libtcmalloc_minimal.so.4', 'libmimalloc.so.2*')
                  for path in glob.glob('/usr/lib/*/' + pattern)][:4]
    ways = [('LD_BIND_NOW', [], {'LD_BIND_NOW': '1'}), ('LD_BIND_NOT', [], {'LD_BIND_NOT': '1'}),
            ('LD_DYNAMIC_WEAK', [], {'LD_DYNAMIC_WEAK': '1'}), ('MALLOC_PERTURB_', [], {'MALLOC_PERTURB_': '85'}),
            ('libc_malloc_debug', ['libc_malloc_debug.so.0'], {'MALLOC_CHECK_': '3'}),
            ('hardware capabilities masked', [], {'GLIBC_TUNABLES': 'glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-SSE4_2'})]
    ways += [(os.path.basename(path), [path], {}) for path in allocators]
    auditor = os.path.join(os.path.dirname(place.work), 'libaudit.so')
    subprocess.run(['cc', '-shared', '-fPIC', '-D_GNU_SOURCE', '-include', 'link.h', '-x', 'c', '-', '-o', auditor], check=True, timeout=60,
                   input=b'unsigned la_version(unsigned v) { return v; } unsigned la_objopen(struct link_map *m, Lmid_t l, uintptr_t *c) '
                         b'{ (void)m; (void)l; (void)c; return LA_FLG_BINDTO | LA_FLG_BINDFROM; }')
    ways.append(('LD_AUDIT', [], {'LD_AUDIT': auditor}))
    for way, before, more in ways:
        for name, argv in SOME_PROGRAMS.items():
            if name != 'gcc' and wanted('companions %s %s' % (way, name)):
                same(place, tap, '%s with %s works as without the shim' % (name, way), argv, SOCKET if name == 'bash' else PIPE, before, more)


def companions(place, tap, wanted):
    for group in (runtimes, sanitized, watchers, bindings):
        group(place, tap, wanted)
