#!/usr/bin/python3
# Python httpx, whose HTTP/2 (h2, hpack) is Python. With "pycurl" as a first argument a libcurl with nghttp2 is loaded beside it.
# Prints "PROTOCOL STATUS" for each URL.
import os
import sys

urls = sys.argv[1:]
if urls[0] == 'pycurl':
    import pycurl  # noqa: F401
    del urls[0]

import httpx  # noqa: E402

with httpx.Client(http2=True, verify=os.environ['CA'], trust_env=False) as client:
    for url in urls:
        response = client.get(url)
        print({'HTTP/2': 'h2', 'HTTP/1.1': 'http/1.1'}[response.http_version], response.status_code)
