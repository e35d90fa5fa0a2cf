// SPDX-License-Identifier: BSD-3-Clause
// spans.h: which object an address may belong to: an array of where objects start, in order, that
// is read without locks.
//
// Who reads never waits for a thread that does not run: changes take moments only, with interrupts
// off. What a reader is given may be gone by then, and tells itself so by spans_hold; arrays are
// left behind when they grow, so that it may look at any time.
#ifndef CORE_ELF_SPANS_H
#define CORE_ELF_SPANS_H

#include <stddef.h>

#include "core/lib/sequence.h"
#include "hal/hal.h"

struct elf_object;
struct span_array;

struct spans { // all zeros is one without spans
    struct sequence sequence;
    _Atomic(struct span_array *) array;
    _Atomic(size_t) count;
};

// The caller of these three excludes others by a lock.

// Room for so many more. -ENOMEM.
HAL_MUST_CHECK int spans_reserve(struct spans *spans, size_t more);
void spans_insert(struct spans *spans, uintptr_t start, struct elf_object *object);
void spans_remove(struct spans *spans, uintptr_t start); // there is one

// The object with the greatest start that is not above address; NULL: none. False: something is
// being changed. The answer counts if spans_hold says so once object has been looked at.
bool spans_find(const struct spans *spans, uintptr_t address, uint32_t *number,
                struct elf_object **object);
static inline bool spans_hold(const struct spans *spans, uint32_t number)
{
    return sequence_holds(&spans->sequence, number);
}

#endif
