// SPDX-License-Identifier: BSD-3-Clause
// layout.h: where things are in the 48-bit address space; read by C, assembly and, in words, by
// kernel.ld.
//
//   0000000000010000 .. 000000003fffffff  the low window of hal_map: programs linked at fixed
//   addresses 0000000040000000 .. 00007fffffffefff  the other one: programs, their stacks and files
//   ffff800000000000 + p                  the direct map: memory, and all else below 4 GiB
//   ffffc00000000000 + p                  registers of devices, mapped one by one
//   ffffffff80000000 + p                  the image, loaded at p = 1 MiB
#ifndef HAL_X86_64_MACHINE_LAYOUT_H
#define HAL_X86_64_MACHINE_LAYOUT_H

#define LAYOUT_WINDOW 0x0000000000010000
#define LAYOUT_WINDOW_SIZE 0x00007ffffffef000
#define LAYOUT_WINDOW_HIGH 0x0000000040000000
#define LAYOUT_DIRECT 0xffff800000000000
#define LAYOUT_DEVICE 0xffffc00000000000
#define LAYOUT_IMAGE 0xffffffff80000000

#define BOOT_MAPPED                                                                                \
    0x100000000 // the direct map has all below this from the start, whatever is there
#define BOOT_IMAGE_END 0x2000000 // and the image is below this

#define BOOT_STACK_SIZE 32768

#define SELECTOR_CODE 8
#define SELECTOR_DATA 16
#define SELECTOR_TASK 24
#define SELECTOR_BOOT_CODE 24 // of boot.S alone: 32 bits

#endif
