// SPDX-License-Identifier: BSD-3-Clause
// trap.S: every way into core that is not a call.
//
// Interrupts and exceptions: all vectors but three (double fault, NMI, machine check: fatal, each on a stack of its
// own) land by the interrupt stack table on this CPU's bounce stack, whatever the interrupted stack is: the processor
// never touches an application's stack. The stub moves what the processor left there to the entry stack of the running
// context, or below rsp where rsp is in it already (128 bytes below: the code there has a red zone), and goes on there.
//
// Nesting: the bounce stack is in use from a vector's first instruction to `mov %rcx, %rsp` below, with interrupts off
// and no access that may fault but those to the pinned entry stack. So it is free again before anything can nest, and
// frames nest on the entry stack as deep as it has room. A fault in between has its rsp on the bounce stack; it is
// recognised and fatal.
//
// Going back is one iretq, which loads rip, flags and rsp together: nothing to restart.
//
// `syscall` comes from a program alone, whose entry stack is empty: trap_syscall, below.
#include "layout.h"

#define FRAME_REG(n) (8 * (n))
#define FRAME_RSP FRAME_REG(15)
#define FRAME_RIP FRAME_REG(16)
#define FRAME_FLAGS FRAME_REG(17)
#define FRAME_MASKED 144
#define FRAME_KIND 148
#define FRAME_ERROR 152   // fault_kind and access: trap.c makes them of the processor's error code
#define FRAME_ADDRESS 160 // va
#define FRAME_VECTOR 168  // number
#define FRAME_SIZE 192
#define FRAME_SYSCALL 2 // enum frame_kind
#define XSAVE_HEADER (FRAME_SIZE + 512)
#define PERCPU_ENTRY_STACK 24
#define PERCPU_BOUNCE_TOP 40
#define PERCPU_SYSCALL_SP 48
#define ENTRY_STACK_SIZE 32768
#define ENTRY_STACK_MARGIN 4096
#define BOUNCE_STACK_SIZE 4096
#define RED_ZONE 128
#define FLAG_TRACE 0x100 // TF
#define REGS_SIZE 4288
#define VECTORS_WITH_ERROR 0x60227d00 // 8, 10-14, 17, 21, 29, 30

// The vector state into the area above the frame, at rsp, and the default control words. Changes rax, rcx, rdx.
    .macro vector_save
    mov isa_vector_mask(%rip), %eax
    mov isa_vector_mask + 4(%rip), %edx
    test %eax, %eax
    jz 103f
    xor %ecx, %ecx // XRSTOR wants zeros in the header where XSAVE does not write
    .set at, 0
    .rept 8
    mov %rcx, XSAVE_HEADER + at(%rsp)
    .set at, at + 8
    .endr
    cmpl $0, isa_has_xsavec(%rip)
    je 102f
    xsavec64 FRAME_SIZE(%rsp)
    jmp 104f
102:
    xsave64 FRAME_SIZE(%rsp)
104:
    testb $1, XSAVE_HEADER(%rsp) // the x87 is as fninit leaves it
    jz 106f
    jmp 105f
103:
    fxsave64 FRAME_SIZE(%rsp)
105:
    fninit
106:
    ldmxcsr entry_mxcsr(%rip)
    .endm

// And back. Changes rax, rdx.
    .macro vector_load
    mov isa_vector_mask(%rip), %eax
    mov isa_vector_mask + 4(%rip), %edx
    test %eax, %eax
    jz 107f
    xrstor64 FRAME_SIZE(%rsp)
    jmp 108f
107:
    fxrstor64 FRAME_SIZE(%rsp)
108:
    .endm

// The registers, at rsp.
    .macro cfi_registers
    .cfi_def_cfa %rsp, 0
    .cfi_offset %r8, 0
    .cfi_offset %r9, 8
    .cfi_offset %r10, 16
    .cfi_offset %r11, 24
    .cfi_offset %r12, 32
    .cfi_offset %r13, 40
    .cfi_offset %r14, 48
    .cfi_offset %r15, 56
    .cfi_offset %rdi, 64
    .cfi_offset %rsi, 72
    .cfi_offset %rbp, 80
    .cfi_offset %rbx, 88
    .cfi_offset %rdx, 96
    .cfi_offset %rax, 104
    .cfi_offset %rcx, 112
    .cfi_offset %rsp, FRAME_RSP
    .cfi_offset %rip, FRAME_RIP
    .endm

    .text
// Some exceptions come with an error code; the other vectors get a 0 in its place.
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .set with_error, 0
    .if vector < 32
    .set with_error, VECTORS_WITH_ERROR >> vector & 1
    .endif
    .if !with_error
    pushq $0
    .endif
    pushq $vector
    .if vector == 2 || vector == 8 || vector == 18
    jmp entry_fatal
    .else
    jmp entry_common
    .endif
    .set vector, vector + 1
    .endr

// On the bounce stack, from rsp up once the three are pushed: rdx rcx rax vector error rip cs flags rsp ss.
    .globl entry_common
    .type entry_common, @function
entry_common:
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_undefined %rip
    cld
    push %rax
    push %rcx
    push %rdx
    mov 64(%rsp), %rax // the interrupted rsp
    mov %gs:PERCPU_BOUNCE_TOP, %rdx
    sub %rax, %rdx
    cmp $BOUNCE_STACK_SIZE, %rdx
    jb entry_lost
    mov %gs:PERCPU_ENTRY_STACK, %rcx
    mov %rcx, %rdx
    sub %rax, %rdx
    cmp $ENTRY_STACK_SIZE, %rdx
    jae 1f
    lea -RED_ZONE(%rax), %rcx
1:  sub isa_vector_size(%rip), %rcx
    sub $FRAME_SIZE, %rcx
    and $-64, %rcx // the frame
    mov %gs:PERCPU_ENTRY_STACK, %rdx
    sub %rcx, %rdx
    cmp $ENTRY_STACK_SIZE - ENTRY_STACK_MARGIN, %rdx
    ja entry_lost

    mov %r8, FRAME_REG(0)(%rcx)
    mov %r9, FRAME_REG(1)(%rcx)
    mov %r10, FRAME_REG(2)(%rcx)
    mov %r11, FRAME_REG(3)(%rcx)
    mov %r12, FRAME_REG(4)(%rcx)
    mov %r13, FRAME_REG(5)(%rcx)
    mov %r14, FRAME_REG(6)(%rcx)
    mov %r15, FRAME_REG(7)(%rcx)
    mov %rdi, FRAME_REG(8)(%rcx)
    mov %rsi, FRAME_REG(9)(%rcx)
    mov %rbp, FRAME_REG(10)(%rcx)
    mov %rbx, FRAME_REG(11)(%rcx)
    mov %rax, FRAME_RSP(%rcx)
    pop FRAME_REG(12)(%rcx) // rdx
    pop FRAME_REG(14)(%rcx) // rcx
    pop FRAME_REG(13)(%rcx) // rax
    pop FRAME_VECTOR(%rcx)
    pop FRAME_ERROR(%rcx)
    pop FRAME_RIP(%rcx)
    pop %rdx // cs is always ours
    pop FRAME_FLAGS(%rcx)
    mov %cr2, %rdx
    mov %rdx, FRAME_ADDRESS(%rcx)
    mov %rcx, %rsp
    cfi_registers

    vector_save
    mov %rsp, %rdi
    call trap_run

// rsp is a frame on the entry stack, interrupts are off.
entry_exit:
    vector_load
    mov %rsp, %rcx
    pushq $SELECTOR_DATA
    pushq FRAME_RSP(%rcx)
    pushq FRAME_FLAGS(%rcx)
    pushq $SELECTOR_CODE
    pushq FRAME_RIP(%rcx)
    mov FRAME_REG(0)(%rcx), %r8
    mov FRAME_REG(1)(%rcx), %r9
    mov FRAME_REG(2)(%rcx), %r10
    mov FRAME_REG(3)(%rcx), %r11
    mov FRAME_REG(4)(%rcx), %r12
    mov FRAME_REG(5)(%rcx), %r13
    mov FRAME_REG(6)(%rcx), %r14
    mov FRAME_REG(7)(%rcx), %r15
    mov FRAME_REG(8)(%rcx), %rdi
    mov FRAME_REG(9)(%rcx), %rsi
    mov FRAME_REG(10)(%rcx), %rbp
    mov FRAME_REG(11)(%rcx), %rbx
    mov FRAME_REG(12)(%rcx), %rdx
    mov FRAME_REG(13)(%rcx), %rax
    mov FRAME_REG(14)(%rcx), %rcx
    iretq
    .cfi_endproc
    .size entry_common, . - entry_common

entry_lost: // no place for a frame: say what the processor left
    pop %rdx
    pop %rcx
    pop %rax
entry_fatal: // rsp: vector error rip cs flags rsp ss; struct trap_words begins where all is pushed
    push %r15
    push %r14
    push %r13
    push %r12
    push %r11
    push %r10
    push %r9
    push %r8
    push %rbp
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %rbx
    push %rax
    cld
    mov %rsp, %rdi
    and $-16, %rsp
    call trap_fatal
    ud2

// From `syscall`: interrupts off and the flags that core must not have cleared by FMASK, rip in rcx, flags in r11, the
// caller's stack, the thread's entry stack empty. upcall_syscall's arguments are where they are but for the fourth, the
// number and the frame. What it keeps of the registers it need not get back; and rcx and r11 the instruction gives the
// program anyway, so unless core has changed the frame, or the program traces itself, the way back is a jump: from the
// entry stack, which is ours until rsp is the program's, interrupts may be on all the way.
    .balign 16
    .globl trap_syscall
    .type trap_syscall, @function
trap_syscall:
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_undefined %rip
    mov %rsp, %gs:PERCPU_SYSCALL_SP
    mov %gs:PERCPU_ENTRY_STACK, %rsp
    sub isa_vector_size(%rip), %rsp
    sub $FRAME_SIZE, %rsp
    mov %r8, FRAME_REG(0)(%rsp)
    mov %r9, FRAME_REG(1)(%rsp)
    mov %r10, FRAME_REG(2)(%rsp)
    mov %r11, FRAME_REG(3)(%rsp)
    mov %r12, FRAME_REG(4)(%rsp)
    mov %r13, FRAME_REG(5)(%rsp)
    mov %r14, FRAME_REG(6)(%rsp)
    mov %r15, FRAME_REG(7)(%rsp)
    mov %rdi, FRAME_REG(8)(%rsp)
    mov %rsi, FRAME_REG(9)(%rsp)
    mov %rbp, FRAME_REG(10)(%rsp)
    mov %rbx, FRAME_REG(11)(%rsp)
    mov %rdx, FRAME_REG(12)(%rsp)
    mov %rax, FRAME_REG(13)(%rsp)
    mov %rcx, FRAME_REG(14)(%rsp)
    mov %rcx, FRAME_RIP(%rsp)
    mov %r11, FRAME_FLAGS(%rsp)
    mov %gs:PERCPU_SYSCALL_SP, %r11
    mov %r11, FRAME_RSP(%rsp)
    movl $0, FRAME_MASKED(%rsp)
    movl $FRAME_SYSCALL, FRAME_KIND(%rsp)
    cfi_registers
    sti
    vector_save
    mov FRAME_REG(12)(%rsp), %rdx
    mov %r10, %rcx
    push FRAME_RIP(%rsp) // a frame for those who follow frame pointers: rip, rbp
    .cfi_adjust_cfa_offset 8
    push %rbp
    .cfi_adjust_cfa_offset 8
    mov %rsp, %rbp
    lea 16(%rsp), %rax
    push %rax
    .cfi_adjust_cfa_offset 8
    push 24 + FRAME_REG(13)(%rsp) // the number
    .cfi_adjust_cfa_offset 8
    call upcall_syscall
    add $32, %rsp
    .cfi_adjust_cfa_offset -32
    cmpl $FRAME_SYSCALL, FRAME_KIND(%rsp)
    jne 9f
    testl $FLAG_TRACE, FRAME_FLAGS(%rsp)
    jnz 8f
    mov %rax, %rcx
    vector_load
    mov %rcx, %rax
    mov FRAME_REG(0)(%rsp), %r8
    mov FRAME_REG(1)(%rsp), %r9
    mov FRAME_REG(2)(%rsp), %r10
    mov FRAME_REG(8)(%rsp), %rdi
    mov FRAME_REG(9)(%rsp), %rsi
    mov FRAME_REG(10)(%rsp), %rbp
    mov FRAME_REG(12)(%rsp), %rdx
    mov FRAME_RIP(%rsp), %rcx
    mov FRAME_FLAGS(%rsp), %r11
    push %r11
    .cfi_adjust_cfa_offset 8
    popfq
    .cfi_adjust_cfa_offset -8
    mov FRAME_RSP(%rsp), %rsp
    .cfi_undefined %rip
    jmp *%rcx
    .cfi_endproc
8:  mov %rax, FRAME_REG(13)(%rsp)
9:  cli
    jmp entry_exit
    .size trap_syscall, . - trap_syscall

// void hal_regs_resume(const struct hal_regs *regs): touches what it will read while it may still fault, makes a
// frame as an entry from here would, fills it and leaves by it. What lies above the old rsp stays readable.
    .globl hal_regs_resume
    .type hal_regs_resume, @function
hal_regs_resume:
    testb $0, (%rdi)
    testb $0, 4095(%rdi)
    testb $0, REGS_SIZE - 1(%rdi)
    cli
    mov %rsp, %rax
    mov %gs:PERCPU_ENTRY_STACK, %rcx
    mov %rcx, %rdx
    sub %rax, %rdx
    cmp $ENTRY_STACK_SIZE, %rdx
    jae 1f
    mov %rax, %rcx
1:  sub isa_vector_size(%rip), %rcx
    sub $FRAME_SIZE, %rcx
    and $-64, %rcx
    mov %rcx, %rsp
    mov %rdi, %rsi
    mov %rsp, %rdi
    call trap_frame_load
    jmp entry_exit
    .size hal_regs_resume, . - hal_regs_resume

// An interrupt that is pending at sti waits one instruction more, so it always ends the hlt.
    .globl trap_halt, trap_idle_woken
    .type trap_halt, @function
trap_halt:
    sti
    hlt
trap_idle_woken:
    cli
    ret
    .size trap_halt, . - trap_halt

    .section .rodata
    .balign 4
entry_mxcsr:
    .long 0x1f80

    .section .note.GNU-stack, "", @progbits
