"""A TCP relay in front of a server: at full speed on one port, slowly and through tiny buffers on another, so that a client meets
refused writes. It also knows when all that clients sent has arrived. Carries bytes only; knows nothing of what they say.
"""
import contextlib
import socket
import threading
import time

TINY = 2048
PAUSE = 0.0005      # between two tiny reads: enough to keep a client's buffers full, whatever its exact length


class Relay:
    def __init__(self, ports):
        """`ports`: tuples of the port to listen on, the port of the server behind it, and whether the way is slow."""
        self._changed = threading.Condition()
        self._active, self._accepted = 0, set()
        self._listeners = [self._listen(*row) for row in ports]

    def _listen(self, port, target, slow):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if slow:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TINY)
        listener.bind(('127.0.0.1', port))
        listener.listen(128)
        threading.Thread(target=self._accept, args=(listener, target, slow), daemon=True).start()
        return listener

    def _accept(self, listener, target, slow):
        while True:
            client, address = listener.accept()
            with self._changed:
                self._active += 1
            threading.Thread(target=self._relay, args=(client, address, target, slow), daemon=True).start()

    def _relay(self, client, address, target, slow):
        try:
            # One that says nothing before it ends is settle()'s own: the server never hears of it.
            first = self._receive(client, slow)
            if first:
                with socket.create_connection(('127.0.0.1', target)) as server:
                    back = threading.Thread(target=self._carry, args=(server, client, False), daemon=True)
                    back.start()
                    with contextlib.suppress(OSError):
                        server.sendall(first)
                    self._carry(client, server, slow)
                    back.join()
        finally:
            client.close()
            with self._changed:
                self._active -= 1
                self._accepted.add(address)
                self._changed.notify_all()

    @staticmethod
    def _receive(source, slow):
        if slow:
            time.sleep(PAUSE)
        try:
            return source.recv(TINY if slow else 65536)
        except OSError:
            return b''

    def _carry(self, source, sink, slow):
        while True:
            data = self._receive(source, slow)
            try:
                if data:
                    sink.sendall(data)
                    continue
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                if data:                     # nobody there any more; the source still has to be read to its end
                    continue
            return

    def settle(self, seconds=20):
        """Waits until every connection so far has ended on both sides. False if one did not."""
        mine = set()
        for listener in self._listeners:
            with socket.create_connection(listener.getsockname()) as last:
                mine.add(last.getsockname())
        with self._changed:
            return self._changed.wait_for(lambda: mine <= self._accepted and self._active == 0, seconds)
