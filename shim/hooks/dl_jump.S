/* dlopen(), dlmopen(), dlsym(), dlvsym(): dl.c and dl_namespace.c are asked first, and the next function of the name is
 * jumped to, so that it sees the program's return address. And the code behind the pointers of dl_pointers.c. */
#include "dl.h"

#define POINTER_SIZE 24

#if defined(__x86_64__)
        .macro  begin name
        .globl  \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
        endbr64
        .endm

        .macro  end name
        .cfi_endproc
        .size   \name, .-\name
        .endm

        .macro  jump_to next
        movq    \next(%rip), %rax
        testq   %rax, %rax
        je      1f
        jmp     *%rax
1:      ret
        .endm

        .text
        begin   dlopen
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        movl    %esi, %edi
        call    dl_before_dlopen
        movl    %eax, %esi
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        jump_to dl_next_dlopen
        end     dlopen

        begin   dlmopen
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        call    dl_before_dlmopen
        movq    %rax, %rdi
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        jump_to dl_next_dlmopen
        end     dlmopen

        begin   dlsym
        movq    (%rsp), %rdx
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        call    dl_before_dlsym
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        testq   %rax, %rax
        jne     1f
        movq    %rdx, %rdi
        jump_to dl_next_dlsym
        end     dlsym

        begin   dlvsym
        movq    (%rsp), %rcx
        pushq   %rsi
        pushq   %rdx
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 24
        call    dl_before_dlvsym
        movq    %rdx, %rdi
        addq    $8, %rsp
        popq    %rdx
        popq    %rsi
        .cfi_adjust_cfa_offset -24
        testq   %rax, %rax
        jne     1f
        jump_to dl_next_dlvsym
        end     dlvsym

        /* A function of 16 bytes for each. %rax says how many vector registers hold arguments, and stays. */
        .p2align 4
        .globl  dl_pointer_code
        .hidden dl_pointer_code
        .type   dl_pointer_code, @function
dl_pointer_code:
        .cfi_startproc
        .set    place, 0
        .rept   POINTERS
        .p2align 4
        endbr64
        leaq    dl_pointers+place*POINTER_SIZE(%rip), %r11
        jmp     note_call
        .set    place, place+1
        .endr
        .p2align 4
note_call:
        movq    last_pointer_call@gottpoff(%rip), %r10
        movq    %r11, %fs:(%r10)
        pushq   (%rsp)
        .cfi_adjust_cfa_offset 8
        popq    %fs:8(%r10)
        .cfi_adjust_cfa_offset -8
        jmp     *(%r11)
        .cfi_endproc
        .size   dl_pointer_code, .-dl_pointer_code
#elif defined(__aarch64__)
        .macro  begin name
        .globl  \name
        .type   \name, %function
        .p2align 4
\name:
        .cfi_startproc
        hint    #34
        stp     x29, x30, [sp, #-48]!
        .cfi_adjust_cfa_offset 48
        .cfi_offset 30, -40
        stp     x0, x1, [sp, #16]
        str     x2, [sp, #32]
        .endm

        .macro  back
        ldp     x29, x30, [sp], #48
        .cfi_restore 30
        .cfi_adjust_cfa_offset -48
        .endm

        .macro  jump_to next
        adrp    x9, \next
        ldr     x16, [x9, #:lo12:\next]
        cbz     x16, 1f
        br      x16
1:      mov     x0, #0
        ret
        .endm

        .macro  end name
        .cfi_endproc
        .size   \name, .-\name
        .endm

        .text
        begin   dlopen
        mov     w0, w1
        bl      dl_before_dlopen
        mov     w1, w0
        ldr     x0, [sp, #16]
        back
        jump_to dl_next_dlopen
        end     dlopen

        begin   dlmopen
        bl      dl_before_dlmopen
        mov     x2, x1
        ldr     x1, [sp, #24]
        back
        jump_to dl_next_dlmopen
        end     dlmopen

        begin   dlsym
        mov     x2, x30
        bl      dl_before_dlsym
        mov     x9, x0
        mov     x0, x1
        ldr     x1, [sp, #24]
        back
        cbnz    x9, 2f
        jump_to dl_next_dlsym
2:      mov     x0, x9
        ret
        end     dlsym

        begin   dlvsym
        mov     x3, x30
        bl      dl_before_dlvsym
        mov     x9, x0
        mov     x0, x1
        ldr     x1, [sp, #24]
        ldr     x2, [sp, #32]
        back
        cbnz    x9, 2f
        jump_to dl_next_dlvsym
2:      mov     x0, x9
        ret
        end     dlvsym

        .p2align 4
        .globl  dl_pointer_code
        .hidden dl_pointer_code
        .type   dl_pointer_code, %function
dl_pointer_code:
        .cfi_startproc
        .set    place, 0
        .rept   POINTERS
        hint    #34
        adrp    x16, dl_pointers+place*POINTER_SIZE
        add     x16, x16, #:lo12:dl_pointers+place*POINTER_SIZE
        b       note_call
        .set    place, place+1
        .endr
note_call:
        mrs     x17, tpidr_el0
        adrp    x9, :gottprel:last_pointer_call
        ldr     x9, [x9, #:gottprel_lo12:last_pointer_call]
        add     x9, x9, x17
        stp     x16, x30, [x9]
        ldr     x16, [x16]
        br      x16
        .cfi_endproc
        .size   dl_pointer_code, .-dl_pointer_code
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
