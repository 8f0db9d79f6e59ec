"""A TCP relay in front of the mock that keeps what each client says first: its TLS ClientHello, taken apart. Passes every byte on as
it came, and knows no key."""
import socket
import struct
import threading

ALPN, KEY_SHARE, SERVER_NAME = 16, 51, 0


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise ValueError('the ClientHello ends early')
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), 'big')

    def run(self, size):
        """What stands behind its own length."""
        return self.take(self.number(size))

    def more(self):
        return self.at < len(self.data)


class Hello:
    """A ClientHello (RFC 8446 section 4.1.2). `length`; `alpn`, the list of names or None; `fixed`, all that is not random in it."""

    def __init__(self, message):
        reader = Reader(message)
        self.length = len(message)
        if reader.number(1) != 1 or reader.number(3) != len(message) - 4:
            raise ValueError('not a ClientHello')
        version = reader.take(2)
        reader.take(32)                                     # random
        session = len(reader.run(1))
        self.fixed = [version, session, reader.run(2), reader.run(1)]
        self.alpn, self.name = None, ''
        extensions = Reader(reader.run(2) if reader.more() else b'')
        while extensions.more():
            kind, content = extensions.number(2), extensions.run(2)
            self.fixed.append((kind, self.shares(content) if kind == KEY_SHARE else content))
            if kind == ALPN:
                self.alpn = self.names(Reader(Reader(content).run(2)))
            elif kind == SERVER_NAME:
                inner = Reader(Reader(content).run(2))
                inner.take(1)
                self.name = inner.run(2).decode('ascii')

    @staticmethod
    def names(reader):
        names = []
        while reader.more():
            names.append(reader.run(1).decode('latin-1'))
        return names

    @staticmethod
    def shares(content):
        reader, groups = Reader(Reader(content).run(2)), []
        while reader.more():
            groups.append((reader.number(2), len(reader.run(2))))     # the keys themselves are random
        return groups


class Relay:
    """Listens on one port and connects to another. `hellos` grows by one Hello a connection, in the order they came."""

    def __init__(self, port, to):
        self.to, self.hellos, self.lock = to, [], threading.Lock()
        self.listener = socket.create_server(('127.0.0.1', port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            client.settimeout(30)
            threading.Thread(target=self.connection, args=(client,), daemon=True).start()

    def connection(self, client):
        try:
            with client, socket.create_connection(('127.0.0.1', self.to), 30) as server:
                first = self.first_flight(client)
                with self.lock:
                    self.hellos.append(first[1])
                server.sendall(first[0])
                back = threading.Thread(target=self.pump, args=(server, client), daemon=True)
                back.start()
                self.pump(client, server)
                back.join(30)
        except OSError:
            pass                                            # a client that gave up: its test tells

    @staticmethod
    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def first_flight(client):
        """The bytes that were read, and the Hello in them (None if it is none)."""
        data, message = b'', b''
        while True:
            more = client.recv(65536)
            data += more
            message, rest = b'', data
            while len(rest) >= 5 and rest[0] == 22:         # handshake records
                size = struct.unpack('>H', rest[3:5])[0]
                message, rest = message + rest[5:5 + size], rest[5 + size:]
            if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], 'big'):
                try:
                    return data, Hello(message[:4 + int.from_bytes(message[1:4], 'big')])
                except ValueError:
                    return data, None
            if not more or (data and data[0] != 22) or len(data) > 65536:
                return data, None
