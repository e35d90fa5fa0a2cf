// SPDX-License-Identifier: BSD-3-Clause
// application_x86_64.S: the calls of an application compiled with -fsanitize=thread, and the interrupts that strike
// there.
//
// Each hal_tsan_NAME calls application_NAME, which is a point. An interrupt that is pending afterwards is delivered
// with a frame that says what the application's registers are behind the call: core sees it strike in the
// application, as on the other form of this machine, so that signals are handled there. What the call may clobber
// is 0 in the frame, but for the result.
#define FRAME_RDX 96
#define FRAME_RAX 104
#define VCPU_MASKED 40
#define VCPU_PENDING 44

    .text
    .type interrupt, @function
// (%rsp) is where the application goes on. The masked code is on its stack: touched first, as by hal_irq_save.
interrupt:
    .cfi_startproc
    testb $0, -2048(%rsp)
    movl $1, %gs:VCPU_MASKED
    push %rax
    .cfi_adjust_cfa_offset 8
    push %rdx
    .cfi_adjust_cfa_offset 8
    sub $8, %rsp
    .cfi_adjust_cfa_offset 8
    lea 24(%rsp), %rsi
    mov (%rsi), %rdi
    call point_frame
    mov %rax, %rdi
    add $8, %rsp
    .cfi_adjust_cfa_offset -8
    pop %rdx
    .cfi_adjust_cfa_offset -8
    pop %rax
    .cfi_adjust_cfa_offset -8
    mov %rdx, FRAME_RDX(%rdi)
    mov %rax, FRAME_RAX(%rdi)
    jmp turn_interrupt
    .cfi_endproc
    .size interrupt, . - interrupt

    .macro call_of name
    .globl hal_tsan_\name
    .type hal_tsan_\name, @function
hal_tsan_\name:
    .cfi_startproc
    sub $8, %rsp
    .cfi_adjust_cfa_offset 8
    call application_\name
    add $8, %rsp
    .cfi_adjust_cfa_offset -8
    cmpl $0, %gs:VCPU_PENDING
    jne interrupt
    ret
    .cfi_endproc
    .size hal_tsan_\name, . - hal_tsan_\name
    .endm

#define BOTH(name) call_of name; call_of unaligned_##name
#define ACCESSES(size) BOTH(read##size); BOTH(write##size); BOTH(read_write##size); \
    BOTH(volatile_read##size); BOTH(volatile_write##size)
#define ATOMIC(bits, name) call_of atomic##bits##_##name
#define ATOMICS(bits) ATOMIC(bits, load); ATOMIC(bits, store); ATOMIC(bits, exchange); \
    ATOMIC(bits, fetch_add); ATOMIC(bits, fetch_sub); ATOMIC(bits, fetch_and); \
    ATOMIC(bits, fetch_or); ATOMIC(bits, fetch_xor); ATOMIC(bits, fetch_nand); \
    ATOMIC(bits, compare_exchange_strong); ATOMIC(bits, compare_exchange_weak); \
    ATOMIC(bits, compare_exchange_val)

    call_of init
    call_of func_entry
    call_of func_exit
    call_of ignore_thread_begin
    call_of ignore_thread_end
    call_of read_range
    call_of write_range
    call_of vptr_read
    call_of vptr_update
    call_of memcpy
    call_of memmove
    call_of memset
    call_of acquire
    call_of release
    call_of atomic_thread_fence
    call_of atomic_signal_fence
    ACCESSES(1)
    ACCESSES(2)
    ACCESSES(4)
    ACCESSES(8)
    ACCESSES(16)
    ATOMICS(8)
    ATOMICS(16)
    ATOMICS(32)
    ATOMICS(64)
    ATOMICS(128)

    .section .note.GNU-stack, "", @progbits
