// SPDX-License-Identifier: BSD-3-Clause
// hold.S: leaf code that fills every register an application can see, waits, and looks again.
    .text

// uint64_t hold_registers(uint64_t rounds, uint64_t seed, uint64_t avx512): 0, or where it went wrong.
// General registers, all arithmetic flags and DF, ymm0-15; with AVX-512 zmm16-31 and k1-k7.
    .globl hold_registers
    .type hold_registers, @function
hold_registers:
    .cfi_startproc
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdi // 16(%rsp): rounds
    push %rdx // 8(%rsp): avx512
    push %rsi // (%rsp): seed
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    lea 100+\n(%rsi), %rax
    vmovq %rax, %xmm\n
    vpbroadcastq %xmm\n, %ymm\n
    .endr
    test %rdx, %rdx
    jz 1f
    .irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    lea 100+\n(%rsi), %rax
    vpbroadcastq %rax, %zmm\n
    .endr
    .irp n, 1,2,3,4,5,6,7
    lea 200+\n(%rsi), %rax
    kmovq %rax, %k\n
    .endr
1:  lea 1(%rsi), %rbx
    lea 2(%rsi), %rdx
    lea 3(%rsi), %rdi
    lea 4(%rsi), %rbp
    lea 5(%rsi), %r8
    lea 6(%rsi), %r9
    lea 7(%rsi), %r10
    lea 8(%rsi), %r11
    lea 9(%rsi), %r12
    lea 10(%rsi), %r13
    lea 11(%rsi), %r14
    lea 12(%rsi), %r15
    pushfq
    pop %rcx
    and $0x100, %ecx // the trap flag stays: tests/step.c
    mov %rsi, %rax
    and $0xcd5, %eax // OF DF SF ZF AF PF CF
    or $0x202, %eax
    or %rcx, %rax
    push %rax
    mov 16+8(%rsp), %rcx
    popfq
    // Nothing in this loop writes a flag.
2:  lea -1(%rcx), %rcx
    jrcxz 3f
    jmp 2b
3:  pushfq
    pop %rcx
    cld
    and $0xcd5, %rcx
    and $0xcd5, %rax
    cmp %rcx, %rax
    mov $1, %ecx
    jne 9f
    mov (%rsp), %rax
    mov $2, %ecx
    cmp %rax, %rsi
    jne 9f
    .macro same n, reg
    lea \n(%rax), %rsi
    cmp %rsi, \reg
    jne 9f
    .endm
    same 1, %rbx
    same 2, %rdx
    same 3, %rdi
    same 4, %rbp
    same 5, %r8
    same 6, %r9
    same 7, %r10
    same 8, %r11
    same 9, %r12
    same 10, %r13
    same 11, %r14
    same 12, %r15
    mov $3, %ecx
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    lea 100+\n(%rax), %rsi
    vmovq %rsi, %xmm0
    vpbroadcastq %xmm0, %ymm0
    vpcmpeqq %ymm0, %ymm\n, %ymm0
    vpmovmskb %ymm0, %esi
    cmp $-1, %esi
    jne 9f
    .endr
    cmpq $0, 8(%rsp)
    je 8f
    mov $4, %ecx
    .irp n, 1,2,3,4,5,6,7
    lea 200+\n(%rax), %rsi
    kmovq %k\n, %rdi
    cmp %rsi, %rdi
    jne 9f
    .endr
    mov $5, %ecx
    .irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    lea 100+\n(%rax), %rsi
    vpbroadcastq %rsi, %zmm0
    vpcmpeqq %zmm0, %zmm\n, %k1
    kmovq %k1, %rdi
    cmp $0xff, %rdi
    jne 9f
    .endr
8:  xor %ecx, %ecx
9:  mov %rcx, %rax
    vzeroupper
    pop %rsi
    pop %rdx
    pop %rdi
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .cfi_endproc
    .size hold_registers, . - hold_registers

// uint64_t hold_red_zone(uint64_t rounds, uint64_t seed, void *sp): runs with rsp = sp, works in the
// 128 bytes below it, calls nothing; returns the sum of what it found there.
    .globl hold_red_zone
    .type hold_red_zone, @function
hold_red_zone:
    .cfi_startproc
    mov %rsp, %r11
    .cfi_def_cfa_register %r11
    mov %rdx, %rsp
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
    mov %rsi, -8*\n(%rsp)
    .endr
    xor %eax, %eax
1:
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
    add -8*\n(%rsp), %rax
    addq $\n, -8*\n(%rsp)
    .endr
    dec %rdi
    jnz 1b
    mov %r11, %rsp
    .cfi_def_cfa_register %rsp
    ret
    .cfi_endproc
    .size hold_red_zone, . - hold_red_zone

    .section .note.GNU-stack, "", @progbits
