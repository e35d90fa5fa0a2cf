// SPDX-License-Identifier: BSD-3-Clause
// callframe.h: a caller's registers by what compilers write down for exceptions (.eh_frame).
#ifndef CORE_LINUX_CALLFRAME_H
#define CORE_LINUX_CALLFRAME_H

#include <stdbool.h>

#include "core/linux/machine.h"

enum callframe {
    CALLFRAME_FOUND,   // place is the caller's now
    CALLFRAME_NONE,    // nothing is written down, or of a kind that is not known here
    CALLFRAME_OUTMOST, // it says that there is no caller
};

// Takes no lock, never faults, never allocates. place is unchanged unless a caller was found.
enum callframe callframe_step(struct machine_place *place);

#endif
