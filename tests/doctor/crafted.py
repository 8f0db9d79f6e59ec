"""Programs made for the test, one for each thing that the doctor tells by a file."""
import os
import shutil
import subprocess

from doctor import Doctor, notes, shown, ways

CONNECT = 'int connect(int, void *, unsigned); long send(int, const void *, long, int);\nstatic void talk(void) { connect(0, 0, 0); send(1, "", 0, 0); }\n'
MAIN = 'int main(void) { talk(); return 0; }\n'
SSL_PROGRAM = '#include <openssl/ssl.h>\nint main(int c, char **v) { (void)v; return c > 9 ? SSL_write((SSL *)v, v, c) : 0; }\n'
STATIC_SSL = ['-Wl,-Bstatic', '-lssl', '-lcrypto', '-Wl,-Bdynamic', '-ldl', '-lpthread']


class Workshop:
    def __init__(self, doctor):
        self.doctor, self.tap = doctor, doctor.tap
        self.directory = os.path.join(doctor.tmp, 'crafted')
        os.makedirs(self.directory, exist_ok=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def build(self, name, source, *options, cc='cc', language='c'):
        """Compiles; None where the compiler cannot do it here."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        argv = [cc, '-x', language, '-', '-x', 'none', '-w', '-O1', '-o', self.path(name)] + list(options)
        run = subprocess.run(argv, input=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120) if shutil.which(cc) else None
        return self.path(name) if run and run.returncode == 0 else None

    def stub(self, name, functions, needs=(), *options):
        """A library with these functions, which calls those it needs."""
        source = ''.join('int %s(void) { return 0; }\n' % function for function in functions)
        source += ''.join('int %s(void);\nint (*use_%s)(void) = %s;\n' % (function, function, function) for function in needs)
        return self.build(name, source, '-shared', '-fPIC', '-Wl,-soname,' + os.path.basename(name), *options)

    def caller(self, name, functions, *options):
        source = ''.join('int %s(void);\n' % function for function in functions)
        return self.build(name, source + 'int main(void) { return %s; }\n' % ' + '.join('%s()' % function for function in functions), *options)

    def expect(self, path, sentence, verdict, name, seen=False, why=None, options=(), env=None):
        if not path:
            self.tap.skip(sentence, 'it cannot be built here')
            return None
        answer = self.doctor.ask(path, *options, env=env)
        found = ways(answer, name)
        good = answer['verdict'] == verdict and found and all(way['seen'] == seen for way in found) and (not why or why in found[0]['why'])
        self.tap.report(good, sentence, shown(answer))
        return answer


def whole_programs(shop):
    plain = shop.build('plain', CONNECT + MAIN)
    shop.expect(plain, 'a program that connects and sends is seen at its socket', 'reachable', 'socket', True)
    shop.expect(shop.build('static', CONNECT + MAIN, '-static'), 'a static program is not reachable', 'unreachable', 'static')
    shop.expect(shop.build('static-pie', CONNECT + MAIN, '-static-pie'), 'nor a static PIE', 'unreachable', 'static')
    shop.expect(shop.build('m32', CONNECT + MAIN, '-m32', '-fpie', '-pie', '-nostdlib', '-Wl,-e,main,--unresolved-symbols=ignore-all'), 'a 32-bit program is of the wrong class', 'unreachable', 'wrong-class')
    shop.expect(shop.build('musl', CONNECT + MAIN, cc='musl-gcc'), "a program of musl's is not reachable by glibc's object", 'unreachable', 'musl')
    foreign = shop.path('foreign')
    with open(plain, 'rb') as file:
        data = bytearray(file.read())
    data[18:20] = (0x15, 0) if data[18] != 0x15 else (0x3e, 0)
    with open(foreign, 'wb') as file:
        file.write(data)
    os.chmod(foreign, 0o755)
    shop.expect(foreign, 'a program of another processor is of the wrong machine', 'unreachable', 'wrong-machine')
    shop.expect(shop.build('arm64', CONNECT + MAIN, cc='aarch64-linux-gnu-gcc') if os.uname().machine == 'x86_64' else None,
                'and so is a real one', 'unreachable', 'wrong-machine')
    other = shop.stub('no-shim/libjwtshim.so', ['nothing'])
    answer = shop.doctor.run('--json', '--object', other, plain)
    shop.tap.report(answer.returncode == 66, 'an object without the note of a libjwtshim.so is refused', [answer.stdout, answer.stderr])


def older_libc(shop):
    """The object needs a newer glibc than the program's: with it nothing would start."""
    versions = shop.path('versions')
    with open(versions, 'w', encoding='ascii') as file:
        file.write('GLIBC_2.2.5 { global: *; };\n')
    old = shop.stub('old/libc.so.6', ['printf', 'send', 'connect', '__libc_start_main'], (), '-nostdlib', '-Wl,--version-script=' + versions)
    program = shop.build('on-old-libc', CONNECT + 'void _start(void) { talk(); }\n', '-nostdlib', '-nostartfiles', old, '-Wl,-rpath,' + os.path.dirname(old))
    answer = shop.doctor.ask(program)
    shop.tap.report(answer['verdict'] == 'unreachable' and 'libc-too-old' in notes(answer), 'a C library that is older than the object needs', shown(answer))


def privileges(shop):
    plain = shop.path('plain')
    mounted = shop.path('mounted')
    os.makedirs(mounted, exist_ok=True)
    subprocess.run(['mount', '-t', 'tmpfs', 'none', mounted], check=True, timeout=10)
    try:
        for name, mode, why in (('setuid', 0o4755, 'setuid'), ('setgid', 0o2755, 'setgid')):
            copy = shutil.copy(plain, os.path.join(mounted, name))
            os.chmod(copy, mode)
            answer = shop.expect(copy, 'a %s program is not reachable' % name, 'unreachable', 'setuid', why=why)
            shop.tap.report('privileged' in notes(answer), 'and what would reach it is said', shown(answer))
        copy = shutil.copy(plain, os.path.join(mounted, 'capable'))
        can = shutil.which('setcap') and subprocess.run(['setcap', 'cap_net_raw+ep', copy], stderr=subprocess.DEVNULL, timeout=10).returncode == 0
        shop.expect(copy if can else None, 'nor one with file capabilities', 'unreachable', 'setuid', why='capabilities')
        subprocess.run(['mount', '-o', 'remount,nosuid', mounted], check=True, timeout=10)
        answer = shop.doctor.ask(os.path.join(mounted, 'setuid'))
        shop.tap.report(answer['verdict'] == 'reachable', 'where setuid has no effect (nosuid) it is no obstacle', shown(answer))
    finally:
        subprocess.run(['umount', mounted], check=True, timeout=10)


def static_openssl(shop):
    can = shop.doctor.has('patch')
    verdict = 'reachable' if can else 'partly'
    exported = shop.build('ssl-exported', SSL_PROGRAM, '-rdynamic', *STATIC_SSL)
    shop.expect(exported, 'OpenSSL inside the program, exported: patched', verdict, 'patch', can, 'SSL_write is inside')
    hidden = shop.build('ssl-hidden', SSL_PROGRAM, '-Wl,--exclude-libs,ALL', *STATIC_SSL)
    shop.expect(hidden, 'OpenSSL inside, in the symbol table only: patched by that', verdict, 'patch-symtab', can)
    shop.expect(hidden, 'with JWTSHIM_PATCH=off only its sockets are', 'partly', 'patch-symtab', False, env={'JWTSHIM_PATCH': 'off'})
    stripped = shop.build('ssl-stripped', SSL_PROGRAM, '-Wl,--exclude-libs,ALL', '-s', *STATIC_SSL)
    shop.expect(stripped, 'OpenSSL inside, stripped: not reachable', 'unreachable', 'stripped-static-tls')
    shop.expect(shop.build('ssl-static', SSL_PROGRAM, '-static', '-lssl', '-lcrypto', '-ldl', '-lpthread'), 'OpenSSL in a static program: static decides', 'unreachable', 'static')


def libraries(shop):
    for name, library, functions, seen in (
            ('openssl', 'libssl.so.99', ['SSL_write'], True), ('gnutls', 'libgnutls.so.99', ['gnutls_record_send'], True),
            ('nss', 'libnspr4.so', ['PR_Send', 'SSL_ImportFD'], True), ('mbedtls', 'libmbedtls.so.99', ['mbedtls_ssl_write'], True),
            ('openssl-bio', 'libssl.so.99', ['BIO_puts', 'BIO_new_ssl_connect'], True), ('nghttp2', 'libnghttp2.so.99', ['nghttp2_submit_request'], True),
            ('own-tls', 'libwolfssl.so.99', ['wolfSSL_write'], False)):
        stub = shop.stub('%s/%s' % (name, library), functions)
        program = shop.caller('calls-' + name, functions, stub, '-Wl,-rpath,' + os.path.dirname(stub))
        shop.expect(program, '%s by %s: %s' % (name, functions[0], 'seen' if seen else 'not seen'), 'reachable' if seen else 'unreachable', name, seen)
    stub = shop.stub('plain-bio/libcrypto.so.99', ['BIO_puts'])
    answer = shop.doctor.ask(shop.caller('calls-plain-bio', ['BIO_puts'], stub, '-Wl,-rpath,' + os.path.dirname(stub)))
    shop.tap.report(not ways(answer), 'a BIO without TLS is no way out', shown(answer))
    hidden = shop.stub('curl-hidden/libcurl.so.4', ['curl_easy_perform'])
    shop.expect(shop.caller('calls-libcurl', ['curl_easy_perform'], hidden, '-Wl,-rpath,' + os.path.dirname(hidden)),
                'a libcurl with its TLS inside is seen by its API', 'reachable', 'libcurl-api', True)
    open_ = shop.stub('curl-open/libcurl.so.4', ['curl_easy_perform'], ['SSL_write'])
    answer = shop.doctor.ask(shop.caller('calls-open-libcurl', ['curl_easy_perform'], open_, '-Wl,-rpath,' + os.path.dirname(open_), '-Wl,--unresolved-symbols=ignore-all'))
    shop.tap.report(answer['verdict'] == 'reachable' and not ways(answer, 'libcurl-api') and bool(ways(answer, 'openssl')), 'one that calls OpenSSL is seen there', shown(answer))


def lookups(shop):
    can = shop.doctor.has('loader')
    dlsym = '#include <dlfcn.h>\nint main(int c, char **v) { return dlsym(dlopen(v[1], RTLD_NOW), "SSL_write") != 0; }\n'
    program = shop.build('asks-dlsym', dlsym)
    shop.expect(program, 'a program that asks for SSL_write by dlsym()', 'reachable' if can else 'unreachable', 'dlsym', can)
    shop.expect(program, 'with JWTSHIM_LOADER=off it is not seen', 'unreachable', 'dlsym', False, env={'JWTSHIM_LOADER': 'off'})
    curl = '#include <dlfcn.h>\nint main(int c, char **v) { return dlsym(dlopen(v[1], RTLD_NOW), "curl_easy_perform") != 0; }\n'
    answer = shop.doctor.ask(shop.build('asks-curl', curl), env={'JWTSHIM_LOADER': 'off'})
    shop.tap.report(answer['verdict'] == 'reachable' and bool(ways(answer, 'dlsym')) and bool(ways(answer, 'openssl')),
                    "a program that looks libcurl up is seen at libcurl's own calls, without a deep hook", shown(answer))
    deepbind = '#include <dlfcn.h>\nint main(int c, char **v) { return dlopen(v[1], RTLD_LAZY | RTLD_GLOBAL | %s) != 0; }\n'
    machine = os.uname().machine == 'x86_64'
    for flags in ([], ['-fno-plt'], ['-fcf-protection', '-O0'], ['-no-pie', '-O2'], ['-fcf-protection=none', '-O2']):
        shop.expect(shop.build('deepbind' + ''.join(flags), deepbind % 'RTLD_DEEPBIND', *flags) if machine else None,
                    'a user of RTLD_DEEPBIND (%s)' % (' '.join(flags) or 'as usual'), 'reachable' if can else 'unreachable', 'deepbind', can)
    answer = shop.doctor.ask(shop.build('no-deepbind', deepbind % 'RTLD_NODELETE'))
    shop.tap.report(not ways(answer, 'deepbind'), 'and none is seen where other flags are asked for', shown(answer))
    file_program = '#include <stdio.h>\n' + CONNECT + 'int main(void) { connect(0, 0, 0); fprintf(fdopen(1, "w"), "%d", 1); return 0; }\n'
    can = shop.doctor.has('stdio')
    program = shop.build('fdopen', file_program)
    shop.expect(program, 'a FILE over a socket', 'reachable' if can else 'unreachable', 'stdio', can)
    shop.expect(program, 'with JWTSHIM_STDIO=off it is not seen', 'unreachable', 'stdio', False, env={'JWTSHIM_STDIO': 'off'})


def other_languages(shop):
    rust = 'const char *volatile at = "/usr/share/cargo/registry/rustls-0.21.6/src/conn.rs";\n'
    shop.expect(shop.build('rustls', rust + CONNECT + 'int main(void) { talk(); return *at; }\n'), 'rustls is known by its sources\' names', 'partly', 'own-tls', why='rustls')
    go = '__asm__(".pushsection .note.go.buildid, \\"a\\", %note\\n.long 4, 4, 4\\n.asciz \\"Go\\"\\n.byte 0\\n.asciz \\"abc\\"\\n.popsection");\n' \
         'const char *volatile at = "crypto/tls.(*Conn).Write";\n'
    shop.expect(shop.build('go', go + CONNECT + 'int main(void) { talk(); return *at; }\n'), 'a Go program is known by its note', 'unreachable', 'own-tls', why='Go')
    jli = shop.stub('java/libjli.so', ['JLI_Launch'])
    shop.expect(shop.caller('launcher', ['JLI_Launch'], jli, '-Wl,-rpath,' + os.path.dirname(jli)), 'a Java launcher of any name is known by libjli', 'unreachable', 'own-tls', why='Java')


def search(shop):
    """Libraries are found where ld.so finds them, and nowhere else."""
    inner = shop.stub('search/deep/libinner.so', ['inner'], ['SSL_write'])
    outer = shop.stub('search/libouter.so', ['outer'], ['inner'], inner)
    def program(name, *options):
        return shop.caller('search/' + name, ['outer'], outer, '-Wl,--unresolved-symbols=ignore-all', *options)
    answer = shop.doctor.ask(program('none'))
    shop.tap.report('missing-library' in notes(answer) and not ways(answer), 'a library that is in no search path is missing', shown(answer))
    answer = shop.doctor.ask(program('rpath', '-Wl,--disable-new-dtags,-rpath,$ORIGIN:$ORIGIN/deep'))
    shop.tap.report(bool(ways(answer, 'openssl')), 'RPATH with $ORIGIN is for what a library needs, too', shown(answer))
    middle = shop.stub('search/deep/libmiddle.so', ['middle'], ['inner'], inner)
    top = shop.stub('search/libtop.so', ['top'], ['middle'], middle, '-Wl,--disable-new-dtags,-rpath,$ORIGIN/deep')
    answer = shop.doctor.ask(shop.caller('search/by-library', ['top'], top, '-Wl,--unresolved-symbols=ignore-all,-rpath,$ORIGIN'))
    shop.tap.report(bool(ways(answer, 'openssl')), 'a library has its RPATH for all that it brings in', shown(answer))
    answer = shop.doctor.ask(program('runpath', '-Wl,--enable-new-dtags,-rpath,${ORIGIN}:$ORIGIN/deep'))
    shop.tap.report(not ways(answer, 'openssl') and 'missing-library' in notes(answer), 'RUNPATH is for the program alone', shown(answer))
    both = '%s:%s' % (shop.path('search'), shop.path('search/deep'))
    answer = shop.doctor.ask(shop.path('search/none'), env={'LD_LIBRARY_PATH': both})
    shop.tap.report(bool(ways(answer, 'openssl')), 'LD_LIBRARY_PATH is for all', shown(answer))
    answer = shop.doctor.ask(shop.build('nodeflib', CONNECT + MAIN, '-Wl,-z,nodefaultlib'))
    shop.tap.report('missing-library' in notes(answer), 'with DF_1_NODEFLIB the default directories are not searched', shown(answer))


def write(path, text, mode=0o755):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def scripts(shop):
    for first in ('#!/usr/bin/python3', '#! /usr/bin/env python3', '#!/usr/bin/env -S python3 -u', '#!/usr/bin/env -i A=1 python3'):
        answer = shop.doctor.ask(write(shop.path('script'), first + '\nprint()\n'))
        shop.tap.report(answer['kind'] == 'script' and answer['verdict'] == 'reachable' and bool(ways(answer, 'openssl')) and answer['path'] == shop.path('script'),
                        '%s is followed to python3' % first, shown(answer))
    chain = write(shop.path('chain'), '#!%s\n' % shop.path('script'))
    shop.tap.report(bool(ways(shop.doctor.ask(chain), 'openssl')), 'a script that is run by a script')
    for text, what in (('#!%s\n' % shop.path('loop'), 'itself'), ('#!/no/such/interpreter\n', 'nothing'), ('#!/usr/bin/env no-such-interpreter\n', 'a name nobody has')):
        run = shop.doctor.run(write(shop.path('loop'), text))
        shop.tap.report(run.returncode == 66 and run.stderr, 'a script that is run by %s: exit code 66' % what, [run.returncode, run.stderr])
    answer = shop.doctor.ask(write(shop.path('starts'), '#!/bin/sh\n# wget is not it\nset -e\nif true; then exec curl -s "$@" | cat; fi\n'))
    shop.tap.report(answer['verdict'] == 'reachable' and bool(ways(answer, 'openssl')) and not ways(answer, 'gnutls'), 'a shell script is as the client that it starts', shown(answer))
    answer = shop.doctor.ask(write(shop.path('jar'), '#!/bin/sh\nexec "$JAVACMD" -jar x.jar\n'))
    shop.tap.report(answer['verdict'] == 'unreachable' and bool(ways(answer, 'own-tls')), 'a launcher of Java is as Java', shown(answer))
    answer = shop.doctor.ask(write(shop.path('itself'), '#!/bin/sh\nexec %s\n' % shop.path('itself')))
    shop.tap.report(answer['verdict'] == 'unreachable', 'a script that starts itself comes to an end', shown(answer))


def layouts(shop):
    """Where the command finds the object that came with it: as it is built, installed, packaged, and in the image."""
    triplet = os.uname().machine + '-linux-gnu'
    places = {'a source tree': ('build', 'build'), 'make install': ('bin', 'lib/jwtshim'), 'the package': ('bin', 'lib/%s/jwtshim' % triplet),
              'the image': ('bin', 'lib/' + triplet)}
    with open(os.path.join(shop.doctor.build, 'libjwtshim.so'), 'rb') as file:
        shim = file.read()
    for number, (what, (commands, objects)) in enumerate(places.items()):
        home = shop.path('layout%d' % number)
        others = os.path.join(home, 'lib', 'riscv64-linux-gnu' if triplet != 'riscv64-linux-gnu' else 'aarch64-linux-gnu', 'jwtshim')
        for directory in (os.path.join(home, commands), os.path.join(home, objects), others):
            os.makedirs(directory, exist_ok=True)
        command = shutil.copy(shop.doctor.command, os.path.join(home, commands))
        with open(os.path.join(home, objects, 'libjwtshim.so'), 'wb') as file:
            file.write(shim)
        os.chmod(file.name, 0o644)
        with open(os.path.join(others, 'libjwtshim.so'), 'wb') as foreign:          # of another architecture's package, beside it
            foreign.write(shim[:18] + b'\xf3\x00' + shim[20:])
        asked = Doctor(shop.tap, command, shop.doctor.build, shop.doctor.tmp)
        answer = asked.ask('/usr/bin/curl')
        shop.tap.report(answer['verdict'] == 'reachable' and 'no-object' not in notes(answer), 'the object is found as in %s' % what, shown(answer))
        run = subprocess.run([command, 'enable', '--dry-run', '--force'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        shop.tap.report(run.returncode == 0 and file.name in run.stdout.split(), 'and by enable, too', [run.returncode, run.stdout, run.stderr])


def treacherous_names(shop):
    name = shop.path('t\33[31mred\u202e')
    shutil.copy('/bin/true', name)
    for target in (name, name + '\33[2J', shop.path('line\nend')):
        run = shop.doctor.run(target)
        shop.tap.report('\33' not in run.stdout + run.stderr and '\u202e' not in run.stdout + run.stderr and ('\\u001b' in run.stdout + run.stderr or 'line' in run.stderr),
                        'nothing of a name moves the cursor, of a program that is there or not', [run.stdout, run.stderr])


def suite(doctor):
    shop = Workshop(doctor)
    for part in (whole_programs, older_libc, privileges, static_openssl, libraries, lookups, other_languages, search, scripts, layouts, treacherous_names):
        part(shop)
