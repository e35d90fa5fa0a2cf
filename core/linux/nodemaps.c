// SPDX-License-Identifier: BSD-3-Clause
// nodemaps.c: /proc/self/numa_maps (numa(7)): each mapping with its policy and how many pages of it
// each node has.
#include "core/vfs/proctext.h"
#include "core/lib/string.h"
#include "core/linux/mempolicy.h"
#include "core/linux/procfiles.h"
#include "core/mem/frame_zones.h"
#include "core/vm/hugepool.h"
#include "core/vm/vm.h"

enum { PAGE_KIB = HAL_PAGE_SIZE / 1024 };

static void source_put(struct writer *writer, const struct vm_area_info *area)
{
    if (area->name[0] == '/') {
        writer_put(writer, " file=%s", area->name);
    } else if (strcmp(area->name, "[heap]") == 0) {
        writer_put(writer, " heap");
    } else if (strcmp(area->name, "[stack]") == 0) {
        writer_put(writer, " stack");
    }
    if ((area->flags & VM_HUGE) != 0) {
        writer_put(writer, " huge");
    }
}

static void pages_put(struct writer *writer, const struct vm_pages *pages, size_t page)
{
    const size_t own = pages->own / page, all = own + pages->file / page;
    if (all == 0) {
        return;
    }
    if (own != 0) {
        writer_put(writer, " anon=%zu dirty=%zu", own, own);
    }
    if (all != own) {
        writer_put(writer, " mapped=%zu", all);
    }
    for (uint32_t node = 0; node < frame_node_count(); ++node) {
        const size_t here = frame_node_count() == 1 ? all : pages->nodes[node] / page;
        if (here != 0) {
            writer_put(writer, " N%u=%zu", node, here);
        }
    }
    writer_put(writer, " kernelpagesize_kB=%zu", page * PAGE_KIB);
}

static bool area_visit(const struct vm_area_info *area, const struct vm_pages *pages,
                       void *argument)
{
    struct writer *writer = argument;
    writer_put(writer, "%08lx ", (unsigned long)area->start);
    mempolicy_put(writer, (area->flags & VM_POLICY_MASK) >> VM_POLICY_SHIFT);
    source_put(writer, area);
    pages_put(writer, pages, (area->flags & VM_HUGE) != 0 ? HUGEPOOL_FRAMES : 1);
    writer_put(writer, "\n");
    return true;
}

size_t nodemaps_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    vm_walk_pages(area_visit, &writer);
    return writer.length;
}
