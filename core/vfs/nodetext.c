// SPDX-License-Identifier: BSD-3-Clause
// nodetext.c: /proc/zoneinfo and /sys/devices/system: the one node that has all processors and all
// memory, in one zone.
#include "core/lib/format.h"
#include "core/mem/frame.h"
#include "core/mem/pressure.h"
#include "core/sched/thread.h"
#include "core/vfs/procfs.h"
#include "core/vfs/proctext.h"
#include "core/vfs/usage.h"
#include "hal/hal.h"

enum { PAGE_KIB = HAL_PAGE_SIZE / 1024 };

static size_t fixed_make(char *text, size_t size, void *argument)
{
    return format(text, size, "%s\n", (const char *)argument);
}

static size_t cpus_make(char *text, size_t size, void *argument)
{
    (void)argument;
    const uint32_t last = sched_cpu_count() - 1;
    return last == 0 ? format(text, size, "0\n") : format(text, size, "0-%u\n", last);
}

// Words of 32, the highest first.
static size_t map_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    const uint32_t count = sched_cpu_count();
    for (uint32_t word = (count - 1) / 32 + 1; word-- > 0;) {
        const uint32_t left = count - word * 32;
        const uint32_t bits = left >= 32 ? ~(uint32_t)0 : ((uint32_t)1 << left) - 1;
        const bool is_short = word == (count - 1) / 32 && left < 32;
        writer_put(&writer, is_short ? "%x%s" : "%08x%s", bits, word > 0 ? "," : "\n");
    }
    return writer.length;
}

static size_t zoneinfo_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    struct memory_usage usage;
    memory_usage_get(&usage);
    writer_put(&writer, "Node 0, zone   Normal\n  per-node stats\n");
    const struct {
        const char *name;
        size_t value;
    } stats[] = {
        {"nr_anon_pages", usage.anonymous + usage.heap},
        {"nr_mapped", usage.mapped_files + usage.mapped_memory_files},
        {"nr_file_pages", usage.memory_files + usage.file_pages + usage.cached},
        {"nr_shmem", usage.memory_files},
        {"nr_kernel_stack", usage.stacks * PAGE_KIB},
        {"nr_page_table_pages", usage.tables},
    };
    for (size_t i = 0; i < sizeof stats / sizeof stats[0]; ++i) {
        writer_put(&writer, "      %-12s %zu\n", stats[i].name, stats[i].value);
    }
    writer_put(&writer, "  pages free     %zu\n", usage.free);
    const struct {
        const char *name;
        size_t value;
    } pages[] = {
        {"min", (size_t)pressure.min},   {"low", (size_t)pressure.low},
        {"high", (size_t)pressure.high}, {"spanned", frame_span() / HAL_PAGE_SIZE},
        {"present", usage.total},        {"managed", usage.total},
    };
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; ++i) {
        writer_put(&writer, "        %-8s %zu\n", pages[i].name, pages[i].value);
    }
    writer_put(&writer, "        protection: (0)\n  start_pfn:           %lu\n",
               frame_first() / HAL_PAGE_SIZE);
    return writer.length;
}

#define NODES "devices/system/node/"
#define CPUS "devices/system/cpu/"

int nodetext_add(void)
{
    static const struct procfs_setting zoneinfo = {"zoneinfo", zoneinfo_make, NULL, NULL};
    static const struct procfs_setting settings[] = {
        {NODES "online", fixed_make, NULL, "0"},
        {NODES "possible", fixed_make, NULL, "0"},
        {NODES "has_cpu", fixed_make, NULL, "0"},
        {NODES "has_memory", fixed_make, NULL, "0"},
        {NODES "has_normal_memory", fixed_make, NULL, "0"},
        {NODES "node0/cpulist", cpus_make, NULL, NULL},
        {NODES "node0/cpumap", map_make, NULL, NULL},
        {NODES "node0/distance", fixed_make, NULL, "10"},
        {CPUS "online", cpus_make, NULL, NULL},
        {CPUS "possible", cpus_make, NULL, NULL},
        {CPUS "present", cpus_make, NULL, NULL},
    };
    int error = procfs_add_setting(PROCFS_PROC, &zoneinfo);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && error == 0; ++i) {
        error = procfs_add_setting(PROCFS_SYSTEM, &settings[i]);
    }
    return error;
}
