// SPDX-License-Identifier: BSD-3-Clause
// entry_x86_64.S: where compiled code enters the loader by conventions of its own: TLS descriptors, and the first call
// through a jump slot. Sources: Oliva and Araujo, "Speeding Up Thread-Local Storage Access in Dynamic Libraries"; the
// x86-64 psABI, "Procedure Linkage Table".

// Everything that a C function may change beside general registers is saved below the stack pointer and restored:
// x87, SSE, AVX, MPX, AVX-512, each where the processor has it; the tile registers are not, as no argument is in them.
// Without the tiles the standard form ends at 2688 bytes on every processor (Intel's and AMD's), so that nobody has to
// ask CPUID, which takes microseconds in a virtual machine. Source: Intel SDM 1, chapter 13.
#define STATE_COMPONENTS 0xff
#define STATE_SIZE 2752

// Changes rax, rdx and rsp, which STATE_RESTORE needs as it is then. The header is zero, as XRSTOR wants.
.macro STATE_SAVE
        subq $STATE_SIZE, %rsp
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
        movl $STATE_COMPONENTS, %eax
        xorl %edx, %edx
        xsave64 (%rsp)
.endm

// Changes rax and rdx.
.macro STATE_RESTORE
        movl $STATE_COMPONENTS, %eax
        xorl %edx, %edx
        xrstor64 (%rsp)
.endm

        .text

// A TLS descriptor is {function, argument}, and %rax points to it. The answer, in %rax, is an offset from the thread
// pointer. Every other register is kept, vector registers too.

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

// The block has to be allocated: a C call, with everything saved around it.
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
        STATE_SAVE
        call elf_tls_address
        movq %rax, %rbx
        STATE_RESTORE
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

// The linker's code has pushed the relocation's index and the object, above which is the caller's return address. Every
// register that may hold an argument is kept: %rax counts vector arguments, %r10 is the static chain.
        .globl elf_bind_first
        .hidden elf_bind_first
        .type elf_bind_first, @function
elf_bind_first:
        .cfi_startproc
        .cfi_def_cfa_offset 24
        pushq %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_offset %rbp, -32
        movq %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq %rax
        pushq %rcx
        pushq %rdx
        pushq %rsi
        pushq %rdi
        pushq %r8
        pushq %r9
        pushq %r10
        movq 8(%rbp), %rdi
        movq 16(%rbp), %rsi
        STATE_SAVE
        cld
        call elf_bind
        movq %rax, %r11
        STATE_RESTORE
        leaq -64(%rbp), %rsp
        popq %r10
        popq %r9
        popq %r8
        popq %rdi
        popq %rsi
        popq %rdx
        popq %rcx
        popq %rax
        popq %rbp
        .cfi_def_cfa %rsp, 24
        addq $16, %rsp
        .cfi_adjust_cfa_offset -16
        jmp *%r11
        .cfi_endproc
        .size elf_bind_first, . - elf_bind_first

        .section .note.GNU-stack, "", @progbits
