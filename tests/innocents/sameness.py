"""Runs a script with and without the shim in a directory of the same name, and says in what the two runs differ: standard output, standard error, exit
code, the files that are left. Standard output is a pipe, a file or a socket: as inetd's children have it, and where the stream hooks are at work from exec on.
"""
import contextlib
import difflib
import hashlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'clients'))
import harness  # noqa: E402

PATIENCE = 120      # seconds for one script
PIPE, SOCKET = 'a pipe', 'a socket'


class Place:
    """Where scripts run: `work` is emptied before each, so that both runs see the same names."""

    def __init__(self, build, scratch):
        self.shim = os.path.join(os.path.abspath(build), 'libjwtshim.so')
        self.work, self.log = os.path.join(scratch, 'work'), os.path.join(scratch, 'events.jsonl')

    def environment(self, objects=(), more=None):
        environment = {'PATH': '/usr/bin:/bin:/usr/sbin:/sbin', 'HOME': self.work, 'TMPDIR': '/tmp', 'LC_ALL': 'C.UTF-8', 'TERM': 'dumb',
                       'SOURCE': TOP, 'PERL_HASH_SEED': '0', 'PYTHONDONTWRITEBYTECODE': '1', 'JWTSHIM_LOG': self.log, 'JWTSHIM_LOG_LEVEL': 'all'}
        if objects:
            environment['LD_PRELOAD'] = ':'.join(objects)
        return dict(environment, **(more or {}))

    def play(self, argv, objects=(), more=None, output=PIPE, patience=PATIENCE):
        """A harness.Run in the emptied directory, and the files that it left."""
        shutil.rmtree(self.work, ignore_errors=True)
        os.mkdir(self.work)
        near, far = socket_pair() if output == SOCKET else os.pipe()
        process = subprocess.Popen(argv, cwd=self.work, env=self.environment(objects, more), stdin=subprocess.DEVNULL, stdout=far,
                                   stderr=subprocess.PIPE, start_new_session=True, preexec_fn=harness._die_with_parent)
        os.close(far)
        out = []
        reader = threading.Thread(target=lambda: out.append(all_of(near)), daemon=True)
        reader.start()
        code = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            _, err = process.communicate(timeout=patience)
            code = process.returncode
        if code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            _, err = process.communicate()
        reader.join(10)
        return harness.Run(code, b''.join(out), err), files_in(self.work)

    def events(self):
        with contextlib.suppress(FileNotFoundError), open(self.log, encoding='utf-8') as file:
            return file.read().splitlines()
        return []


def socket_pair():
    """Two ends of a TCP connection."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        far = socket.create_connection(server.getsockname())
        return server.accept()[0].detach(), far.detach()


def all_of(descriptor):
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := os.read(descriptor, 65536):
            parts.append(part)
    os.close(descriptor)
    return b''.join(parts)


def files_in(directory):
    """{name: what it is}, times and owners left out."""
    found = {}
    for where, directories, names in os.walk(directory):
        for name in directories + names:
            path = os.path.join(where, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode):
                with open(path, 'rb') as file:
                    what = hashlib.sha256(file.read()).hexdigest()[:16]
            else:
                what = os.readlink(path) if stat.S_ISLNK(mode) else ''
            found[os.path.relpath(path, directory)] = '%s %s' % (stat.filemode(mode), what)
    return found


def differences(without, with_it):
    """Of two results of Place.play(); empty if there are none."""
    (one, files), (other, other_files) = without, with_it
    lines = []
    if one.code != other.code:
        lines.append('exit codes %s without and %s with it' % (one.code, other.code))
    for name, first, second in (('standard output', one.out, other.out), ('standard error', one.err, other.err)):
        if first != second:
            lines += [name] + list(difflib.unified_diff(first.decode('utf-8', 'replace').splitlines(), second.decode('utf-8', 'replace').splitlines(),
                                                        'without', 'with', lineterm=''))[:30]
    lines += ['file %s: %s without, %s with it' % (name, files.get(name), other_files.get(name))
              for name in sorted(set(files) | set(other_files)) if files.get(name) != other_files.get(name)][:20]
    return lines
