// SPDX-License-Identifier: BSD-3-Clause
// memory_figures.c: what programs ask malloc about itself, and have it do beside allocating.
//
// There is one heap, core's and the program's: it is glibc's main arena here. What CPUs have ready
// for themselves takes the place of glibc's fast bins. Blocks that are mappings are counted apart,
// as there. Figures are a moment's; between two of a thread's own calls other threads, and core,
// may have allocated.
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>

#include "core/libc/export.h"
#include "core/mem/heap.h"
#include "core/sync/heap_trim.h"

enum {
    MXFAST = 1,       // of mallopt
    MXFAST_MAX = 160, // what glibc accepts
};

// The most that was seen when somebody asked.
static _Atomic size_t taken_most;

struct memory_counts { // struct mallinfo2 of glibc
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

struct memory_counts_int { // struct mallinfo of glibc
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

EXPORT(struct memory_counts, mallinfo2, void)
{
    struct heap_counts counts;
    heap_counts_get(&counts);
    size_t before = atomic_load(&taken_most);
    while (counts.taken > before &&
           !atomic_compare_exchange_weak(&taken_most, &before, counts.taken)) {
    }
    return (struct memory_counts){
        .arena = counts.taken,
        .ordblks = counts.free_count - counts.ready_count,
        .smblks = counts.ready_count,
        .hblks = counts.mapped_count,
        .hblkhd = counts.mapped,
        .fsmblks = counts.ready,
        .uordblks = counts.used,
        .fordblks = counts.taken - counts.used,
        .keepcost = counts.idle,
    };
}

// Larger figures wrap, as glibc's do.
EXPORT(struct memory_counts_int, mallinfo, void)
{
    struct memory_counts counts = glibc_mallinfo2();
    return (struct memory_counts_int){
        .arena = (int)counts.arena,
        .ordblks = (int)counts.ordblks,
        .smblks = (int)counts.smblks,
        .hblks = (int)counts.hblks,
        .hblkhd = (int)counts.hblkhd,
        .fsmblks = (int)counts.fsmblks,
        .uordblks = (int)counts.uordblks,
        .fordblks = (int)counts.fordblks,
        .keepcost = (int)counts.keepcost,
    };
}

// glibc keeps up to so many bytes; here nothing is kept.
EXPORT(int, malloc_trim, size_t keep)
{
    (void)keep;
    return heap_trim_all() > 0;
}

// Accepted as by glibc. They tune what this malloc does not have.
EXPORT(int, mallopt, int parameter, int value)
{
    return parameter != MXFAST || (value >= 0 && value <= MXFAST_MAX);
}

EXPORT(void, malloc_stats, void)
{
    struct heap_counts counts;
    heap_counts_get(&counts);
    fprintf(stderr,
            "Arena 0:\nsystem bytes     = %10zu\nin use bytes     = %10zu\n"
            "Total (incl. mmap):\nsystem bytes     = %10zu\nin use bytes     = %10zu\n"
            "max mmap regions = %10zu\nmax mmap bytes   = %10zu\n",
            counts.taken, counts.used, counts.taken + counts.mapped, counts.used + counts.mapped,
            counts.mapped_count_most, counts.mapped_most);
}

static void totals_print(FILE *stream, const struct memory_counts *counts)
{
    fprintf(stream,
            "<total type=\"fast\" count=\"%zu\" size=\"%zu\"/>\n"
            "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n",
            counts->smblks, counts->fsmblks, counts->ordblks, counts->fordblks - counts->fsmblks);
}

static void system_print(FILE *stream, const struct memory_counts *counts)
{
    fprintf(stream,
            "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n"
            "<aspace type=\"total\" size=\"%zu\"/>\n<aspace type=\"mprotect\" size=\"%zu\"/>\n",
            counts->arena, atomic_load(&taken_most), counts->arena, counts->arena);
}

EXPORT(int, malloc_info, int options, FILE *stream)
{
    if (options != 0) {
        return EINVAL;
    }
    struct memory_counts counts = glibc_mallinfo2();
    fprintf(stream, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n");
    totals_print(stream, &counts);
    system_print(stream, &counts);
    fprintf(stream, "</heap>\n");
    totals_print(stream, &counts);
    fprintf(stream, "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n", counts.hblks,
            counts.hblkhd);
    system_print(stream, &counts);
    fprintf(stream, "</malloc>\n");
    return 0;
}
