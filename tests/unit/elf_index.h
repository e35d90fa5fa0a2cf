// SPDX-License-Identifier: BSD-3-Clause
// elf_index.h: the index of a table of system symbols, as core/libc/exports.py makes it for the
// kernel.
#ifndef TESTS_UNIT_ELF_INDEX_H
#define TESTS_UNIT_ELF_INDEX_H

#include <string.h>

#include "core/elf/object.h"

enum { ELF_INDEX_BUCKETS = 16384 };

enum { ELF_INDEX_TEXTS = 1 << 18 };

static char elf_index_texts[ELF_INDEX_TEXTS];
static const char *elf_index_versions[256];

static inline uint32_t elf_index_name(const char *name)
{
    static uint32_t size;
    uint32_t place = size;
    size += (uint32_t)strlen(name) + 1;
    return size <= ELF_INDEX_TEXTS ? (strcpy(elf_index_texts + place, name), place) : 0;
}

static inline const char *elf_index_text(const struct elf_symbol *symbol)
{
    return elf_index_texts + symbol->name;
}

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
        uint32_t hash = elf_gnu_hash(elf_index_text(&symbols[i]));
        symbols[i].hash = (uint16_t)(hash >> 16);
        if (i > 0 && strcmp(elf_index_text(&symbols[i]), elf_index_text(&symbols[i - 1])) == 0) {
            continue;
        }
        size_t bucket = hash % ELF_INDEX_BUCKETS;
        while (buckets[bucket] != 0) {
            bucket = (bucket + 1) % ELF_INDEX_BUCKETS;
        }
        buckets[bucket] = (uint16_t)(i + 1);
    }
    return (struct elf_symbols){symbols,           count,           buckets,
                                ELF_INDEX_BUCKETS, elf_index_texts, elf_index_versions};
}

#endif
