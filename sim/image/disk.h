// SPDX-License-Identifier: BSD-3-Clause
// disk.h: a disk that boots by BIOS and by UEFI, and has the kernel and the root: as two files,
// both of which the loader loads, or the root in a partition of its own.
#ifndef SIM_IMAGE_DISK_H
#define SIM_IMAGE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel;

enum { DISK_ID_SIZE = 16, DISK_ID_TEXT_SIZE = 37 };

// What is loaded with the kernel, a file, and what is a partition of its own, with its GUID; NULL:
// nothing is.
struct disk_parts {
    const char *module, *root;
    uint8_t id[DISK_ID_SIZE];
};

// A GUID that comes from what the file holds, and as people write it.
void disk_id_make(uint8_t id[DISK_ID_SIZE], const char *path);
void disk_id_print(const uint8_t id[DISK_ID_SIZE], char text[DISK_ID_TEXT_SIZE]);

// Writes the disk to the file path.
void disk_write(const struct kernel *kernel, const struct disk_parts *parts, const char *path);

// Makes qcow2 of the disk raw, and the other way.
void disk_pack(const char *raw, const char *path);
void disk_unpack(const char *path, const char *raw);

// Whether the file, of whose start so many bytes are given, is such a disk or one in qcow2.
bool disk_is_raw(const char *bytes, size_t size);
bool disk_is_packed(const char *bytes, size_t size);

// Takes kernel and module out of the disk raw, of whose start bytes are given: files of these
// paths.
void disk_take(const char *raw, const char *bytes, const char *kernel, const char *module);

// The partition with that number, which is not 0, of such a disk. False: it has none, or it does
// not lie within the disk's size bytes.
struct disk_place {
    uint64_t start, size; // bytes
    char name[37];
};

bool disk_partition(const char *bytes, size_t size, unsigned number, struct disk_place *place);

#endif
