// SPDX-License-Identifier: BSD-3-Clause
// entry_x86_64.S: what a signal turns into.
//
// The signal handler (irq.c) has built a struct hal_frame on the entry stack, turned interrupts off, and
// returned to here with rsp = rdi = frame. Here we save the vector state above the frame, call C, and go back to
// where the signal struck, perhaps on another vCPU.
//
// Going back is a restartable sequence, because a user-mode return cannot unmask and jump at once:
//   entry_exit .. entry_exit_jump   masked. A signal here, or one whose reason is pending when it starts,
//                                   restarts it at entry_exit: the frame is intact until interrupts are on, so
//                                   nothing is lost.
//   entry_exit_jump                 unmasked, all registers but rip restored. A signal here counts as one at
//                                   exit_ip.
// rsp stays at the frame throughout. It neither touches the interrupted stack nor, once flags are back, any flag.
#define FRAME_REG(n) (8 * (n))
#define FRAME_RDI FRAME_REG(8)
#define FRAME_RSP FRAME_REG(15)
#define FRAME_RIP FRAME_REG(16)
#define FRAME_FLAGS FRAME_REG(17)
#define FRAME_MASKED 144
#define FRAME_VECTOR 192
#define UCONTEXT_REGISTERS 40
#define VCPU_MASKED 40
#define VCPU_PENDING 44
#define VCPU_EXIT_FRAME 48
#define VCPU_EXIT_IP 56

// The registers lie at CFA + base, in the order of struct hal_frame and of ucontext_t.
    .macro cfi_registers base
    .cfi_offset %r8, \base
    .cfi_offset %r9, \base + 8
    .cfi_offset %r10, \base + 16
    .cfi_offset %r11, \base + 24
    .cfi_offset %r12, \base + 32
    .cfi_offset %r13, \base + 40
    .cfi_offset %r14, \base + 48
    .cfi_offset %r15, \base + 56
    .cfi_offset %rdi, \base + 64
    .cfi_offset %rsi, \base + 72
    .cfi_offset %rbp, \base + 80
    .cfi_offset %rbx, \base + 88
    .cfi_offset %rdx, \base + 96
    .cfi_offset %rax, \base + 104
    .cfi_offset %rcx, \base + 112
    .cfi_offset %rsp, \base + FRAME_RSP
    .cfi_offset %rip, \base + FRAME_RIP
    .endm

    .macro restore_registers // rsp = frame
    mov FRAME_REG(0)(%rsp), %r8
    mov FRAME_REG(1)(%rsp), %r9
    mov FRAME_REG(2)(%rsp), %r10
    mov FRAME_REG(3)(%rsp), %r11
    mov FRAME_REG(4)(%rsp), %r12
    mov FRAME_REG(5)(%rsp), %r13
    mov FRAME_REG(6)(%rsp), %r14
    mov FRAME_REG(7)(%rsp), %r15
    mov FRAME_RDI(%rsp), %rdi
    mov FRAME_REG(9)(%rsp), %rsi
    mov FRAME_REG(10)(%rsp), %rbp
    mov FRAME_REG(11)(%rsp), %rbx
    mov FRAME_REG(12)(%rsp), %rdx
    mov FRAME_REG(13)(%rsp), %rax
    mov FRAME_REG(14)(%rsp), %rcx
    push FRAME_FLAGS(%rsp) // not popped from the frame: Memcheck would lose what rsp rose over
    .cfi_adjust_cfa_offset 8
    popfq
    .cfi_adjust_cfa_offset -8
    .cfi_remember_state
    mov FRAME_RSP(%rsp), %rsp
    .cfi_undefined %rip // it is behind GS alone; no frame is ever made here
    .endm

    .text
    .globl entry_stub, entry_exit, entry_exit_jump, entry_resume
    .type entry_stub, @function
entry_stub:
    .cfi_startproc
    .cfi_signal_frame
    .cfi_def_cfa %rsp, 0
    cfi_registers 0
    mov %rdi, %rsp // it is already: Valgrind sees only such a move, not what sigreturn does
    xor %eax, %eax
    mov $8, %ecx
    lea FRAME_VECTOR + 512(%rsp), %rdi // the header: XRSTOR wants zeros where XSAVE does not write
    rep stosq
    mov isa_vector_mask(%rip), %eax
    mov isa_vector_mask + 4(%rip), %edx
    cmpl $0, isa_has_xsavec(%rip)
    je 1f
    xsavec64 FRAME_VECTOR(%rsp)
    jmp 2f
1:  xsave64 FRAME_VECTOR(%rsp)
2:  fninit
    ldmxcsr entry_mxcsr(%rip)
    mov %rsp, %rdi
    push FRAME_RIP(%rsp) // a frame for those who follow frame pointers: rip, rbp
    .cfi_adjust_cfa_offset 8
    push 8 + FRAME_REG(10)(%rsp)
    .cfi_adjust_cfa_offset 8
    mov %rsp, %rbp
    call entry_run
    add $16, %rsp
    .cfi_adjust_cfa_offset -16
entry_leave:
    mov isa_vector_mask(%rip), %eax
    mov isa_vector_mask + 4(%rip), %edx
    xrstor64 FRAME_VECTOR(%rsp)
    mov FRAME_RIP(%rsp), %rax
    mov %rax, %gs:VCPU_EXIT_IP
    mov %rsp, %gs:VCPU_EXIT_FRAME
    cmpl $0, FRAME_MASKED(%rsp)
    jne 4f
entry_exit: // restarts come here, with no register but GS base to rely on
    mov %gs:VCPU_EXIT_FRAME, %rsp
    cmpl $0, %gs:VCPU_PENDING
    jne 2b
    restore_registers
    movl $0, %gs:VCPU_MASKED
entry_exit_jump:
    jmp *%gs:VCPU_EXIT_IP
    .cfi_restore_state
4:  restore_registers // a fault in masked code: no delivery, no unmasking, nothing to restart
    jmp *%gs:VCPU_EXIT_IP
    .cfi_restore_state
entry_resume: // rdi = a frame made by hand
    .cfi_def_cfa_register %rdi
    mov %rdi, %rsp
    .cfi_def_cfa_register %rsp
    // Memcheck takes what rsp fell over for a new, empty piece of stack.
    call entry_frame_show
    jmp entry_leave
    .cfi_endproc
    .size entry_stub, . - entry_stub

// rsp = the host's ucontext_t. Debuggers know the frame of a signal handler by these two instructions, unwinders by
// the table.
    .globl entry_sigreturn
    .type entry_sigreturn, @function
    .cfi_startproc
    .cfi_signal_frame
    .cfi_def_cfa %rsp, 0
    cfi_registers UCONTEXT_REGISTERS
    nop // unwinders look up the return address minus one
entry_sigreturn:
    mov $15, %rax // rt_sigreturn
    syscall
    .cfi_endproc
    .size entry_sigreturn, . - entry_sigreturn

// rdi, esi, rdx of readv; begins only while nothing is pending, and is not begun again behind a signal: irq_signal ends
// it from all of entry_read .. entry_read_call, where the host has not begun, or would begin once more.
    .globl entry_read, entry_read_call, entry_read_end
    .type entry_read, @function
entry_read:
    .cfi_startproc
    mov $19, %eax // readv
    cmpl $0, %gs:VCPU_PENDING
    jne 6f
entry_read_call:
    syscall
entry_read_end:
    ret
6:  mov $-4, %rax // -EINTR
    ret
    .cfi_endproc
    .size entry_read, . - entry_read

// The host without wrfsbase. Keeps every register that isa.h says it keeps.
    .globl isa_tp_load_slow
    .type isa_tp_load_slow, @function
isa_tp_load_slow:
    .cfi_startproc
    mov %rdi, %rsi
    mov $0x1002, %edi // ARCH_SET_FS
    mov $158, %eax    // arch_prctl
    syscall
    ret
    .cfi_endproc
    .size isa_tp_load_slow, . - isa_tp_load_slow

    .section .rodata
    .balign 4
entry_mxcsr:
    .long 0x1f80

    .section .note.GNU-stack, "", @progbits
