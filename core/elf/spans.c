// SPDX-License-Identifier: BSD-3-Clause
// spans.c: see spans.h. A sequence lock around a sorted array: a reader may see an array that is
// too old, entries that are being moved, and a count that is another array's, so it compares the
// count with the array's own capacity before it looks.
#include "core/elf/spans.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"

enum { CAPACITY_FIRST = 32 };

struct span {
    _Atomic(uintptr_t) start;
    _Atomic(struct elf_object *) object;
};

struct span_array {
    size_t capacity;
    struct span entries[];
};

static void span_set(struct span *span, uintptr_t start, struct elf_object *object)
{
    atomic_store_explicit(&span->start, start, memory_order_relaxed);
    atomic_store_explicit(&span->object, object, memory_order_relaxed);
}

static void span_move(struct span *to, const struct span *from)
{
    span_set(to, atomic_load_explicit(&from->start, memory_order_relaxed),
             atomic_load_explicit(&from->object, memory_order_relaxed));
}

// The old array is not freed, as a reader may be in it; sizes double.
int spans_reserve(struct spans *spans, size_t more)
{
    struct span_array *old = atomic_load_explicit(&spans->array, memory_order_relaxed);
    size_t count = atomic_load_explicit(&spans->count, memory_order_relaxed);
    size_t capacity = old == NULL ? CAPACITY_FIRST : old->capacity;
    while (capacity < count + more) {
        capacity *= 2;
    }
    if (old != NULL && capacity == old->capacity) {
        return 0;
    }
    struct span_array *new = heap_alloc_zeroed(sizeof(*new) + capacity * sizeof(struct span));
    if (new == NULL) {
        return -ENOMEM;
    }
    new->capacity = capacity;
    for (size_t i = 0; i < count; ++i) {
        span_move(&new->entries[i], &old->entries[i]);
    }
    // Pairs with the load in spans_find.
    atomic_store_explicit(&spans->array, new, memory_order_release);
    return 0;
}

// The place of the first span that does not start below start.
static size_t span_place(const struct span_array *array, size_t count, uintptr_t start)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (atomic_load_explicit(&array->entries[middle].start, memory_order_relaxed) < start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void spans_insert(struct spans *spans, uintptr_t start, struct elf_object *object)
{
    struct span_array *array = atomic_load_explicit(&spans->array, memory_order_relaxed);
    size_t count = atomic_load_explicit(&spans->count, memory_order_relaxed);
    size_t place = span_place(array, count, start);
    ASSERT(count < array->capacity);
    uintptr_t irq = hal_irq_save();
    sequence_change_begin(&spans->sequence);
    for (size_t i = count; i > place; --i) {
        span_move(&array->entries[i], &array->entries[i - 1]);
    }
    span_set(&array->entries[place], start, object);
    atomic_store_explicit(&spans->count, count + 1, memory_order_relaxed);
    sequence_change_end(&spans->sequence);
    hal_irq_restore(irq);
}

void spans_remove(struct spans *spans, uintptr_t start)
{
    struct span_array *array = atomic_load_explicit(&spans->array, memory_order_relaxed);
    size_t count = atomic_load_explicit(&spans->count, memory_order_relaxed);
    size_t place = span_place(array, count, start);
    ASSERT(place < count && atomic_load(&array->entries[place].start) == start);
    uintptr_t irq = hal_irq_save();
    sequence_change_begin(&spans->sequence);
    for (size_t i = place; i + 1 < count; ++i) {
        span_move(&array->entries[i], &array->entries[i + 1]);
    }
    atomic_store_explicit(&spans->count, count - 1, memory_order_relaxed);
    sequence_change_end(&spans->sequence);
    hal_irq_restore(irq);
}

bool spans_find(const struct spans *spans, uintptr_t address, uint32_t *number,
                struct elf_object **object)
{
    if (!sequence_begin(&spans->sequence, number)) {
        MARK("spans: being changed");
        return false;
    }
    const struct span_array *array = atomic_load_explicit(&spans->array, memory_order_acquire);
    size_t count = atomic_load_explicit(&spans->count, memory_order_relaxed);
    size_t capacity = array == NULL ? 0 : array->capacity;
    if (count > capacity) {
        MARK("spans: more than the array that was there has room for");
        return false;
    }
    size_t place = span_place(array, count, address + 1);
    *object = place == 0
                  ? NULL
                  : atomic_load_explicit(&array->entries[place - 1].object, memory_order_relaxed);
    return true;
}
