#!/usr/bin/python3
# libsoup 3: its TLS is a module of GLib's, its HTTP/2 is nghttp2's. Prints "PROTOCOL STATUS".
import os
import sys

import gi
gi.require_version('Soup', '3.0')
from gi.repository import Gio, Soup  # noqa: E402

session = Soup.Session()
session.set_tls_database(Gio.TlsFileDatabase.new(os.environ['CA']))
for url in sys.argv[1:]:
    message = Soup.Message.new('GET', url)
    session.send_and_read(message, None)
    version = message.get_http_version()
    print('h2' if version == Soup.HTTPVersion.HTTP_2_0 else 'http/1.1', int(message.get_status()))
