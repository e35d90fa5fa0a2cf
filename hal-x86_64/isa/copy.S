// SPDX-License-Identifier: BSD-3-Clause
// copy.S: int hal_copy_safe(void *target, const void *source, size_t size)
//
// Every access between isa_copy_start and isa_copy_end may fault and be restarted: registers change only after the
// access that they serve. No rep movsb: Valgrind has decremented rcx already when such an access faults.
// Strides of 64, then 8, then single bytes. What is long is asked for AHEAD bytes before it is needed, on both sides
// and beyond both ends: the processor's own prefetching stops at the end of each page, the next copy mostly goes on
// where this one ends, and a prefetch never faults.
    .equ AHEAD, 2048

    .macro move_64 // rdx: 64 less, and the flags of that
    movups (%rsi), %xmm0
    movups 16(%rsi), %xmm1
    movups 32(%rsi), %xmm2
    movups 48(%rsi), %xmm3
    movups %xmm0, (%rdi)
    movups %xmm1, 16(%rdi)
    movups %xmm2, 32(%rdi)
    movups %xmm3, 48(%rdi)
    add $64, %rsi
    add $64, %rdi
    sub $64, %rdx
    .endm

    .text
    .globl hal_copy_safe, isa_copy_start, isa_copy_end, isa_copy_fail
    .type hal_copy_safe, @function
hal_copy_safe: // rdi target, rsi source, rdx size
    .cfi_startproc
    sub $64, %rdx
    jb 2f
isa_copy_start:
    cmp $AHEAD - 64, %rdx
    jb 1f
0:  prefetcht0 AHEAD(%rsi)
    prefetcht0 AHEAD(%rdi)
    move_64
    jae 0b
    jmp 2f
1:  move_64
    jae 1b
2:  add $56, %rdx // what is left, less 8
    js 4f
3:  mov (%rsi), %rax
    mov %rax, (%rdi)
    add $8, %rsi
    add $8, %rdi
    sub $8, %rdx
    jns 3b
4:  add $8, %rdx
    jz 6f
5:  mov (%rsi), %al
    mov %al, (%rdi)
    inc %rsi
    inc %rdi
    dec %rdx
    jnz 5b
isa_copy_end:
6:  xor %eax, %eax
    ret
isa_copy_fail:
    mov $-14, %eax // -EFAULT
    ret
    .cfi_endproc
    .size hal_copy_safe, . - hal_copy_safe

    .section .note.GNU-stack, "", @progbits
