// SPDX-License-Identifier: BSD-3-Clause
// nodetext.c: /proc/buddyinfo, /proc/zoneinfo and /sys/devices/system: which processors and how
// much memory each node has. A node's memory is one zone.
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/mem/frame.h"
#include "core/mem/frame_orders.h"
#include "core/mem/frame_zones.h"
#include "core/mem/heap.h"
#include "core/mem/pressure.h"
#include "core/sched/thread.h"
#include "core/vfs/procfs.h"
#include "core/vfs/proctext.h"
#include "core/vfs/usage.h"
#include "hal/hal.h"

enum { PAGE_KIB = HAL_PAGE_SIZE / 1024, WORD_BITS = 64, MAP_BITS = 32 };

// ---- Sets ------------------------------------------------------------------

static bool set_has(const struct hal_cpu_set *set, uint32_t member)
{
    return (set->words[member / WORD_BITS] >> member % WORD_BITS & 1) != 0;
}

static void set_add(struct hal_cpu_set *set, uint32_t member)
{
    set->words[member / WORD_BITS] |= (uint64_t)1 << member % WORD_BITS;
}

// As "0-3,8".
static void list_put(struct writer *writer, const struct hal_cpu_set *set)
{
    const char *comma = "";
    for (uint32_t first = 0; first < HAL_CPU_MAX; ++first) {
        uint32_t last = first;
        while (set_has(set, first) && last + 1 < HAL_CPU_MAX && set_has(set, last + 1)) {
            ++last;
        }
        if (set_has(set, first)) {
            writer_put(writer, last == first ? "%s%u" : "%s%u-%u", comma, first, last);
            comma = ",";
        }
        first = last;
    }
    writer_put(writer, "\n");
}

// In words of 32, the highest first, of so many members.
static void map_put(struct writer *writer, const struct hal_cpu_set *set, uint32_t count)
{
    const uint32_t top = (count - 1) / MAP_BITS, digits = (count - top * MAP_BITS + 3) / 4;
    for (uint32_t word = top + 1; word-- > 0;) {
        const uint32_t bits = (uint32_t)(set->words[word / 2] >> word % 2 * MAP_BITS);
        const int width = word == top ? (int)digits : 8;
        writer_put(writer, "%0*x%s", width, bits, word > 0 ? "," : "\n");
    }
}

static struct hal_cpu_set cpus_of(uint32_t node)
{
    struct hal_cpu_set set = {{0}};
    for (uint32_t cpu = 0; cpu < sched_cpu_count(); ++cpu) {
        if (frame_node_of_cpu(cpu) == node) {
            set_add(&set, cpu);
        }
    }
    return set;
}

// ---- Files of all ----------------------------------------------------------

enum which { ALL_CPUS, ALL_NODES, CPU_NODES, MEMORY_NODES };

static size_t list_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    struct hal_cpu_set set = {{0}};
    const enum which which = (enum which)(uintptr_t)argument;
    const uint32_t count = which == ALL_CPUS ? sched_cpu_count() : frame_node_count();
    for (uint32_t i = 0; i < count; ++i) {
        if (which == ALL_CPUS || which == ALL_NODES ||
            (which == MEMORY_NODES && frame_zones.totals[i] != 0)) {
            set_add(&set, i);
        }
    }
    for (uint32_t cpu = 0; cpu < sched_cpu_count() && which == CPU_NODES; ++cpu) {
        set_add(&set, frame_node_of_cpu(cpu));
    }
    list_put(&writer, &set);
    return writer.length;
}

static void stats_put(struct writer *writer)
{
    struct memory_usage usage;
    memory_usage_get(&usage);
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
    writer_put(writer, "  per-node stats\n");
    for (size_t i = 0; i < sizeof stats / sizeof stats[0]; ++i) {
        writer_put(writer, "      %-12s %zu\n", stats[i].name, stats[i].value);
    }
}

// The marks are of all memory: a node is told its share.
static size_t mark_share(int64_t mark, uint32_t node)
{
    return (size_t)mark * frame_zones.totals[node] / frame_total_count();
}

static void zone_put(struct writer *writer, uint32_t node)
{
    hal_phys first = 0;
    size_t spanned = 0;
    for (uint32_t i = frame_zones.count; i-- > 0;) {
        const struct frame_zone *zone = &frame_zones.zones[i];
        const hal_phys start =
            frame_first() / HAL_PAGE_SIZE + (hal_phys)zone->first * FRAME_ZONE_AREA;
        const hal_phys end = frame_first() / HAL_PAGE_SIZE + (hal_phys)zone->end * FRAME_ZONE_AREA;
        if (zone->node == node) {
            spanned = spanned == 0 ? end - start : spanned + (first - start);
            first = start;
        }
    }
    const struct {
        const char *name;
        size_t value;
    } pages[] = {
        {"min", mark_share(pressure.min, node)},   {"low", mark_share(pressure.low, node)},
        {"high", mark_share(pressure.high, node)}, {"spanned", spanned},
        {"present", frame_zones.totals[node]},     {"managed", frame_zones.totals[node]},
    };
    writer_put(writer, "  pages free     %zu\n", frame_node_free_count(node));
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; ++i) {
        writer_put(writer, "        %-8s %zu\n", pages[i].name, pages[i].value);
    }
    writer_put(writer, "        protection: (0)\n  start_pfn:           %lu\n", first);
}

// What is counted per node on Linux is known of all nodes together here, so one has it.
static size_t zoneinfo_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    for (uint32_t node = 0; node < frame_node_count(); ++node) {
        if (frame_zones.totals[node] != 0) {
            writer_put(&writer, "Node %u, zone   Normal\n", node);
            if (frame_node_count() == 1) {
                stats_put(&writer);
            }
            zone_put(&writer, node);
        }
    }
    return writer.length;
}

static size_t buddyinfo_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    for (uint32_t node = 0; node < frame_node_count(); ++node) {
        size_t counts[FRAME_ORDERS];
        frame_orders(node, counts);
        writer_put(&writer, "Node %u, zone   Normal ", node);
        for (size_t i = 0; i < FRAME_ORDERS; ++i) {
            writer_put(&writer, "%6zu ", counts[i]);
        }
        writer_put(&writer, "\n");
    }
    return writer.length;
}

// ---- Files of a node -------------------------------------------------------

static size_t cpulist_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    const struct hal_cpu_set set = cpus_of((uint32_t)(uintptr_t)argument);
    list_put(&writer, &set);
    return writer.length;
}

static size_t cpumap_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    const struct hal_cpu_set set = cpus_of((uint32_t)(uintptr_t)argument);
    map_put(&writer, &set, sched_cpu_count());
    return writer.length;
}

static size_t distance_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    const uint8_t *distances = frame_zones.distances[(uintptr_t)argument];
    for (uint32_t node = 0; node < frame_node_count(); ++node) {
        writer_put(&writer, "%s%u", node == 0 ? "" : " ", distances[node]);
    }
    writer_put(&writer, "\n");
    return writer.length;
}

static size_t meminfo_make(char *text, size_t size, void *argument)
{
    const uint32_t node = (uint32_t)(uintptr_t)argument;
    const size_t total = frame_zones.totals[node] * PAGE_KIB;
    const size_t left = frame_node_free_count(node) * PAGE_KIB;
    const size_t used = total > left ? total - left : 0;
    return format(text, size,
                  "Node %u MemTotal:       %8zu kB\nNode %u MemFree:        %8zu kB\n"
                  "Node %u MemUsed:        %8zu kB\n",
                  node, total, node, left, node, used);
}

static size_t numastat_make(char *text, size_t size, void *argument)
{
    const struct frame_node_counts *counts = &frame_zones.counts[(uintptr_t)argument];
    const uint64_t hit = atomic_load(&counts->hit);
    return format(text, size,
                  "numa_hit %lu\nnuma_miss %lu\nnuma_foreign %lu\ninterleave_hit %lu\n"
                  "local_node %lu\nother_node %lu\n",
                  hit, atomic_load(&counts->miss), atomic_load(&counts->foreign),
                  atomic_load(&counts->interleave),
                  frame_node_count() == 1 ? hit : atomic_load(&counts->local),
                  atomic_load(&counts->other));
}

#define NODES "devices/system/node/"
#define CPUS "devices/system/cpu/"

// Their names live for ever.
static int node_add(uint32_t node)
{
    enum { NAME_MAX = 48 };
    static const struct {
        const char *name;
        size_t (*make)(char *text, size_t size, void *argument);
    } files[] = {
        {"cpulist", cpulist_make}, {"cpumap", cpumap_make},     {"distance", distance_make},
        {"meminfo", meminfo_make}, {"numastat", numastat_make},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0] && error == 0; ++i) {
        char *name = heap_alloc(NAME_MAX);
        if (name == NULL) {
            return -ENOMEM;
        }
        (void)format(name, NAME_MAX, NODES "node%u/%s", node, files[i].name);
        const struct procfs_setting setting = {name, files[i].make, NULL, (void *)(uintptr_t)node};
        error = procfs_add_setting(PROCFS_SYSTEM, &setting);
    }
    return error;
}

int nodetext_add(void)
{
    static const struct procfs_setting texts[] = {
        {"buddyinfo", buddyinfo_make, NULL, NULL},
        {"zoneinfo", zoneinfo_make, NULL, NULL},
    };
    static const struct {
        const char *name;
        enum which which;
    } lists[] = {
        {NODES "online", ALL_NODES},
        {NODES "possible", ALL_NODES},
        {NODES "has_cpu", CPU_NODES},
        {NODES "has_memory", MEMORY_NODES},
        {NODES "has_normal_memory", MEMORY_NODES},
        {CPUS "online", ALL_CPUS},
        {CPUS "possible", ALL_CPUS},
        {CPUS "present", ALL_CPUS},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && error == 0; ++i) {
        error = procfs_add_setting(PROCFS_PROC, &texts[i]);
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && error == 0; ++i) {
        const struct procfs_setting setting = {lists[i].name, list_make, NULL,
                                               (void *)(uintptr_t)lists[i].which};
        error = procfs_add_setting(PROCFS_SYSTEM, &setting);
    }
    for (uint32_t node = 0; node < frame_node_count() && error == 0; ++node) {
        error = node_add(node);
    }
    return error;
}
