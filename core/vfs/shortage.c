// SPDX-License-Identifier: BSD-3-Clause
// shortage.c: the report of who has the memory when it has ended. It needs none itself.
#include "core/vfs/shortage.h"

#include "core/lib/format.h"
#include "core/mem/pressure.h"
#include "core/mem/usage.h"
#include "core/vfs/usage.h"
#include "core/vm/vm.h"
#include "hal/hal.h"

enum { LARGEST = 3, NAME_MAX = 40 };

struct large_area {
    char *start, *end;
    size_t pages; // that are there
    char name[NAME_MAX];
};

static bool area_look(const struct vm_area_info *area, const struct vm_pages *pages, void *argument)
{
    struct large_area *largest = argument;
    const size_t count = pages->own + pages->file;
    size_t place = LARGEST;
    while (place > 0 && count > largest[place - 1].pages) {
        --place;
    }
    for (size_t i = LARGEST; i-- > place + 1;) {
        largest[i] = largest[i - 1];
    }
    if (place < LARGEST) {
        largest[place] = (struct large_area){area->start, area->end, count, {0}};
        (void)format(largest[place].name, NAME_MAX, "%s", area->name);
    }
    return true;
}

struct amount { // in MiB
    size_t whole, tenths;
};

static struct amount amount_of(size_t pages)
{
    const size_t tenths = pages * 10 / ((1 << 20) / HAL_PAGE_SIZE);
    return (struct amount){tenths / 10, tenths % 10};
}

static void line_print(const char *what, size_t pages)
{
    const struct amount amount = amount_of(pages);
    if (pages > 0) {
        console_print("osv: memory: %6zu.%zu MiB %s\n", amount.whole, amount.tenths, what);
    }
}

void shortage_report(size_t wanted)
{
    struct memory_usage usage;
    struct large_area largest[LARGEST] = {0};
    const size_t left = pressure_left(), spare = pressure_spare();
    memory_usage_get(&usage);
    vm_walk_pages(area_look, largest);
    const struct amount total = amount_of(usage.total);
    console_print("osv: memory has ended: %zu bytes could not be had (ENOMEM); of %zu.%zu MiB\n",
                  wanted, total.whole, total.tenths);
    line_print("is free", usage.free);
    line_print("of that is promised to mappings that were not touched yet", left - spare);
    line_print("has the program's mappings", usage.anonymous);
    line_print("has the heap: small blocks of malloc, and the system's", usage.heap);
    line_print("have files in memory (/tmp, memfd)", usage.memory_files);
    line_print("have pages of mapped files", usage.file_pages);
    line_print("have caches, in use", usage.cached);
    line_print("have stacks of threads, the system's part", usage.stacks);
    line_print("have page tables and rings of devices", usage.tables + usage.rings);
    line_print("has the hypervisor (its balloon), besides", usage_get(USAGE_BALLOON));
    for (size_t i = 0; i < LARGEST && largest[i].pages > 0; ++i) {
        const struct amount amount = amount_of(largest[i].pages);
        console_print("osv: memory: mapping %p-%p has %zu.%zu MiB %s\n", (void *)largest[i].start,
                      (void *)largest[i].end, amount.whole, amount.tenths, largest[i].name);
    }
    console_print("osv: memory: the machine gets more by a larger -m SIZE%s\n",
                  usage_get(USAGE_BALLOON) > 0 ? ", or a smaller balloon" : "");
}
