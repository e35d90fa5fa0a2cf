// SPDX-License-Identifier: BSD-3-Clause
// usage.c: adds up who has the machine's memory, from those who know: the frame allocator what is
// free, core/vm what areas have, core/mem/usage.h and shrinkers what core has for one thing only.
// The heap is what is left.
#include "core/vfs/usage.h"

#include "core/dev/balloon.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/pressure.h"
#include "core/mem/usage.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "core/sync/shrinker.h"
#include "core/vfs/memfile.h"
#include "core/vfs/mount.h"
#include "core/vm/hugepool.h"
#include "core/vm/vm.h"

enum { STACK_PAGES = (THREAD_STACK_SIZE + HAL_ENTRY_STACK) / HAL_PAGE_SIZE };

struct device_question {
    uint64_t device;
    bool is_memory;
};

static bool mount_look(const struct mount *mount, void *argument)
{
    struct device_question *question = argument;
    question->is_memory |= mount->device == question->device && strcmp(mount->type, "ramfs") == 0;
    return !question->is_memory;
}

bool memory_usage_is_memory_file(const struct vm_area_info *area)
{
    struct device_question question = {
        .device = area->device,
        .is_memory = memfile_is_device(area->device),
    };
    if (area->inode != 0 && !question.is_memory) {
        mount_walk(mount_look, &question);
    }
    return question.is_memory;
}

static void area_add(struct memory_usage *usage, const struct vm_area_info *area)
{
    size_t pages = (size_t)(area->end - area->start) / HAL_PAGE_SIZE;
    bool is_file = area->inode != 0, is_shared = (area->flags & VM_SHARED) != 0;
    if (area->prot == 0 && strcmp(area->name, "[heap]") == 0) {
        return; // reserved for the break
    }
    usage->mapped += pages;
    if ((area->flags & (VM_STACK | VM_GROWS)) != 0) {
        usage->stack += pages;
    } else if ((area->prot & HAL_WRITE) != 0 && !is_shared) {
        usage->data += pages;
    } else if (is_file && (area->prot & HAL_EXEC) != 0) {
        bool is_program = usage->program == 0; // it is mapped first of all
        usage->program += is_program ? pages : 0;
        usage->libraries += is_program ? 0 : pages;
    }
}

static bool pages_add(const struct vm_area_info *area, const struct vm_pages *pages, void *argument)
{
    struct memory_usage *usage = argument;
    area_add(usage, area);
    usage->anonymous += pages->own;
    usage->large += pages->large;
    if ((area->flags & VM_HUGE) != 0) {
        usage->mapped_huge += pages->file;
    } else if (pages->file > 0) {
        size_t *where =
            memory_usage_is_memory_file(area) ? &usage->mapped_memory_files : &usage->mapped_files;
        *where += pages->file;
    }
    return true;
}

static void shrinker_add(struct shrinker *shrinker, void *argument)
{
    struct memory_usage *usage = argument;
    usage->cached += shrinker->held != NULL ? shrinker->held(shrinker) / HAL_PAGE_SIZE : 0;
}

static void stack_add(struct thread *thread, void *argument)
{
    struct memory_usage *usage = argument;
    usage->stacks += thread->own_stack != NULL ? STACK_PAGES : HAL_ENTRY_STACK / HAL_PAGE_SIZE;
}

static size_t less(size_t whole, size_t part)
{
    return whole > part ? whole - part : 0;
}

void memory_usage_get(struct memory_usage *usage)
{
    *usage = (struct memory_usage){
        .total = less(frame_total_count(), usage_get(USAGE_BALLOON)),
        .free = frame_free_count(),
        .memory_files = usage_get(USAGE_MEMORY_FILES),
        .file_pages = usage_get(USAGE_FILE_PAGES),
        .tables = usage_get(USAGE_TABLES),
        .rings = usage_get(USAGE_RINGS),
        .lent = usage_get(USAGE_LENT),
    };
    struct hugepool_counts pool;
    hugepool_counts_get(&pool);
    usage->huge = pool.total * HUGEPOOL_FRAMES;
    usage->stores = less(usage->free, pressure_left());
    vm_walk_pages(pages_add, usage);
    shrinker_walk(shrinker_add, usage);
    thread_walk(stack_add, usage);
    size_t known = usage->free + usage->anonymous + usage->memory_files + usage->file_pages +
                   usage->cached + usage->stacks + usage->tables + usage->rings + usage->lent +
                   usage->huge;
    usage->heap = less(usage->total, known);
}

size_t memory_usage_available(const struct memory_usage *usage)
{
    return less(usage->free + usage->cached + usage->file_pages, (size_t)pressure.low);
}

void memory_usage_figures(struct balloon_figures *figures)
{
    struct memory_usage usage;
    struct sched_counts counts;
    memory_usage_get(&usage);
    sched_counts_sum(&counts);
    *figures = (struct balloon_figures){
        .total = usage.total * HAL_PAGE_SIZE,
        .free = usage.free * HAL_PAGE_SIZE,
        .available = memory_usage_available(&usage) * HAL_PAGE_SIZE,
        .cached = (usage.memory_files + usage.file_pages + usage.cached) * HAL_PAGE_SIZE,
        .faults = counts.faults,
    };
}

size_t memory_usage_resident(const struct memory_usage *usage)
{
    return usage->anonymous + usage->heap + usage->mapped_files + usage->mapped_memory_files;
}
