"""One GET by urllib in a thread of its own, while others allocate. Prints the status."""
import ssl
import sys
import threading
import urllib.error
import urllib.request


def fetch():
    try:
        status = urllib.request.urlopen(sys.argv[1], timeout=15, context=ssl.create_default_context()).status
    except urllib.error.HTTPError as error:
        status = error.code
    print(status, flush=True)


others = [threading.Thread(target=lambda: [bytearray(n * 100) for n in range(2000)]) for _ in range(3)]
for thread in others + [threading.Thread(target=fetch)]:
    thread.start()
