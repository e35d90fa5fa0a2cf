// SPDX-License-Identifier: BSD-3-Clause
// signal_entry_x86_64.S: where a signal handler returns to, and the registers that it goes back to where a signal is
// taken without an interrupt. A handler returns with rsp at its frame, whose registers (gregs of its ucontext_t, from
// 40 on, in the order of enum hal_reg) unwinders find there.
#define REGS(n) (8 * (n))
#define REGS_VECTOR_SIZE 144
#define REGS_VECTOR 192
#define VECTOR_LEGACY 576 /* HAL_REGS_VECTOR_LEGACY */

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

// bool machine_capture(struct hal_regs *regs). What a function call keeps, with the second return's value in rax; of
// the vector state, which a call does not keep, the control words count.
    .globl machine_capture
    .hidden machine_capture
    .type machine_capture, @function
machine_capture:
    .cfi_startproc
    mov %r12, REGS(4)(%rdi)
    mov %r13, REGS(5)(%rdi)
    mov %r14, REGS(6)(%rdi)
    mov %r15, REGS(7)(%rdi)
    mov %rbp, REGS(10)(%rdi)
    mov %rbx, REGS(11)(%rdi)
    movq $1, REGS(13)(%rdi)
    lea 8(%rsp), %rax
    mov %rax, REGS(15)(%rdi)
    mov (%rsp), %rax
    mov %rax, REGS(16)(%rdi)
    movq $0x202, REGS(17)(%rdi)
    xor %eax, %eax
    mov %rax, REGS(0)(%rdi)
    mov %rax, REGS(1)(%rdi)
    mov %rax, REGS(2)(%rdi)
    mov %rax, REGS(3)(%rdi)
    mov %rax, REGS(8)(%rdi)
    mov %rax, REGS(9)(%rdi)
    mov %rax, REGS(12)(%rdi)
    mov %rax, REGS(14)(%rdi)
    movq $VECTOR_LEGACY, REGS_VECTOR_SIZE(%rdi)
    fxsave64 REGS_VECTOR(%rdi)
    movq $3, REGS_VECTOR + 512(%rdi) // x87 and SSE are there
    mov %rax, REGS_VECTOR + 520(%rdi)
    mov %rax, REGS_VECTOR + 528(%rdi)
    mov %rax, REGS_VECTOR + 536(%rdi)
    mov %rax, REGS_VECTOR + 544(%rdi)
    mov %rax, REGS_VECTOR + 552(%rdi)
    mov %rax, REGS_VECTOR + 560(%rdi)
    mov %rax, REGS_VECTOR + 568(%rdi)
    ret
    .cfi_endproc
    .size machine_capture, . - machine_capture

// void machine_stack_call(void *top, void (*function)(void *), void *argument). The other stack may be the higher one:
// debuggers believe that of a signal's frame only, and look up a signal's return address as it is, so it is moved into
// the call, behind which another function may begin.
    .globl machine_stack_call
    .hidden machine_stack_call
    .type machine_stack_call, @function
machine_stack_call:
    .cfi_startproc
    .cfi_signal_frame
    decq (%rsp)
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    mov %rdi, %rsp
    mov %rdx, %rdi
    call *%rsi
    ud2
    .cfi_endproc
    .size machine_stack_call, . - machine_stack_call

    .section .note.GNU-stack, "", @progbits
