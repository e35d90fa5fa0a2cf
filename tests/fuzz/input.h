// SPDX-License-Identifier: BSD-3-Clause
// input.h: what fuzz targets of the network share: libFuzzer's entry, and an input as a list of
// items: two bytes, whose lower 11 bits are a length and whose others are the target's to read,
// then so many bytes, as far as there are any.
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ITEM_SIZE_MAX = 2047 };

struct item {
    uint32_t head, size;
    const uint8_t *data;
};

// False: there is no more.
static inline bool item_next(struct item *item, const uint8_t **data, size_t *size)
{
    if (*size < 2) {
        return false;
    }
    const uint32_t head = (uint32_t)(*data)[0] << 8 | (*data)[1];
    const size_t length = head & ITEM_SIZE_MAX, rest = *size - 2;
    *item = (struct item){head, (uint32_t)(length < rest ? length : rest), *data + 2};
    *data += 2 + item->size;
    *size = rest - item->size;
    return true;
}

// Stops the fuzzer, which keeps the input.
static inline void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "it is not so that %s\n", what);
        abort();
    }
}

#endif
