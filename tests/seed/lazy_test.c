// SPDX-License-Identifier: BSD-3-Clause
// lazy_test.c: core/vm/lazy.c under every schedule of two CPUs with at most four preemptions:
// faults meet each other, and whoever takes their pages away.
#include "core/vm/lazy.h"

#include <string.h>

#include "core/mem/frame.h"
#include "core/mem/pressure.h"
#include "core/sched/thread.h"
#include "seed.h"
#include "seed_main.h"
#include "core/vm/huge.h"
#include "core/vm/moving.h"

enum {
    PAGES = 512,           // of the window, as far as they are followed
    LARGE_FRAME = 2 << 20, // where it is does not matter
    FRAMES = 8,            // that each CPU can have at once
    THREE = 48,            // pages of three chunks
    TABLE_PAGES = 8192,    // what a table of lazy.c is for
    READ_WRITE = HAL_READ | HAL_WRITE,
};

// Nobody looks at what is there.
#define WINDOW ((char *)0x200000000)
#define page(n) (WINDOW + (size_t)(n)*HAL_PAGE_SIZE)
#define TABLE_SIZE ((size_t)TABLE_PAGES * HAL_PAGE_SIZE)

static _Alignas(HAL_PAGE_SIZE) char frames[SEED_CPU_COUNT + 1][FRAMES][HAL_PAGE_SIZE];
static bool is_frame_used[SEED_CPU_COUNT + 1][FRAMES];
static bool is_mapped[PAGES], is_taken_away;
static bool is_held;    // the first three chunks
static int large_count; // 2 MiB that were taken and not given back

// ---- What lazy.c asks of others: each is one step --------------------------

// Frames of the CPU itself, so that what is in a table is only then two CPUs' when the table is.
MARK_GUESS int frame_alloc(size_t count, unsigned flags, hal_phys *start)
{
    unsigned owner = seed_is_running() ? seed_index() : SEED_CPU_COUNT;
    if (count == PAGES) {
        ++large_count;
        *start = LARGE_FRAME;
        return 0;
    }
    for (unsigned i = 0; i < FRAMES; ++i) {
        if (!is_frame_used[owner][i]) {
            is_frame_used[owner][i] = true;
            memset(frames[owner][i], 0, HAL_PAGE_SIZE);
            *start = (hal_phys)(uintptr_t)frames[owner][i];
            return 0;
        }
    }
    return -1;
}

int frame_alloc_placed(size_t count, unsigned flags, unsigned place, hal_phys *start)
{
    (void)place; // nobody has said any
    return frame_alloc(count, flags, start);
}

MARK_GUESS void frame_free(hal_phys start, size_t count)
{
    if (count == PAGES) {
        --large_count;
        return;
    }
    size_t index = ((uintptr_t)start - (uintptr_t)frames) / HAL_PAGE_SIZE;
    seed_check(index < (SEED_CPU_COUNT + 1) * FRAMES && (&is_frame_used[0][0])[index],
               "freed twice");
    (&is_frame_used[0][0])[index] = false;
}

struct pressure pressure = {.left = 1};

size_t frame_total_count(void)
{
    return 1;
}

char *frame_address(hal_phys frame)
{
    return (char *)(uintptr_t)frame;
}

MARK_GUESS int hal_translate(const char *va, hal_phys *pa, unsigned *prot)
{
    seed_point();
    return is_mapped[(va - WINDOW) / HAL_PAGE_SIZE] ? 0 : -1;
}

MARK_GUESS int hal_map(char *va, hal_phys pa, size_t size, unsigned prot)
{
    seed_point();
    for (; size > 0; size -= HAL_PAGE_SIZE, va += HAL_PAGE_SIZE) {
        seed_check(!is_mapped[(va - WINDOW) / HAL_PAGE_SIZE], "mapped twice");
        seed_check(!is_held || va >= page(THREE), "mapped while faults are kept out");
        is_mapped[(va - WINDOW) / HAL_PAGE_SIZE] = true;
    }
    return 0;
}

void hal_populate(char *va, size_t size)
{
}

// Nothing is moving here, and nobody counts: collapse_test.c.
int moving_return(char *chunk)
{
    seed_check(false, "nothing is moving");
    return 0;
}

struct huge_settings huge_settings = {.policy = HUGE_ALWAYS};

void huge_count(enum huge_count which)
{
}

void huge_notice(void)
{
}

void thread_yield(void)
{
    hal_cpu_relax();
}

// ---- Bodies -----------------------------------------------------------------

MARK_GUESS static void expect(unsigned page, bool mapped, const char *text)
{
    seed_check(is_mapped[page] == mapped, text);
}

MARK_GUESS static void take_away(unsigned page, unsigned end)
{
    is_taken_away = true;
    memset(&is_mapped[page], 0, end - page);
}

static void reset_lazy(void)
{
    static struct hal_boot boot = {.va_base = WINDOW, .va_size = TABLE_SIZE};
    memset(is_frame_used, 0, sizeof is_frame_used);
    memset(is_mapped, 0, sizeof is_mapped);
    is_taken_away = is_held = false;
    large_count = 0;
    atomic_store(&pressure.promised, 0);
    seed_check(lazy_init(&boot) == 0, "no memory");
}

// Only the two pages 3 and 4 of the first chunk.
static void reset_few(void)
{
    reset_lazy();
    seed_check(lazy_prepare(page(3), page(5), READ_WRITE, false) == 0, "no memory");
    lazy_set(page(3), page(5), READ_WRITE);
}

// All that one table is for, so that there is none yet.
static void reset_uniform(void)
{
    reset_lazy();
    seed_check(lazy_prepare(WINDOW, WINDOW + TABLE_SIZE, READ_WRITE, false) == 0, "no memory");
    lazy_set(WINDOW, WINDOW + TABLE_SIZE, READ_WRITE);
}

// 2 MiB that may come at once.
static void reset_large(void)
{
    reset_lazy();
    seed_check(lazy_prepare(WINDOW, page(PAGES), READ_WRITE, false) == 0, "no memory");
    lazy_begin(WINDOW, page(PAGES), READ_WRITE, LAZY_LARGE | LAZY_PROMISED);
}

// A thread's access: again, until the page is there or must not be.
static bool touch(unsigned index)
{
    hal_irq_restore(0);
    hal_phys pa;
    unsigned prot;
    while (hal_translate(page(index), &pa, &prot) != 0) {
        if (!lazy_fault(page(index), HAL_WRITE)) {
            return false;
        }
    }
    return true;
}

static void touch_3(void)
{
    seed_check(touch(3), "no page");
}

static void touch_4(void)
{
    seed_check(touch(4), "no page");
}

static void touch_40(void)
{
    seed_check(touch(40), "no page");
}

static void touch_300(void)
{
    seed_check(touch(300), "no page");
}

static void unmap_large(void)
{
    lazy_set(WINDOW, page(PAGES), 0);
    take_away(0, PAGES);
}

// One of a chunk comes alone: it is read.
static void read_300(void)
{
    hal_irq_restore(0);
    seed_check(lazy_fault(page(300), HAL_READ), "no page");
}

static void touch_may_fail(void)
{
    hal_irq_restore(0);
    (void)lazy_fault(page(4), HAL_WRITE);
}

static void unmap_few(void)
{
    lazy_set(page(3), page(5), 0);
    take_away(3, 5);
}

static void unmap_all(void)
{
    lazy_set(WINDOW, WINDOW + TABLE_SIZE, 0);
    take_away(0, PAGES);
}

// Puts a page of its own there, while faults wait.
static void replace(void)
{
    seed_check(lazy_prepare(page(3), page(5), READ_WRITE, true) == 0, "no memory");
    lazy_adopt(page(3), page(5), READ_WRITE);
    const uintptr_t irq = lazy_hold(page(3), page(5));
    seed_check(!hal_irq_enabled(), "who is waited for may be preempted");
    take_away(3, 5);
    seed_check(hal_map(page(4), 0, HAL_PAGE_SIZE, READ_WRITE) == 0, "not mapped");
    lazy_release(page(3), page(5), irq);
}

// Takes away what is there in three chunks.
static void discard_three(void)
{
    hal_irq_restore(0);
    lazy_adopt(WINDOW, page(THREE), READ_WRITE);
    const uintptr_t irq = lazy_hold(WINDOW, page(THREE));
    seed_check(!hal_irq_enabled(), "who is waited for may be preempted");
    is_held = true;
    seed_point();
    take_away(0, THREE);
    is_held = false;
    lazy_release(WINDOW, page(THREE), irq);
}

static void check_frames(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < (SEED_CPU_COUNT + 1) * FRAMES; ++i) {
        count += (&is_frame_used[0][0])[i];
    }
    seed_check(count == 4, "not one list, one directory, one table and what one fault mapped");
}

static void check_both(void)
{
    expect(3, true, "the page is not there");
    expect(4, true, "the page is not there");
    check_frames();
}

static void check_promised(int64_t count)
{
    seed_check(atomic_load(&pressure.promised) == count, "what is promised is not what is fresh");
}

static void check_large(void)
{
    check_promised(large_count == 1 ? 0 : PAGES - 2 * 16);
    expect(3, true, "the page is not there");
    expect(300, true, "the page is not there");
    seed_check(large_count <= 1, "2 MiB twice");
}

static void check_large_given(void)
{
    seed_check(large_count <= 1, "2 MiB twice");
    seed_check(!is_held, "held");
}

static void check_gone(void)
{
    check_promised(0);
    for (unsigned i = 0; i < PAGES; ++i) {
        expect(i, false, "mapped after it was taken away");
    }
}

static void check_none(void)
{
    expect(3, false, "mapped after it was taken away");
    expect(4, false, "mapped after it was taken away");
}

static void check_replaced(void)
{
    expect(4, true, "the page is not there");
}

static const char *const claim_marks[] = {"lazy: a fault meets a claim", NULL};
static const char *const wait_marks[] = {"lazy: a change waits for a fault", NULL};
static const char *const table_marks[] = {"lazy: two make a table", NULL};
static const char *const uniform_marks[] = {"lazy: a table is made under a change", NULL};

static const char *const hold_marks[] = {"lazy: a hold waits for a fault",
                                         "lazy: a fault meets a claim", NULL};
static const char *const large_marks[] = {"lazy: 2 MiB are not all fresh any more", NULL};

static const struct seed_test tests[] = {
    {
        .name = "lazy, two faults in 2 MiB",
        .reset = reset_large,
        .bodies = {touch_3, touch_300},
        .check = check_large,
        .marks = large_marks,
        .preemption_max = 2,
    },
    {
        .name = "lazy, 2 MiB and a page of it",
        .reset = reset_large,
        .bodies = {touch_3, read_300},
        .check = check_large,
        .marks = large_marks,
        .preemption_max = 2,
    },
    {
        .name = "lazy, 2 MiB and an end",
        .reset = reset_large,
        .bodies = {touch_may_fail, unmap_large},
        .check = check_gone,
        .marks = wait_marks,
        .preemption_max = 2,
    },
    {
        .name = "lazy, two faults",
        .reset = reset_few,
        .bodies = {touch_3, touch_4},
        .check = check_both,
        .marks = claim_marks,
    },
    {
        .name = "lazy, a fault and an end",
        .reset = reset_few,
        .bodies = {touch_may_fail, unmap_few},
        .check = check_none,
        .marks = wait_marks,
    },
    {
        .name = "lazy, two faults make a table",
        .reset = reset_uniform,
        .bodies = {touch_3, touch_4},
        .check = check_both,
        .marks = table_marks,
        .preemption_max = 3,
    },
    {
        .name = "lazy, a fault makes a table that an end finds",
        .reset = reset_uniform,
        .bodies = {unmap_all, touch_may_fail},
        .check = check_none,
        .marks = uniform_marks,
        .preemption_max = 2,
    },
    {
        .name = "lazy, a fault and a replacement",
        .reset = reset_few,
        .bodies = {touch_4, replace},
        .check = check_replaced,
        .marks = claim_marks,
    },
    {
        .name = "lazy, a fault and a hold of three chunks",
        .reset = reset_large,
        .bodies = {discard_three, touch_40},
        .check = check_large_given,
        .marks = hold_marks,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
