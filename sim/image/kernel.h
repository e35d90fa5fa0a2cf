// SPDX-License-Identifier: BSD-3-Clause
// kernel.h: a kernel's file, and what becomes of it in an image (hal/common/image.h).
#ifndef SIM_IMAGE_KERNEL_H
#define SIM_IMAGE_KERNEL_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/common/image.h"

struct kernel {
    char *bytes; // from the file's start to the end of the last segment: what is loaded
    size_t size;
    char *symbols; // what symbols_make has made of the file; NULL: not read
    size_t symbols_size;
    uint64_t memory_end; // physical address behind all that it uses, at the start of a page
    Elf64_Ehdr *header;
    const Elf64_Phdr *segments;
    struct image *image; // within bytes
};

enum { KERNEL_PAGE_SIZE = 4096 };

// What it is not: NULL where it is a kernel. bytes stays the caller's.
const char *kernel_parse(struct kernel *kernel, char *bytes, size_t size);

// Reads the file, without what debuggers want of it; ends the run where it is not a kernel.
void kernel_read(struct kernel *kernel, const char *file);

// The segment that is the root, behind the page that an image begins with; NULL: none is.
const Elf64_Phdr *kernel_root(const struct kernel *kernel);

// Writes the kernel alone.
void kernel_write(const struct kernel *kernel, const char *path);

// Writes an ELF file that is the kernel and, loaded behind it, the file root, whose place is noted
// in kernel->image.
void kernel_write_with_root(struct kernel *kernel, const char *root, const char *path);

#endif
