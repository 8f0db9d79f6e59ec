"""What programs that are no client of Atlassian's are asked to do: shell scripts whose output, errors and files are the same each time. Each starts in
an empty directory, with $SOURCE (this project's sources) and nothing on its standard input. NEEDS: what must be installed, by script.
"""
HELLO_C = r'''cat > hello.c <<'END'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int count, char **words)
{
    printf("%d %s\n", count, words[0]);
    fflush(stdout);
    ssize_t wrote = write(99, "x", 1);
    dprintf(1, "%zd %s\n", wrote, strerror(errno));
    fprintf(stderr, "GET / is no request here\n");
    return close(99) ? 7 : 8;
}
END
'''

SCRIPTS = {
    'bash': r'''
        exec 3<> both; echo a >&3; exec 3>&-; cat both <(echo b) <(echo c); diff <(seq 3) <(seq 4); echo $?
        set -o pipefail; yes 2> /dev/null | head -n 2; echo ${PIPESTATUS[@]}; coproc cat; echo to it >&${COPROC[1]}; read -r line <&${COPROC[0]}; echo "$line"
        eval "exec ${COPROC[1]}>&-"; wait; mapfile -t lines < <(seq 5); echo ${#lines[@]}; cat <<< here; printf -v text '%08.3f' 3.14159; echo $text
        trap 'echo bye' EXIT; trap 'echo usr1' USR1; kill -USR1 $$; (exit 3); echo $?; echo x > /dev/full; echo $?; echo 'GET / HTTP/1.1' | tee copy
        for number in 1 2 3; do echo $number & wait $!; done; { echo out; echo err >&2; } > two 2>&1; cat two; exec 5>&1 1>&2; echo crossed; exec 1>&5
        ls /nowhere; nosuchcommand; echo $?; help echo | head -n 2; ulimit -n; (ulimit -f 1; head -c 20000 /dev/zero > limited) 2> /dev/null; echo $?
        (exec 1>&-; echo closed); echo $?; printf 'POST /'; printf ' to nobody\n'; exit 6''',
    'dash': r'''dash -c 'printf "%s\n" a b; cat <<END
here
END
x=$(echo in | tr a-z A-Z); echo $x; (exit 4); echo $?; trap "echo bye" EXIT; set -e; false; echo never'; echo $?; dash -c 'echo $(('; echo $?
        dash -c 'echo one >&2; exec 4> f; echo four >&4; cat f; echo x >&9'; echo $?; seq 100 | dash -c 'while read n; do [ $n = 50 ] && echo half; done' ''',
    'zsh': r'''zsh -fc 'print -l {1..3} | cat; a=(x y z); print ${#a} ${(U)a}; cat =(echo file); print GET / HTTP/1.1 > f; cat f; zmodload zsh/net/tcp && print tcp; exit 3'; echo $?''',
    'busybox': r'''seq 300 > n; busybox sh -c 'busybox md5sum n; busybox tar -cf - n | busybox tar -tf -; busybox awk "{ s += \$1 } END { print s }" n; busybox sed -n 7p n; exit 3'
        echo $?; busybox ls /nowhere; busybox gzip -c n | busybox zcat | cmp - n; busybox vi --nothing; busybox find . | sort; busybox nc; echo $?''',
    'text tools': r'''seq 20000 > n; sort -R --random-source=n n | sort -n | md5sum; sed -n '5p;10q' n; sed -i.bak 's/1/one/w written' n; wc n written; grep -c one n; tr 0-9 a-j < n | tail -n 1
        cut -c 1-3 n | uniq -c | head -n 3; join <(seq 3 | sort) <(seq 2 5 | sort); paste -sd+ <(seq 10); comm -12 <(seq 3) <(seq 2 5); split -n 3 n; fold -w 3 n | md5sum; od -c n | head -n 2
        dd if=/dev/zero bs=1k count=3 2>&1 > dd | head -n 2; tee a b < n | md5sum; stdbuf -o0 echo u; stdbuf -oL seq 3; env -i /usr/bin/printf '%s\n' x; timeout 0.2 sleep 5; echo $?
        seq 500 | xargs -n 50 echo | md5sum; seq 20 | xargs -P 3 -n 1 true; factor 1234567890; echo 'GET /?jwt=a.b.c HTTP/1.1' > request; cat request; base64 request; cat request >&2''',
    'awk': r'''for awk in mawk gawk; do seq 1000 | $awk '{ s += $1 } END { print s; printf "%5.2f\n", s / 7; print "err" > "/dev/stderr"; print "sub" | "cat"; close("cat"); system("echo sys"); exit 3 }'; echo $?
        $awk 'BEGIN { while (("echo a b" | getline line) > 0) print line; print "f" > "out"; close("out"); getline x < "out"; print x; print substr("hello", 2, 3) }'; done
        gawk 'BEGIN { c = "cat"; print "two" |& c; close(c, "to"); c |& getline l; print l; print strftime("%Y", 0, 1) }' ''',
    'gcc': HELLO_C + r'''gcc -O2 -Wall -c hello.c && gcc -o hello hello.o && ./hello; echo $?; gcc -O2 -g -S -o - hello.c | md5sum; gcc -flto -o lto hello.c; g++ -x c++ -fsyntax-only hello.c
        echo 'int main(void) { retrun 0; }' > bad.c; gcc -c bad.c; echo $?; cc -c nothing.c; echo $?; nm hello | grep main; ar rcsD libh.a hello.o; objdump -d hello.o | md5sum; strip -o s hello; size hello.o; gcc -E hello.c | md5sum
        gcc -v 2>&1 | tail -n 1; readelf -sW hello | grep -c printf; gcc -pipe -c -o pipe.o hello.c''',
    'clang': HELLO_C + r'''clang -O2 -c hello.c && clang -o hello hello.o && ./hello; echo $?; clang -S -emit-llvm -o - hello.c | md5sum; echo 'int x = ;' > bad.c; clang -c bad.c; echo $?
        clang-format hello.c | md5sum; clang -fsyntax-only -Weverything hello.c 2>&1 | tail -n 1''',
    'make': r'''cp -r $SOURCE/shim $SOURCE/tools $SOURCE/tests $SOURCE/Makefile . ; make -s --no-print-directory -j2 CFLAGS=-O0 build/exports.map build/shim/http/target.o build/shim/http/stream.o build/shim/loader/elf.o | sort
        make CFLAGS=-O0 build/exports.map build/shim/config.o; rm -rf shim tools tests; echo 'a: ; @echo $@; exit 3' > m; make -f m; echo $?; make -f m -n a; make nothing; echo $?; printf 'all: x y\nx y: ; @sleep 0.1; echo $@\n' > j; make -Otarget -j2 -f j | sort
        make -p -f m -q > /dev/null; echo $?; printf '$(info $(shell echo shell; exit 2))\nz:;@:\n' > s; make -f s; rm -f build/*/*.d build/*/*/*.d''',
    'archives': r'''mkdir d; seq 5000 > d/n; ln -s n d/link; echo x > d/x; chmod 640 d/x; tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf a.tar d; tar -tvf a.tar; tar --mtime=@0 --sort=name -czf - d | tar -tzf - | sort
        gzip -nk a.tar; gzip -l a.tar.gz; gzip -dc a.tar.gz | cmp - a.tar; bzip2 -k a.tar; bzip2 -t a.tar.bz2; xz -kT2 a.tar; xz -dc a.tar.xz | md5sum; mkdir out; tar -C out -xf a.tar; diff -r d out/d; find d | sort | cpio -o --quiet 2>&1 | wc -c; tar -xf nothing.tar; echo $?
        head -c 100 a.tar.gz | gzip -d | wc -c; tar -cf - d | (cd out && tar -xf -); cat a.tar | tar -tf - ; rm -rf out''',
    'find': r'''mkdir -p a/b/c; touch a/1 a/b/2 a/b/c/3; find . -type f | sort; find . -name '[12]' -exec echo {} + | tr ' ' '\n' | sort; find . -type f -exec sh -c 'echo $1; exit 1' _ {} \; | sort; find . -name 3 -print0 | xargs -0 ls; find . -type f -delete; find . | sort; find /nowhere; echo $?
        find . -fprintf out '%p\n'; find . -type d -empty -execdir echo {} \;''',
    'git': r'''export GIT_AUTHOR_DATE='@1 +0000' GIT_COMMITTER_DATE='@1 +0000' GIT_CONFIG_NOSYSTEM=1; git config --global user.name a; git config --global user.email a@b.invalid; git config --global init.defaultBranch main; git config --global pack.threads 1
        git init -q one; cp -r $SOURCE/shim one; cd one; git add .; git commit -qm first; git log --stat | tail -n 2; git rev-parse HEAD; echo more >> shim/init.c; git diff; git commit -qam second; git branch side HEAD~1; git tag -am tag v1; git gc -q; git update-server-info; git fsck; cd ..
        git clone -q file://$PWD/one two; git -C two rev-parse HEAD; git clone -q nothing; echo $?; git -C two bundle create -q b main; git -C two log --format=%s
        python3 -um http.server --bind 127.0.0.1 -d one 8123 > started 2> /dev/null & server=$!; for i in $(seq 200); do [ -s started ] && break; sleep 0.05; done
        git clone -q http://127.0.0.1:8123/.git three; git -C three log --oneline --all; git ls-remote http://127.0.0.1:8123/.git; git ls-remote http://127.0.0.1:8123/not.git; echo $?; kill $server; wait $server 2> /dev/null
        git -C three fetch ../one side; git -C three archive --format=tar HEAD | md5sum; git -C three grep -c include | md5sum; rm -rf */.git/index */.git/logs started''',
    'ssh-keygen': r'''umask 77; printf '%s\n' '-----BEGIN OPENSSH PRIVATE KEY-----' b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW > broken; ssh-keygen -y -f broken; echo $?
        openssl genpkey -algorithm ed25519 -out /dev/null; echo $?; ssh-keygen -q -t ed25519 -N '' -C c -f key; ssh-keygen -l -f key | wc -w; ssh-keygen -y -f key | cmp - <(cat key.pub); echo data | ssh-keygen -q -Y sign -n file -f key > sig; echo "a $(cat key.pub)" > signers
        echo data | ssh-keygen -Y verify -n file -I a -f signers -s sig | cut -c 1-20; ssh-keygen -t nothing; echo $?; ssh -G host.invalid | md5sum; ssh -o BatchMode=yes 127.0.0.1; echo $?; rm -f key key.pub sig signers''',
    'openssl': r'''seq 3000 > n; openssl enc -aes-256-cbc -pbkdf2 -S 0011223344556677 -k pass -in n | md5sum; openssl enc -aes-128-ctr -K 00 -iv 00 -in n -out c; openssl enc -d -aes-128-ctr -K 00 -iv 00 -in c | cmp - n; openssl dgst -sha256 n; openssl dgst -hmac k n; openssl version; openssl nothing; echo $?
        openssl asn1parse -in nothing 2>&1 | sed 's/^[0-9A-F]*:error/error/'; echo $?; openssl req -x509 -newkey ed25519 -nodes -subj /CN=localhost -keyout k -out cert -days 9 2> /dev/null; openssl x509 -noout -subject -in cert
        : > started; openssl s_server -accept 4433 -key k -cert cert -www < /dev/null > started 2>&1 & server=$!; for i in $(seq 100); do grep -q ACCEPT started && break; sleep 0.05; done
        { printf 'GET / HTTP/1.0\r\n'; sleep 0.2; printf '\r\n'; sleep 1; } | openssl s_client -quiet -connect 127.0.0.1:4433 2> /dev/null | grep -c Ciphers; kill $server; wait $server 2> /dev/null; rm -f k cert started''',
    'sqlite3': r'''sqlite3 db 'create table t(a, b); insert into t values (1, "x"), (2, "y"); begin; insert into t select a + 10, b from t; commit; select * from t; pragma integrity_check; select nothing;'; echo $?; sqlite3 db .dump; sqlite3 -json db 'select sum(a) from t'; sqlite3 :memory: 'pragma journal_mode'
        sqlite3 db 'pragma journal_mode = wal; insert into t values (3, "z"); vacuum'; sqlite3 db '.schema' '.output f' 'select 1'; cat f''',
    'perl': r'''perl -MSocket -MIO::Handle -e '$| = 1; socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die; if (!fork) { print $a "GET / HTTP/1.1\r\nHost: x.atlassian.net\r\n\r\n"; exit 3 } close $a; my @lines = <$b>; wait; print @lines, $? >> 8, "\n"'
        perl -e 'open(my $p, "-|", "echo", "piped") or die; print <$p>; open(my $q, "|-", "cat") or die; print $q "to cat\n"; close $q; warn "warned\n"; printf "%s %d\n", syswrite(STDOUT, "sys\n"), $!; open(F, ">f"); print F "x" x 100000; close F; print -s "f", "\n"; kill 0, $$; exit 5'; echo $?
        perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die; if (!fork) { my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport); print $c "POST nothing\nmore\n"; shutdown($c, 1); print <$c>; exit } my $d = $s->accept; while (<$d>) { print $d uc } close $d; wait' ''',
    'python': r'''cp $SOURCE/tests/clients/harness.py m.py; python3 -m compileall -q --invalidation-mode unchecked-hash m.py; cat > t.py <<'END'
import concurrent.futures, ctypes, multiprocessing, os, select, signal, socket, subprocess, sys, threading
if __name__ == '__main__':
    print(sorted(concurrent.futures.ThreadPoolExecutor(4).map(lambda n: n * n, range(50)))[-1], ctypes.CDLL(None).abs(-3), ctypes.CDLL(None).write(1, b'', 0))
    with multiprocessing.Pool(2) as pool:
        print(pool.map(abs, [-1, -2]))
    a, b = socket.socketpair()
    a.sendall(b'GET '); a.sendall(b'x' * 1000); print(len(b.recv(2000, socket.MSG_WAITALL if 0 else 0)) > 0)
    print(subprocess.run(['sh', '-c', 'echo out; echo err >&2; exit 4'], capture_output=True, close_fds=True))
    r, w = os.pipe(); os.write(w, b'p'); os.close(w); print(os.read(r, 9), os.read(r, 9), select.select([r], [], [], 0)[0] == [r])
    signal.signal(signal.SIGALRM, lambda *_: os.write(1, b'alarm\n')); signal.setitimer(signal.ITIMER_REAL, 0.05); signal.pause()
    for wrong in (lambda: os.write(99, b''), lambda: os.close(99), lambda: os.dup2(99, 5), lambda: socket.socket().send(b'GET /')):
        try:
            wrong()
        except OSError as error:
            print(error)
    sys.exit(7)
END
        python3 t.py; echo $?; python3 -m json.tool < /dev/null; echo $?; python3 -c 'import this' | tail -n 1; { python3 -c 'import os; os.abort()'; } 2> /dev/null; echo $?; python3 -m venv --without-pip v; rm -rf v''',
    'ruby, php, node': r'''ruby --disable-gems -rsocket -e 'a, b = Socket.pair(:UNIX, :STREAM); a.write("PUT "); a.close; puts b.read; puts IO.popen("echo sub").read; system("exit 3"); p $?.exitstatus; warn "w"; exit 4'; echo $?
        php -r '$p = proc_open(["cat"], [["pipe", "r"], ["pipe", "w"]], $pipes); fwrite($pipes[0], "GET x"); fclose($pipes[0]); echo stream_get_contents($pipes[1]), proc_close($p), "\n"; fwrite(STDERR, "e\n"); exit(5);'; echo $?
        node -e 'const c = require("child_process"), n = require("net"); console.log(c.execSync("echo sub; cat", { input: "HEAD in" }).toString()); const s = n.createServer(k => k.pipe(k)).listen(0, () => { const k = n.connect(s.address().port); k.end("GET echoed"); k.on("data", d => console.log(String(d))); k.on("close", () => { s.close(); process.exitCode = 6; }); });'; echo $?''',
    'dpkg and apt': r'''mkdir -p pkg/DEBIAN pkg/usr/share/tried; printf 'Package: tried\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.invalid>\nDescription: none\n' > pkg/DEBIAN/control; echo data > pkg/usr/share/tried/file
        SOURCE_DATE_EPOCH=1 dpkg-deb -Zgzip --root-owner-group -b pkg t.deb; dpkg-deb -c t.deb | cut -c 1-10; dpkg-deb -I t.deb; dpkg -l bash | tail -n 1; dpkg -S /bin/bash; dpkg -L dash | md5sum; dpkg -s nothing; echo $?; dpkg --print-architecture; dpkg-query -W -f '${Version}\n' sed
        apt-get -q -s install hello 2>&1 | tail -n 3; apt-cache policy bash; apt-config dump | md5sum; apt-get -s remove nothing-so; echo $?; apt-mark showmanual | md5sum; dpkg-architecture -qDEB_HOST_ARCH''',
    'manuals': r'''printf '.TH T 1\n.SH NAME\nt \\- tried\n.SH BODY\nwords \\fBbold\\fP\n' > t.1; man -P cat -l ./t.1; mandoc -T ascii t.1; man -w nothing-so; echo $?; man -P cat 1 ls 2> /dev/null | md5sum; gzip -nk t.1; man -l ./t.1.gz | head -n 3''',
    'editors': r'''seq 20 > n; vim -u NONE -N -i NONE -es -c '%s/1/one/g' -c 'r !echo shell' -c 'w out' -c 'q!' n; echo $?; cat out; printf '1,3d\n,s/0/zero/\nw ed.out\nq\n' | ed n; printf 'w\nx\n' | ed -s /nowhere/f; echo $?; cat ed.out
        printf '%%print\nw! ex.out\nq\n' | vim -u NONE -e -s n; md5sum ex.out''',
    'tmux': r'''cat > s.sh <<'END'
echo line one; stty size; touch ready; read -r line; echo "read: $line"; seq 5; tput bold; echo GET / HTTP/1.1; sleep 0.2; touch done
sleep 20
END
        tmux -S s -f /dev/null new-session -d -x 60 -y 20 'sh s.sh'; for i in $(seq 200); do [ -e ready ] && break; sleep 0.05; done; sleep 0.2; tmux -S s send-keys typed Enter; for i in $(seq 200); do [ -e done ] && break; sleep 0.05; done; sleep 0.2
        tmux -S s capture-pane -p; tmux -S s list-sessions -F '#{session_windows}'; tmux -S s kill-server; echo $?; rm -f s done ready; script -qec 'tty > /dev/null && echo a terminal; stty -a | md5sum' /dev/null''',
    'curl, socat and a server': r'''mkdir d; seq 30000 > d/n; python3 -um http.server --bind 127.0.0.1 -d d 8124 > started 2> log & server=$!; for i in $(seq 200); do [ -s started ] && break; sleep 0.05; done
        curl -s http://127.0.0.1:8124/n | md5sum; curl -s http://127.0.0.1:8124/n http://127.0.0.1:8124/none http://127.0.0.1:8124/n | md5sum; curl -s -o /dev/null -w '%{http_code} %{num_connects} %{size_request}\n' -T d/n http://127.0.0.1:8124/up
        wget -qO- http://127.0.0.1:8124/n | md5sum; wget -q http://127.0.0.1:8124/none; echo $?; printf 'GET /n HTTP/1.0\r\n\r\n' | socat -t 5 - TCP:127.0.0.1:8124 | tail -n 1; exec 7<> /dev/tcp/127.0.0.1/8124; printf 'HEAD /n' >&7; sleep 0.1; printf ' HTTP/1.0\r\n\r\n' >&7; head -n 1 <&7; exec 7>&-
        curl -s http://127.0.0.1:9/; echo $?; curl -s "http://127.0.0.1:8124/n?jwt=a.b.c" -o /dev/null -w '%{http_code}\n'; kill $server; wait $server 2> /dev/null; sed 's/ - - \[[^]]*\]//' log; rm -f log started''',
}

# Scripts that are skipped where a program is missing; what is in Debian's base, or what a check installs for others, is not named.
NEEDS = {'zsh': 'zsh', 'clang': 'clang', 'sqlite3': 'sqlite3', 'editors': 'vim', 'tmux': 'tmux', 'ssh-keygen': 'ssh-keygen', 'git': 'git', 'dpkg and apt': 'dpkg-deb'}
