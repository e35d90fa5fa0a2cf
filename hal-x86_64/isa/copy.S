// SPDX-License-Identifier: BSD-3-Clause
// copy.S: int hal_copy_safe(void *target, const void *source, size_t size)
//
// Every access between isa_copy_start and isa_copy_end may fault and be restarted: registers change only after the
// access that they serve. No rep movsb: Valgrind has decremented rcx already when such an access faults.
// Strides of 32, then 8, then single bytes.
    .text
    .globl hal_copy_safe, isa_copy_start, isa_copy_end, isa_copy_fail
    .type hal_copy_safe, @function
hal_copy_safe: // rdi target, rsi source, rdx size
    .cfi_startproc
    sub $32, %rdx
    jb 2f
isa_copy_start:
1:  mov (%rsi), %rax
    mov 8(%rsi), %rcx
    mov 16(%rsi), %r8
    mov 24(%rsi), %r9
    mov %rax, (%rdi)
    mov %rcx, 8(%rdi)
    mov %r8, 16(%rdi)
    mov %r9, 24(%rdi)
    add $32, %rsi
    add $32, %rdi
    sub $32, %rdx
    jae 1b
2:  add $24, %rdx // what is left, less 8
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
