#!/usr/bin/python3
# aiohttp: asyncio's TLS, whose records go through memory BIOs.
import asyncio
import os
import ssl
import sys

import aiohttp


async def main(mode, url):
    context = ssl.create_default_context(cafile=os.environ['CA'])
    async with aiohttp.ClientSession() as session:
        async with session.request(mode.upper(), url, ssl=context, json={'a': 'b'} if mode == 'post' else None) as response:
            print(response.status)

asyncio.run(main(*sys.argv[1:]))
