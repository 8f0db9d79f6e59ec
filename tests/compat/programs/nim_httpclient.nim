# Nim's httpclient: OpenSSL's functions by address.
import std/[httpclient, net, os]

let context = newContext(verifyMode = CVerifyPeer, caFile = getEnv("CA"))
let client = newHttpClient(sslContext = context)
if paramStr(1) == "post":
  echo client.request(paramStr(2), HttpPost, body = "{}").status
else:
  echo client.request(paramStr(2), HttpGet).status
