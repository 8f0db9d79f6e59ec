/* A number that becomes another socket's, seen and unseen, while its connection owes half a head or a body; and calls that only look as
 * if a number ended. */
#include "../../../shim/loader/raw.h"
#include "common.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

static void write_given(int fd, int index)
{
    CALL(write(fd, given[index].at, given[index].len));
}

/* A new connection gets the number of `fd`, by the kernel itself: by no function that anybody could stand in for. */
static void replace_unseen(int fd)
{
    int other = dial();
    need(raw_syscall(SYS_dup3, other, fd, 0, 0, 0, 0) == fd, "dup3");
    need(raw_syscall(SYS_close, other, 0, 0, 0, 0, 0) == 0, "close");
}

static void unseen_after_request(void)
{
    int fd = dial();
    write_given(fd, 0);
    replace_unseen(fd);
    write_given(fd, 1);
}

static void unseen_in_head(void)
{
    int fd = dial();
    CALL(write(fd, given[0].at, given[0].len / 2));
    replace_unseen(fd);
    write_given(fd, 1);
}

/* What the first connection is owed is as long as what the second one begins with. */
static void unseen_in_body(void)
{
    int fd = dial();
    write_given(fd, 0);
    replace_unseen(fd);
    write_given(fd, 1);
    write_given(fd, 2);
}

/* --- seen: the number's new connection is looked at from its start --- */

static int in_body(void)
{
    int fd = dial();
    write_given(fd, 0);
    return fd;
}

static void then_request(int fd)
{
    int next = dial();
    told("the same number", next == fd);
    write_given(next, 1);
}

static void seen_close_range(void)
{
    int fd = in_body();
    CALL(close_range((unsigned)fd, (unsigned)fd, 0));
    then_request(fd);
}

static void seen_close_range_by_syscall(void)
{
    int fd = in_body();
    CALL(syscall(SYS_close_range, fd, fd, 0));
    then_request(fd);
}

static void seen_closefrom(void)
{
    int fd = in_body();
    closefrom(fd);
    then_request(fd);
}

static void seen_copy(int (*copy)(int from, int to))
{
    int fd = in_body(), other = dial();
    told("the same number", copy(other, fd) == fd);
    CALL(close(other));
    write_given(fd, 1);
}

static int by_dup3(int from, int to)
{
    return dup3(from, to, O_CLOEXEC);
}

static int by_dup3_by_syscall(int from, int to)
{
    return (int)syscall(SYS_dup3, from, to, 0);
}

static int by_fcntl(int from, int to)
{
    need(close(to) == 0, "close");
    return fcntl(from, F_DUPFD, to);
}

static int by_fcntl_by_syscall(int from, int to)
{
    need(syscall(SYS_close, to) == 0, "close");
    return (int)syscall(SYS_fcntl, from, F_DUPFD_CLOEXEC, to);
}

static void seen_dup2(void)
{
    seen_copy(dup2);
}

static void seen_dup3(void)
{
    seen_copy(by_dup3);
}

static void seen_dup3_by_syscall(void)
{
    seen_copy(by_dup3_by_syscall);
}

static void seen_fcntl(void)
{
    seen_copy(by_fcntl);
}

static void seen_fcntl_by_syscall(void)
{
    seen_copy(by_fcntl_by_syscall);
}

/* --- nothing ends: the body goes on, whatever it looks like --- */

static void refused_flags(void)
{
    int fd = in_body();
    CALL(close_range((unsigned)fd, (unsigned)fd, 0x10000));
    CALL(syscall(SYS_close_range, fd, fd, 0x10000));
    write_given(fd, 1);
}

/* As by a kernel before 5.9, or by a container's filter. */
static void missing_call(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof code / sizeof *code, code};
    int fd = in_body();
    need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0,
         "a filter");
    CALL(close_range((unsigned)fd, ~0u, 0));
    write_given(fd, 1);
}

/* A thread with descriptors of its own closes only those. */
static void *close_own(void *fd)
{
    CALL(close_range((unsigned)(intptr_t)fd, (unsigned)(intptr_t)fd, CLOSE_RANGE_UNSHARE));
    return NULL;
}

static void anothers_table(void)
{
    pthread_t thread;
    int fd = in_body();
    need(pthread_create(&thread, NULL, close_own, (void *)(intptr_t)fd) == 0 && pthread_join(thread, NULL) == 0,
         "a thread");
    write_given(fd, 1);
}

const struct scenario scenarios[] = {
    {"unseen-after-request", unseen_after_request},
    {"unseen-in-head", unseen_in_head},
    {"unseen-in-body", unseen_in_body},
    {"seen-close_range", seen_close_range},
    {"seen-close_range-by-syscall", seen_close_range_by_syscall},
    {"seen-closefrom", seen_closefrom},
    {"seen-dup2", seen_dup2},
    {"seen-dup3", seen_dup3},
    {"seen-dup3-by-syscall", seen_dup3_by_syscall},
    {"seen-fcntl", seen_fcntl},
    {"seen-fcntl-by-syscall", seen_fcntl_by_syscall},
    {"refused-flags", refused_flags},
    {"missing-call", missing_call},
    {"anothers-table", anothers_table},
    {NULL, NULL},
};
