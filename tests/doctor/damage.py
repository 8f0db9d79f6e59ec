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


# Whoever replaces a program by writing over it cuts it off first, at any moment.
CUTTER = r"""
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static void cut(int fd, const char *call)
{
    char link[64], path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) > 0 && strcmp(path, getenv("CUT_FILE")) == 0 && strcmp(call, getenv("CUT_AT")) == 0)
        if (truncate(path, 0) != 0)
            abort();
}
int fstat(int fd, struct stat *status)
{
    int result = ((int (*)(int, struct stat *))dlsym(RTLD_NEXT, "fstat"))(fd, status);
    cut(fd, "fstat");
    return result;
}
int close(int fd)
{
    cut(fd, "close");
    return ((int (*)(int))dlsym(RTLD_NEXT, "close"))(fd);
}
"""


def cut_off_meanwhile(doctor, data):
    cutter = Workshop(doctor).build('cutter.so', CUTTER, '-shared', '-fPIC')
    target = os.path.join(doctor.tmp, 'damaged', 'meanwhile')
    for moment, words, fine in (('fstat', 'before it is read is refused', (65,)), ('close', 'between two looks is answered or refused', (0, 1, 2, 65))):
        with open(target, 'wb') as file:
            file.write(data)
        run = doctor.run(target, env={'LD_PRELOAD': cutter, 'CUT_FILE': target, 'CUT_AT': moment})
        cut = os.path.getsize(target) == 0
        doctor.tap.report(cut and run.returncode in fine, 'a file that is cut off ' + words,
                          ['exit code %d, the file has %d bytes' % (run.returncode, os.path.getsize(target)), run.stdout[:200], run.stderr[:200]])


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
    cut_off_meanwhile(doctor, data)
