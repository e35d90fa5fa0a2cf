// SPDX-License-Identifier: BSD-3-Clause
// memtext.c: the texts of procfs about memory.
//
// Layouts are those of proc(5) and of Linux 6.1; programs parse them by name and by column. A field
// is there only where its value is known. What malloc has counts as anonymous memory, though it
// lies in no area: the heap is core's and the program's.
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/frame_clear.h"
#include "core/mem/usage.h"
#include "core/sched/sched.h"
#include "core/sync/shrinker.h"
#include "core/vfs/procfs.h"
#include "core/vfs/proctext.h"
#include "core/vfs/stackname.h"
#include "core/vfs/usage.h"
#include "core/vfs/vfs.h"
#include "core/vm/huge.h"
#include "core/vm/hugepool.h"
#include "core/vm/vm.h"
#include "hal/hal.h"

enum { MAPS_NAME_COLUMN = 73, PAGE_KIB = HAL_PAGE_SIZE / 1024 };

// ---- Areas ----

struct areas_text {
    struct writer writer;
    struct stack_names stacks;
};

static void areas_begin(struct areas_text *areas, char *text, size_t size)
{
    areas->writer = (struct writer){text, size, 0};
    stack_names_collect(&areas->stacks);
}

// Answers the text's length.
static size_t areas_end(struct areas_text *areas)
{
    stack_names_free(&areas->stacks);
    return areas->writer.length;
}

// A stack without another name is called as Linux 3.4 to 4.4 did (proc(5)).
static void name_put(struct areas_text *areas, const struct vm_area_info *area, size_t column)
{
    int padding = column < MAPS_NAME_COLUMN ? (int)(MAPS_NAME_COLUMN - column) : 1;
    bool is_nameless = area->name == NULL || area->name[0] == 0;
    int32_t thread = is_nameless ? stack_names_find(&areas->stacks, area->start, area->end) : 0;
    if (thread != 0) {
        writer_put(&areas->writer, "%*s[stack:%d]\n", padding, "", thread);
    } else if (is_nameless) {
        writer_put(&areas->writer, " \n");
    } else {
        writer_put(&areas->writer, "%*s%s\n", padding, "", area->name);
    }
}

static void area_put(struct areas_text *areas, const struct vm_area_info *area)
{
    struct writer *writer = &areas->writer;
    size_t start = writer->length;
    writer_put(writer, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu", (unsigned long)area->start,
               (unsigned long)area->end, (area->prot & HAL_READ) != 0 ? 'r' : '-',
               (area->prot & HAL_WRITE) != 0 ? 'w' : '-', (area->prot & HAL_EXEC) != 0 ? 'x' : '-',
               (area->flags & VM_SHARED) != 0 ? 's' : 'p', area->offset,
               (unsigned)(area->device >> 8 & 0xfff), (unsigned)(area->device & 0xff), area->inode);
    name_put(areas, area, writer->length - start);
}

static bool maps_area(const struct vm_area_info *area, void *argument)
{
    area_put(argument, area);
    return true;
}

static size_t maps_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct areas_text areas;
    areas_begin(&areas, text, size);
    vm_walk(maps_area, &areas);
    return areas_end(&areas);
}

// Numbers end in column 24.
static void line_put(struct writer *writer, const char *name, size_t value, const char *unit)
{
    writer_put(writer, "%s:%*zu%s\n", name, 23 - (int)strlen(name), value, unit);
}

static void kib_put(struct writer *writer, const char *name, size_t pages)
{
    line_put(writer, name, pages * PAGE_KIB, " kB");
}

// The pages of one area, or of all, as smaps has them. There is one process: each page is private.
struct smaps {
    size_t own, file, dirty_file, memory_file, large, huge, locked;
};

static struct smaps smaps_of(const struct vm_area_info *area, const struct vm_pages *pages)
{
    if ((area->flags & VM_HUGE) != 0) {
        return (struct smaps){.huge = pages->file};
    }
    bool is_memory = memory_usage_is_memory_file(area);
    // Which of the file's pages were written is known to the machine at best, and only once.
    bool may_be_dirty = (area->flags & VM_SHARED) != 0 && (area->prot & HAL_WRITE) != 0;
    return (struct smaps){
        .own = pages->own,
        .large = pages->large,
        .file = pages->file,
        .dirty_file = may_be_dirty ? pages->file : 0,
        .memory_file = is_memory ? pages->file : 0,
        .locked = (area->flags & VM_LOCKED) != 0 ? pages->own + pages->file : 0,
    };
}

static void smaps_put(struct writer *writer, const struct smaps *smaps)
{
    size_t resident = smaps->own + smaps->file, dirty = smaps->own + smaps->dirty_file;
    kib_put(writer, "Rss", resident);
    kib_put(writer, "Pss", resident);
    kib_put(writer, "Pss_Dirty", dirty);
    kib_put(writer, "Shared_Clean", 0);
    kib_put(writer, "Shared_Dirty", 0);
    kib_put(writer, "Private_Clean", resident - dirty);
    kib_put(writer, "Private_Dirty", dirty);
    kib_put(writer, "Referenced", resident);
    kib_put(writer, "Anonymous", smaps->own);
    kib_put(writer, "LazyFree", 0);
    kib_put(writer, "AnonHugePages", smaps->large);
    kib_put(writer, "ShmemPmdMapped", 0);
    kib_put(writer, "FilePmdMapped", 0);
    kib_put(writer, "Shared_Hugetlb", 0);
    kib_put(writer, "Private_Hugetlb", smaps->huge);
    kib_put(writer, "Swap", 0);
    kib_put(writer, "SwapPss", 0);
    kib_put(writer, "Locked", smaps->locked);
}

static void flags_put(struct writer *writer, const struct vm_area_info *area)
{
    static const struct {
        unsigned prot;
        const char *now, *later;
    } rights[] = {{HAL_READ, "rd ", "mr "}, {HAL_WRITE, "wr ", "mw "}, {HAL_EXEC, "ex ", "me "}};
    writer_put(writer, "VmFlags: ");
    for (size_t i = 0; i < 3; ++i) {
        writer_put(writer, "%s", (area->prot & rights[i].prot) != 0 ? rights[i].now : "");
    }
    writer_put(writer, "%s", (area->flags & VM_SHARED) != 0 ? "sh " : "");
    for (size_t i = 0; i < 3; ++i) {
        bool may = rights[i].prot != HAL_WRITE || (area->flags & VM_READ_ONLY) == 0;
        writer_put(writer, "%s", may ? rights[i].later : "");
    }
    writer_put(writer, "%s", (area->flags & VM_SHARED) != 0 ? "ms " : "");
    writer_put(writer, "%s", (area->flags & (VM_STACK | VM_GROWS)) != 0 ? "gd " : "");
    writer_put(writer, "%s", (area->flags & VM_LOCKED) != 0 ? "lo " : "");
    writer_put(writer, "%s", (area->flags & VM_HUGE) != 0 ? "de ht " : "");
    writer_put(writer, "%s", (area->flags & VM_LARGE_ADVISED) != 0 ? "hg " : "");
    writer_put(writer, "%s\n", (area->flags & VM_SMALL_ADVISED) != 0 ? "nh " : "");
}

static bool smaps_area(const struct vm_area_info *area, const struct vm_pages *pages,
                       void *argument)
{
    struct writer *writer = &((struct areas_text *)argument)->writer;
    const struct smaps smaps = smaps_of(area, pages);
    area_put(argument, area);
    kib_put(writer, "Size", (size_t)(area->end - area->start) / HAL_PAGE_SIZE);
    const size_t page = (area->flags & VM_HUGE) != 0 ? HUGEPOOL_FRAMES : 1;
    kib_put(writer, "KernelPageSize", page);
    kib_put(writer, "MMUPageSize", page);
    smaps_put(writer, &smaps);
    line_put(writer, "THPeligible", 0, "");
    flags_put(writer, area);
    return true;
}

static size_t smaps_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct areas_text areas;
    areas_begin(&areas, text, size);
    vm_walk_pages(smaps_area, &areas);
    return areas_end(&areas);
}

struct rollup {
    struct smaps sum;
    const char *start, *end;
};

static bool rollup_area(const struct vm_area_info *area, const struct vm_pages *pages,
                        void *argument)
{
    struct rollup *rollup = argument;
    const struct smaps smaps = smaps_of(area, pages);
    rollup->start = rollup->start == NULL ? area->start : rollup->start;
    rollup->end = area->end;
    rollup->sum.own += smaps.own;
    rollup->sum.file += smaps.file;
    rollup->sum.dirty_file += smaps.dirty_file;
    rollup->sum.memory_file += smaps.memory_file;
    rollup->sum.large += smaps.large;
    rollup->sum.huge += smaps.huge;
    rollup->sum.locked += smaps.locked;
    return true;
}

static size_t rollup_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    struct rollup rollup = {0};
    vm_walk_pages(rollup_area, &rollup);
    writer_put(&writer, "%08lx-%08lx ---p 00000000 00:00 0%*s[rollup]\n",
               (unsigned long)rollup.start, (unsigned long)rollup.end, 24, "");
    smaps_put(&writer, &rollup.sum);
    return writer.length;
}

// size resident shared text lib data dt, in pages; lib and dt are 0 since Linux 2.6.
static size_t statm_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct memory_usage usage;
    memory_usage_get(&usage);
    return format(text, size, "%zu %zu %zu %zu 0 %zu 0\n", usage.mapped + usage.heap,
                  memory_usage_resident(&usage), usage.mapped_files + usage.mapped_memory_files,
                  usage.program, usage.data + usage.stack + usage.heap);
}

// ---- The system ----

static size_t meminfo_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    struct memory_usage usage;
    memory_usage_get(&usage);
    const size_t anonymous = usage.anonymous + usage.heap;
    const size_t cached = usage.memory_files + usage.file_pages;
    const struct {
        const char *name;
        size_t pages;
    } lines[] = {
        {"MemTotal", usage.total},
        {"MemFree", usage.free},
        {"MemAvailable", memory_usage_available(&usage)},
        {"Buffers", usage.cached},
        {"Cached", cached},
        {"SwapCached", 0},
        {"Active", anonymous},
        {"Inactive", usage.cached + cached},
        {"Active(anon)", anonymous},
        {"Inactive(anon)", usage.memory_files},
        {"Active(file)", 0},
        {"Inactive(file)", usage.cached + usage.file_pages},
        {"Unevictable", 0},
        {"Mlocked", 0},
        {"SwapTotal", 0},
        {"SwapFree", 0},
        {"Dirty", 0},
        {"Writeback", 0},
        {"AnonPages", anonymous},
        {"Mapped", usage.mapped_files + usage.mapped_memory_files},
        {"Shmem", usage.memory_files},
        {"KReclaimable", 0},
        {"Slab", usage.rings},
        {"SReclaimable", 0},
        {"SUnreclaim", usage.rings},
        {"KernelStack", usage.stacks},
        {"PageTables", usage.tables},
        {"AnonHugePages", usage.large},
        {"ShmemHugePages", 0},
        {"ShmemPmdMapped", 0},
        {"FileHugePages", 0},
        {"FilePmdMapped", 0},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        kib_put(&writer, lines[i].name, lines[i].pages);
    }
    struct hugepool_counts pool;
    hugepool_counts_get(&pool);
    line_put(&writer, "HugePages_Total", pool.total, "");
    line_put(&writer, "HugePages_Free", pool.free, "");
    line_put(&writer, "HugePages_Rsvd", pool.reserved, "");
    line_put(&writer, "HugePages_Surp", pool.surplus, "");
    kib_put(&writer, "Hugepagesize", HUGEPOOL_FRAMES);
    kib_put(&writer, "Hugetlb", pool.total * HUGEPOOL_FRAMES);
    return writer.length;
}

static size_t vmstat_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    struct memory_usage usage;
    struct shrinker_counts shrinks;
    struct sched_counts counts;
    struct hal_tlb_counts flushes;
    struct frame_clear_counts clears;
    hal_tlb_count(&flushes);
    frame_clear_counts_get(&clears);
    memory_usage_get(&usage);
    shrinker_counts_get(&shrinks);
    sched_counts_sum(&counts);
    const struct {
        const char *name;
        uint64_t value;
    } lines[] = {
        {"nr_free_pages", usage.free},
        {"nr_anon_pages", usage.anonymous + usage.heap},
        {"nr_mapped", usage.mapped_files + usage.mapped_memory_files},
        {"nr_file_pages", usage.memory_files + usage.file_pages + usage.cached},
        {"nr_dirty", 0},
        {"nr_writeback", 0},
        {"nr_shmem", usage.memory_files},
        {"nr_kernel_stack", usage.stacks * PAGE_KIB},
        {"nr_page_table_pages", usage.tables},
        {"pgpgin", 0},
        {"pgpgout", 0},
        {"pswpin", 0},
        {"pswpout", 0},
        {"allocstall_normal", shrinks.waits},
        {"pgfault", counts.faults},
        {"pgmajfault", 0},
        {"pgclear_idle", clears.idle},
        {"pgclear_late", clears.late},
        {"pgclear_spared", clears.spared},
        {"pgsteal_kswapd", (shrinks.freed_bytes - shrinks.waited_bytes) / HAL_PAGE_SIZE},
        {"pgsteal_direct", shrinks.waited_bytes / HAL_PAGE_SIZE},
        {"pgscan_kswapd", (shrinks.asked_bytes - shrinks.asked_waiting_bytes) / HAL_PAGE_SIZE},
        {"pgscan_direct", shrinks.asked_waiting_bytes / HAL_PAGE_SIZE},
        {"pageoutrun", shrinks.passes},
        {"nr_anon_transparent_hugepages", usage.large / ((2 << 20) / HAL_PAGE_SIZE)},
        {"thp_fault_alloc", huge_count_get(HUGE_FAULTS)},
        {"thp_fault_fallback", huge_count_get(HUGE_FALLBACKS)},
        {"thp_collapse_alloc", huge_count_get(HUGE_COLLAPSES)},
        {"thp_collapse_alloc_failed", huge_count_get(HUGE_FAILURES)},
        {"thp_file_alloc", 0},
        {"thp_split_page", huge_count_get(HUGE_SPLITS)},
        {"thp_split_page_failed", 0},
        {"thp_deferred_split_page", 0}, // at once
        {"thp_split_pmd", huge_count_get(HUGE_CUTS)},
        {"thp_zero_page_alloc", 0}, // there is none
        {"balloon_inflate", atomic_load(&usage_balloon_taken)},
        {"balloon_deflate", atomic_load(&usage_balloon_returned)},
        {"balloon_migrate", 0},
        {"nr_tlb_remote_flush", flushes.remote},
        {"nr_tlb_remote_flush_received", flushes.received},
        {"nr_tlb_local_flush_all", flushes.local_all},
        {"nr_tlb_local_flush_one", flushes.local_one},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        writer_put(&writer, "%s %lu\n", lines[i].name, lines[i].value);
    }
    return writer.length;
}

int memtext_add(void)
{
    static const struct {
        const char *name;
        size_t (*make)(char *text, size_t size, void *argument);
    } files[] = {
        {"self/maps", maps_make},   {"self/smaps", smaps_make}, {"self/smaps_rollup", rollup_make},
        {"self/statm", statm_make}, {"meminfo", meminfo_make},  {"vmstat", vmstat_make},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0] && error == 0; ++i) {
        error = procfs_add(files[i].name, files[i].make, NULL);
    }
    return error;
}
