"""Where the socket programs run: a private network namespace, a recorder of all that arrives, and runs with a time limit.
Python's standard library only. Never reaches a host outside, never prints what was sent."""
import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

INSIDE = 'JWTSHIM_SOCKETS_NAMESPACE'
PUBLIC = '203.0.113.5'            # an address that is no private one, on the namespace's own loopback device


def enter_namespace():
    """Returns inside a fresh user, mount and network namespace; the first time round by running the script again in one."""
    if os.environ.get(INSIDE) != '1':
        unshare = shutil.which('unshare') or '/usr/bin/unshare'
        os.execve(unshare, [unshare, '-rmn', sys.executable, os.path.abspath(sys.argv[0])] + sys.argv[1:],
                  dict(os.environ, **{INSIDE: '1'}))
    siocsifaddr, siocgifflags, siocsifflags, siocsifnetmask, iff_up = 0x8916, 0x8913, 0x8914, 0x891c, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        def address(text):
            return struct.pack('HH4s8x', socket.AF_INET, 0, socket.inet_aton(text))
        flags = struct.unpack_from('h', fcntl.ioctl(control, siocgifflags, struct.pack('16sh22x', b'lo', 0)), 16)[0]
        fcntl.ioctl(control, siocsifflags, struct.pack('16sh22x', b'lo', flags | iff_up))
        fcntl.ioctl(control, siocsifaddr, struct.pack('16s16s8x', b'lo:1', address(PUBLIC)))
        fcntl.ioctl(control, siocsifnetmask, struct.pack('16s16s8x', b'lo:1', address('255.255.255.255')))
    with open('/proc/sys/net/ipv4/tcp_fastopen', 'w', encoding='ascii') as setting:
        setting.write('3')


class Connection:
    """What arrived on one connection: its bytes, and how many descriptors came with them."""

    def __init__(self, peer):
        self.socket, self.data, self.descriptors, self.answered = peer, bytearray(), 0, False


class Recorder:
    """Accepts on a TCP and a UNIX address and keeps all bytes, by connection. `paused`: reads nothing before a byte on the
    control pipe. `slow`: small buffers, and a pause between reads. `answer_at`: sends one byte once so many have arrived."""

    def __init__(self, directory, paused=False, slow=False, answer_at=None, at=('127.0.0.1', 0)):
        self.paused, self.slow, self.answer_at = paused, slow, answer_at
        self.connections, self.listeners = [], []
        self.selector = selectors.DefaultSelector()
        self.control, self.program_end = os.pipe()
        self.wake, self.waker = os.pipe()
        self.path = os.path.join(directory, 'recorder')
        for family, address in ((socket.AF_INET, at), (socket.AF_UNIX, self.path)):
            listener = socket.socket(family, socket.SOCK_STREAM)
            self.listeners.append(listener)
            if family == socket.AF_INET:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
                if paused or slow:
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            listener.bind(address)
            listener.listen(4096)
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ)
        self.selector.register(self.control, selectors.EVENT_READ)
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.tcp = 'tcp:%s:%d' % self.listeners[0].getsockname()
        self.unix = 'unix:' + self.path
        self.deadline = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _open(self):
        return any(connection.socket for connection in self.connections)

    def _run(self):
        while True:
            if self.deadline:
                self._resume()      # whose program has ended
            events = self.selector.select(None if not self.deadline else 0.2 if self._open() else 0)
            for key, _ in events:
                if key.fileobj == self.wake:
                    os.read(self.wake, 1)
                elif key.fileobj == self.control:
                    if os.read(self.control, 1):
                        self._resume()
                    else:
                        self.selector.unregister(self.control)
                elif isinstance(key.data, Connection):
                    self._read(key.data)
                else:
                    self._accept(key.fileobj)
            if self.deadline and (not events and not self._open() or time.monotonic() > self.deadline):
                return

    def _accept(self, listener):
        with contextlib.suppress(BlockingIOError):
            while True:
                peer, _ = listener.accept()
                peer.setblocking(False)
                connection = Connection(peer)
                self.connections.append(connection)
                if not self.paused:
                    self.selector.register(peer, selectors.EVENT_READ, connection)

    def _resume(self):
        if self.paused:
            self.paused = False
            for connection in self.connections:
                self.selector.register(connection.socket, selectors.EVENT_READ, connection)

    def _read(self, connection):
        try:
            if connection.socket.family == socket.AF_UNIX:
                data, control, _, _ = connection.socket.recvmsg(65536, 1024)
                for level, kind, numbers in control:
                    if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                        for (number,) in struct.iter_unpack('i', numbers):
                            connection.descriptors += 1
                            os.close(number)
            else:
                data = connection.socket.recv(2048 if self.slow else 65536)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b''
        if not data:
            self.selector.unregister(connection.socket)
            connection.socket.close()
            connection.socket = None
            return
        connection.data += data
        if self.answer_at and not connection.answered and len(connection.data) >= self.answer_at:
            connection.answered = True
            connection.socket.send(b'Y')
        if self.slow:
            time.sleep(0.0001)

    def finish(self):
        """Waits until all connections have ended, for ten seconds at most; says whether they have."""
        patience = 10
        os.close(self.program_end)
        self.program_end = None
        self.deadline = time.monotonic() + patience
        os.write(self.waker, b'.')
        self.thread.join(patience + 5)
        return not self._open()

    def close(self):
        for listener in self.listeners:
            listener.close()
        for connection in self.connections:
            if connection.socket:
                connection.socket.close()
        for number in (self.control, self.wake, self.waker, self.program_end):
            if number is not None:
                os.close(number)
        self.selector.close()


class Outcome:
    """What a run was: exit status (None: ended for its time), output, and what the recorder has."""

    def __init__(self, status, out, err, connections, all_ended):
        self.status, self.out, self.err, self.all_ended = status, out, err, all_ended
        self.wires = [bytes(connection.data) for connection in connections]
        self.descriptors = [connection.descriptors for connection in connections]


def run(argv, files, recorder_options, environment, timeout, over='tcp', recorder_class=Recorder):
    """One run of a program: argv + [SCENARIO] TARGET FILES. The files' contents are in a directory that lives as long."""
    directory = tempfile.mkdtemp(prefix='jwtshim-sockets-')
    recorder = recorder_class(directory, **recorder_options)
    try:
        paths = []
        for number, content in enumerate(files):
            paths.append(os.path.join(directory, 'given%d' % number))
            with open(paths[-1], 'wb') as file:
                file.write(content)
        target = recorder.tcp if over == 'tcp' else recorder.unix
        port = recorder.listeners[0].getsockname()[1]
        values = {'DIRECTORY': directory, 'FILE': paths[0] if paths else '', 'PORT': str(port)}
        whole = {'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8', 'TMPDIR': directory, 'CONTROL': str(recorder.program_end)}
        whole.update({name: value.format(**values) for name, value in environment.items()})
        process = subprocess.Popen([word.format(**values) for word in argv] + [target] + paths, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=whole, start_new_session=True,
                                   pass_fds=(recorder.program_end,), cwd=directory)
        try:
            out, err = process.communicate(timeout=timeout)
            status = process.returncode
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            status = None
        all_ended = recorder.finish()
        logs = ''
        for name in sorted(os.listdir(directory)):
            if name.startswith('valgrind.'):
                with open(os.path.join(directory, name), encoding='utf-8', errors='replace') as file:
                    logs += file.read()
        outcome = Outcome(status, out.decode('utf-8', 'replace'), err.decode('utf-8', 'replace'), recorder.connections, all_ended)
        outcome.logs = logs
        return outcome
    finally:
        recorder.close()
        shutil.rmtree(directory, ignore_errors=True)
