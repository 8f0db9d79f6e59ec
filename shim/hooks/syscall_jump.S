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
        movzbl  (%rax,%rdi), %eax
        testl   %eax, %eax
        je      1f
        cmpl    $2, %eax
        jne     syscall_hooked
        /* Seven pushes keep the stack aligned for the call, and the seventh argument in its place for the jump. */
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %rcx
        pushq   %r8
        pushq   %r9
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 56
        call    process_before_syscall
        addq    $8, %rsp
        popq    %r9
        popq    %r8
        popq    %rcx
        popq    %rdx
        popq    %rsi
        popq    %rdi
        .cfi_adjust_cfa_offset -56
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
        cmp     w9, #2
        b.ne    syscall_hooked
        stp     x29, x30, [sp, #-80]!
        .cfi_adjust_cfa_offset 80
        stp     x0, x1, [sp, #16]
        stp     x2, x3, [sp, #32]
        stp     x4, x5, [sp, #48]
        str     x6, [sp, #64]
        bl      process_before_syscall
        ldp     x0, x1, [sp, #16]
        ldp     x2, x3, [sp, #32]
        ldp     x4, x5, [sp, #48]
        ldr     x6, [sp, #64]
        ldp     x29, x30, [sp], #80
        .cfi_adjust_cfa_offset -80
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
