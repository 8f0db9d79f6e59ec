/* syscall(): a tail jump to libc's for every number but those whose call is hooked. Never a C frame around it: a system
 * call that returns twice, or on another stack, would not survive one. */
#include "syscall.h"

#if defined(__x86_64__)
        .text
        .globl  syscall
        .type   syscall, @function
        .p2align 4
syscall:
        .cfi_startproc
        endbr64
        cmpq    $SYSCALL_NUMBERS, %rdi
        jae     1f
        leaq    syscall_is_hooked(%rip), %rax
        cmpb    $0, (%rax,%rdi)
        je      1f
        jmp     syscall_hooked
1:      movq    syscall_real(%rip), %rax
        jmp     *%rax
        .cfi_endproc
        .size   syscall, .-syscall
#elif defined(__aarch64__)
        .text
        .globl  syscall
        .type   syscall, %function
        .p2align 4
syscall:
        .cfi_startproc
        hint    #34
        cmp     x0, #SYSCALL_NUMBERS
        b.hs    1f
        adrp    x9, syscall_is_hooked
        add     x9, x9, #:lo12:syscall_is_hooked
        ldrb    w9, [x9, x0]
        cbz     w9, 1f
        b       syscall_hooked
1:      adrp    x9, syscall_real
        ldr     x16, [x9, #:lo12:syscall_real]
        br      x16
        .cfi_endproc
        .size   syscall, .-syscall
#endif
#if defined(__x86_64__) && defined(__CET__)
        /* Without this note the linker takes the mark of indirect branch tracking and shadow stacks from the object. */
        .section .note.gnu.property, "a"
        .p2align 3
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000002, 4, 3, 0
#endif
        .section .note.GNU-stack, "", %progbits
