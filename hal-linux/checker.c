// SPDX-License-Identifier: BSD-3-Clause
// checker.c: tells Valgrind what core says about memory, by its client requests: a few instructions
// without effect elsewhere. Unit tests use this file too.
#include <valgrind/memcheck.h>

#include "hal/hal.h"

enum { RED_ZONE = 16 };

void hal_check_set(enum hal_check state, const void *start, size_t size)
{
    switch (state) {
    case HAL_CHECK_CLOSED:
        (void)VALGRIND_MAKE_MEM_NOACCESS(start, size);
        break;
    case HAL_CHECK_VALID:
        (void)VALGRIND_MAKE_MEM_DEFINED(start, size);
        break;
    case HAL_CHECK_FRESH:
        (void)VALGRIND_MAKE_MEM_UNDEFINED(start, size);
        break;
    case HAL_CHECK_ALLOCATED:
        VALGRIND_MALLOCLIKE_BLOCK(start, size, RED_ZONE, 0);
        break;
    case HAL_CHECK_CLEARED:
        VALGRIND_MALLOCLIKE_BLOCK(start, size, RED_ZONE, 1);
        break;
    case HAL_CHECK_FREED:
        VALGRIND_FREELIKE_BLOCK(start, RED_ZONE);
        break;
    }
}

bool hal_check_is_valid(const void *start, size_t size)
{
    const char *bytes = start;
    unsigned char bits[64] = {0}; // one that is set stands for a bit without a value
    for (size_t done = 0; done < size; done += sizeof bits) {
        size_t count = size - done < sizeof bits ? size - done : sizeof bits;
        if (VALGRIND_GET_VBITS(bytes + done, bits, count) == 3) {
            return false;
        }
        for (size_t i = 0; i < count; ++i) {
            if (bits[i] != 0) {
                return false;
            }
        }
    }
    return true;
}
