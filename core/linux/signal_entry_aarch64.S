// SPDX-License-Identifier: BSD-3-Clause
// signal_entry_aarch64.S: where a signal handler returns to: sp is at the signal frame again.
    .text
    .globl signal_return_entry
    .hidden signal_return_entry
    .type signal_return_entry, %function
    .cfi_startproc
    .cfi_undefined x30
    nop // unwinders look up the return address minus one
signal_return_entry:
    mov x0, sp
    bl signal_return
    brk #1
    .cfi_endproc
    .size signal_return_entry, . - signal_return_entry

    .section .note.GNU-stack, "", %progbits
