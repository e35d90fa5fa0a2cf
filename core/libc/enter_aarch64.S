// SPDX-License-Identifier: BSD-3-Clause
// enter_aarch64.S: libc_enter(entry, image, count). At e_entry sp points at argc and is 16-byte aligned, x0 is a
// function to be registered with atexit (none: exit.c runs all finalisers), x29 and x30 are 0.
    .text
    .globl libc_enter
    .hidden libc_enter
    .type libc_enter, %function
libc_enter:
    .cfi_startproc
    .cfi_undefined x30
    mov x9, x0
    mov x3, sp
    sub x3, x3, x2, lsl #3
    and x3, x3, #-16
    mov sp, x3
1:  cbz x2, 2f
    ldr x4, [x1], #8
    str x4, [x3], #8
    sub x2, x2, #1
    b 1b
2:  mov x0, #0
    mov x29, #0
    mov x30, #0
    br x9
    .cfi_endproc
    .size libc_enter, . - libc_enter
    .section .note.GNU-stack,"",%progbits
