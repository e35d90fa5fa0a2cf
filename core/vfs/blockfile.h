// SPDX-License-Identifier: BSD-3-Clause
// blockfile.h: disks as files: /dev/vda and its like, and /proc/partitions.
#ifndef CORE_VFS_BLOCKFILE_H
#define CORE_VFS_BLOCKFILE_H

#include <stdint.h>

struct file;

// Makes the names of the machine's disks in /dev, and /proc/partitions. Once.
int block_files_make(void);

// Makes file, whose flags are set, one on the block device of that number. -ENXIO: there is none.
int block_node_open(uint64_t number, struct file *file);

#endif
