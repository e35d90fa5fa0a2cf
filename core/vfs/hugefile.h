// SPDX-License-Identifier: BSD-3-Clause
// hugefile.h: files in memory whose pages have 2 MiB and come from the pool (core/vm/hugepool.h):
// what lies behind MAP_HUGETLB, MFD_HUGETLB and SHM_HUGETLB.
//
// Thread context, may block. Sizes and offsets of pages are multiples of HUGEPOOL_PAGE.
#ifndef CORE_VFS_HUGEFILE_H
#define CORE_VFS_HUGEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct ramfs_node;

// As memfile_create. origin: another such file, whose pages are copied as they are touched first:
// beyond its end there is none; NULL: pages begin as zeros.
int hugefile_create(struct file **file, const char *path, uint32_t seals, struct file *origin);
int hugefile_init(struct ramfs_node *node, struct file *origin); // memfile.c's part of it. -ENOMEM

bool hugefile_is(const struct file *file);

// Pages of the range will be had when they are touched. -ENOMEM: too few are left, and nothing has
// changed.
int hugefile_reserve(struct file *file, uint64_t offset, uint64_t size);

// Makes the file as long, where it is shorter.
void hugefile_extend(struct file *file, uint64_t size);

// Pages of the range become zeros, which stay reserved where they were; or they go.
int hugefile_discard(struct file *file, uint64_t offset, uint64_t size);
int hugefile_remove(struct file *file, uint64_t offset, uint64_t size);

#endif
