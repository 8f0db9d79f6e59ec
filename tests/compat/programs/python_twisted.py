#!/usr/bin/python3
# Twisted's Agent: TLS by pyOpenSSL, through memory BIOs. It takes the CA from SSL_CERT_FILE.
import io
import sys

from twisted.internet import reactor
from twisted.web.client import Agent, FileBodyProducer, readBody

mode, url = sys.argv[1:]
body = FileBodyProducer(io.BytesIO(b'{}')) if mode == 'post' else None
asked = Agent(reactor).request(mode.upper().encode(), url.encode(), None, body)
asked.addCallback(lambda answer: print(answer.code) or readBody(answer))
asked.addErrback(print)
asked.addBoth(lambda _: reactor.stop())
reactor.run()
