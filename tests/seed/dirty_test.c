// SPDX-License-Identifier: BSD-3-Clause
// dirty_test.c: marks of written pages, under every schedule of two CPUs with at most four
// preemptions: no write is lost between two looks, and what may not be written is not.
#include "hal-linux/dirty.h"

#include <stdatomic.h>

#include "seed.h"
#include "seed_main.h"

enum { WRITABLE = 1, WRITE = 2, BOTH = HAL_READ | HAL_WRITE };

static uint32_t word;         // of the one page
static _Atomic uint32_t page; // whether the host lets it be written, and how often it was
static uint32_t copy;         // what the last look saw
static char place[HAL_PAGE_SIZE];
static bool is_forbidden;

bool dirty_host_protect(char *va, size_t size, unsigned prot)
{
    (void)va;
    (void)size;
    if ((prot & HAL_WRITE) != 0) {
        atomic_fetch_or(&page, WRITABLE);
    } else {
        atomic_fetch_and(&page, ~(uint32_t)WRITABLE);
    }
    return true;
}

static void reset(void)
{
    word = PAGE_MAPPED | BOTH;
    page = WRITABLE;
    copy = 0;
    is_forbidden = false;
    uint64_t bits = 0;
    dirty_take(&word, place, 1, &bits, 1);
}

// As the processor does: it writes in one step, or faults.
static bool page_write(uint32_t me)
{
    uint32_t seen = atomic_load(&page);
    for (;;) {
        if ((seen & WRITABLE) == 0) {
            if (!dirty_fault(&word, place, me)) {
                return false;
            }
            seen = atomic_load(&page);
        } else if (atomic_compare_exchange_strong(&page, &seen, seen + WRITE)) {
            return true;
        }
    }
}

static void look(uint32_t me)
{
    uint64_t bits = 0;
    dirty_take(&word, place, 1, &bits, me);
    if (bits != 0) {
        copy = atomic_load(&page) / WRITE;
    }
}

static void write_twice(void)
{
    (void)page_write(1);
    (void)page_write(1);
}

static void look_twice(void)
{
    look(2);
    look(2);
}

static void check_copy(void)
{
    look(1);
    seed_check(copy == page / WRITE, "a write was lost");
    seed_check((page & WRITABLE) == 0, "a clean page can be written");
}

// hal_protect.
static void forbid(void)
{
    dirty_lock(2);
    word = PAGE_MAPPED | HAL_READ;
    (void)dirty_host_protect(place, HAL_PAGE_SIZE, HAL_READ);
    dirty_unlock();
    is_forbidden = true;
}

static void write_once(void)
{
    const bool was_forbidden = is_forbidden;
    const bool is_written = page_write(1);
    seed_check(!is_written || !was_forbidden, "it was written all the same");
}

static void check_forbidden(void)
{
    seed_check((page & WRITABLE) == 0, "it can be written");
}

static const struct seed_test tests[] = {
    {.name = "dirty: writes and looks",
     .reset = reset,
     .bodies = {write_twice, look_twice},
     .check = check_copy},
    {.name = "dirty: two write",
     .reset = reset,
     .bodies = {write_once, look_twice},
     .check = check_copy},
    {.name = "dirty: rights change",
     .reset = reset,
     .bodies = {write_once, forbid},
     .check = check_forbidden},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
