"""A proxy that keeps what it can read: HTTP with CONNECT and absolute-form, by itself or inside TLS; SOCKS5; or a UNIX socket that leads to
one address. Changes no byte, and connects within the namespace only."""
import re
import select
import socket
import socketserver
import ssl
import threading


class Proxy:
    """`clear`: the bytes that it could read, tunnelled TLS left out; `heads`: where each connection was asked to lead, without a query.
    With `path` it listens on a UNIX socket; with `address` everything goes there; `tls` names a certificate (.pem) and its key (.key)."""

    def __init__(self, path=None, address=None, tls=None, socks=False):
        self.clear, self.heads, self.address, self.socks, self.context = [], [], address, socks, None
        proxy = self
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls + '.pem', tls + '.key')

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    proxy.serve(self.request)
                except (OSError, ValueError):
                    pass        # the client went, and its own exit code says why

        kind = socketserver.ThreadingUnixStreamServer if path else socketserver.ThreadingTCPServer
        kind.daemon_threads = kind.allow_reuse_address = True
        self.server = kind(path or ('127.0.0.1', 0), Handler)
        self.port = None if path else self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def mark(self):
        del self.clear[:], self.heads[:]

    def text(self):
        return b''.join(self.clear)

    def serve(self, client):
        client.settimeout(30)
        if self.context:
            client = self.context.wrap_socket(client, server_side=True)
        if self.address:
            server, first = self.address, b''
        elif self.socks:
            server, first = self.meet_socks(client), b''
        else:
            server, first = self.meet_http(client)
        with client, socket.create_connection(server, 10) as upstream:
            upstream.sendall(first)
            self.pump(client, upstream)

    def meet_http(self, client):
        """Where the first head leads, and what of it goes on."""
        head = b''
        while b'\r\n\r\n' not in head:
            data = client.recv(65536)
            if not data:
                raise ValueError('no head')
            head += data
        self.clear.append(head)
        line = head.split(b'\r\n', 1)[0].decode('latin-1')
        self.heads.append(line.split('?')[0])
        found = re.match(r'CONNECT ([^ :]+):(\d+) |[A-Z]+ http://([^/?#: ]+)(?::(\d+))?', line)
        if not found:
            raise ValueError('not for a proxy')
        server = (found[1] or found[3], int(found[2] or found[4] or 80))
        if not found[1]:
            return server, head
        client.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
        return server, b''

    def meet_socks(self, client):
        """RFC 1928, without authentication, to a name."""
        exact = client.makefile('rb', 0)
        version, methods = exact.read(2)
        exact.read(methods)
        client.sendall(b'\x05\x00')
        version, command, _, kind, length = exact.read(5)
        if (version, command, kind) != (5, 1, 3):
            raise ValueError('not understood')
        name, port = exact.read(length).decode('ascii'), int.from_bytes(exact.read(2), 'big')
        client.sendall(b'\x05\x00\x00\x01' + bytes(6))
        self.heads.append('%s:%d' % (name, port))
        return name, port

    def pump(self, client, upstream):
        """Both ways in one thread: OpenSSL allows no two in one connection at once."""
        sides, tls = [client, upstream], None
        while True:
            pending = self.context and client.pending()
            ready = [client] if pending else select.select(sides, [], [], 30)[0]
            if not ready:
                return
            for source in ready:
                data = source.recv(65536)
                if not data and source is upstream:
                    return
                if not data:
                    upstream.shutdown(socket.SHUT_WR)
                    sides.remove(client)
                elif source is upstream:
                    client.sendall(data)
                else:
                    if tls is None:
                        tls = data[0] == 0x16
                    if not tls:
                        self.clear.append(data)
                    upstream.sendall(data)
