// SPDX-License-Identifier: BSD-3-Clause
// layout.h: where things are in the two 48-bit address spaces; read by C, assembly and, in words,
// by kernel.ld.
//
//   0000000000010000 .. 0000fffffffeffff  the window of hal_map: programs, their stacks and files
//   (TTBR0) ffff000000000000 + p                  the direct map: every page of usable memory
//   ffff800000000000 + p                  registers of devices, mapped one by one
//   ffffffff80000000 + p - 40000000       the image, loaded at p = 40200000
#ifndef HAL_AARCH64_MACHINE_LAYOUT_H
#define HAL_AARCH64_MACHINE_LAYOUT_H

#define LAYOUT_WINDOW 0x0000000000010000
#define LAYOUT_WINDOW_SIZE 0x0000fffffffe0000
#define LAYOUT_DIRECT 0xffff000000000000
#define LAYOUT_DEVICE 0xffff800000000000
#define LAYOUT_IMAGE 0xffffffff80000000
#define LAYOUT_MEMORY                                                                              \
    0x0000000040000000 // where memory starts, and a device tree that nobody points to

#define BOOT_MAPPED 0x8000000000 // boot.S maps physical memory below this, and nothing else

#endif
