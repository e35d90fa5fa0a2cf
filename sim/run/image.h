// SPDX-License-Identifier: BSD-3-Clause
// image.h: what kind of file is to be booted.
#ifndef SIM_RUN_IMAGE_H
#define SIM_RUN_IMAGE_H

#include <stdint.h>

enum image_kind {
    IMAGE_KERNEL,   // ELF, which QEMU starts by its PVH note: a kernel, or an image with its root
                    // behind it
    IMAGE_RAW_DISK, // with a boot sector
    IMAGE_QCOW2_DISK,
};

struct image {
    char *path; // absolute
    enum image_kind kind;
    uint64_t memory_end; // of a kernel: behind the last byte that is loaded
};

// Ends the process where there is no such file, or nothing that boots in it.
void image_read(struct image *image, const char *path);

// The absolute path of a file that can be read. Ends the process where there is none.
char *file_find(const char *what, const char *path);

#endif
