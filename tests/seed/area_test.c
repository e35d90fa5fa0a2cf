// SPDX-License-Identifier: BSD-3-Clause
// area_test.c: looks at core/vm/area.c without its lock, under every schedule with who changes the
// set: what is found was so at one time. Records that were taken out are another's at once.
#include "core/vm/area.h"

#include <string.h>

#include "core/lib/mark.h"
#include "core/vm/vm.h"
#include "seed.h"
#include "seed_main.h"

enum { AREAS = 4, PAGES_EACH = 8 };

#define WINDOW ((char *)0x200000000)
#define page(n) (WINDOW + (size_t)(n)*HAL_PAGE_SIZE)

static struct area records[AREAS], spare;

static void pager_get(struct vm_pager *pager)
{
}

static struct vm_pager pager = {.get = pager_get};

// Areas of 8 pages of a file, with holes of as many.
static void reset(void)
{
    static const struct hal_boot boot = {.va_base = WINDOW, .va_size = 256 * HAL_PAGE_SIZE};
    area_init(&boot);
    for (size_t i = 0; i < AREAS; ++i) {
        records[i] = (struct area){.start = page(2 * i * PAGES_EACH),
                                   .end = page((2 * i + 1) * PAGES_EACH),
                                   .prot = HAL_READ,
                                   .pager = &pager,
                                   .offset = 2 * i * PAGES_EACH * HAL_PAGE_SIZE};
        seed_check(area_insert(&records[i]) == NULL, "merged");
    }
    spare = (struct area){.prot = 0};
}

static bool look(size_t at)
{
    struct area area;
    if (!area_peek(page(at), &area)) {
        return false;
    }
    seed_check(area.start <= page(at) && page(at) < area.end, "another area");
    seed_check(area.offset == (uint64_t)(area.start - WINDOW), "half of it is old");
    seed_check(area.prot == HAL_READ && area.pager == &pager, "no area");
    return true;
}

static void look_twice(void)
{
    (void)look(34);
    (void)look(34);
}

static MARK_UNSEEN void reuse(struct area *area)
{
    memset(area, 'Y', sizeof *area);
}

static void trim(void)
{
    area_trim(&records[2], page(32), page(33));
}

static void split(void)
{
    area_split(&records[2], page(35), &spare);
    area_trim(&spare, page(35), page(36));
}

static void remove_others(void)
{
    area_remove(&records[1]);
    reuse(&records[1]);
    area_remove(&records[3]);
    reuse(&records[3]);
    area_remove(&records[0]);
    reuse(&records[0]);
}

static void check(void)
{
    seed_check(look(34), "the area is not found");
}

static const char *const marks[] = {"area: the set changes under a look", NULL};

static const struct seed_test tests[] = {
    {
        .name = "area, a look and a trim",
        .reset = reset,
        .bodies = {look_twice, trim},
        .check = check,
        .marks = marks,
        .preemption_max = 2,
    },
    {
        .name = "area, a look and a split",
        .reset = reset,
        .bodies = {look_twice, split},
        .check = check,
        .marks = marks,
        .preemption_max = 2,
    },
    {
        .name = "area, a look and what is taken out",
        .reset = reset,
        .bodies = {look_twice, remove_others},
        .check = check,
        .marks = marks,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
