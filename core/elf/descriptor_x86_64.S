// SPDX-License-Identifier: BSD-3-Clause
// descriptor_x86_64.S: what TLS descriptors call. %rax points to the descriptor: {function, argument}. The answer, in
// %rax, is an offset from the thread pointer. Every other register is kept, vector registers too.
// Source: Oliva and Araujo, "Speeding Up Thread-Local Storage Access in Dynamic Libraries".

        .text

// argument: the offset.
        .globl elf_descriptor_static
        .hidden elf_descriptor_static
        .type elf_descriptor_static, @function
elf_descriptor_static:
        .cfi_startproc
        movq 8(%rax), %rax
        ret
        .cfi_endproc
        .size elf_descriptor_static, . - elf_descriptor_static

// argument: the address that a weak symbol nobody defines shall have.
        .globl elf_descriptor_undefined
        .hidden elf_descriptor_undefined
        .type elf_descriptor_undefined, @function
elf_descriptor_undefined:
        .cfi_startproc
        movq 8(%rax), %rax
        subq %fs:0, %rax
        ret
        .cfi_endproc
        .size elf_descriptor_undefined, . - elf_descriptor_undefined

// argument: struct elf_tls_index *. struct elf_dtv (tls.c): count at 0, blocks from 32.
        .globl elf_descriptor_dynamic
        .hidden elf_descriptor_dynamic
        .type elf_descriptor_dynamic, @function
elf_descriptor_dynamic:
        .cfi_startproc
        pushq %rdi
        .cfi_adjust_cfa_offset 8
        pushq %rsi
        .cfi_adjust_cfa_offset 8
        movq 8(%rax), %rdi
        movq %fs:8, %rsi
        movq (%rdi), %rax
        cmpq %rax, (%rsi)
        jbe slow
        movq 32(%rsi,%rax,8), %rax
        testq %rax, %rax
        je slow
        addq 8(%rdi), %rax
finish:
        subq %fs:0, %rax
        popq %rsi
        .cfi_adjust_cfa_offset -8
        popq %rdi
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc

// The block has to be allocated: a C call, with everything saved around it. cpuid leaf 0xd says how large the
// extended state is; that it is slow does not matter here.
slow:
        .cfi_startproc
        .cfi_def_cfa_offset 24
        pushq %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_offset %rbp, -32
        movq %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq %rbx
        pushq %rcx
        pushq %rdx
        pushq %r8
        pushq %r9
        pushq %r10
        pushq %r11
        movl $0xd, %eax
        xorl %ecx, %ecx
        cpuid
        subq %rbx, %rsp
        andq $-64, %rsp
        xorl %eax, %eax
        movq %rax, 512(%rsp)
        movq %rax, 520(%rsp)
        movq %rax, 528(%rsp)
        movq %rax, 536(%rsp)
        movq %rax, 544(%rsp)
        movq %rax, 552(%rsp)
        movq %rax, 560(%rsp)
        movq %rax, 568(%rsp)
        movl $-1, %eax
        movl $-1, %edx
        xsave64 (%rsp)
        call elf_tls_address
        movq %rax, %rbx
        movl $-1, %eax
        movl $-1, %edx
        xrstor64 (%rsp)
        movq %rbx, %rax
        leaq -56(%rbp), %rsp
        popq %r11
        popq %r10
        popq %r9
        popq %r8
        popq %rdx
        popq %rcx
        popq %rbx
        popq %rbp
        .cfi_def_cfa %rsp, 24
        jmp finish
        .cfi_endproc
        .size elf_descriptor_dynamic, . - elf_descriptor_dynamic

        .section .note.GNU-stack, "", @progbits
