// SPDX-License-Identifier: BSD-3-Clause
// sort.c: qsort as glibc has it: a merge sort, so that elements that compare equal keep their
// order.
//
// The lower half is sorted first, then the upper, then both are merged through a buffer: what is
// merged was touched just before, and comparisons come in the order in which glibc makes them.
// Elements larger than INDIRECT bytes are sorted by pointer and put in place along the cycles of
// the permutation.
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"

enum { HALVINGS_MAX = 64, INDIRECT = 32, NEAR = 1024 };

typedef int compare_function(const void *a, const void *b, void *argument);

// What elements are; merging knows it at compile time.
enum kind { FOUR_BYTES, EIGHT_BYTES, POINTERS, ANY }; // POINTERS: to what is compared

struct sort {
    size_t size;
    compare_function *compare;
    void *argument;
    enum kind kind;
};

static inline __attribute__((always_inline)) int
kind_compare(const struct sort *sort, const char *a, const char *b, enum kind kind)
{
    return kind == POINTERS ? sort->compare(*(void *const *)a, *(void *const *)b, sort->argument)
                            : sort->compare(a, b, sort->argument);
}

static inline __attribute__((always_inline)) void kind_copy(char *target, const char *source,
                                                            size_t size, enum kind kind)
{
    if (kind == FOUR_BYTES) {
        __builtin_memcpy(target, source, 4);
    } else if (kind == ANY) {
        memcpy(target, source, size);
    } else {
        __builtin_memcpy(target, source, 8);
    }
}

// Merges the sorted parts [base, middle) and [middle, end).
static inline __attribute__((always_inline)) void merge_kind(const struct sort *sort, char *base,
                                                             char *middle, const char *end,
                                                             char *buffer, enum kind kind)
{
    char *left = base, *right = middle, *to = buffer;
    size_t size = kind == FOUR_BYTES ? 4 : kind == ANY ? sort->size : 8;
    while (left < middle && right < end) {
        if (kind_compare(sort, left, right, kind) <= 0) {
            kind_copy(to, left, size, kind);
            left += size;
        } else {
            kind_copy(to, right, size, kind);
            right += size;
        }
        to += size;
    }
    // What is left of the upper part is in its place.
    memcpy(to, left, (size_t)(middle - left));
    to += middle - left;
    memcpy(base, buffer, (size_t)(to - buffer));
}

static void merge(const struct sort *sort, char *base, char *middle, const char *end, char *buffer)
{
    switch (sort->kind) {
    case FOUR_BYTES:
        merge_kind(sort, base, middle, end, buffer, FOUR_BYTES);
        break;
    case EIGHT_BYTES:
        merge_kind(sort, base, middle, end, buffer, EIGHT_BYTES);
        break;
    case POINTERS:
        merge_kind(sort, base, middle, end, buffer, POINTERS);
        break;
    case ANY:
        merge_kind(sort, base, middle, end, buffer, ANY);
        break;
    }
}

// A part of the array that is being sorted, and how many of its halves are.
struct part {
    char *base;
    size_t count;
    uint32_t halves_done;
};

static void merge_sort(const struct sort *sort, char *base, size_t count, char *buffer)
{
    struct part parts[HALVINGS_MAX];
    struct part *part = parts;
    *part = (struct part){base, count, 0};
    while (part >= parts) {
        size_t lower = part->count / 2;
        char *middle = part->base + lower * sort->size;
        char *end = part->base + part->count * sort->size;
        uint32_t half = part->halves_done++;
        size_t half_count = half == 0 ? lower : part->count - lower;
        if (half < 2 && half_count > 1) {
            part[1] = (struct part){half == 0 ? part->base : middle, half_count, 0};
            ++part;
        } else if (half == 2) {
            merge(sort, part->base, middle, end, buffer);
            --part;
        }
    }
}

// pointers[i] says which element belongs at i. held has room for one.
static void permute(char *base, size_t count, size_t size, char **pointers, char *held)
{
    for (size_t i = 0; i < count; ++i) {
        char *source = pointers[i];
        char *target = base + i * size;
        if (source == target) {
            continue;
        }
        memcpy(held, target, size);
        size_t at = i;
        while (source != base + i * size) {
            size_t next = (size_t)(source - base) / size;
            memcpy(target, source, size);
            pointers[at] = target;
            at = next;
            target = source;
            source = pointers[at];
        }
        memcpy(target, held, size);
        pointers[at] = target;
    }
}

// No memory for a buffer: in place, slowly, not stable.
static void heap_sort(const struct sort *sort, char *base, size_t count)
{
    size_t size = sort->size;
    size_t start = count / 2;
    size_t end = count;
    while (end > 1) {
        if (start > 0) {
            --start;
        } else {
            --end;
            for (size_t i = 0; i < size; ++i) {
                char byte = base[i];
                base[i] = base[end * size + i];
                base[end * size + i] = byte;
            }
        }
        size_t root = start;
        for (size_t child = 2 * root + 1; child < end; child = 2 * root + 1) {
            if (child + 1 < end &&
                kind_compare(sort, base + child * size, base + (child + 1) * size, ANY) < 0) {
                ++child;
            }
            if (kind_compare(sort, base + root * size, base + child * size, ANY) >= 0) {
                break;
            }
            for (size_t i = 0; i < size; ++i) {
                char byte = base[root * size + i];
                base[root * size + i] = base[child * size + i];
                base[child * size + i] = byte;
            }
            root = child;
        }
    }
}

static void sort_indirect(const struct sort *sort, char *base, size_t count, char *buffer)
{
    char **pointers = (char **)buffer;
    for (size_t i = 0; i < count; ++i) {
        pointers[i] = base + i * sort->size;
    }
    struct sort by_pointer = {sizeof(char *), sort->compare, sort->argument, POINTERS};
    merge_sort(&by_pointer, buffer, count, buffer + count * sizeof(char *));
    permute(base, count, sort->size, pointers, buffer + 2 * count * sizeof(char *));
}

EXPORT(void, qsort_r, void *base, size_t count, size_t size, compare_function *compare,
       void *argument)
{
    enum kind kind = size == 4 ? FOUR_BYTES : size == 8 ? EIGHT_BYTES : ANY;
    struct sort sort = {size, compare, argument, kind};
    if (count < 2 || size == 0) {
        return;
    }
    bool is_indirect = size > INDIRECT;
    size_t room = is_indirect ? 2 * count * sizeof(char *) + size : count * size;
    _Alignas(16) char near[NEAR];
    char *buffer = near;
    if (room > NEAR) {
        int saved = errno;
        buffer = libc_malloc(room);
        errno = saved;
    }
    if (buffer == NULL) {
        heap_sort(&sort, base, count);
        return;
    }
    if (is_indirect) {
        sort_indirect(&sort, base, count, buffer);
    } else {
        merge_sort(&sort, base, count, buffer);
    }
    if (buffer != near) {
        libc_free(buffer);
    }
}

EXPORT(void, qsort, void *base, size_t count, size_t size,
       int (*compare)(const void *, const void *))
{
    // The callee ignores the third argument: both ISAs pass it in a register of the caller's.
    glibc_qsort_r(base, count, size, (compare_function *)(void *)compare, NULL);
}
