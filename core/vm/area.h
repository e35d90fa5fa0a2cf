// SPDX-License-Identifier: BSD-3-Clause
// area.h: the set of areas: what the program asked for, where, and where there is room.
//
// An area is a range of pages with the same protection and source. Which pages are there, and in
// which frames, is known to the machine's tables alone (pages.h); whether a frame is the area's own
// copy or the file's, to the pager (filemap.c). The mutex of change.c guards all
// of it, but for area_peek.
#ifndef CORE_VM_AREA_H
#define CORE_VM_AREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/tree.h"
#include "core/vm/vm.h"
#include "hal/hal.h"

struct vm_pager;

enum { AREA_GROWING = VM_GROWS | VM_STACK }; // flags

struct area {
    struct tree_node node; // by start
    struct area *below, *above;
    size_t hole;       // in front of it, to the area before or the window's start
    size_t widest;     // the widest of these in its subtree
    struct area *next; // in a list of its holder's
    char *start, *end;
    unsigned prot;
    unsigned flags; // VM_SHARED, VM_READ_ONLY, VM_HUGE, AREA_GROWING; VM_LAZY: pages may be absent,
                    // as with any pager
    bool has_pages; // false: never had any
    bool is_sparse; // with VM_LAZY: all its pages came by faults
    struct vm_pager *pager;
    uint64_t offset; // of start, in the pager
    const char *name;
};

void area_init(const struct hal_boot *boot);

// Holes below va are left alone from now on: nothing but what asks for a place comes there.
void area_search_from(char *va);

// Whether [start, end) is in one of the machine's windows.
bool area_is_in_window(const char *start, size_t size);

// Without the mutex, any context: copies the area that contains va, as it was at one time. False:
// there is none, or the set is being changed. The pager stays as long as something keeps the area
// from being changed (gate.h).
HAL_MUST_CHECK bool area_peek(const char *va, struct area *copy);

struct area *area_at(const char *va); // the one that contains va, or NULL
struct area *area_first(const char *start,
                        const char *end); // the first that meets the range, or NULL
struct area *area_after(const struct area *area,
                        const char *end); // the next one that begins before end, or NULL

// Puts area, whose range is empty of others, into the set. A neighbour that it continues takes it
// in instead, and another one there: what is not in the set then comes back as a list to be freed,
// which keeps the pager's references.
struct area *area_insert(struct area *area);
void area_remove(struct area *area);

// Takes [start, end), which begins or ends where area does, but is not all of it, out of area.
void area_trim(struct area *area, char *start, char *end);

// Makes area begin lower, at start, where nothing is.
void area_lower(struct area *area, char *start);

// Up to where others may be put in front of area: what grows keeps its distance from what lies
// below it.
enum { AREA_GAP = 1 << 20 };
static inline char *area_room_end(const struct area *area)
{
    return area->start - ((area->flags & AREA_GROWING) != 0 ? AREA_GAP : 0);
}

// Leaves area in the set with nothing in it; the caller fills or removes it before it asks for
// anything else. area_fill: it is size bytes long, if it then lies where area_hole_find would say.
void area_empty(struct area *area);
bool area_fill(struct area *area, size_t size);

// Makes [va, end of area) an area of its own, in spare.
void area_split(struct area *area, char *va, struct area *spare);

// Merges area with neighbours that it continues; as area_insert.
struct area *area_merge(struct area *area);

// As others are told.
unsigned area_flags_told(const struct area *area);

enum area_place { AREA_HIGH, AREA_LOW };

// The lowest hole of size bytes at a multiple of alignment; NULL: none. O(log n) where the
// alignment costs no tries.
char *area_hole_find(enum area_place place, size_t size, size_t alignment);

#endif
