/* Shared by syscall_jump.S and syscall.c: how many system call numbers the table of hooked ones covers. */
#define SYSCALL_NUMBERS 512
