#!/usr/bin/python3
# httpx, with an HTTP/2 of Python's own if VERSION is 2.
import os
import sys

import httpx

mode, url = sys.argv[1:]
with httpx.Client(http2=os.environ['VERSION'] == '2', verify=os.environ['CA'], trust_env=False) as client:
    print(client.request(mode.upper(), url, json={'a': 'b'} if mode == 'post' else None).status_code)
