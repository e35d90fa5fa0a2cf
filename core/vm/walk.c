// SPDX-License-Identifier: BSD-3-Clause
// walk.c: all areas, for /proc and for who asks what is in use.
//
// What is there of an area nobody counts: the machine's tables know. So each page is looked up, but
// for what faults alone can have mapped where none did (lazy_next).
#include "core/mem/frame.h"
#include "core/mem/frame_zones.h"
#include "core/vm/area.h"
#include "core/vm/change.h"
#include "core/vm/grow.h"
#include "core/vm/lazy.h"
#include "core/vm/pages.h"
#include "core/vm/vm.h"

static struct vm_area_info info_of(const struct area *area)
{
    struct vm_area_info info = {
        .start = grow_seen(area),
        .end = area->end,
        .prot = area->prot,
        .flags = area_flags_told(area),
        .offset = area->offset,
        .name = area->name == NULL ? "" : area->name,
    };
    if (area->pager != NULL) {
        info.device = area->pager->device;
        info.inode = area->pager->inode;
        info.object = area->pager->object;
        info.name = area->pager->name(area->pager);
    }
    return info;
}

// Whether 2 MiB of the area begin at va that are one page.
static bool is_large(const struct area *area, const char *va)
{
    enum { LARGE = 2 << 20 };
    return area->pager == NULL && (uintptr_t)va % LARGE == 0 && area->end - va >= LARGE &&
           page_is_large(va);
}

static void node_count(struct vm_pages *pages, hal_phys page, size_t count)
{
    if (frame_node_count() > 1 && page - frame_first() < frame_span()) {
        pages->nodes[frame_node_of(page)] += count;
    }
}

static struct vm_pages pages_of(const struct area *area)
{
    enum { LARGE_PAGES = (2 << 20) / HAL_PAGE_SIZE };
    struct vm_pages pages = {0};
    const struct pages_kind kind = area_kind(area);
    bool is_sparse = kind.presence == PAGES_FAULTS;
    for (char *va = area->start; area->has_pages && va < area->end; va += HAL_PAGE_SIZE) {
        hal_phys pa;
        unsigned prot;
        va = is_sparse ? lazy_next(va, area->end) : va;
        if (va < area->end && is_large(area, va) && hal_translate(va, &pa, &prot) == 0) {
            pages.own += LARGE_PAGES;
            pages.large += LARGE_PAGES;
            node_count(&pages, pa, LARGE_PAGES);
            va += (LARGE_PAGES - 1) * HAL_PAGE_SIZE;
            continue;
        }
        if (va < area->end && hal_translate(va, &pa, &prot) == 0) {
            bool is_foreign = page_is_foreign(&kind, va, pa);
            pages.own += !is_foreign;
            pages.file += is_foreign;
            node_count(&pages, pa, 1);
        }
    }
    return pages;
}

struct visitor {
    bool (*visit)(const struct vm_area_info *area, void *argument);
    bool (*visit_pages)(const struct vm_area_info *area, const struct vm_pages *pages,
                        void *argument);
    void *argument;
};

static void areas_visit(const struct visitor *visitor)
{
    change_lock();
    grow_look();
    char *top = (char *)UINTPTR_MAX;
    bool goes_on = true;
    for (struct area *area = area_first(NULL, top); area != NULL && goes_on;
         area = area_after(area, top)) {
        if (grow_seen(area) == area->end) {
            continue;
        }
        const struct vm_area_info info = info_of(area);
        if (visitor->visit != NULL) {
            goes_on = visitor->visit(&info, visitor->argument);
        } else {
            const struct vm_pages pages = pages_of(area);
            goes_on = visitor->visit_pages(&info, &pages, visitor->argument);
        }
    }
    change_unlock();
}

void vm_walk(bool (*visit)(const struct vm_area_info *area, void *argument), void *argument)
{
    areas_visit(&(struct visitor){.visit = visit, .argument = argument});
}

void vm_walk_pages(bool (*visit)(const struct vm_area_info *area, const struct vm_pages *pages,
                                 void *argument),
                   void *argument)
{
    areas_visit(&(struct visitor){.visit_pages = visit, .argument = argument});
}
