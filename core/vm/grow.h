// SPDX-License-Identifier: BSD-3-Clause
// grow.h: mappings that grow down to where they are touched (MAP_GROWSDOWN), and the program's
// first stack, which looks as if it did.
//
// For the holder of the address space's mutex.
#ifndef CORE_VM_GROW_H
#define CORE_VM_GROW_H

#include "core/vm/area.h"

struct hal_boot;

void grow_init(const struct hal_boot *boot);

// Makes the page of va part of the mapping above it, where nothing is mapped at va, that mapping
// grows, and limits and what lies below allow it.
void grow_reach(char *va);

// Looks how far the first stack was touched.
void grow_look(void);

// Where area begins as /proc shows it: of the first stack, what was touched when grow_look looked.
// Its end: nothing of it is shown.
char *grow_seen_stack(const struct area *area);
static inline char *grow_seen(const struct area *area)
{
    return (area->flags & VM_STACK) != 0 ? grow_seen_stack(area) : area->start;
}

#endif
