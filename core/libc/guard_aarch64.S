// SPDX-License-Identifier: BSD-3-Clause
// guard_aarch64.S: a call in a frame that has a personality function (0x1b: its address is relative, 4 bytes).
    .text
    .globl libc_guarded_call
    .hidden libc_guarded_call
    .type libc_guarded_call, %function
libc_guarded_call:
    .cfi_startproc
    .cfi_personality 0x1b, libc_guard_personality
    stp x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov x29, sp
    blr x0
    ldp x29, x30, [sp], #16
    .cfi_restore x29
    .cfi_restore x30
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size libc_guarded_call, . - libc_guarded_call
    .section .note.GNU-stack,"",%progbits
