// SPDX-License-Identifier: BSD-3-Clause
// pthread_once.c: pthread_once and call_once over core/sync/once, whose word is glibc's.
//
// A function that throws an exception, or whose thread is canceled in it, has not been called: the
// next one begins anew.
#include "core/sync/once.h"

#include "core/libc/export.h"
#include "core/libc/guard.h"
#include "core/sched/thread.h"

static void once_undo(void *once)
{
    once_end(once, false);
}

EXPORT(int, pthread_once, struct once *once, void (*function)(void))
{
    if (once_is_done(once)) {
        return 0;
    }
    thread_serve_begin();
    bool is_mine = once_begin(once);
    (void)thread_serve_end();
    if (is_mine) {
        struct libc_guard guard = {.undo = once_undo, .argument = once};
        libc_guard_call(&guard, function);
        once_end(once, true);
    }
    return 0;
}

EXPORT(void, call_once, struct once *once, void (*function)(void))
{
    glibc_pthread_once(once, function);
}
