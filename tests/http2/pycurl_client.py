#!/usr/bin/python3
# pycurl (libcurl over GnuTLS): one handle for each URL in turn, then all at once. Prints PROTOCOL/STATUS/whose URL libcurl tells of.
import io
import os
import sys

import pycurl


def setup(handle, url):
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.CAINFO, os.environ['CA'])
    handle.setopt(pycurl.WRITEDATA, io.BytesIO())
    if os.environ.get('POST'):
        handle.setopt(pycurl.POSTFIELDS, os.environ['POST'])


def tell(handle, url):
    protocol = 'h2' if handle.getinfo(pycurl.INFO_HTTP_VERSION) == 3 else 'http/1.1'
    own = 'own-url' if handle.getinfo(pycurl.EFFECTIVE_URL) == url else 'another-url'
    print('%s/%d/%s' % (protocol, handle.getinfo(pycurl.RESPONSE_CODE), own))


one = pycurl.Curl()
for each in sys.argv[1:]:
    setup(one, each)
    one.perform()
    tell(one, each)
one.close()

multi = pycurl.CurlMulti()
handles = [pycurl.Curl() for _ in sys.argv[1:]]
for handle, each in zip(handles, sys.argv[1:]):
    setup(handle, each)
    multi.add_handle(handle)
running, turns = 1, 0
while running and turns < 10000:
    turns += 1
    _, running = multi.perform()
    if running:
        multi.select(1.0)
for handle, each in zip(handles, sys.argv[1:]):
    multi.remove_handle(handle)
    tell(handle, each)
