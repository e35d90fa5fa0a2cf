// SPDX-License-Identifier: BSD-3-Clause
// switch.S: voluntary context switch.
//
// A context that is switched out has on its stack, from sp up: x19 .. x30, d8 .. d15, FPCR, 8 bytes unused.
// Interrupts are off from before the first store to after the last load.
#define CONTEXT_SP 0
#define CONTEXT_TP 8
#define CONTEXT_SELF 16
#define CONTEXT_ENTRY 24
#define PERCPU_ENTRY_STACK 8
#define SWITCHED_SIZE 176

    .text
    .globl hal_context_switch
    .type hal_context_switch, %function
hal_context_switch: // x0 from, x1 to
    .cfi_startproc
    sub sp, sp, #SWITCHED_SIZE
    .cfi_def_cfa_offset SWITCHED_SIZE
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    .cfi_offset x29, -96
    .cfi_offset x30, -88
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mrs x2, fpcr
    str x2, [sp, #160]

    mrs x3, tpidr_el0
    mov x4, sp
    str x3, [x0, #CONTEXT_TP]
    str x4, [x0, #CONTEXT_SP]
    ldr x4, [x1, #CONTEXT_SP]
    mov sp, x4
    ldr x3, [x1, #CONTEXT_SELF]
    msr tpidrro_el0, x3
    mrs x4, tpidr_el1
    ldr x3, [x1, #CONTEXT_ENTRY]
    str x3, [x4, #PERCPU_ENTRY_STACK]
    ldr x3, [x1, #CONTEXT_TP]
    msr tpidr_el0, x3

    ldr x3, [sp, #160]
    cmp x3, x2
    b.eq 1f
    msr fpcr, x3
1:  ldp d14, d15, [sp, #144]
    ldp d12, d13, [sp, #128]
    ldp d10, d11, [sp, #112]
    ldp d8, d9, [sp, #96]
    ldp x29, x30, [sp, #80]
    ldp x27, x28, [sp, #64]
    ldp x25, x26, [sp, #48]
    ldp x23, x24, [sp, #32]
    ldp x21, x22, [sp, #16]
    ldp x19, x20, [sp]
    add sp, sp, #SWITCHED_SIZE
    .cfi_def_cfa_offset 0
    .cfi_restore x29
    .cfi_restore x30
    ret
    .cfi_endproc
    .size hal_context_switch, . - hal_context_switch

// Where a new context starts: x19 entry, x20 its argument. The outermost frame for every unwinder.
    .globl isa_context_start
    .type isa_context_start, %function
isa_context_start:
    .cfi_startproc
    .cfi_undefined x30
    mov x29, xzr
    mov x30, xzr
    mov x0, x20
    blr x19
    brk #0
    .cfi_endproc
    .size isa_context_start, . - isa_context_start

    .section .note.GNU-stack, "", %progbits
