"""Servers of the libcurl suite's own, beside the mock: one that redirects to where a test says, over TLS and without, and a proxy that
keeps what it is asked for. Keeps heads in memory only, since they hold tokens.
"""
import contextlib
import os
import select
import socket
import ssl
import threading

PLAIN, TLS, PROXY = 8081, 8444, 3128


class Station:
    def __init__(self, pki):
        self.locations = {}        # path: what Location says
        self.heads = []            # (where, head) in the order of their arrival
        self.lock = threading.Lock()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(os.path.join(pki, 'leaf.pem'), os.path.join(pki, 'leaf.key'))
        for port, serve in ((PLAIN, self.plain), (TLS, self.tls), (PROXY, self.proxy)):
            listener = socket.create_server(('127.0.0.1', port))
            threading.Thread(target=self.accept, args=(listener, serve), daemon=True).start()

    def take(self):
        with self.lock:
            heads, self.heads = self.heads, []
        return heads

    @staticmethod
    def accept(listener, serve):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=Station.guarded, args=(serve, connection), daemon=True).start()

    @staticmethod
    def guarded(serve, connection):
        connection.settimeout(60)
        with contextlib.suppress(OSError), connection:
            serve(connection)

    def plain(self, connection):
        while self.answer('plain', connection):
            pass

    def tls(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as secure:
            while self.answer('tls', secure):
                pass

    def read_head(self, where, connection):
        head = b''
        while not head.endswith(b'\r\n\r\n'):
            byte = connection.recv(1)
            if not byte:
                return ''
            head += byte
        head = head.decode('latin-1')
        with self.lock:
            self.heads.append((where, head))
        return head

    def answer(self, where, connection):
        head = self.read_head(where, connection)
        if not head:
            return False
        if head.split(' ')[1].startswith('/challenge'):
            connection.sendall(b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n'
                               b'Content-Length: 2\r\n\r\nno')
            return True
        location = self.locations.get(head.split(' ')[1].split('?')[0])
        if location:
            connection.sendall(('HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 5\r\n\r\nmoved' % location).encode())
        else:
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        return True

    def proxy(self, connection):
        head = self.read_head('proxy', connection)
        if not head.startswith('CONNECT '):
            return
        port = int(head.split(' ')[1].rsplit(':', 1)[1])
        with socket.create_connection(('127.0.0.1', port), 10) as other:
            connection.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
            ends = {connection: other, other: connection}
            while True:
                ready, _, _ = select.select(list(ends), [], [], 60)
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)
                if not ready:
                    return
