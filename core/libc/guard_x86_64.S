// SPDX-License-Identifier: BSD-3-Clause
// guard_x86_64.S: a call in a frame that has a personality function (0x1b: its address is relative, 4 bytes).
    .text
    .globl libc_guarded_call
    .hidden libc_guarded_call
    .type libc_guarded_call, @function
libc_guarded_call:
    .cfi_startproc
    .cfi_personality 0x1b, libc_guard_personality
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset rbp, -16
    mov %rsp, %rbp
    .cfi_def_cfa_register rbp
    call *%rdi
    pop %rbp
    .cfi_def_cfa rsp, 8
    ret
    .cfi_endproc
    .size libc_guarded_call, . - libc_guarded_call
    .section .note.GNU-stack,"",%progbits
