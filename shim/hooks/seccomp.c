/* A program forbids itself system calls: those that the shim would make later are made before, or never. */
#include "socket.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* What a sandbox writes to is usually among the first. */
enum { FIRST_DESCRIPTORS = 64 };

/* A descriptor that nobody saw come is looked at now, for the filter may kill at the fstat() that its first write would add. */
static void settle_descriptors(void)
{
    struct stat status;
    for (int fd = 0; fd < FIRST_DESCRIPTORS; fd++)
        if (fd_state(fd) == FD_UNKNOWN && fstat(fd, &status) == 0)
            socket_needs_look(fd);
}

/* Nothing but read, write, exit and sigreturn from here on, not even a larger heap: whatever is written leaves as it is. */
static void become_inert(void)
{
    process_release_all();
    config_become_inert();
    fd_forget_range(0, ~0u);
}

void process_before_seccomp(bool strict)
{
    const int saved = errno;
    if (config_get()->mode != MODE_OFF && strict && !process_is_vfork_child())
        become_inert();
    else if (config_get()->mode != MODE_OFF && !strict)
        settle_descriptors();
    errno = saved;
}

EXPORT int prctl(int option, ...)
{
    va_list arguments;
    va_start(arguments, option);
    const unsigned long first = va_arg(arguments, unsigned long);
    const unsigned long second = va_arg(arguments, unsigned long);
    const unsigned long third = va_arg(arguments, unsigned long);
    const unsigned long fourth = va_arg(arguments, unsigned long);
    va_end(arguments);
    if (option == PR_SET_SECCOMP)
        process_before_seccomp(first == SECCOMP_MODE_STRICT);
    return REAL(prctl)(option, first, second, third, fourth);
}
