#!/usr/bin/python3
# httplib2.
import os
import sys

import httplib2

mode, url = sys.argv[1:]
answer, _ = httplib2.Http(ca_certs=os.environ['CA']).request(url, mode.upper(), '{}' if mode == 'post' else None)
print(answer.status)
