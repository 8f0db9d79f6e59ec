/* Runs a program that is killed at any system call but those whose numbers are given.
 *
 *     allow NUMBER,NUMBER,… PROGRAM [ARGUMENT…] */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CALLS_MAX = 250 };

int main(int count, char **arguments)
{
    struct sock_filter rules[CALLS_MAX + 3] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short used = 1;
    if (count < 3)
        return 2;
    for (char *at = arguments[1]; *at && used <= CALLS_MAX; used++) {
        unsigned number = (unsigned)strtoul(at, &at, 10);
        /* Allowed is the last rule; how far it is is known when all are there. */
        rules[used] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 0);
        at += *at == ',';
    }
    for (unsigned short i = 1; i < used; i++)
        rules[i].jt = (unsigned char)(used - i);
    rules[used] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    rules[used + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog filter = {(unsigned short)(used + 2), rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        perror("allow");
        return 2;
    }
    execv(arguments[2], arguments + 2);
    return 2;
}
