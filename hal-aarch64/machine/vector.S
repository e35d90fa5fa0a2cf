// SPDX-License-Identifier: BSD-3-Clause
// vector.S: every way into core that is not a call.
//
// All code runs at EL1 with SPSel 0, so `sp` is SP_EL0. An exception sets SPSel 1: the stub starts on SP_EL1, which is
// always the top of this CPU's bounce stack, whatever the interrupted stack is. It puts the frame on the entry stack of
// the running context, or below sp where sp is in it already, sets SPSel 0 again and goes on there.
//
// Nesting: the bounce stack is in use only until `msr spsel, #0` below, with everything masked and no access that
// may fault but those to the pinned entry stack; frames nest on the entry stack as deep as it has room. An
// exception in between comes through the other group of vectors (SPSel 1) and is fatal.
//
// Going back is one eret, which loads pc and PSTATE together: nothing to restart.
#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_PSTATE 264
#define FRAME_FPSR 272
#define FRAME_VECTOR 288
#define FRAME_SYNDROME 800
#define FRAME_KIND 816
#define FRAME_SIZE 832
#define PERCPU_ENTRY_STACK 8
#define ENTRY_STACK_SIZE 32768
#define ENTRY_STACK_MARGIN 4096

    .macro entry kind
    .balign 128
    sub sp, sp, #32
    stp x0, x1, [sp]
    stp x2, x3, [sp, #16]
    mov x0, #\kind
    b entry_common
    .endm

    .macro fatal kind
    .balign 128
    mov x0, #\kind
    b entry_fatal
    .endm

    .macro vectors move
    \move q0, q1, [sp, #FRAME_VECTOR]
    \move q2, q3, [sp, #FRAME_VECTOR + 32]
    \move q4, q5, [sp, #FRAME_VECTOR + 64]
    \move q6, q7, [sp, #FRAME_VECTOR + 96]
    \move q8, q9, [sp, #FRAME_VECTOR + 128]
    \move q10, q11, [sp, #FRAME_VECTOR + 160]
    \move q12, q13, [sp, #FRAME_VECTOR + 192]
    \move q14, q15, [sp, #FRAME_VECTOR + 224]
    \move q16, q17, [sp, #FRAME_VECTOR + 256]
    \move q18, q19, [sp, #FRAME_VECTOR + 288]
    \move q20, q21, [sp, #FRAME_VECTOR + 320]
    \move q22, q23, [sp, #FRAME_VECTOR + 352]
    \move q24, q25, [sp, #FRAME_VECTOR + 384]
    \move q26, q27, [sp, #FRAME_VECTOR + 416]
    \move q28, q29, [sp, #FRAME_VECTOR + 448]
    \move q30, q31, [sp, #FRAME_VECTOR + 480]
    .endm

    .text
    .balign 2048
    .globl vector_table
vector_table:
    entry 0 // from SPSel 0: synchronous, IRQ, FIQ, system error
    entry 1
    entry 2
    entry 3
    fatal 4 // from SPSel 1: from the entry code itself
    fatal 5
    fatal 6
    fatal 7
    fatal 8 // from EL0, where nothing runs
    fatal 9
    fatal 10
    fatal 11
    fatal 12
    fatal 13
    fatal 14
    fatal 15

    .type entry_common, %function
entry_common: // x0 kind; x0 .. x3 are on the bounce stack
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_undefined x30
    mrs x1, sp_el0
    mrs x2, tpidr_el1
    ldr x2, [x2, #PERCPU_ENTRY_STACK]
    sub x3, x2, x1
    cmp x3, #ENTRY_STACK_SIZE
    mov x3, x2
    csel x2, x1, x2, lo // sp is in it
    and x2, x2, #~15
    sub x2, x2, #FRAME_SIZE
    sub x3, x3, x2
    cmp x3, #(ENTRY_STACK_SIZE - ENTRY_STACK_MARGIN)
    b.hi entry_fatal

    str x0, [x2, #FRAME_KIND]
    stp x4, x5, [x2, #32]
    stp x6, x7, [x2, #48]
    stp x8, x9, [x2, #64]
    stp x10, x11, [x2, #80]
    stp x12, x13, [x2, #96]
    stp x14, x15, [x2, #112]
    stp x16, x17, [x2, #128]
    stp x18, x19, [x2, #144]
    stp x20, x21, [x2, #160]
    stp x22, x23, [x2, #176]
    stp x24, x25, [x2, #192]
    stp x26, x27, [x2, #208]
    stp x28, x29, [x2, #224]
    stp x30, x1, [x2, #240] // and sp
    ldp x4, x5, [sp]
    ldp x6, x7, [sp, #16]
    stp x4, x5, [x2]
    stp x6, x7, [x2, #16]
    add sp, sp, #32
    mrs x4, elr_el1
    mrs x5, spsr_el1
    stp x4, x5, [x2, #FRAME_PC]
    mrs x4, esr_el1
    mrs x5, far_el1
    add x6, x2, #FRAME_SYNDROME
    stp x4, x5, [x6]
    msr spsel, #0
    mov sp, x2
    .cfi_def_cfa sp, 0
    .cfi_offset x19, 152
    .cfi_offset x20, 160
    .cfi_offset x21, 168
    .cfi_offset x22, 176
    .cfi_offset x23, 184
    .cfi_offset x24, 192
    .cfi_offset x25, 200
    .cfi_offset x26, 208
    .cfi_offset x27, 216
    .cfi_offset x28, 224
    .cfi_offset x29, 232
    .cfi_offset x30, 240
    .cfi_offset sp, FRAME_SP

    mrs x4, fpsr
    mrs x5, fpcr
    stp x4, x5, [sp, #FRAME_FPSR]
    msr fpcr, xzr
    vectors stp
    mov x0, sp
    bl trap_run

// sp is a frame on the entry stack, interrupts are off.
entry_exit:
    vectors ldp
    ldp x4, x5, [sp, #FRAME_FPSR]
    msr fpsr, x4
    msr fpcr, x5
    ldp x4, x5, [sp, #FRAME_PC]
    msr elr_el1, x4
    msr spsr_el1, x5
    mov x0, sp
    msr spsel, #1
    ldr x1, [x0, #FRAME_SP]
    msr sp_el0, x1
    ldp x2, x3, [x0, #16]
    ldp x4, x5, [x0, #32]
    ldp x6, x7, [x0, #48]
    ldp x8, x9, [x0, #64]
    ldp x10, x11, [x0, #80]
    ldp x12, x13, [x0, #96]
    ldp x14, x15, [x0, #112]
    ldp x16, x17, [x0, #128]
    ldp x18, x19, [x0, #144]
    ldp x20, x21, [x0, #160]
    ldp x22, x23, [x0, #176]
    ldp x24, x25, [x0, #192]
    ldp x26, x27, [x0, #208]
    ldp x28, x29, [x0, #224]
    ldr x30, [x0, #240]
    ldp x0, x1, [x0]
    eret
    .cfi_endproc
    .size entry_common, . - entry_common

entry_fatal: // x0 kind, anything else as it was
    mrs x1, esr_el1
    mrs x2, elr_el1
    mrs x3, far_el1
    mrs x4, sp_el0
    msr spsel, #1
    bl trap_fatal

// void hal_regs_resume(const struct hal_regs *regs): touches what it will read while it may still fault, makes a
// frame as an entry from here would, fills it and leaves by it. What lies above the old sp stays readable.
    .globl hal_regs_resume
    .type hal_regs_resume, %function
hal_regs_resume:
    ldrb wzr, [x0]
    ldrb wzr, [x0, #799]
    msr daifset, #2
    mov x1, sp
    mrs x2, tpidr_el1
    ldr x2, [x2, #PERCPU_ENTRY_STACK]
    sub x3, x2, x1
    cmp x3, #ENTRY_STACK_SIZE
    csel x2, x1, x2, lo
    and x2, x2, #~15
    sub x2, x2, #FRAME_SIZE
    mov sp, x2
    mov x1, x0
    mov x0, sp
    bl trap_frame_load
    b entry_exit
    .size hal_regs_resume, . - hal_regs_resume

// void percpu_bounce_set(char *top)
    .globl percpu_bounce_set
    .type percpu_bounce_set, %function
percpu_bounce_set:
    msr spsel, #1
    mov sp, x0
    msr spsel, #0
    ret
    .size percpu_bounce_set, . - percpu_bounce_set

// wfi ends also for an interrupt that is masked, so none that comes before it is lost.
    .globl trap_idle_wait, trap_idle_start, trap_idle_end
    .type trap_idle_wait, %function
trap_idle_wait:
    dsb sy
    wfi
    msr daifclr, #2
trap_idle_start:
    isb
    msr daifset, #2
trap_idle_end:
    ret
    .size trap_idle_wait, . - trap_idle_wait

    .section .note.GNU-stack, "", %progbits
