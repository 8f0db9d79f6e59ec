"""How programs run under valgrind, and what of its report counts: each error, and each leak that the shim had a part in. (What an end in a
thread leaves of libc's and the libraries' is lost without the shim too.)"""
import re
import xml.etree.ElementTree

COMMAND = ['valgrind', '-q', '--leak-check=full', '--show-leak-kinds=definite,indirect', '--trace-children=no', '--child-silent-after-fork=yes',
           '--xml=yes', '--xml-file={DIRECTORY}/valgrind.%p']


def valgrind_errors(reports):
    """A line for each that counts, of one report or more."""
    lines, reports = [], re.findall(r'<\?xml.*?</valgrindoutput>', reports, re.S)
    for report in reports:
        for error in xml.etree.ElementTree.fromstring(report).findall('error'):
            frames = error.findall('./stack/frame')
            is_shims = any((frame.findtext('obj') or '').endswith('/libjwtshim.so') for frame in frames)
            if is_shims or not error.findtext('kind').startswith('Leak_'):
                lines.append('%s: %s' % (error.findtext('kind'),
                                         ' < '.join('%s:%s' % (frame.findtext('fn'), frame.findtext('line')) for frame in frames[:9])))
    return lines if reports else ['no report of valgrind\'s']
