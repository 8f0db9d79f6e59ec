"""Asks `jwtshim doctor` about a client's program and compares its prediction with what the runs showed."""
import functools
import json
import os
import shutil
import subprocess

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


def disagreements(row):
    """What the prediction says that the runs do not."""
    answer, found = row.diagnosis, []
    expected = 'reachable' if row.is_fixed() else 'unreachable' if row.is_unreached() else 'partly'
    if answer['verdict'] != expected:
        found.append('the doctor says %s, the runs say %s' % (answer['verdict'], expected))
    elif answer['code'] != VERDICTS.index(answer['verdict']):
        found.append('the exit code is %d for %s' % (answer['code'], answer['verdict']))
    seen = seen_mechanisms(answer)
    for way in row.ways:
        name = row.client.mechanism(way.transport)
        if name in seen and not way.trouble and seen[name] != way.is_fixed():
            found.append('%s: %s is %sseen, says the doctor' % (way.words, name, '' if seen[name] else 'not '))
    return found


def unnamed(row):
    """Mechanisms that the doctor does not speak of. It reads files: what a script will load, only the script knows."""
    return [name for name in row.client.mechanisms() if name not in seen_mechanisms(row.diagnosis)]


def seen_mechanisms(answer):
    return {each['name']: each['seen'] for each in answer.get('mechanisms', ())}
