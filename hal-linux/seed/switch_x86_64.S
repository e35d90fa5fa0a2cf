// SPDX-License-Identifier: BSD-3-Clause
// switch_x86_64.S: turns: one vCPU's coroutine is left and another one's goes on; and an interrupt that comes up
// at a point.
//
// A coroutine that was left has on its stack what hal_context_switch leaves there (hal-x86_64/isa/switch.S), so
// hal_context_init can make one. It differs in what it switches: not the context that a vCPU runs, but the vCPU that
// the host thread carries, so GS base changes, and FS base to what that vCPU had.
#define FRAME_REG(n) (8 * (n))
#define FRAME_RSP FRAME_REG(15)
#define FRAME_RIP FRAME_REG(16)
#define FRAME_FLAGS FRAME_REG(17)
#define FRAME_MASKED 144
#define FRAME_KIND 148
#define VCPU_TP 32
#define ARCH_SET_GS 0x1001
#define SYS_ARCH_PRCTL 158

    .text
    .globl turn_switch
    .type turn_switch, @function
// rdi where to leave rsp, rsi the rsp to go on with, rdx the struct vcpu that it belongs to
turn_switch:
    .cfi_startproc
    push %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    push %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    push %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    push %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    push %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    push %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    sub $8, %rsp
    .cfi_adjust_cfa_offset 8
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movw $0, 6(%rsp)
    mov %rsp, (%rdi)
    mov %gs:VCPU_TP, %r8
    mov VCPU_TP(%rdx), %r9
    mov %rsi, %rsp
    cmpl $0, isa_has_fsgsbase(%rip)
    je 2f
    wrgsbase %rdx
    cmp %r8, %r9
    je 1f
    wrfsbase %r9
1:  ldmxcsr (%rsp)
    fldcw 4(%rsp)
    add $8, %rsp
    .cfi_adjust_cfa_offset -8
    pop %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    pop %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    pop %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    pop %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    pop %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    pop %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    ret
    .cfi_adjust_cfa_offset 56
    .cfi_rel_offset %rbp, 48
    .cfi_rel_offset %rbx, 40
    .cfi_rel_offset %r12, 32
    .cfi_rel_offset %r13, 24
    .cfi_rel_offset %r14, 16
    .cfi_rel_offset %r15, 8
2:  mov %r9, %r12 // callee-saved registers come off the stack anyway
    mov %rdx, %rsi
    mov $ARCH_SET_GS, %edi
    mov $SYS_ARCH_PRCTL, %eax
    syscall
    mov %r12, %rdi
    call isa_tp_load_slow
    jmp 1b
    .cfi_endproc
    .size turn_switch, . - turn_switch

// rdi: an empty frame. Enters as from an interrupt that struck where this call returns to. Masked.
    .globl turn_interrupt
    .type turn_interrupt, @function
turn_interrupt:
    .cfi_startproc
    mov %r12, FRAME_REG(4)(%rdi)
    mov %r13, FRAME_REG(5)(%rdi)
    mov %r14, FRAME_REG(6)(%rdi)
    mov %r15, FRAME_REG(7)(%rdi)
    mov %rbp, FRAME_REG(10)(%rdi)
    mov %rbx, FRAME_REG(11)(%rdi)
    lea 8(%rsp), %rax
    mov %rax, FRAME_RSP(%rdi)
    mov (%rsp), %rax
    mov %rax, FRAME_RIP(%rdi)
    movq $0x202, FRAME_FLAGS(%rdi)
    mov %rdi, %rsp
    jmp entry_stub
    .cfi_endproc
    .size turn_interrupt, . - turn_interrupt

    .section .note.GNU-stack, "", @progbits
