// SPDX-License-Identifier: BSD-3-Clause
// contents.h: what a file system in EROFS format holds.
#ifndef SIM_IMAGE_CONTENTS_H
#define SIM_IMAGE_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTENTS_BIGGEST = 10 };

struct contents {
    uint64_t file_count, directory_count, link_count; // a file with two names is one
    struct {
        char *path;
        uint64_t size;
    } biggest[CONTENTS_BIGGEST]; // of the files; path NULL: no more
};

// What is wrong, or NULL. bytes are aligned to 4.
const char *contents_read(struct contents *contents, const char *bytes, size_t size);

#endif
