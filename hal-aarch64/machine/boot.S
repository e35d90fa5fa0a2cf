// SPDX-License-Identifier: BSD-3-Clause
// boot.S: from the loader (EL1, MMU and caches off, x0 = device tree or nothing) to C code at the image's addresses.
//
// The tables made here map the first 512 GiB of physical memory twice in 1 GiB blocks, at 0 for the few instructions
// before the jump and in the direct map, and 1 GiB from LAYOUT_MEMORY at the image. paging.c replaces them.
//
// Everything runs at EL1 on SP_EL0 (SPSel 0): an exception then switches to SP_EL1, the bounce stack. See vector.S.
#include "layout.h"

#define BLOCK_NORMAL 0x701 // valid, MAIR 0, inner shareable, accessed
#define BLOCK_DEVICE (0x405 | 3 << 53) // valid, MAIR 1, accessed, never executed
#define TABLE 3
#define MAIR 0x00ff        // 0: normal, write back; 1: device, nGnRnE
#define TCR 0xb5103510     // 48 bits and 4 KiB both ways, walks cached and inner shareable
#define SCTLR 0x30d0180d   // reserved ones, I, SA, C, M
#define CPACR 0x300000     // floating point and SIMD for all

    .section .text.boot, "ax", %progbits
    .globl boot_entry
boot_entry:
    msr daifset, #15
    mov x20, x0
    msr spsel, #1
    mov x0, #CPACR
    msr cpacr_el1, x0

    adrp x0, bss_start
    add x0, x0, :lo12:bss_start
    adrp x1, image_end
    add x1, x1, :lo12:image_end
    mov x2, x0
1:  stp xzr, xzr, [x2], #16
    cmp x2, x1
    b.lo 1b

    adrp x2, boot_blocks // 1 GiB each; the first one holds the devices
    ldr x3, =BLOCK_DEVICE
    str x3, [x2]
    ldr x3, =BLOCK_NORMAL
    mov x4, #1
2:  orr x5, x3, x4, lsl #30
    str x5, [x2, x4, lsl #3]
    add x4, x4, #1
    cmp x4, #512
    b.lo 2b
    adrp x6, boot_image_blocks // 2 MiB each
    mov x4, #0
    ldr x7, =LAYOUT_MEMORY | BLOCK_NORMAL
3:  add x5, x7, x4, lsl #21
    str x5, [x6, x4, lsl #3]
    add x4, x4, #1
    cmp x4, #512
    b.lo 3b
    adrp x8, boot_image_table
    orr x6, x6, #TABLE
    str x6, [x8, #510 * 8]
    orr x2, x2, #TABLE
    adrp x9, boot_low_root
    str x2, [x9]
    adrp x10, boot_high_root
    str x2, [x10]
    orr x8, x8, #TABLE
    str x8, [x10, #511 * 8]

    dsb sy // what was written past the caches, caches must not have older
4:  dc ivac, x0
    add x0, x0, #16
    cmp x0, x1
    b.lo 4b
    dsb sy

    mov x0, #MAIR
    msr mair_el1, x0
    ldr x0, =TCR
    mrs x1, id_aa64mmfr0_el1
    bfi x0, x1, #32, #3 // physical address bits: what the processor has
    msr tcr_el1, x0
    msr ttbr0_el1, x9
    msr ttbr1_el1, x10
    isb
    tlbi vmalle1
    dsb nsh
    ic iallu
    dsb nsh
    isb
    ldr x0, =SCTLR
    msr sctlr_el1, x0
    isb
    ldr x0, =boot_high
    br x0

boot_high:
    ldr x0, =vector_table
    msr vbar_el1, x0
    isb
    msr spsel, #0
    ldr x0, =boot_stack_top
    mov sp, x0
    mov x29, xzr
    mov x30, xzr
    mov x0, x20
    bl machine_start
    brk #0
    .ltorg

    .bss
    .balign 4096
boot_low_root:
    .skip 4096
boot_high_root:
    .skip 4096
boot_blocks:
    .skip 4096
boot_image_table:
    .skip 4096
boot_image_blocks:
    .skip 4096
    .skip 32768 // HAL_ENTRY_STACK
    .globl boot_stack_top
boot_stack_top:

    .section .note.GNU-stack, "", %progbits
