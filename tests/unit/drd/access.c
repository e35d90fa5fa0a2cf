// SPDX-License-Identifier: BSD-3-Clause
// access.c: what code compiled with -fsanitize=thread calls at each access to memory, where
// Valgrind's DRD (--config=drd) or Helgrind (--config=helgrind) watches: they are told what atomic
// operations order, which they do not know.
//
// They see the accesses themselves. Of an atomic one it is told, by its client requests,
//   a release, before it is made: what this thread did until now comes before ..
//   an acquire, once it is made:  .. what this thread does from now on, at the same address.
// tsan.h makes every atomic write a locked instruction, which DRD takes for a read: two atomic
// operations are no race, one and an ordinary write are. The exceptions are relaxed loads: DRD does
// not look at them, for those who guess (MARK_GUESS) make them. Helgrind does not know locked
// instructions: from its first atomic access on it does not look at the word any more.
//
// This orders a little more than C does, and so misses some races, but invents none: a comparison
// that failed counts as a release; an acquire comes after all earlier releases at its address, not
// only after the one that it read; a fence comes after all earlier fences.
#include <stdbool.h>
#include <stddef.h>

#ifdef WATCHER_IS_HELGRIND
#include <valgrind/helgrind.h>
#define word_touch(address, size) VALGRIND_HG_DISABLE_CHECKING(address, size)
#define reads_ignore_begin() ((void)0)
#define reads_ignore_end() ((void)0)
#else
#include <valgrind/drd.h>
#define word_touch(address, size) ((void)(address), (void)(size))
#define reads_ignore_begin() ANNOTATE_IGNORE_READS_BEGIN()
#define reads_ignore_end() ANNOTATE_IGNORE_READS_END()
#endif

static bool releases(int order)
{
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

static bool acquires(int order)
{
    return order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
}

static bool is_guess(bool writes, int order)
{
    return !writes && order == __ATOMIC_RELAXED;
}

static void atomic_begin(const volatile void *address, size_t size, bool writes, int order)
{
    word_touch(address, size);
    if (writes && releases(order)) {
        ANNOTATE_HAPPENS_BEFORE(address);
    }
    if (is_guess(writes, order)) {
        reads_ignore_begin();
    }
}

static void atomic_done(const volatile void *address, bool reads, bool writes, int order)
{
    if (is_guess(writes, order)) {
        reads_ignore_end();
    }
    if (reads && acquires(order)) {
        ANNOTATE_HAPPENS_AFTER(address);
    }
}

static void fence(int order)
{
    static char all_fences;
    if (acquires(order)) {
        ANNOTATE_HAPPENS_AFTER(&all_fences);
    }
    if (releases(order)) {
        ANNOTATE_HAPPENS_BEFORE(&all_fences);
    }
}

#define TSAN_NAME(name) __tsan_##name
#define TSAN_PLACE 0
#define tsan_access(address, size, writes, place) ((void)(address), (void)(size))
#define tsan_atomic(address, size, reads, writes, order, place)                                    \
    atomic_begin(address, size, writes, order)
#define tsan_atomic_done(address, reads, writes, order) atomic_done(address, reads, writes, order)
#define tsan_fence(order) fence(order)
#define tsan_enter(caller) ((void)(caller)) // not called (feature "drd")
#define tsan_leave() ((void)0)

#include "hal/common/tsan.h"
