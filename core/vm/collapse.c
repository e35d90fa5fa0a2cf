// SPDX-License-Identifier: BSD-3-Clause
// collapse.c: which 2 MiB become large pages, and when.
//
// The thread sleeps until faults have brought 1024 chunks (huge.h),
// looks once through all areas for 2 MiB that came by chunks, and sleeps again: where nothing
// faults it does nothing. What it finds it moves (moving.c).
#include "core/vm/collapse.h"

#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/mem/pressure.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "core/sync/bell.h"
#include "core/sync/mutex.h"
#include "core/vm/area.h"
#include "core/vm/change.h"
#include "core/vm/gather.h"
#include "core/vm/huge.h"
#include "core/vm/lazy.h"
#include "core/vm/moving.h"
#include "core/vm/place.h"
#include "core/vm/vm.h"

enum {
    RING = 1,
    TRIES = 3,
    PLENTY_SHARE = 4, // of all memory is free
};

static struct mutex mutex; // of who moves; before the address space's
static struct bell bell;

// ---- One -----------------------------------------------------------------

enum outcome { BEGUN, IS_LARGE };

// With the address space's mutex held. An outcome, or -EINVAL, -ENOMEM.
static int piece_begin(char *base, size_t count_min)
{
    struct area *area = area_at(base);
    bool is_fit = area != NULL && area->pager == NULL && (area->flags & VM_SHARED) == 0 &&
                  area->has_pages && (area->prot & HAL_WRITE) != 0 &&
                  area->end - base >= MOVING_SIZE && !frame_is_checked();
    if (!is_fit) {
        return -EINVAL;
    }
    if (page_is_large(base)) {
        return IS_LARGE;
    }
    if (lazy_prepare(base, base + MOVING_SIZE, area->prot, true) != 0) {
        return -ENOMEM;
    }
    lazy_adopt(base, base + MOVING_SIZE, area->prot);
    if ((area->flags & VM_LAZY) == 0) {
        area->flags |= VM_LAZY;
        area->is_sparse = false;
    }
    return moving_begin(base, area->prot, count_min) != 0 ? BEGUN : -EINVAL;
}

// -EAGAIN: somebody has taken pages back.
static int piece_move(char *base, hal_phys target)
{
    struct gather gather;
    gather_begin(&gather);
    pages_flush(base, base + MOVING_SIZE);
    moving_copy(target);
    bool is_moved = moving_end(target, &gather);
    gather_finish(&gather);
    return is_moved ? 0 : -EAGAIN;
}

// Where each page has a place of its own they stay so.
static int target_alloc(char *base, hal_phys *target)
{
    struct place found;
    const struct place *place = place_is_told() && place_look(base, &found) ? &found : NULL;
    return place != NULL && found.end - base < MOVING_SIZE
               ? -EINVAL
               : place_alloc(place, MOVING_PAGES, 0, target);
}

static int piece_collapse(char *base, size_t count_min)
{
    hal_phys target;
    int error = target_alloc(base, &target);
    if (error != 0) {
        huge_count(HUGE_FAILURES);
        return error;
    }
    mutex_lock(&mutex);
    change_lock();
    int outcome = piece_begin(base, count_min);
    change_unlock();
    error = outcome < 0 ? outcome : outcome == BEGUN ? piece_move(base, target) : 0;
    mutex_unlock(&mutex);
    if (outcome == BEGUN && error == 0) {
        huge_count(HUGE_COLLAPSES);
    } else {
        frame_free(target, MOVING_PAGES);
    }
    return error;
}

static char *align_up(char *va)
{
    return va + (-(uintptr_t)va & (MOVING_SIZE - 1));
}

// ---- Asked for -----------------------------------------------------------

int vm_collapse(char *va, size_t size)
{
    char *base = align_up(va), *end = va + size - (uintptr_t)(va + size) % MOVING_SIZE;
    const bool is_disabled = atomic_load_explicit(&huge_settings.is_disabled, memory_order_relaxed);
    int error = base <= end && !is_disabled ? 0 : -EINVAL;
    end = is_disabled ? base : end;
    for (; base < end; base += MOVING_SIZE) {
        int one = -EAGAIN;
        for (int i = 0; i < TRIES && one == -EAGAIN; ++i) {
            one = piece_collapse(base, 1);
        }
        if (one == -ENOMEM) {
            return one;
        }
        error = one != 0 ? one : error;
    }
    return error;
}

// ---- Unasked -------------------------------------------------------------

// From *va on, in area or behind it. False: it has looked at enough for now, or at all.
static bool area_look(const struct area *area, char **va, uint32_t *looks)
{
    char *base = align_up(area->start > *va ? area->start : *va);
    bool is_anonymous = area->pager == NULL && (area->flags & VM_LAZY) != 0;
    for (; is_anonymous && base < area->end && area->end - base >= MOVING_SIZE && *looks > 0;
         base += MOVING_SIZE, --*looks) {
        if (lazy_is_whole(base) && !page_is_large(base)) {
            *va = base;
            return true;
        }
    }
    *va = *looks == 0 ? base : area->end;
    return false;
}

// The next 2 MiB at or after *va that may be worth it. Answers whether there are more addresses.
static bool next_find(char **va, char **found)
{
    char *top = (char *)UINTPTR_MAX;
    const uint32_t pages = atomic_load_explicit(&huge_settings.scan_pages, memory_order_relaxed);
    uint32_t looks = pages < MOVING_PAGES ? 1 : pages / MOVING_PAGES;
    *found = NULL;
    change_lock();
    struct area *area = area_at(*va);
    area = area != NULL ? area : area_first(*va, top);
    while (area != NULL && looks > 0 && *found == NULL) {
        *found = area_look(area, va, &looks) ? *va : NULL;
        area = area_after(area, top);
    }
    bool goes_on = area != NULL || looks == 0 || *found != NULL;
    change_unlock();
    return goes_on;
}

static bool is_plentiful(void)
{
    return pressure_left() > frame_total_count() / PLENTY_SHARE;
}

static size_t absent_max(void)
{
    return atomic_load_explicit(&huge_settings.absent_max, memory_order_relaxed);
}

static void all_collapse(void)
{
    char *va = NULL, *found;
    while (is_plentiful() && next_find(&va, &found)) {
        if (found != NULL) {
            if (piece_collapse(found, MOVING_PAGES - absent_max()) == 0) {
                huge_count(HUGE_SCANNED); // else another time, or never
            }
            va = found + MOVING_SIZE;
        }
    }
    huge_count(HUGE_SCANS);
}

static void chunks_heard(void)
{
    bell_ring(&bell, RING);
}

static void collapse_run(void *argument)
{
    (void)argument;
    for (;;) {
        (void)bell_wait(&bell);
        all_collapse();
    }
}

int collapse_start(void)
{
    struct hal_cpu_set all = {0};
    for (uint32_t cpu = 0; cpu < sched_cpu_count(); ++cpu) {
        all.words[cpu / 64] |= (uint64_t)1 << cpu % 64;
    }
    const struct thread_config config = {.name = "collapser", .affinity = &all, .detached = true};
    struct thread *thread;
    int error = thread_create(&thread, &config, collapse_run, NULL);
    if (error == 0) {
        bell_listener_set(&bell, thread);
        huge_listen(chunks_heard);
        thread_start(thread);
    }
    return error;
}
