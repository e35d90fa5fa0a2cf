// SPDX-License-Identifier: BSD-3-Clause
// context_x86_64.S: getcontext, setcontext, swapcontext in glibc's layout of ucontext_t, which is Linux's.
// Offsets: link 8, registers (gregs) from 40 in the order r8 .. r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp,
// rip; the pointer to the floating-point state 224, the signal mask 296, room for the floating-point environment 424.
    .set R8, 40
    .set R9, 48
    .set R12, 72
    .set R13, 80
    .set R14, 88
    .set R15, 96
    .set RDI, 104
    .set RSI, 112
    .set RBP, 120
    .set RBX, 128
    .set RDX, 136
    .set RCX, 152
    .set RSP, 160
    .set RIP, 168
    .set FPREGS, 224
    .set MASK, 296
    .set FPSTATE, 424
    .set MXCSR, 448

// rdi: the context. The registers as the caller's caller will have them.
    .macro SAVE
    mov %rbx, RBX(%rdi)
    mov %rbp, RBP(%rdi)
    mov %r12, R12(%rdi)
    mov %r13, R13(%rdi)
    mov %r14, R14(%rdi)
    mov %r15, R15(%rdi)
    mov %rdi, RDI(%rdi)
    mov %rsi, RSI(%rdi)
    mov %rdx, RDX(%rdi)
    mov %rcx, RCX(%rdi)
    mov %r8, R8(%rdi)
    mov %r9, R9(%rdi)
    mov (%rsp), %rcx
    mov %rcx, RIP(%rdi)
    lea 8(%rsp), %rcx
    mov %rcx, RSP(%rdi)
    lea FPSTATE(%rdi), %rcx
    mov %rcx, FPREGS(%rdi)
    fnstenv (%rcx)
    fldenv (%rcx)
    stmxcsr MXCSR(%rdi)
    .endm

    .text
    .globl glibc_getcontext
    .type glibc_getcontext, @function
glibc_getcontext:
    .cfi_startproc
    SAVE
    lea MASK(%rdi), %rdx
    xor %esi, %esi
    xor %edi, %edi
    sub $8, %rsp
    .cfi_adjust_cfa_offset 8
    call glibc_pthread_sigmask
    add $8, %rsp
    .cfi_adjust_cfa_offset -8
    xor %eax, %eax
    ret
    .cfi_endproc
    .size glibc_getcontext, . - glibc_getcontext

    .globl glibc_setcontext
    .type glibc_setcontext, @function
glibc_setcontext:
    .cfi_startproc
    push %rdi
    .cfi_adjust_cfa_offset 8
    lea MASK(%rdi), %rsi
    xor %edx, %edx
    mov $2, %edi
    call glibc_pthread_sigmask
    pop %rdi
    .cfi_adjust_cfa_offset -8
    .cfi_endproc
1:  .cfi_startproc
    .cfi_def_cfa rdi, 0
    .cfi_undefined rip
    mov FPREGS(%rdi), %rcx
    fldenv (%rcx)
    ldmxcsr MXCSR(%rdi)
    mov RBX(%rdi), %rbx
    mov RBP(%rdi), %rbp
    mov R12(%rdi), %r12
    mov R13(%rdi), %r13
    mov R14(%rdi), %r14
    mov R15(%rdi), %r15
    mov RSP(%rdi), %rsp
    push RIP(%rdi)
    mov RSI(%rdi), %rsi
    mov RDX(%rdi), %rdx
    mov RCX(%rdi), %rcx
    mov R8(%rdi), %r8
    mov R9(%rdi), %r9
    mov RDI(%rdi), %rdi
    xor %eax, %eax
    ret
    .cfi_endproc
    .size glibc_setcontext, . - glibc_setcontext

    .globl glibc_swapcontext
    .type glibc_swapcontext, @function
glibc_swapcontext:
    .cfi_startproc
    SAVE
    push %rsi
    .cfi_adjust_cfa_offset 8
    lea MASK(%rdi), %rdx
    lea MASK(%rsi), %rsi
    mov $2, %edi
    call glibc_pthread_sigmask
    pop %rdi
    .cfi_adjust_cfa_offset -8
    jmp 1b
    .cfi_endproc
    .size glibc_swapcontext, . - glibc_swapcontext

// Where a function that makecontext prepared returns to: rbx is the next context, or 0.
    .globl libc_context_return
    .hidden libc_context_return
    .type libc_context_return, @function
libc_context_return:
    .cfi_startproc
    .cfi_undefined rip
    mov %rbx, %rdi
    and $-16, %rsp
    call libc_context_next
    ud2
    .cfi_endproc
    .size libc_context_return, . - libc_context_return
    .section .note.GNU-stack,"",%progbits
