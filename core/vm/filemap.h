// SPDX-License-Identifier: BSD-3-Clause
// filemap.h: areas whose pager names frames (vm_pager.find): how their pages come and go.
//
// For the holder of the address space's mutex; filemap_fault is for who is inside the gate of the
// page (gate.h), and area may be a copy then.
#ifndef CORE_VM_FILEMAP_H
#define CORE_VM_FILEMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/vm/area.h"
#include "hal/hal.h"

bool filemap_is(const struct area *area);

// Resolves a fault in area, for an access that area->prot allows. 0, or -EFAULT: beyond the end of
// the file, or -ENOMEM, or -EAGAIN:
// the pager has to prepare.
HAL_MUST_CHECK int filemap_fault(const struct area *area, char *va, unsigned access);

// Maps what there is of the file in an area without pages: all of it, with pages for holes, where
// is_whole; else as much as costs little. What cannot be had comes, or fails, by a fault.
void filemap_populate(struct area *area, bool is_whole);

bool filemap_is_resident(const struct area *area, const char *va);

#endif
