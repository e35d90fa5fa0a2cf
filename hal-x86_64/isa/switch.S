// SPDX-License-Identifier: BSD-3-Clause
// switch.S: voluntary context switch.
//
// A context that is switched out has on its stack, from sp up: MXCSR and FCW (8 bytes), r15 r14 r13 r12 rbx
// rbp, return address. Interrupts are off from before the first store to after the last load.
#define CONTEXT_SP 0
#define CONTEXT_TP 8
#define CONTEXT_SELF 16
#define CONTEXT_ENTRY 24
#define PERCPU_SELF 16
#define PERCPU_ENTRY_STACK 24
#define PERCPU_TP 32

    .text
    .globl hal_context_switch
    .type hal_context_switch, @function
hal_context_switch: // rdi from, rsi to
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
    mov (%rsp), %edx // one by one: a load of both would wait until the stores are done
    movzwl 4(%rsp), %r8d

    mov %gs:PERCPU_TP, %rax
    mov %rax, CONTEXT_TP(%rdi)
    mov %rsp, CONTEXT_SP(%rdi)
    mov CONTEXT_SP(%rsi), %rsp
    mov CONTEXT_SELF(%rsi), %rcx
    mov %rcx, %gs:PERCPU_SELF
    mov CONTEXT_ENTRY(%rsi), %rcx
    mov %rcx, %gs:PERCPU_ENTRY_STACK
    mov CONTEXT_TP(%rsi), %rdi
    cmp %rdi, %rax
    jne 3f
1:  cmp %edx, (%rsp) // control words: loading them costs more than comparing
    jne 5f
    cmp %r8w, 4(%rsp)
    je 2f
5:  ldmxcsr (%rsp)
    fldcw 4(%rsp)
2:  add $8, %rsp
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
3:  mov %rdi, %gs:PERCPU_TP
    cmpl $0, isa_has_fsgsbase(%rip)
    je 4f
    wrfsbase %rdi
    jmp 1b
4:  call isa_tp_load_slow // which may change edx and r8d
    jmp 5b
    .cfi_endproc
    .size hal_context_switch, . - hal_context_switch

// Where a new context starts: r12 entry, r13 its argument. The outermost frame for every unwinder.
    .globl isa_context_start
    .type isa_context_start, @function
isa_context_start:
    .cfi_startproc
    .cfi_undefined %rip
    xor %ebp, %ebp
    mov %r13, %rdi
    call *%r12
    ud2
    .cfi_endproc
    .size isa_context_start, . - isa_context_start

    .section .note.GNU-stack, "", @progbits
