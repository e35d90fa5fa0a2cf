// SPDX-License-Identifier: BSD-3-Clause
// elf_index.h: the index of a table of system symbols, as core/libc/exports.py makes it for the
// kernel.
#ifndef TESTS_UNIT_ELF_INDEX_H
#define TESTS_UNIT_ELF_INDEX_H

#include <string.h>

#include "core/elf/object.h"

enum { ELF_INDEX_BUCKETS = 16384 };

static const char *elf_index_versions[256];

static inline uint8_t elf_index_version(const char *version)
{
    size_t i = 0;
    while (elf_index_versions[i] != NULL && strcmp(elf_index_versions[i], version) != 0) {
        ++i;
    }
    elf_index_versions[i] = version;
    return (uint8_t)i;
}

// Sets the symbols' hashes. They are sorted, and fewer than half of the buckets.
static inline struct elf_symbols elf_index_make(struct elf_symbol *symbols, size_t count)
{
    static uint16_t buckets[ELF_INDEX_BUCKETS];
    memset(buckets, 0, sizeof buckets);
    for (size_t i = 0; i < count; ++i) {
        symbols[i].hash = elf_gnu_hash(symbols[i].name);
        if (i > 0 && strcmp(symbols[i].name, symbols[i - 1].name) == 0) {
            continue;
        }
        size_t bucket = symbols[i].hash % ELF_INDEX_BUCKETS;
        while (buckets[bucket] != 0) {
            bucket = (bucket + 1) % ELF_INDEX_BUCKETS;
        }
        buckets[bucket] = (uint16_t)(i + 1);
    }
    return (struct elf_symbols){symbols, count, buckets, ELF_INDEX_BUCKETS, elf_index_versions};
}

#endif
