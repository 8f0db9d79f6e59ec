"""Broken files: whatever lies in an ELF file, or is missing of it, the doctor answers or refuses, and never dies."""
import os
import random
import subprocess

from crafted import CONNECT, MAIN, Workshop

BATCH = 400
FLIPS = 3000


def small_program(doctor):
    """As small as the linker makes it, so that each of its prefixes can be asked about."""
    shop = Workshop(doctor)
    return shop.build('small', CONNECT + MAIN, '-s', '-nostartfiles', '-Wl,-e,main,-z,noseparate-code,--build-id=none,-z,norelro,--hash-style=both')


def ask_about(doctor, variants):
    """The exit codes of all batches, and what was odd about any."""
    directory = os.path.join(doctor.tmp, 'damaged')
    os.makedirs(directory, exist_ok=True)
    odd, codes = [], set()
    for first in range(0, len(variants), BATCH):
        paths = []
        for index, data in enumerate(variants[first:first + BATCH]):
            paths.append(os.path.join(directory, str(index) + '.elf'))
            with open(paths[-1], 'wb') as file:
                file.write(data)
        run = subprocess.run(doctor.base + ['--json'] + paths, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                             env=doctor.environment)
        answers, refusals = run.stdout.count(b'\n'), run.stderr.count(b'\n')
        codes.add(run.returncode)
        if run.returncode not in (0, 1, 2, 65) or answers + refusals != len(paths):
            odd.append('variants %d to %d: exit code %d, %d answers, %d refusals' % (first, first + len(paths) - 1, run.returncode, answers, refusals))
    return odd, codes


def suite(doctor):
    program = small_program(doctor)
    with open(program, 'rb') as file:
        data = file.read()
    whole, _ = ask_about(doctor, [data])
    doctor.tap.report(not whole and doctor.ask(program)['verdict'] == 'reachable', 'the file that is broken below is whole (%d bytes)' % len(data), whole)
    odd, codes = ask_about(doctor, [data[:length] for length in range(len(data))])
    doctor.tap.report(not odd and 65 in codes, 'every prefix of it is answered or refused', odd)
    chance = random.Random(20261123)
    flipped = []
    for _ in range(FLIPS):
        copy = bytearray(data)
        # Half of the flips where the headers are: elsewhere most change nothing.
        at = chance.randrange(len(copy)) if chance.random() < 0.5 else chance.randrange(min(1024, len(copy)))
        copy[at] ^= 1 << chance.randrange(8)
        flipped.append(bytes(copy))
    odd, _ = ask_about(doctor, flipped)
    doctor.tap.report(not odd, '%d files with one bit flipped are answered or refused' % FLIPS, odd)
    filled = [data[:at] + bytes([value]) * 8 + data[at + 8:] for value in (0x00, 0x7f, 0x80, 0xff) for at in range(0, min(2048, len(data) - 8), 4)]
    odd, _ = ask_about(doctor, filled)
    doctor.tap.report(not odd, '%d files with eight bytes replaced are answered or refused' % len(filled), odd)
    secret = os.path.join(doctor.tmp, 'damaged', 'large')
    with open(secret, 'wb') as file:
        file.write(data)
        file.truncate(1 << 32)
    doctor.tap.report(doctor.ask(secret)['verdict'] == 'reachable', 'a file of 4 GiB that is mostly a hole is no trouble')
    os.unlink(secret)
