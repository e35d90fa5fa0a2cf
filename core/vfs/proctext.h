// SPDX-License-Identifier: BSD-3-Clause
// proctext.h: what the files that write the texts of procfs share.
#ifndef CORE_VFS_PROCTEXT_H
#define CORE_VFS_PROCTEXT_H

#include <stddef.h>
#include <stdint.h>

// A text under way. length is what it would have; what has no room is not written.
struct writer {
    char *text;
    size_t size, length;
};

__attribute__((format(printf, 2, 3))) void writer_put(struct writer *writer, const char *pattern,
                                                      ...);

// What was written to a setting is one decimal number. -EINVAL.
int setting_number(const char *text, uint64_t *number);

// hugetext.c: /sys/kernel/mm/transparent_hugepage; pooltext.c: pages that are set aside. -ENOMEM.
int pooltext_add(void);
// nodetext.c: /proc/zoneinfo, /sys/devices/system. -ENOMEM.
int nodetext_add(void);
int hugetext_add(void);

// memtext.c: registers the files about memory. -ENOMEM.
int memtext_add(void);

#endif
