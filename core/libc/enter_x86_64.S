// SPDX-License-Identifier: BSD-3-Clause
// enter_x86_64.S: libc_enter(entry, image, count). At e_entry rsp points at argc and is 16-byte aligned, rdx is
// a function to be registered with atexit (none: exit.c runs all finalisers), rbp is 0.
    .text
    .globl libc_enter
    .hidden libc_enter
    .type libc_enter, @function
libc_enter:
    .cfi_startproc
    .cfi_undefined rip
    mov %rdi, %rax
    mov %rdx, %rcx
    lea (,%rdx,8), %rdx
    sub %rdx, %rsp
    and $-16, %rsp
    mov %rsp, %rdi
1:  mov (%rsi), %rdx
    mov %rdx, (%rdi)
    add $8, %rsi
    add $8, %rdi
    dec %rcx
    jnz 1b
    xor %edx, %edx
    xor %ebp, %ebp
    xor %ecx, %ecx
    xor %esi, %esi
    xor %edi, %edi
    jmp *%rax
    .cfi_endproc
    .size libc_enter, . - libc_enter
    .section .note.GNU-stack,"",%progbits
