#!/usr/bin/python3
# Python requests (urllib3). Prints the status of each response.
import os
import sys

import requests

mode, urls = sys.argv[1], sys.argv[2:]
session = requests.Session()
session.verify = os.environ['CA']
for url in urls:
    if mode == 'post':
        with open(os.environ['BODY'], 'rb') as body:
            response = session.post(url, data=body.read(), headers={'Content-Type': 'application/json'})
    else:
        response = session.get(url)
    print(response.status_code)
