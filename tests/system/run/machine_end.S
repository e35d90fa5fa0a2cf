// SPDX-License-Identifier: BSD-3-Clause
// machine_end.S: a kernel, started by PVH, that turns q35 off by ACPI's register (OFF), or resets it by a triple fault.
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18 // sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start

    .text
    .code32
    .globl start
start:
#ifdef OFF
    mov $0x604, %edx // PM1a control, where QEMU's firmware puts it
    mov $0x2000, %eax // off
    out %ax, %dx
1:  hlt
    jmp 1b
#else
    lidt none
    int3
none:
    .word 0
    .long 0
#endif
    .section .note.GNU-stack, "", @progbits
