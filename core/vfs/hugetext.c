// SPDX-License-Identifier: BSD-3-Clause
// hugetext.c: /sys/kernel/mm/transparent_hugepage: how large pages come, as
// Documentation/admin-guide/mm/transhuge.rst has it.
//
// What can be written is obeyed. The others say how things are here: no fault looks for memory
// elsewhere than among what is free, files in memory have small pages, there is no large page of
// zeros, no swap, nobody to share pages with, and the collapser sleeps until faults wake it.
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/vfs/procfs.h"
#include "core/vfs/proctext.h"
#include "core/vm/huge.h"
#include "hal/hal.h"

enum { LARGE_SIZE = 2 << 20, LARGE_PAGES = LARGE_SIZE / HAL_PAGE_SIZE };

static size_t fixed_make(char *text, size_t size, void *argument)
{
    return format(text, size, "%s\n", (const char *)argument);
}

// ---- Policies: all words, the one that counts in brackets ----

static const char *const policies[] = {
    [HUGE_NEVER] = "never", [HUGE_ADVISED] = "madvise", [HUGE_ALWAYS] = "always"};

static size_t enabled_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    const unsigned policy = atomic_load_explicit(&huge_settings.policy, memory_order_relaxed);
    for (unsigned i = HUGE_ALWAYS + 1; i-- > 0;) {
        writer_put(&writer, i == policy ? "[%s]%s" : "%s%s", policies[i], i > 0 ? " " : "\n");
    }
    return writer.length;
}

static int enabled_set(const char *text, void *argument)
{
    (void)argument;
    for (unsigned i = 0; i <= HUGE_ALWAYS; ++i) {
        if (strcmp(text, policies[i]) == 0) {
            atomic_store_explicit(&huge_settings.policy, i, memory_order_relaxed);
            return 0;
        }
    }
    return -EINVAL;
}

// ---- Numbers ----

static size_t number_make(char *text, size_t size, void *argument)
{
    const _Atomic uint32_t *number = argument;
    return format(text, size, "%u\n", atomic_load_explicit(number, memory_order_relaxed));
}

static int number_set(const char *text, _Atomic uint32_t *number, uint64_t least, uint64_t most)
{
    uint64_t value;
    int error = setting_number(text, &value);
    if (error != 0 || value < least || value > most) {
        return -EINVAL;
    }
    atomic_store_explicit(number, (uint32_t)value, memory_order_relaxed);
    return 0;
}

static int absent_set(const char *text, void *argument)
{
    return number_set(text, argument, 0, LARGE_PAGES - 1);
}

static int scan_set(const char *text, void *argument)
{
    return number_set(text, argument, 1, UINT32_MAX);
}

static size_t count_make(char *text, size_t size, void *argument)
{
    return format(text, size, "%lu\n", huge_count_get((enum huge_count)(uintptr_t)argument));
}

#define FOLDER "kernel/mm/transparent_hugepage/"

int hugetext_add(void)
{
    const struct procfs_setting settings[] = {
        {FOLDER "enabled", enabled_make, enabled_set, NULL},
        {FOLDER "defrag", fixed_make, NULL, "always defer defer+madvise madvise [never]"},
        {FOLDER "shmem_enabled", fixed_make, NULL, "always within_size advise [never] deny force"},
        {FOLDER "hpage_pmd_size", fixed_make, NULL, "2097152"},
        {FOLDER "use_zero_page", fixed_make, NULL, "0"},
        {FOLDER "khugepaged/defrag", fixed_make, NULL, "0"},
        {FOLDER "khugepaged/max_ptes_none", number_make, absent_set, &huge_settings.absent_max},
        {FOLDER "khugepaged/max_ptes_swap", fixed_make, NULL, "0"},
        {FOLDER "khugepaged/max_ptes_shared", fixed_make, NULL, "0"},
        {FOLDER "khugepaged/pages_to_scan", number_make, scan_set, &huge_settings.scan_pages},
        {FOLDER "khugepaged/scan_sleep_millisecs", fixed_make, NULL, "0"},
        {FOLDER "khugepaged/alloc_sleep_millisecs", fixed_make, NULL, "0"},
        {FOLDER "khugepaged/full_scans", count_make, NULL, (void *)HUGE_SCANS},
        {FOLDER "khugepaged/pages_collapsed", count_make, NULL, (void *)HUGE_SCANNED},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && error == 0; ++i) {
        error = procfs_add_setting(PROCFS_SYSTEM, &settings[i]);
    }
    return error;
}
