"""Runs modules of unittest tests (Twisted's and Tornado's are such) and writes what became of each test into a file, as JSON lines: as they come, so
that a suite which dies says how far it got.

    by_unittest.py FILE MODULE…
"""
import json
import sys
import unittest


class Result(unittest.TestResult):
    def __init__(self, file):
        super().__init__()
        self.file, self.told = file, None

    def tell(self, test, outcome):
        self.told = outcome
        self.file.write(json.dumps([test.id(), outcome]) + '\n')
        self.file.flush()

    def startTest(self, test):
        super().startTest(test)
        self.told = None

    def stopTest(self, test):
        super().stopTest(test)
        if self.told is None:       # subtests have no word of their own if all went well
            self.tell(test, 'ok')

    def addSuccess(self, test):
        self.tell(test, 'ok')

    def addFailure(self, test, err):
        self.tell(test, 'failed: %s' % err[0].__name__)

    def addError(self, test, err):
        self.tell(test, 'failed: %s' % err[0].__name__)

    def addSkip(self, test, reason):
        self.tell(test, 'skipped: %s' % reason)

    def addExpectedFailure(self, test, *_):
        self.tell(test, 'failed, as expected')

    def addUnexpectedSuccess(self, test, *_):
        self.tell(test, 'ok, unexpectedly')

    def addSubTest(self, test, subtest, err):
        if err:
            self.tell(test, 'failed: %s' % err[0].__name__)


def main():
    with open(sys.argv[1], 'w', encoding='utf-8') as file:
        unittest.defaultTestLoader.loadTestsFromNames(sys.argv[2:]).run(Result(file))


if __name__ == '__main__':
    main()
