// SPDX-License-Identifier: BSD-3-Clause
// string.c: moving and filling memory.
//
// Small sizes matter most: two loads or stores that overlap serve every size between their width
// and twice that, so a size is a few branches and no loop. Everything is loaded before anything is
// stored, so memcpy is memmove: programs that overlap by mistake work, as they do with glibc. No
// string instructions: a page fault under one cannot be resumed under Valgrind. The compiler must
// not turn a loop here into a call of itself (-fno-tree-loop-distribute-patterns).
#include "core/lib/string.h"

#include <stdint.h>

#include "core/lib/mark.h"
#include "core/lib/vector.h"

enum {
    BLOCK = 64,
    LONG = 2048,  // from here on, memory is asked for before it is needed ...
    AHEAD = 2048, // ... so far ahead: the processor's own prefetching stops at the end of each page
};

// size 0 .. 16.
VECTOR_FUNCTION static inline void move_tiny(char *to, const char *from, size_t size)
{
    if (size >= 8) {
        uint64_t first = *(const word_anywhere *)from;
        uint64_t last = *(const word_anywhere *)(from + size - 8);
        *(word_anywhere *)to = first;
        *(word_anywhere *)(to + size - 8) = last;
    } else if (size >= 4) {
        uint32_t first = *(const half_anywhere *)from;
        uint32_t last = *(const half_anywhere *)(from + size - 4);
        *(half_anywhere *)to = first;
        *(half_anywhere *)(to + size - 4) = last;
    } else if (size >= 2) {
        uint16_t first = *(const quarter_anywhere *)from;
        uint16_t last = *(const quarter_anywhere *)(from + size - 2);
        *(quarter_anywhere *)to = first;
        *(quarter_anywhere *)(to + size - 2) = last;
    } else if (size == 1) {
        *to = *from;
    }
}

// size 65 .. 128.
VECTOR_FUNCTION static inline void move_middle(char *to, const char *from, size_t size)
{
    vector a = vector_load(from);
    vector b = vector_load(from + 16);
    vector c = vector_load(from + 32);
    vector d = vector_load(from + 48);
    vector e = vector_load(from + size - 64);
    vector f = vector_load(from + size - 48);
    vector g = vector_load(from + size - 32);
    vector h = vector_load(from + size - 16);
    vector_store(to, a);
    vector_store(to + 16, b);
    vector_store(to + 32, c);
    vector_store(to + 48, d);
    vector_store(to + size - 64, e);
    vector_store(to + size - 48, f);
    vector_store(to + size - 32, g);
    vector_store(to + size - 16, h);
}

// More than 128 bytes, upwards: to is below from or they are apart. The last block is loaded first
// and stored last. ahead: a constant, or 0. What follows the two ranges is asked for, too: who
// moves a page mostly goes on to the next one, and a prefetch never faults.
VECTOR_FUNCTION __attribute__((always_inline)) static inline void
move_up(char *to, const char *from, size_t size, size_t ahead)
{
    vector e = vector_load(from + size - 64);
    vector f = vector_load(from + size - 48);
    vector g = vector_load(from + size - 32);
    vector h = vector_load(from + size - 16);
    vector first = vector_load(from);
    char *end = to + size;
    char *first_to = to;
    size_t skip = 16 - ((uintptr_t)to & 15); // stores are aligned from here on
    to += skip;
    from += skip;
    while (to < end - BLOCK) {
        if (ahead != 0) {
            __builtin_prefetch(from + ahead);
            __builtin_prefetch(to + ahead);
        }
        vector a = vector_load(from);
        vector b = vector_load(from + 16);
        vector c = vector_load(from + 32);
        vector d = vector_load(from + 48);
        vector_store(to, a);
        vector_store(to + 16, b);
        vector_store(to + 32, c);
        vector_store(to + 48, d);
        to += BLOCK;
        from += BLOCK;
    }
    vector_store(first_to, first);
    vector_store(end - 64, e);
    vector_store(end - 48, f);
    vector_store(end - 32, g);
    vector_store(end - 16, h);
}

VECTOR_FUNCTION static void move_up_short(char *to, const char *from, size_t size)
{
    move_up(to, from, size, 0);
}

VECTOR_FUNCTION static void move_up_long(char *to, const char *from, size_t size)
{
    move_up(to, from, size, AHEAD);
}

// The same downwards.
VECTOR_FUNCTION static void move_down(char *to, const char *from, size_t size)
{
    vector a = vector_load(from);
    vector b = vector_load(from + 16);
    vector c = vector_load(from + 32);
    vector d = vector_load(from + 48);
    vector last = vector_load(from + size - 16);
    char *last_to = to + size - 16;
    size_t left = size - ((uintptr_t)(to + size) & 15);
    while (left > BLOCK) {
        vector e = vector_load(from + left - 16);
        vector f = vector_load(from + left - 32);
        vector g = vector_load(from + left - 48);
        vector h = vector_load(from + left - 64);
        vector_store(to + left - 16, e);
        vector_store(to + left - 32, f);
        vector_store(to + left - 48, g);
        vector_store(to + left - 64, h);
        left -= BLOCK;
    }
    vector_store(last_to, last);
    vector_store(to, a);
    vector_store(to + 16, b);
    vector_store(to + 32, c);
    vector_store(to + 48, d);
}

VECTOR_FUNCTION __attribute__((always_inline)) static inline void move(char *to, const char *from,
                                                                       size_t size)
{
    if (size <= 16) {
        move_tiny(to, from, size);
    } else if (size <= 32) {
        vector a = vector_load(from);
        vector b = vector_load(from + size - 16);
        vector_store(to, a);
        vector_store(to + size - 16, b);
    } else if (size <= 64) {
        vector a = vector_load(from);
        vector b = vector_load(from + 16);
        vector c = vector_load(from + size - 32);
        vector d = vector_load(from + size - 16);
        vector_store(to, a);
        vector_store(to + 16, b);
        vector_store(to + size - 32, c);
        vector_store(to + size - 16, d);
    } else if (size <= 128) {
        move_middle(to, from, size);
    } else if ((uintptr_t)to - (uintptr_t)from >= size) {
        if (size < LONG) {
            move_up_short(to, from, size);
        } else {
            move_up_long(to, from, size);
        }
    } else {
        move_down(to, from, size);
    }
}

VECTOR_FUNCTION void *memcpy(void *restrict target, const void *restrict source, size_t size)
{
    MARK_READ(source, size);
    MARK_WRITE(target, size);
    move(target, source, size);
    return target;
}

VECTOR_FUNCTION void *memmove(void *target, const void *source, size_t size)
{
    MARK_READ(source, size);
    MARK_WRITE(target, size);
    move(target, source, size);
    return target;
}

// size 0 .. 15.
VECTOR_FUNCTION static inline void fill_tiny(char *to, uint64_t bytes, size_t size)
{
    if (size >= 8) {
        *(word_anywhere *)to = bytes;
        *(word_anywhere *)(to + size - 8) = bytes;
    } else if (size >= 4) {
        *(half_anywhere *)to = (uint32_t)bytes;
        *(half_anywhere *)(to + size - 4) = (uint32_t)bytes;
    } else if (size >= 2) {
        *(quarter_anywhere *)to = (uint16_t)bytes;
        *(quarter_anywhere *)(to + size - 2) = (uint16_t)bytes;
    } else if (size == 1) {
        *to = (char)bytes;
    }
}

VECTOR_FUNCTION static inline void fill_block(char *to, vector bytes)
{
    vector_store(to, bytes);
    vector_store(to + 16, bytes);
    vector_store(to + 32, bytes);
    vector_store(to + 48, bytes);
}

VECTOR_FUNCTION void *memset(void *target, int value, size_t size)
{
    MARK_WRITE(target, size);
    char *to = target;
    if (size < 16) {
        fill_tiny(to, 0x0101010101010101u * (unsigned char)value, size);
        return target;
    }
    vector bytes = vector_of(value);
    char *end = to + size;
    vector_store(to, bytes);
    vector_store(end - 16, bytes);
    if (size <= 32) {
        return target;
    }
    vector_store(to + 16, bytes);
    vector_store(end - 32, bytes);
    if (size <= 64) {
        return target;
    }
    vector_store(to + 32, bytes);
    vector_store(to + 48, bytes);
    vector_store(end - 64, bytes);
    vector_store(end - 48, bytes);
    char *place = to + BLOCK - ((uintptr_t)to & 15);
    // A page, as most long ones are: the loop itself is a third of its instructions by one block a
    // turn.
    while (end - place > 4 * BLOCK) {
        fill_block(place, bytes);
        fill_block(place + BLOCK, bytes);
        fill_block(place + 2 * BLOCK, bytes);
        fill_block(place + 3 * BLOCK, bytes);
        place += 4 * BLOCK;
    }
    while (place < end - BLOCK) {
        fill_block(place, bytes);
        place += BLOCK;
    }
    return target;
}
