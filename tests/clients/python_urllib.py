#!/usr/bin/python3
# Python's own HTTP clients: urllib.request, and http.client for two requests on one connection. Prints the status of each response.
import http.client
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

mode, urls = sys.argv[1], sys.argv[2:]
context = ssl.create_default_context(cafile=os.environ['CA'])

if mode == 'two':
    parts = urllib.parse.urlsplit(urls[0])
    if parts.scheme == 'https':
        connection = http.client.HTTPSConnection(parts.netloc, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc)
    for url in urls:
        connection.request('GET', url.split(parts.netloc, 1)[1])
        response = connection.getresponse()
        response.read()
        print(response.status)
else:
    request = urllib.request.Request(urls[0])
    if mode == 'post':
        request.data = open(os.environ['BODY'], 'rb').read()
        request.add_header('Content-Type', 'application/json')
    try:
        print(urllib.request.urlopen(request, context=context).status)
    except urllib.error.HTTPError as error:
        print(error.code)
