// SPDX-License-Identifier: BSD-3-Clause
// hugepool.c: pages that are set aside.
//
// Invariant: reserved <= free, so who has reserved a page finds one. A free page's first word leads
// to the next one.
#include "core/vm/hugepool.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/mem/pressure.h"
#include "core/sync/mutex.h"

struct free_page {
    struct free_page *next;
};

static struct {
    struct mutex lock;
    // Under lock:
    struct free_page *pages;
    struct hugepool_counts counts;
} pool;

void hugepool_counts_get(struct hugepool_counts *counts)
{
    mutex_lock(&pool.lock);
    *counts = pool.counts;
    mutex_unlock(&pool.lock);
}

static void page_push(hal_phys page)
{
    struct free_page *free = (struct free_page *)(void *)frame_address(page);
    free->next = pool.pages;
    pool.pages = free;
    ++pool.counts.free;
}

static hal_phys page_pop(void)
{
    struct free_page *free = pool.pages;
    ASSERT(free != NULL);
    pool.pages = free->next;
    --pool.counts.free;
    return frame_of(free);
}

// One more, where memory does not get scarce by it.
static bool page_add(void)
{
    hal_phys page;
    const size_t reserve = (size_t)pressure.low;
    if (pressure_spare() < HUGEPOOL_FRAMES + reserve ||
        frame_alloc(HUGEPOOL_FRAMES, 0, &page) != 0) {
        return false;
    }
    page_push(page);
    ++pool.counts.total;
    return true;
}

static void page_remove(void)
{
    frame_free(page_pop(), HUGEPOOL_FRAMES);
    --pool.counts.total;
}

static size_t spare(void)
{
    return pool.counts.free - pool.counts.reserved;
}

// Gives back what is more than was set aside, as far as nobody uses it or may.
static void surplus_trim(void)
{
    while (pool.counts.surplus > 0 && spare() > 0) {
        page_remove();
        --pool.counts.surplus;
    }
}

void hugepool_resize(size_t pages)
{
    mutex_lock(&pool.lock);
    struct hugepool_counts *counts = &pool.counts;
    size_t own = counts->total - counts->surplus;
    if (pages < own) {
        counts->surplus += own - pages;
        surplus_trim();
    } else {
        const size_t wanted = pages - own;
        const size_t kept = wanted < counts->surplus ? wanted : counts->surplus;
        counts->surplus -= kept;
        for (own += kept; own < pages && page_add(); ++own) {
        }
    }
    mutex_unlock(&pool.lock);
}

void hugepool_surplus_set(size_t pages_max)
{
    mutex_lock(&pool.lock);
    pool.counts.surplus_max = pages_max;
    mutex_unlock(&pool.lock);
}

// So many pages are spare, old ones or surplus. False: nothing has changed.
static bool spare_make(size_t pages)
{
    while (spare() < pages && pool.counts.surplus < pool.counts.surplus_max && page_add()) {
        ++pool.counts.surplus;
    }
    if (spare() < pages) {
        surplus_trim();
        return false;
    }
    return true;
}

int hugepool_reserve(size_t pages)
{
    mutex_lock(&pool.lock);
    const bool is_there = spare_make(pages);
    pool.counts.reserved += is_there ? pages : 0;
    mutex_unlock(&pool.lock);
    return is_there ? 0 : -ENOMEM;
}

void hugepool_unreserve(size_t pages)
{
    mutex_lock(&pool.lock);
    ASSERT(pages <= pool.counts.reserved);
    pool.counts.reserved -= pages;
    surplus_trim();
    mutex_unlock(&pool.lock);
}

int hugepool_take(bool is_reserved, hal_phys *page)
{
    mutex_lock(&pool.lock);
    const bool is_there = is_reserved || spare_make(1);
    if (is_there) {
        pool.counts.reserved -= is_reserved;
        *page = page_pop();
    }
    mutex_unlock(&pool.lock);
    return is_there ? 0 : -ENOMEM;
}

void hugepool_give(hal_phys page, bool stays_reserved)
{
    mutex_lock(&pool.lock);
    page_push(page);
    pool.counts.reserved += stays_reserved;
    surplus_trim();
    mutex_unlock(&pool.lock);
}
