"""A headless Chromium by its WebDriver: pages opened, scripts asked, keys pressed, and everything that the console said."""
import http.client
import json
import shutil
import subprocess
import time

ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
             '--disable-sync', '--disable-dev-shm-usage', '--window-size=1280,1400']
PORT = 9515


def is_installed():
    return bool(shutil.which('chromium') and shutil.which('chromedriver'))


class Browser:
    def __init__(self, home):
        self.process = subprocess.Popen(['chromedriver', '--port=%d' % PORT], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={'PATH': '/usr/bin:/bin', 'HOME': home, 'LC_ALL': 'C.UTF-8'})
        self.session = None
        self._until_it_listens()
        options = {'binary': shutil.which('chromium'), 'args': ARGUMENTS + ['--user-data-dir=%s/chromium' % home]}
        answer = self._ask('POST', '/session', {'capabilities': {'alwaysMatch': {'goog:chromeOptions': options, 'goog:loggingPrefs': {'browser': 'ALL'}}}})
        self.session = answer['sessionId']

    def _until_it_listens(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                self._ask('GET', '/status')
                return
            except ConnectionError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=120)
        connection.request(method, path, None if body is None else json.dumps(body), {'Content-Type': 'application/json'})
        answer = json.loads(connection.getresponse().read())['value']
        connection.close()
        if isinstance(answer, dict) and 'error' in answer:
            raise RuntimeError('%s: %s' % (answer['error'], answer.get('message')))
        return answer

    def _in_session(self, method, path, body=None):
        return self._ask(method, '/session/%s%s' % (self.session, path), body)

    def open(self, url):
        self._in_session('POST', '/url', {'url': url})

    def ask(self, script, *arguments):
        """What a function with this body returns in the page."""
        return self._in_session('POST', '/execute/sync', {'script': script, 'args': list(arguments)})

    def _element(self, selector):
        return next(iter(self._in_session('POST', '/element', {'using': 'css selector', 'value': selector}).values()))

    def click(self, selector):
        self._in_session('POST', '/element/%s/click' % self._element(selector), {})

    def type(self, selector, text):
        self._in_session('POST', '/element/%s/value' % self._element(selector), {'text': text})

    def prefer(self, scheme):
        self._in_session('POST', '/goog/cdp/execute', {'cmd': 'Emulation.setEmulatedMedia', 'params': {
            'features': [{'name': 'prefers-color-scheme', 'value': scheme}]}})

    def console(self):
        """What was said since the last time, but for the browser's own first page."""
        lines = self._in_session('POST', '/se/log', {'type': 'browser'})
        return [line for line in lines if not line['message'].startswith('chrome://')]

    def close(self):
        try:
            if self.session:
                self._in_session('DELETE', '')
        finally:
            self.process.terminate()
            self.process.wait(30)
