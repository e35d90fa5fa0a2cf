// SPDX-License-Identifier: BSD-3-Clause
// areaname.h: names that programs give to their anonymous memory (PR_SET_VMA_ANON_NAME), as
// /proc/self/maps shows them: "[anon:NAME]".
//
// Thread context, may block. Ranges are page multiples.
#ifndef CORE_VM_AREANAME_H
#define CORE_VM_AREANAME_H

#include <stddef.h>

#include "hal/hal.h"

enum { AREA_NAME_MAX = 79 }; // characters

// Names what is mapped in the range; NULL: it has no name any more. The break and the first stack
// keep theirs. -EBADF: a mapping of a file; what lies before it is named. -ENOMEM: a hole, and all
// mappings are named; or no memory.
HAL_MUST_CHECK int vm_range_name(char *va, size_t size, const char *name);

#endif
