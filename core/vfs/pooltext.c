// SPDX-License-Identifier: BSD-3-Clause
// pooltext.c: the pool of large pages in /proc/sys/vm and /sys/kernel/mm/hugepages, as
// Documentation/admin-guide/mm/hugetlbpage.rst has it.
#include <stddef.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/vfs/procfs.h"
#include "core/vfs/proctext.h"
#include "core/vm/hugepool.h"

// argument: where in the counts.
static size_t count_make(char *text, size_t size, void *argument)
{
    struct hugepool_counts counts;
    hugepool_counts_get(&counts);
    return format(text, size, "%zu\n", *(size_t *)(void *)((char *)&counts + (uintptr_t)argument));
}

static int total_set(const char *text, void *argument)
{
    (void)argument;
    uint64_t pages;
    int error = setting_number(text, &pages);
    if (error == 0) {
        hugepool_resize(pages);
    }
    return error;
}

static int surplus_set(const char *text, void *argument)
{
    (void)argument;
    uint64_t pages;
    int error = setting_number(text, &pages);
    if (error == 0) {
        hugepool_surplus_set(pages);
    }
    return error;
}

#define FOLDER "kernel/mm/hugepages/hugepages-2048kB/"
#define COUNT(name) (void *)offsetof(struct hugepool_counts, name)

int pooltext_add(void)
{
    static const struct procfs_setting texts[] = {
        {"sys/vm/nr_hugepages", count_make, total_set, COUNT(total)},
        {"sys/vm/nr_overcommit_hugepages", count_make, surplus_set, COUNT(surplus_max)},
    };
    static const struct procfs_setting system[] = {
        {FOLDER "nr_hugepages", count_make, total_set, COUNT(total)},
        {FOLDER "nr_overcommit_hugepages", count_make, surplus_set, COUNT(surplus_max)},
        {FOLDER "free_hugepages", count_make, NULL, COUNT(free)},
        {FOLDER "resv_hugepages", count_make, NULL, COUNT(reserved)},
        {FOLDER "surplus_hugepages", count_make, NULL, COUNT(surplus)},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && error == 0; ++i) {
        error = procfs_add_setting(PROCFS_PROC, &texts[i]);
    }
    for (size_t i = 0; i < sizeof system / sizeof system[0] && error == 0; ++i) {
        error = procfs_add_setting(PROCFS_SYSTEM, &system[i]);
    }
    return error;
}
