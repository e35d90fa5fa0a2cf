// SPDX-License-Identifier: BSD-3-Clause
// moving_test.c: core/vm/moving.c with lazy.c under every schedule of two CPUs with at most two
// preemptions: 2 MiB move to another frame while the other CPU writes there, or takes them away.
//
// Each CPU keeps translations until they are flushed, so what is written through an old one is
// seen. Two pages are there, each in a frame of its own; the rest of the 2 MiB is absent.
#include "core/vm/moving.h"

#include <string.h>

#include "core/mem/frame.h"
#include "core/mem/pressure.h"
#include "core/sched/thread.h"
#include "core/vm/gather.h"
#include "core/vm/huge.h"
#include "core/vm/lazy.h"
#include "seed.h"
#include "seed_main.h"

enum {
    FIRST = 3,
    SECOND = 40,
    WRITTEN = 7,
    READ_WRITE = HAL_READ | HAL_WRITE,
    LISTS = 4, // frames that lazy.c itself takes
};

#define WINDOW ((char *)0x200000000)
#define TARGET ((hal_phys)4 << 20)
#define SMALL                                                                                      \
    ((hal_phys)1 << 20) // the frame of page 0; those of others lie behind it, but not at once
#define page(n) (WINDOW + (size_t)(n)*HAL_PAGE_SIZE)

static _Alignas(HAL_PAGE_SIZE) char lists[LISTS][HAL_PAGE_SIZE];
static unsigned list_count;
static _Alignas(
    HAL_PAGE_SIZE) char contents[5][HAL_PAGE_SIZE]; // of the pages that count, and others'
static hal_phys table[MOVING_PAGES];
static hal_phys kept[SEED_CPU_COUNT][MOVING_PAGES]; // translations
static unsigned freed;                              // small frames
static bool is_moved, is_gone;
static _Atomic bool is_locked; // the address space's mutex

static hal_phys small(unsigned index)
{
    return SMALL + (hal_phys)index * 2 * HAL_PAGE_SIZE;
}

// ---- The machine and the frames ----------------------------------------------

MARK_GUESS char *frame_address(hal_phys frame)
{
    if (frame == small(FIRST)) {
        return contents[0];
    }
    if (frame == small(SECOND)) {
        return contents[1];
    }
    if (frame == TARGET + FIRST * HAL_PAGE_SIZE) {
        return contents[2];
    }
    if (frame == TARGET + SECOND * HAL_PAGE_SIZE) {
        return contents[3];
    }
    bool is_list = frame >= (uintptr_t)lists && frame < (uintptr_t)lists + sizeof lists;
    return is_list ? (char *)(uintptr_t)frame : contents[4];
}

MARK_GUESS int frame_alloc(size_t count, unsigned flags, hal_phys *start)
{
    seed_check(list_count < LISTS && count == 1, "a fault brought a page that was there");
    memset(lists[list_count], 0, HAL_PAGE_SIZE);
    *start = (hal_phys)(uintptr_t)lists[list_count++];
    return 0;
}

int frame_alloc_placed(size_t count, unsigned flags, unsigned place, hal_phys *start)
{
    (void)place; // nobody has said any
    return frame_alloc(count, flags, start);
}

void frame_free(hal_phys start, size_t count)
{
    seed_check(false, "nobody gives back but by gather");
}

struct pressure pressure = {.left = 0};

size_t frame_total_count(void)
{
    return 1;
}

MARK_GUESS int hal_translate(const char *va, hal_phys *pa, unsigned *prot)
{
    *pa = table[(va - WINDOW) / HAL_PAGE_SIZE];
    *prot = READ_WRITE;
    return *pa == 0 ? -1 : 0;
}

MARK_GUESS int hal_map(char *va, hal_phys pa, size_t size, unsigned prot)
{
    seed_point();
    for (size_t i = 0; i < size; i += HAL_PAGE_SIZE) {
        hal_phys *entry = &table[(va + i - WINDOW) / HAL_PAGE_SIZE];
        seed_check(*entry == 0, "mapped twice");
        *entry = pa + i;
    }
    return 0;
}

MARK_GUESS int hal_unmap(char *va, size_t size)
{
    seed_point();
    memset(&table[(va - WINDOW) / HAL_PAGE_SIZE], 0, size / HAL_PAGE_SIZE * sizeof table[0]);
    return 0;
}

MARK_GUESS static void flush(void)
{
    seed_check(hal_irq_enabled(), "flushed with interrupts off");
    memset(kept, 0, sizeof kept);
    seed_point();
}

void hal_populate(char *va, size_t size)
{
}

void thread_yield(void)
{
    hal_cpu_relax();
}

void gather_range_more(struct gather *gather, char *start, char *end)
{
}

MARK_GUESS void gather_frames_more(struct gather *gather, hal_phys start, size_t count)
{
    ++freed;
}

struct huge_settings huge_settings = {.policy = HUGE_ALWAYS};

void huge_count(enum huge_count which)
{
}

void huge_notice(void)
{
}

static void lock(void)
{
    while (atomic_exchange(&is_locked, true)) {
        hal_cpu_relax();
    }
}

static void unlock(void)
{
    atomic_store(&is_locked, false);
}

// ---- Bodies -----------------------------------------------------------------

MARK_GUESS static void reset(void)
{
    static struct hal_boot boot = {.va_base = WINDOW, .va_size = MOVING_SIZE};
    list_count = freed = 0;
    memset(table, 0, sizeof table);
    memset(kept, 0, sizeof kept);
    memset(contents, 0, sizeof contents);
    contents[0][0] = contents[1][0] = 1;
    is_moved = is_gone = false;
    atomic_store(&is_locked, false);
    seed_check(lazy_init(&boot) == 0, "no memory");
    seed_check(lazy_prepare(WINDOW, page(MOVING_PAGES), READ_WRITE, true) == 0, "no memory");
    lazy_adopt(WINDOW, page(MOVING_PAGES), READ_WRITE);
    table[FIRST] = small(FIRST);
    table[SECOND] = small(SECOND);
    // Of these the other CPU knows already.
    kept[1][FIRST] = table[FIRST];
    kept[1][SECOND] = table[SECOND];
}

static void move(void)
{
    struct gather gather;
    hal_irq_restore(0);
    gather_begin(&gather);
    lock();
    bool is_begun = !is_gone && moving_begin(WINDOW, READ_WRITE, 1) != 0;
    unlock();
    if (is_begun) {
        flush();
        moving_copy(TARGET);
        is_moved = moving_end(TARGET, &gather);
        if (is_moved) {
            flush();
            freed += gather.run_count;
        }
    }
}

// As a processor does it: the translation that it has, or the table's, or a fault.
MARK_GUESS static hal_phys access_page(unsigned index)
{
    hal_phys *mine = &kept[seed_index()][index];
    while (*mine == 0) {
        hal_phys pa;
        unsigned prot;
        seed_point();
        if (hal_translate(page(index), &pa, &prot) == 0) {
            *mine = pa;
        } else {
            seed_check(lazy_fault(page(index), HAL_WRITE), "no page");
            hal_cpu_relax(); // who has the claim is on the other CPU
        }
    }
    return *mine;
}

MARK_GUESS static void write_page(unsigned index, char value)
{
    frame_address(access_page(index))[0] = value;
    seed_point();
    seed_check(frame_address(access_page(index))[0] == value, "what was written is lost");
}

static void write_first(void)
{
    hal_irq_restore(0);
    write_page(FIRST, WRITTEN);
}

static void write_masked(void)
{
    write_page(FIRST, WRITTEN);
}

MARK_GUESS static void take_away(void)
{
    hal_irq_restore(0);
    lock();
    lazy_set(page(FIRST), page(FIRST + 1), 0);
    is_gone = true;
    seed_check(table[FIRST] != 0, "a page is not there for who takes it away");
    freed += table[FIRST] == small(FIRST);
    table[FIRST] = 0;
    flush();
    unlock();
}

MARK_GUESS static void clear(void)
{
    hal_irq_restore(0);
    lock();
    lazy_moving_return(page(FIRST), page(FIRST + 1));
    seed_check(table[FIRST] != 0, "a page is not there for who clears it");
    frame_address(table[FIRST])[0] = 0;
    unlock();
}

MARK_GUESS static void check_second(void)
{
    seed_check(table[SECOND] == (is_moved ? TARGET + SECOND * HAL_PAGE_SIZE : small(SECOND)),
               "the other page is elsewhere");
    seed_check(frame_address(table[SECOND])[0] == 1, "the other page has changed");
}

MARK_GUESS static void check_written(void)
{
    check_second();
    seed_check(frame_address(table[FIRST])[0] == WRITTEN, "what was written is lost");
    seed_check(freed == (is_moved ? 2 : 0), "not all frames are free, or some are twice");
}

MARK_GUESS static void check_cleared(void)
{
    check_second();
    seed_check(frame_address(table[FIRST])[0] == 0, "what was cleared is back");
}

MARK_GUESS static void check_gone(void)
{
    check_second();
    seed_check(table[FIRST] == 0, "mapped after it was taken away");
    seed_check(freed == (is_moved ? 2 : 1), "not all frames are free, or some are twice");
}

static const char *const fault_marks[] = {"lazy: a fault takes back what is moving", NULL};
static const char *const change_marks[] = {"lazy: a change takes back what is moving", NULL};

static const struct seed_test tests[] = {
    {
        .name = "moving, a write",
        .reset = reset,
        .bodies = {move, write_first},
        .check = check_written,
        .preemption_max = 2,
    },
    {
        .name = "moving, a write with interrupts off",
        .reset = reset,
        .bodies = {move, write_masked},
        .check = check_written,
        .marks = fault_marks,
        .preemption_max = 2,
    },
    {
        .name = "moving, an end",
        .reset = reset,
        .bodies = {move, take_away},
        .check = check_gone,
        .marks = change_marks,
        .preemption_max = 2,
    },
    {
        .name = "moving, clearing",
        .reset = reset,
        .bodies = {move, clear},
        .check = check_cleared,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
