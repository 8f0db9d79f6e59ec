/* Runs a program on a system that lets nobody make code: both: no page may be writable and executable; code: as systemd's
 * MemoryDenyWriteExecute, none may become executable either. What is denied answers EPERM.
 *
 *     deny both|code PROGRAM [ARGUMENT…] */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define THIRD BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]))
#define DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1)
/* Denies `call` where its third argument has all of `bits`. */
#define RULE(call, bits)                                                                                               \
    NUMBER, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 4), THIRD, BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (bits)),     \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (bits), 0, 1), DENY

int main(int count, char **arguments)
{
    const unsigned both = PROT_WRITE | PROT_EXEC;
    const unsigned more = count > 2 && strcmp(arguments[1], "code") == 0 ? PROT_EXEC : both;
    struct sock_filter rules[] = {
        RULE(SYS_mmap, both),
        RULE(SYS_mprotect, more),
        RULE(SYS_pkey_mprotect, more),
        RULE(SYS_shmat, SHM_EXEC),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof rules / sizeof *rules, rules};
    if (count < 3 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        perror("deny");
        return 2;
    }
    execv(arguments[2], arguments + 2);
    perror(arguments[2]);
    return 2;
}
