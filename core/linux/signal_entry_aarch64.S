// SPDX-License-Identifier: BSD-3-Clause
// signal_entry_aarch64.S: where a signal handler returns to (sp is at the signal frame again), and the registers that
// it goes back to where a signal is taken without an interrupt.
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

// bool machine_capture(struct hal_regs *regs): x0 .. x30, sp, pc, pstate, fpsr, fpcr, v0 .. v31. What a function call
// keeps, with the second return's value in x0.
    .globl machine_capture
    .hidden machine_capture
    .type machine_capture, %function
machine_capture:
    .cfi_startproc
    mov x9, x0
    mov x10, #1
    str x10, [x9]
    stp x19, x20, [x9, #8 * 19]
    stp x21, x22, [x9, #8 * 21]
    stp x23, x24, [x9, #8 * 23]
    stp x25, x26, [x9, #8 * 25]
    stp x27, x28, [x9, #8 * 27]
    stp x29, x30, [x9, #8 * 29]
    mov x10, sp
    stp x10, x30, [x9, #8 * 31]
    mrs x10, fpsr
    mrs x11, fpcr
    str xzr, [x9, #8 * 33]
    stp x10, x11, [x9, #8 * 34]
    add x9, x9, #8 * 36 + 8 * 16
    stp q8, q9, [x9]
    stp q10, q11, [x9, #32]
    stp q12, q13, [x9, #64]
    stp q14, q15, [x9, #96]
    mov x0, #0
    ret
    .cfi_endproc
    .size machine_capture, . - machine_capture

// void machine_stack_call(void *top, void (*function)(void *), void *argument)
    .globl machine_stack_call
    .hidden machine_stack_call
    .type machine_stack_call, %function
machine_stack_call:
    .cfi_startproc
    .cfi_undefined x30
    mov sp, x0
    mov x0, x2
    mov x29, #0
    blr x1
    brk #1
    .cfi_endproc
    .size machine_stack_call, . - machine_stack_call

    .section .note.GNU-stack, "", %progbits
