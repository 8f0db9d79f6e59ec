"""Asks `jwtshim doctor` about a client's program and compares its prediction with what the runs showed."""
import functools
import json
import os
import shutil
import subprocess

from client import HTTP

VERDICTS = ('reachable', 'partly', 'unreachable')


def command(mock):
    return os.path.join(mock.build, 'jwtshim')


@functools.lru_cache(maxsize=1)
def is_there(mock):
    """Whether this build has the subcommand."""
    answer = subprocess.run([command(mock), 'doctor', '--help'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
    return answer.returncode == 0


def ask(mock, client, out, settings):
    """The doctor's answer about the client's program as a dictionary, or None where this build has no doctor."""
    if not is_there(mock):
        return None
    program = client.program.replace('$CACHE', os.path.dirname(os.path.dirname(out))) or out
    program = program if '/' in program else shutil.which(program) or program
    run = mock.run([command(mock), 'doctor', '--json', program], env=settings)
    try:
        answer = json.loads(run.out)
    except ValueError:
        return {'verdict': 'none', 'why': run.text()[:300], 'code': run.code}
    answer = answer[0] if isinstance(answer, list) else answer
    return dict(answer, code=run.code)


def verdict_of(ways):
    if all(way.is_fixed() for way in ways):
        return 'reachable'
    return 'unreachable' if all(way.is_unreached() for way in ways) else 'partly'


def disagreements(row):
    """What the prediction says that the runs do not. A program whose TLS is out of reach may be called unreachable although its plain requests are
    not: real sites have no others than TLS."""
    answer, found = row.diagnosis, []
    tls = [way for way in row.ways if way.transport != HTTP]
    expected = {verdict_of(row.ways), verdict_of(tls or row.ways)}
    if answer['verdict'] not in expected:
        found.append('the doctor says %s, the runs say %s' % (answer['verdict'], ' or '.join(sorted(expected))))
    elif answer['code'] != VERDICTS.index(answer['verdict']):
        found.append('the exit code is %d for %s' % (answer['code'], answer['verdict']))
    seen = seen_mechanisms(answer)
    for name in row.client.mechanisms():
        if name not in seen:
            found.append('the doctor does not name %s (but %s)' % (name, ', '.join(seen) or 'nothing'))
    for way in row.ways:
        name = row.client.mechanism(way.transport)
        if name in seen and not way.trouble and seen[name] != way.is_fixed():
            found.append('%s: %s is %sseen, says the doctor' % (way.words, name, '' if seen[name] else 'not '))
    return found


def seen_mechanisms(answer):
    return {each['name']: each['seen'] for each in answer.get('mechanisms', ())}
