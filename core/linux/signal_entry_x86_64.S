// SPDX-License-Identifier: BSD-3-Clause
// signal_entry_x86_64.S: where a signal handler returns to: rsp is at the signal frame again.
    .text
    .globl signal_return_entry
    .hidden signal_return_entry
    .type signal_return_entry, @function
    .cfi_startproc
    .cfi_undefined %rip
    nop // unwinders look up the return address minus one
signal_return_entry:
    mov %rsp, %rdi
    and $-16, %rsp
    call signal_return
    ud2
    .cfi_endproc
    .size signal_return_entry, . - signal_return_entry

    .section .note.GNU-stack, "", @progbits
