// SPDX-License-Identifier: BSD-3-Clause
// memfile.h: files in memory that never have a name (memfd_create), and their seals.
#ifndef CORE_VFS_MEMFILE_H
#define CORE_VFS_MEMFILE_H

#include <stdbool.h>
#include <stdint.h>

struct file;

// As Linux numbers them (F_SEAL_...; static-asserted in core/linux).
enum memfile_seals {
    SEAL_SEAL = 1,
    SEAL_SHRINK = 2,
    SEAL_GROW = 4,
    SEAL_WRITE = 8,
    SEAL_FUTURE_WRITE = 16,
    SEAL_ALL = 31,
    SEALS_KNOWN = 1 << 30, // ours: the file can have seals
};

// path: what /proc/self/maps shows. seals: the first ones; 0: a file that never has any.
int memfile_create(struct file **file, const char *path, uint32_t seals);

bool memfile_is(const struct file *file); // made here, or by hugefile.h

// Whether they are on that device, which no mount shows.
bool memfile_is_device(uint64_t device);

// -EINVAL: no such file. The second: -EPERM: not open for writing, or sealed against it; -EBUSY:
// SEAL_WRITE while it is mapped for writing.
int memfile_seals(struct file *file, uint32_t *seals);
int memfile_seals_add(struct file *file, uint32_t seals);

#endif
