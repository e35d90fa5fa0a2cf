// SPDX-License-Identifier: BSD-3-Clause
// callframe_aarch64.c: code has frame pointers there (AAPCS64 6.4.6, and how Debian compiles):
// unwind.c goes by these alone.
#include "core/linux/callframe.h"

enum callframe callframe_step(struct machine_place *place)
{
    (void)place;
    return CALLFRAME_NONE;
}
