// SPDX-License-Identifier: BSD-3-Clause
// linux_loader_start.S: in by PVH, out by Linux's 64-bit protocol: code at selector 16, data at 24, rsi the page of
// parameters, everything else junk.
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18 // sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start

    .text
    .globl start
start:
    cld
    mov $stack_top, %esp
    push %ebx
    call loader_run
    mov %eax, entry

    mov $tables, %eax
    mov %eax, %cr3
    mov $0x20, %eax // PAE
    mov %eax, %cr4
    mov $0xc0000080, %ecx // EFER
    rdmsr
    or $0x100, %eax // LME
    wrmsr
    mov $0x80000011, %eax // PG, ET, PE
    mov %eax, %cr0
    mov $zero_page, %esi
    mov entry, %edx
    lgdt gdt_pointer
    ljmp $16, $1f
    .code64
1:  mov $24, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $-1, %rbx
    mov $-1, %rdi
    mov $-1, %rbp
    jmp *%rdx

    .data
    .balign 8
gdt:
    .quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word 31
    .long gdt
entry:
    .long 0

    .bss
    .skip 4096
stack_top:
    .section .note.GNU-stack, "", @progbits
