"""Where the clients come from: installed Debian packages, packages that are only unpacked, npm, and the compiler. What is fetched or built is
kept in the cache and used again. Never installs anything into the system: that is tools/deps."""
import json
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


class Missing(Exception):
    """The client is not installed, and why."""


class Broken(Exception):
    """A command that should have made the client failed, and what it said."""


def run(argv, where=None, timeout=300, env=None):
    """What a command prints; Broken where it fails or takes too long."""
    try:
        done = subprocess.run(argv, cwd=where, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
    except (OSError, subprocess.SubprocessError) as error:
        raise Broken(str(error)) from error
    if done.returncode:
        raise Broken('%s failed: %s' % (argv[0], done.stdout.decode('utf-8', 'replace').strip()[-600:]))
    return done.stdout.decode('utf-8', 'replace')


def upstream(version):
    """Debian's version as its authors number it: no epoch, no repacking, no revision."""
    version = re.sub(r'^\d+:', '', version)
    version = re.sub(r'-[^-]*$', '', version)
    return re.sub(r'[+~](dfsg|ds|really|repack|git|b\d|deb|cs|\d+$)[^ ]*$', '', version)


def installed_version(package):
    """The version of an installed package, '' if it is not installed."""
    done = subprocess.run(['dpkg-query', '--show', '--showformat', '${db:Status-Status} ${Version}\n', package], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=30)
    words = done.stdout.decode().split()
    return words[1] if words[:1] == ['installed'] else ''


def candidate(package):
    """The version that would be installed."""
    found = re.search(r'Candidate: (\S+)', run(['apt-cache', 'policy', package]))
    if not found:
        raise Missing('apt-get knows no %s' % package)
    return found[1]


# --- what goes into the cache ----------------------------------------------------------------------------------------------------

def fetch(client, cache):
    """Unpacks packages and fetches from npm, before the run: the namespace has no network."""
    for word in client.unpack:
        package, _, same = word.partition('@')        # of the same version as another: not the one of another source
        place = os.path.join(cache, package)
        if not os.path.isdir(place):
            part = place + '.part'
            shutil.rmtree(part, ignore_errors=True)
            os.makedirs(part)
            wanted = '%s=%s' % (package, candidate(same)) if same else package
            run(['apt-get', '-q', 'download', wanted], part)
            archive = [name for name in os.listdir(part) if name.endswith('.deb')][0]
            run(['dpkg-deb', '--extract', archive, 'files'], part)
            with open(os.path.join(part, 'version'), 'w', encoding='ascii') as file:
                file.write(run(['dpkg-deb', '--field', archive, 'Version'], part).strip())
            os.remove(os.path.join(part, archive))
            os.rename(part, place)
    if client.npm:
        place = os.path.join(cache, client.npm)
        if not os.path.isdir(place):
            part = place + '.part'
            shutil.rmtree(part, ignore_errors=True)
            os.makedirs(part)
            run(['npm', 'install', '--prefix', part, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', client.npm], part)
            os.rename(part, place)


def build(client, cache):
    """Makes $OUT where it is older than its source, and returns its path."""
    out = os.path.join(cache, 'bin', re.sub(r'[^\w.-]+', '-', client.name))
    if not client.build:
        return out
    stamp = out + '.made-by'
    sources = [os.path.join(HERE, 'programs', name) for name in re.findall(r'\$HERE"?/([\w.]+)', client.build) + ['client.h']]
    made_by = ''
    if os.path.exists(stamp):
        with open(stamp, encoding='utf-8') as file:
            made_by = file.read()
    newest = max(map(os.path.getmtime, sources))
    if made_by != client.build or not os.path.exists(out) or os.path.getmtime(stamp) < newest:
        os.makedirs(os.path.dirname(out), exist_ok=True)
        environment = dict(os.environ, OUT=out, CACHE=cache, HERE=os.path.join(HERE, 'programs'))
        environment.pop('LD_PRELOAD', None)
        run(['/bin/sh', '-ec', client.build], env=environment)
        with open(stamp, 'w', encoding='utf-8') as file:
            file.write(client.build)
    return out


# --- what a run needs to know ----------------------------------------------------------------------------------------------------

def prepare(client, cache):
    """Returns the version to tell and the path of the built program. Raises Missing or Broken."""
    packages = client.package.split()
    versions = {package: installed_version(package) for package in packages}
    absent = [package for package in packages if not versions[package]]
    if absent:
        raise Missing('not installed: %s' % ', '.join(absent))
    version = upstream(versions[packages[0]]) if packages else ''
    if client.unpack:
        path = os.path.join(cache, client.unpack[0].partition('@')[0], 'version')
        if not os.path.exists(path):
            raise Missing('not fetched: %s' % client.unpack[0])
        with open(path, encoding='ascii') as file:
            version = upstream(file.read())
    if client.npm:
        if not os.path.isdir(os.path.join(cache, client.npm)):
            raise Missing('not fetched: %s of npm' % client.npm)
        name = client.npm.rpartition('@')[0]
        with open(os.path.join(cache, client.npm, 'node_modules', name, 'package.json'), encoding='utf-8') as file:
            version = json.load(file)['version']
    return version, build(client, cache)
