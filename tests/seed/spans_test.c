// SPDX-License-Identifier: BSD-3-Clause
// spans_test.c: which object an address belongs to, asked without locks under every schedule with
// objects that come and go: the answer was right at some moment of the look.
#include "core/elf/spans.h"

#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "seed.h"
#include "seed_main.h"

enum { SIZE = 16, FIRST_CAPACITY = 32, ARRAYS = 3, ARRAY_SIZE = 4096 };

struct elf_object {
    uintptr_t start;
};

static struct spans spans;
static struct elf_object objects[FIRST_CAPACITY + 1];
static _Atomic(unsigned) step; // of who changes: even before and after a change
static _Alignas(16) char arrays[ARRAYS][ARRAY_SIZE];
static unsigned array_count;

MARK_GUESS void *heap_alloc_zeroed(size_t size)
{
    seed_check(size <= ARRAY_SIZE && array_count < ARRAYS, "too small");
    return memset(arrays[array_count++], 0, size);
}

// An object begins at each multiple of SIZE.
static uintptr_t start_of(unsigned index)
{
    return (index + 1) * SIZE;
}

static void add(unsigned index)
{
    objects[index].start = start_of(index);
    seed_check(spans_reserve(&spans, 1) == 0, "no memory");
    spans_insert(&spans, start_of(index), &objects[index]);
}

static void take(unsigned index)
{
    spans_remove(&spans, start_of(index));
    objects[index].start = 0; // its struct may be another's
}

static void reset(unsigned count)
{
    memset(&spans, 0, sizeof spans);
    memset(objects, 0, sizeof objects);
    array_count = 0;
    step = 0;
    for (unsigned i = 0; i < count; ++i) {
        add(i);
    }
}

static void reset_empty(void)
{
    reset(0);
}

static void reset_three(void)
{
    reset(3);
}

static void reset_full(void)
{
    reset(FIRST_CAPACITY);
}

// The object that the address of object index has, as walk.c asks; NULL: none, or it is not known.
static struct elf_object *find(unsigned index, bool *is_known)
{
    struct elf_object *object = NULL;
    uint32_t number;
    *is_known = false;
    if (!spans_find(&spans, start_of(index) + 1, &number, &object)) {
        return NULL;
    }
    uintptr_t start = object == NULL ? 0 : object->start;
    if (!spans_hold(&spans, number)) {
        MARK("spans: changed meanwhile");
        return NULL;
    }
    *is_known = true;
    seed_check(object == NULL || start == start_of((unsigned)(object - objects)), "it is gone");
    return object;
}

// Always there: object 2, and no other has its place.
static void find_the_last(void)
{
    for (unsigned i = 0; i < 2; ++i) {
        bool is_known;
        struct elf_object *object = find(2, &is_known);
        seed_check(!is_known || object == &objects[2], "one that is there is not found");
    }
}

static void find_the_first(void)
{
    for (unsigned i = 0; i < 2; ++i) {
        unsigned before = step;
        bool is_known;
        struct elf_object *object = find(0, &is_known);
        bool is_still = before % 2 == 0 && before == step;
        seed_check(!is_known || !is_still || (object == &objects[0]) == (before == 2),
                   "what comes or goes is not seen");
    }
}

static void take_two_and_add_one(void)
{
    take(0);
    take(1);
    add(1);
}

static void add_first(void)
{
    step = 1;
    add(0);
    step = 2;
}

// All places are taken: the array grows.
static void grow(void)
{
    add(FIRST_CAPACITY);
}

static void check_known(void)
{
    bool is_known;
    (void)find(0, &is_known);
    seed_check(is_known, "it is not said that the change is over");
}

static const char *const move_marks[] = {"spans: being changed", "spans: changed meanwhile", NULL};
static const char *const grow_marks[] = {
    "spans: more than the array that was there has room for",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "spans, others come and go",
        .reset = reset_three,
        .bodies = {find_the_last, take_two_and_add_one},
        .check = check_known,
        .marks = move_marks,
    },
    {
        .name = "spans, the first of all",
        .reset = reset_empty,
        .bodies = {find_the_first, add_first},
        .check = check_known,
        .marks = grow_marks,
    },
    {
        .name = "spans, the array grows",
        .reset = reset_full,
        .bodies = {find_the_last, grow},
        .check = check_known,
        .marks = grow_marks,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
