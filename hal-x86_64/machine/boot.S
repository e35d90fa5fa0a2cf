// SPDX-License-Identifier: BSD-3-Clause
// boot.S: from the loader's entry to 64-bit C code at the image's own addresses; and the same for the other CPUs,
// which start in real mode. PVH (Xen docs/misc/pvh.pandoc) enters in 32-bit protected mode, paging off, ebx = start
// info. Multiboot2 (GNU, 2.0) does the same at boot_multiboot, ebx = boot information. Linux's 64-bit boot protocol
// enters at the ELF header's e_entry, rsi = page of parameters, in a map that has image and page at their physical
// addresses; from there it is one step back to where PVH enters.
//
// The page tables are in the image, those of few entries in its zeros. Those to start with map it at its physical
// addresses, for the instructions before the jump, and at its own; and the first 4 GiB in the direct map, which are
// part of the final tables, too (paging.c).
#include "layout.h"

#define PHYS(symbol) ((symbol) - LAYOUT_IMAGE)

#define TABLE 0x23 // present, writable, accessed
#define LARGE_PAGE 0xe3 // and dirty, large
// As radix_entry.h has it: may be read and written, not executed.
#define DIRECT_PAGE (LARGE_PAGE | 3 << 9 | 1 << 52 | 1 << 63)

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 8, 18 // sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad PHYS(boot_entry)

// The loader ends EFI's boot services, as we do not ask it not to. It is told what to load and where, for GRUB takes no
// ELF file whose e_entry is a physical address: the file's first bytes, as kernel.ld has them in the order of their
// addresses. It has to give a memory map, and puts modules on pages of their own.
#define MULTIBOOT_MAGIC 0xe85250d6
    .section .multiboot, "a", @progbits
    .balign 8
multiboot_start:
    .long MULTIBOOT_MAGIC, 0, multiboot_end - multiboot_start
    .long 0x100000000 - (MULTIBOOT_MAGIC + (multiboot_end - multiboot_start))
    .short 1, 0 // information that we need
    .long 12, 6 // the memory map
    .balign 8
    .short 2, 0 // where this header is to be, where what is loaded begins and ends, where zeros end
    .long 24, PHYS(multiboot_start), PHYS(image_start), PHYS(bss_start), PHYS(image_end)
    .balign 8
    .short 3, 0 // where to enter, in 32-bit mode
    .long 12, PHYS(boot_multiboot)
    .balign 8
    .short 6, 0 // modules on page borders
    .long 8
    .short 0, 0
    .long 8
multiboot_end:

    .section .text.boot, "ax", @progbits
    .code64
    .globl boot_linux
boot_linux:
    cli
    mov %esi, %ebx
    lgdt boot_gdt_pointer(%rip)
    ljmpl *boot_linux_target(%rip)

    .code32
boot_linux_32:
    mov $SELECTOR_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $0x11, %eax // ET, PE: no paging, so no 64-bit mode either
    mov %eax, %cr0
    mov $1, %esi // LOADER_LINUX
    jmp boot_known

boot_multiboot:
    cli
    mov $2, %esi // LOADER_MULTIBOOT
    jmp boot_known

    .globl boot_entry
boot_entry:
    cli
    xor %esi, %esi // LOADER_PVH
boot_known:
    cld
// Loaders of ELF files and of Multiboot2 fill with zeros what the file does not have; those of Linux need not.
    cmp $1, %esi
    jne 1f
    xor %eax, %eax
    mov $PHYS(bss_start), %edi
    mov $PHYS(image_end), %ecx
    sub %edi, %ecx
    shr $2, %ecx
    rep stosl
1:
    movl $PHYS(boot_low) + TABLE, PHYS(boot_root)
    movl $PHYS(boot_direct) + TABLE, PHYS(boot_root) + 256 * 8
    movl $PHYS(boot_high) + TABLE, PHYS(boot_root) + 511 * 8
    movl $PHYS(boot_image) + TABLE, PHYS(boot_low)
    movl $PHYS(boot_image) + TABLE, PHYS(boot_high) + 510 * 8
    .set page, 0
    .rept BOOT_MAPPED >> 30
    movl $PHYS(boot_direct_pages) + page * 4096 + TABLE, PHYS(boot_direct) + page * 8
    .set page, page + 1
    .endr
    .set page, 0
    .rept BOOT_IMAGE_END >> 21
    movl $(page << 21 | LARGE_PAGE), PHYS(boot_image) + page * 8
    .set page, page + 1
    .endr
    xor %ebp, %ebp
// ebp is 0 on the boot CPU.
boot_paged:
    mov $PHYS(boot_root), %eax
    mov %eax, %cr3
    mov $0x620, %eax // PAE, OSFXSR, OSXMMEXCPT
    mov %eax, %cr4
    mov $0xc0000080, %ecx // EFER
    rdmsr
    or $0x901, %eax // NXE, LME, SCE
    wrmsr
    mov $0x80010033, %eax // PG, WP, NE, ET, MP, PE
    mov %eax, %cr0
    lgdt PHYS(boot_gdt_pointer)
    ljmp $SELECTOR_CODE, $PHYS(boot_long)

    .code64
boot_long:
    mov $SELECTOR_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    test %ebp, %ebp
    jnz boot_other
    movabs $machine_first + BOOT_STACK_SIZE, %rsp
    mov %ebx, %edi // esi is the protocol
    xor %ebp, %ebp
    movabs $machine_start, %rax
    call *%rax
    ud2

// smp.c has filled in smp_start; the stack that it names may be anywhere in the direct map, so the final tables come
// first.
boot_other:
    movabs $1f, %rax
    jmp *%rax
1:  mov smp_start(%rip), %rax // root, top of the stack, struct percpu
    mov %rax, %cr3
    mov smp_start + 8(%rip), %rsp
    mov smp_start + 16(%rip), %rdi
    xor %ebp, %ebp
    call smp_enter
    ud2

    .code32
boot_other_entry:
    mov $SELECTOR_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $1, %ebp
    jmp boot_paged

// Copied to a page below 1 MiB, at whose start another CPU begins: real mode, cs * 16 is the page.
    .section .rodata
    .code16
    .globl boot_real_mode, boot_real_mode_end
boot_real_mode:
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    lgdtl boot_gdt_copy - boot_real_mode
    mov $0x11, %eax // ET, PE
    mov %eax, %cr0
    ljmpl $SELECTOR_BOOT_CODE, $PHYS(boot_other_entry)
    .balign 4
boot_gdt_copy:
    .word 31
    .long PHYS(boot_gdt)
boot_real_mode_end:

    .balign 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
boot_gdt_pointer:
    .word 31
    .long PHYS(boot_gdt), 0
boot_linux_target:
    .long PHYS(boot_linux_32)
    .word SELECTOR_BOOT_CODE

    .data
    .balign 4096
boot_direct_pages:
    .set page, 0
    .rept BOOT_MAPPED >> 21
    .quad page << 21 | DIRECT_PAGE
    .set page, page + 1
    .endr

    .bss
    .balign 4096
boot_root:
    .skip 4096
boot_low:
    .skip 4096
boot_high:
    .skip 4096
boot_image:
    .skip 4096
    .globl boot_direct
boot_direct:
    .skip 4096

    .section .note.GNU-stack, "", @progbits
