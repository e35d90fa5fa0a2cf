// SPDX-License-Identifier: BSD-3-Clause
// disk.h: a disk that boots by BIOS and by UEFI, and has the kernel and the root as two files.
#ifndef SIM_IMAGE_DISK_H
#define SIM_IMAGE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel;

// Writes the disk to the file path. root: a file.
void disk_write(const struct kernel *kernel, const char *root, const char *path);

// Makes qcow2 of the disk raw, and the other way.
void disk_pack(const char *raw, const char *path);
void disk_unpack(const char *path, const char *raw);

// Whether the file, of whose start so many bytes are given, is such a disk or one in qcow2.
bool disk_is_raw(const char *bytes, size_t size);
bool disk_is_packed(const char *bytes, size_t size);

// Takes kernel and root out of the disk raw, of whose start bytes are given: files of these paths.
void disk_take(const char *raw, const char *bytes, const char *kernel, const char *root);

#endif
