"""What a preload costs a program that does not need it: starting it, and a write. Against other preloads that users know, each
from Debian and each with the settings that let it do nothing."""
import glob
import os
import statistics
import subprocess
import time

import callgrind

# An object (a pattern, for the architecture's directory), and what it wants to be told.
OTHERS = {
    'socket_wrapper': ('/usr/lib/*/libsocket_wrapper.so', {'SOCKET_WRAPPER_DIR': '{tmp}'}),
    'torsocks': ('/usr/lib/*/torsocks/libtorsocks.so', {'TORSOCKS_LOG_LEVEL': '1'}),
    'proxychains4': ('/usr/lib/*/libproxychains.so.4', {'PROXYCHAINS_QUIET_MODE': '1'}),
    'libfaketime': ('/usr/lib/*/faketime/libfaketime.so.1', {'FAKETIME': '+0'}),
}


def contestants(shim, empty, tmp):
    """{name: environment}"""
    found = {'nothing': callgrind.environment(None), 'an empty object': callgrind.environment(empty), 'jwtshim': callgrind.environment(shim)}
    for name, (pattern, settings) in OTHERS.items():
        objects = glob.glob(pattern)
        if objects:
            found[name] = callgrind.environment(objects[0], {key: value.format(tmp=tmp) for key, value in settings.items()})
    return found


def spawn_microseconds(program, env):
    start = time.perf_counter()
    pid = os.posix_spawn(program, [program, '-c', ':'] if program.endswith('bash') else [program], env)
    if os.waitpid(pid, 0)[1] != 0:
        raise RuntimeError('%s ended badly with %s' % (program, env.get('LD_PRELOAD')))
    return (time.perf_counter() - start) * 1e6


def exec_times(program, them, rounds):
    """{name: (median µs, the tenth part that is fastest)}: a busy machine blurs the former."""
    times = {name: [] for name in them}
    for _ in range(rounds):
        for name, env in them.items():
            times[name].append(spawn_microseconds(program, env))
    return {name: (statistics.median(values), statistics.quantiles(values, n=10)[0]) for name, values in times.items()}


def write_times(program, them, rounds):
    """{name: (median ns,)} of a write of one byte to /dev/null."""
    times = {name: [] for name in them}
    for _ in range(rounds):
        for name, env in them.items():
            got = subprocess.run([program, 'nanoseconds', '200000'], env=env, capture_output=True, text=True, timeout=60, check=True)
            times[name].append(float(got.stdout.split()[-1]))
    return {name: (statistics.median(values),) for name, values in times.items()}
