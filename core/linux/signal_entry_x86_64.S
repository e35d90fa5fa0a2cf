// SPDX-License-Identifier: BSD-3-Clause
// signal_entry_x86_64.S: where a signal handler returns to: rsp is at the signal frame again, whose registers (gregs of
// its ucontext_t, from 40 on) unwinders find there.
    .text
    .globl signal_return_entry
    .hidden signal_return_entry
    .type signal_return_entry, @function
    .cfi_startproc
    .cfi_signal_frame
    .cfi_def_cfa %rsp, 0
    .cfi_offset %r8, 40
    .cfi_offset %r9, 48
    .cfi_offset %r10, 56
    .cfi_offset %r11, 64
    .cfi_offset %r12, 72
    .cfi_offset %r13, 80
    .cfi_offset %r14, 88
    .cfi_offset %r15, 96
    .cfi_offset %rdi, 104
    .cfi_offset %rsi, 112
    .cfi_offset %rbp, 120
    .cfi_offset %rbx, 128
    .cfi_offset %rdx, 136
    .cfi_offset %rax, 144
    .cfi_offset %rcx, 152
    .cfi_offset %rsp, 160
    .cfi_offset %rip, 168
    nop // unwinders look up the return address minus one
signal_return_entry:
    mov %rsp, %rdi
    and $-16, %rsp
    call signal_return
    ud2
    .cfi_endproc
    .size signal_return_entry, . - signal_return_entry

    .section .note.GNU-stack, "", @progbits
