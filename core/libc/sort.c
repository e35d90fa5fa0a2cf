// SPDX-License-Identifier: BSD-3-Clause
// sort.c: qsort as glibc has it: a merge sort, so that elements that compare equal keep their
// order.
//
// Bottom-up: runs of RUN elements are sorted by insertion, then merged between the array and a
// buffer. Elements larger than INDIRECT bytes are sorted by pointer and put in place along the
// cycles of the permutation.
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"

enum { RUN = 8, INDIRECT = 32, NEAR = 1024 };

typedef int compare_function(const void *a, const void *b, void *argument);

struct sort {
    size_t size;
    compare_function *compare;
    void *argument;
    bool is_indirect; // elements are pointers to what is compared
};

static inline int sort_compare(const struct sort *sort, const char *a, const char *b)
{
    if (sort->is_indirect) {
        return sort->compare(*(void *const *)a, *(void *const *)b, sort->argument);
    }
    return sort->compare(a, b, sort->argument);
}

static inline void sort_copy(const struct sort *sort, char *target, const char *source)
{
    if (sort->size == 8) {
        __builtin_memcpy(target, source, 8);
    } else if (sort->size == 4) {
        __builtin_memcpy(target, source, 4);
    } else {
        memcpy(target, source, sort->size);
    }
}

// Sorts count elements at base by insertion.
static void run_sort(const struct sort *sort, char *base, size_t count)
{
    char held[INDIRECT];
    size_t size = sort->size;
    for (size_t i = 1; i < count; ++i) {
        char *place = base + i * size;
        if (sort_compare(sort, place - size, place) <= 0) {
            continue;
        }
        sort_copy(sort, held, place);
        do {
            sort_copy(sort, place, place - size);
            place -= size;
        } while (place > base && sort_compare(sort, place - size, held) > 0);
        sort_copy(sort, place, held);
    }
}

// Merges [left, middle) and [middle, end) of from into to, the same offsets.
static void merge(const struct sort *sort, char *to, char *left, char *middle, char *end)
{
    char *right = middle;
    size_t size = sort->size;
    while (left < middle && right < end) {
        char **smaller = sort_compare(sort, left, right) <= 0 ? &left : &right;
        sort_copy(sort, to, *smaller);
        *smaller += size;
        to += size;
    }
    memcpy(to, left, (size_t)(middle - left));
    to += middle - left;
    memcpy(to, right, (size_t)(end - right));
}

static void merge_sort(const struct sort *sort, char *base, size_t count, char *buffer)
{
    size_t total = count * sort->size;
    for (size_t i = 0; i < count; i += RUN) {
        run_sort(sort, base + i * sort->size, count - i < RUN ? count - i : RUN);
    }
    char *from = base;
    char *to = buffer;
    for (size_t width = RUN * sort->size; width < total; width *= 2) {
        for (size_t start = 0; start < total; start += 2 * width) {
            size_t middle = start + width < total ? start + width : total;
            size_t end = middle + width < total ? middle + width : total;
            merge(sort, to + start, from + start, from + middle, from + end);
        }
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != base) {
        memcpy(base, from, total);
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
                sort_compare(sort, base + child * size, base + (child + 1) * size) < 0) {
                ++child;
            }
            if (sort_compare(sort, base + root * size, base + child * size) >= 0) {
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
    struct sort by_pointer = {sizeof(char *), sort->compare, sort->argument, true};
    merge_sort(&by_pointer, buffer, count, buffer + count * sizeof(char *));
    permute(base, count, sort->size, pointers, buffer + 2 * count * sizeof(char *));
}

EXPORT(void, qsort_r, void *base, size_t count, size_t size, compare_function *compare,
       void *argument)
{
    struct sort sort = {size, compare, argument, false};
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
