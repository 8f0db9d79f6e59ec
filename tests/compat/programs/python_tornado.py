#!/usr/bin/python3
# Tornado's own HTTP client.
import asyncio
import os
import sys

from tornado.httpclient import AsyncHTTPClient


async def main(mode, url):
    answer = await AsyncHTTPClient().fetch(url, raise_error=False, method=mode.upper(), body='{}' if mode == 'post' else None,
                                           ca_certs=os.environ['CA'])
    print(answer.code)

asyncio.run(main(*sys.argv[1:]))
