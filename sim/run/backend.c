// SPDX-License-Identifier: BSD-3-Clause
// backend.c: what both say in the same words of QEMU's.
#include "sim/run/backend.h"

#include <string.h>

enum backend_event backend_shutdown_event(const char *details)
{
    if (strstr(details, "\"guest-reset\"") != NULL) {
        return EVENT_RESET;
    }
    const char *guest = strstr(details, "\"guest\":");
    guest = guest == NULL ? "" : guest + strlen("\"guest\":");
    return guest[strspn(guest, " ")] == 't' ? EVENT_OFF : EVENT_KILLED;
}
