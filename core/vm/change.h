// SPDX-License-Identifier: BSD-3-Clause
// change.h: one change of the address space: the mutex, and the area records that the change may
// need or leave over, so that nothing is allocated or freed, and no pager called, while the mutex
// is held.
#ifndef CORE_VM_CHANGE_H
#define CORE_VM_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vm/area.h"
#include "core/vm/gate.h"
#include "core/vm/gather.h"
#include "core/vm/pages.h"

struct change {
    struct area *dead;    // records that are no longer in use
    struct gather gather; // flushed at the end
};

HAL_MUST_CHECK int change_begin(struct change *change); // takes the mutex. -ENOMEM: it did not

// The same, and change_place is the first thing that is asked for: an area for size anonymous bytes
// that come by faults, where a small one like it went last; or NULL.
HAL_MUST_CHECK int change_begin_place(struct change *change);
struct area *change_place(size_t size, unsigned prot, unsigned flags);
// The same without records: for a range whose borders are those of areas.
void change_begin_bare(struct change *change);
void change_end(struct change *change);

struct area *change_spare(void); // all zero; of a change that has begun, and not bare
void change_bury(struct change *change, struct area *list); // freed at the end

// The same without records: for who only looks.
void change_lock(void);
bool change_lock_waits(void); // the same; true: it had to wait
void change_unlock(void);
bool change_is_mine(void);

struct pages_kind area_kind(const struct area *area);

// Makes the borders of [start, end) borders of areas; and merges what can be merged around them
// again.
bool range_is_isolated(char *start, char *end); // its borders are borders of areas, or of nothing
void range_isolate(char *start, char *end);
void range_merge(struct change *change, char *start, char *end);

bool range_is_mapped(char *start, char *end); // without a hole

// Around changes of pages that may be files', and of the records of these: closes the gates
// (gate.h) where the range has such areas, and says so.
bool range_close(char *start, char *end);
static inline void range_open(bool is_closed)
{
    if (is_closed) {
        gate_open();
    }
}

// Flushes, too, so that something else may be mapped there.
HAL_MUST_CHECK int range_unmap(struct change *change, char *start, char *end);
// The same without that, and the change asks for nothing else.
HAL_MUST_CHECK int range_unmap_last(struct change *change, char *start, char *end);
// -ENOMEM: a hole. -EACCES: VM_READ_ONLY.
HAL_MUST_CHECK int range_protect(struct change *change, char *start, char *end, unsigned prot);
// [start, end) lies in areas that are anonymous or files' of which filemap.c knows. -ENOMEM: some
// of it may be discarded.
HAL_MUST_CHECK int range_discard(struct change *change, char *start, char *end);

// Of all mappings, but for what is only reserved; less than 0 while that is being mapped.
intptr_t change_mapped_bytes(void);
void change_reserved_add(size_t size);
void change_mapped_add(size_t size);

#endif
