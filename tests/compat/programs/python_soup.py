#!/usr/bin/python3
# libsoup by GObject introspection: its version as the first argument. TLS is a module of GLib's.
import os
import sys

import gi
gi.require_version('Soup', sys.argv[1])
from gi.repository import Gio, GLib, Soup  # noqa: E402

mode, url = sys.argv[2:]
message = Soup.Message.new(mode.upper(), url)
if sys.argv[1] == '2.4':
    session = Soup.Session(ssl_ca_file=os.environ['CA'])
    if mode == 'post':
        message.set_request('application/json', Soup.MemoryUse.COPY, b'{}')
    print(session.send_message(message))
else:
    session = Soup.Session()
    session.set_tls_database(Gio.TlsFileDatabase.new(os.environ['CA']))
    if mode == 'post':
        message.set_request_body_from_bytes('application/json', GLib.Bytes.new(b'{}'))
    session.send_and_read(message, None)
    print(int(message.get_status()))
