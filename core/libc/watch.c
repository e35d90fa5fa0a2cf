// SPDX-License-Identifier: BSD-3-Clause
// watch.c: see watch.h.
#include "core/libc/watch.h"

#include "core/libc/leak.h"
#include "core/libc/watchedblock.h"
#include "core/lib/format.h"
#include "core/linux/process.h"
#include "core/mem/frame.h"

static bool reports_leaks, has_guards; // constant once the program runs

static void at_exit(void)
{
    if (has_guards) {
        watched_blocks_check();
    }
    if (reports_leaks) {
        leak_report();
    }
}

int libc_watch_start(bool leaks, bool errors)
{
    if (!leaks && !errors) {
        return 0;
    }
    if (frame_is_checked()) {
        console_print("osv: --leak and --check-heap do nothing under Valgrind, which does both\n");
        return 0;
    }
    reports_leaks = leaks;
    has_guards = errors;
    process_exit_hook_set(at_exit);
    return watched_blocks_begin(errors);
}
