// SPDX-License-Identifier: BSD-3-Clause
// blockfile.h: disks and their partitions as files: /dev/vda, /dev/vda1 and their like, and
// /proc/partitions.
#ifndef CORE_VFS_BLOCKFILE_H
#define CORE_VFS_BLOCKFILE_H

#include <stdint.h>

struct file;

// Makes the names of the machine's disks and their partitions in /dev, and /proc/partitions. Once.
int block_files_make(void);

// Makes file, whose flags are set, one on the disk or partition of that number. -ENXIO: there is
// none.
int block_node_open(uint64_t number, struct file *file);

#endif
