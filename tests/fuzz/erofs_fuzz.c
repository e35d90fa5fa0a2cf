// SPDX-License-Identifier: BSD-3-Clause
// erofs_fuzz.c: any bytes at all as a file system in EROFS format: everything that a name or a
// number leads to is read and touched.
//
// Bytes that are changed blindly are seldom what the image says of itself: the mutator changes one
// number of the superblock, an inode or a directory half of the time, and likes those near limits.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/errno.h"
#include "core/vfs/erofs/image.h"

enum { NUMBERS_MAX = 64, NAMES_MAX = 4096, SUPERBLOCK = 1024, INODE = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static bool has_data(const struct erofs_inode *inode)
{
    const uint32_t type = inode->mode & MODE_TYPE;
    return type == MODE_FILE || type == MODE_LINK || type == MODE_DIRECTORY;
}

// A file is never longer than its image, so this ends.
static unsigned contents_touch(struct erofs_image *image, const struct erofs_inode *inode)
{
    unsigned sum = 0;
    size_t size;
    for (uint64_t done = 0; has_data(inode) && done < inode->size; done += size) {
        const char *bytes = erofs_data(image, inode, done, &size);
        if (size == 0 || size > inode->size - done) {
            abort();
        }
        sum += (unsigned char)bytes[0] + (unsigned char)bytes[size - 1];
    }
    return sum;
}

static unsigned directory_touch(struct erofs_image *image, const struct erofs_inode *directory)
{
    unsigned sum = 0, count = 0;
    struct erofs_name name;
    uint64_t number;
    for (uint64_t at = 0; erofs_name_read(image, directory, at, &name, &at) == 0;) {
        char text[256];
        if (++count > NAMES_MAX || name.length == 0 || name.length >= sizeof text) {
            abort();
        }
        memcpy(text, name.text, name.length);
        text[name.length] = 0;
        sum += (unsigned)erofs_find(image, directory, text, &number);
    }
    sum += (unsigned)erofs_find(image, directory, "no such name", &number);
    return sum;
}

static volatile unsigned touched; // so that no access is left out

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct erofs_image image;
    if (erofs_image_open(&image, (const char *)data, size) != 0) {
        return 0;
    }
    image.complaint_count = 1000; // nobody reads them
    unsigned sum = 0;
    for (uint64_t i = 0; i < NUMBERS_MAX; ++i) {
        struct erofs_inode inode;
        if (erofs_inode_read(&image, i == 0 ? image.root : i, &inode) != 0) {
            continue;
        }
        sum += contents_touch(&image, &inode);
        if ((inode.mode & MODE_TYPE) == MODE_DIRECTORY) {
            sum += directory_touch(&image, &inode);
        }
    }
    touched += sum;
    return 0;
}

// ---- The mutator -------------------------------------------------------------------

static unsigned random_next(unsigned *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const uint64_t likely[] = {0,    1,      2,      12,         24,         4095,
                                      4096, 0x7fff, 0xffff, 0x7fffffff, 0xfffffff0, UINT32_MAX};
    unsigned state = seed;
    if (size < SUPERBLOCK + 256 || random_next(&state) % 2 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    const bool is_super = random_next(&state) % 8 == 0;
    const size_t range = is_super ? 128 : size - SUPERBLOCK - 8;
    const size_t at = SUPERBLOCK + random_next(&state) % range / 2 * 2;
    const size_t width = (size_t)2 << random_next(&state) % 3;
    const unsigned which = random_next(&state) % (sizeof likely / sizeof likely[0] + 1);
    uint64_t number = which > 0 ? likely[which - 1] : random_next(&state) % (size / INODE * 2);
    number += random_next(&state) % 3;
    memcpy(data + at, &number, at + width <= size ? width : 1);
    return size;
}
