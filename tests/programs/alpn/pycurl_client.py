#!/usr/bin/python3
# pycurl: Debian's libcurl over GnuTLS, with nghttp2. Prints "PROTOCOL STATUS".
import io
import os
import sys

import pycurl

for url in sys.argv[1:]:
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.CAINFO, os.environ['CA'])
    handle.setopt(pycurl.WRITEDATA, io.BytesIO())
    handle.perform()
    print('h2' if handle.getinfo(pycurl.INFO_HTTP_VERSION) == 3 else 'http/1.1', handle.getinfo(pycurl.RESPONSE_CODE))
    handle.close()
