// SPDX-License-Identifier: BSD-3-Clause
// callsite.c: see callsite.h. A table by the sum of the addresses; one mutex guards it.
#include "core/libc/callsite.h"

#include "core/elf/program.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/report.h"
#include "core/linux/unwind.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/vm/vm.h"

enum { BUCKETS = 4096, STEPS_MAX = 64, LINE_SIZE = 512 };

static struct mutex mutex;
static struct callsite **buckets; // guarded by mutex

int callsite_start(void)
{
    buckets = heap_alloc_zeroed(BUCKETS * sizeof *buckets);
    return buckets == NULL ? -ENOMEM : 0;
}

static bool is_program(uintptr_t ip)
{
    return vm_is_window((const char *)ip);
}

// Of core's own functions the outermost of those that the program called is kept, and those that
// called main are not.
static void places_collect(struct callsite *site, struct machine_place place)
{
    uint32_t depth_program = 0;
    bool is_inside = false; // the program
    for (int steps = 0; steps < STEPS_MAX && site->depth < CALLSITE_DEPTH; ++steps) {
        is_inside |= is_program(place.ip);
        site->depth -= !is_inside && site->depth == 1;
        site->places[site->depth++] = place.ip;
        depth_program = is_program(place.ip) ? site->depth : depth_program;
        if (!unwind_step(&place, thread_self())) {
            break;
        }
    }
    site->depth = depth_program > 0 ? depth_program : site->depth;
}

static bool is_equal(const struct callsite *a, const struct callsite *b)
{
    return a->depth == b->depth && memcmp(a->places, b->places, a->depth * sizeof *a->places) == 0;
}

static uint32_t bucket_of(const struct callsite *site)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < site->depth; ++i) {
        sum = (sum ^ site->places[i]) * 0x9e3779b97f4a7c15;
    }
    return (uint32_t)(sum >> 32) % BUCKETS;
}

__attribute__((noinline)) struct callsite *callsite_here(void)
{
    struct callsite site = {0};
    places_collect(&site, unwind_caller());
    mutex_lock(&mutex);
    struct callsite **link = &buckets[bucket_of(&site)];
    while (*link != NULL && !is_equal(*link, &site)) {
        link = &(*link)->next;
    }
    if (*link == NULL && (*link = heap_alloc(sizeof site)) != NULL) {
        **link = site;
    }
    struct callsite *found = *link;
    mutex_unlock(&mutex);
    return found;
}

void callsite_walk(void (*visit)(struct callsite *site, void *argument), void *argument)
{
    for (uint32_t i = 0; i < BUCKETS; ++i) {
        for (struct callsite *site = buckets[i]; site != NULL; site = site->next) {
            visit(site, argument);
        }
    }
}

// A function of core's that the program can name, not one that malloc is made of.
static bool is_exported(uintptr_t ip)
{
    struct elf_place place;
    struct elf_function function;
    char name[ELF_NAME_SIZE];
    return elf_place_of((const void *)ip, &place) && place.symbol_name != NULL &&
           elf_function_of((const void *)ip, true, &function, name) &&
           function.start == place.symbol_address;
}

void callsite_print(const struct callsite *site)
{
    char line[LINE_SIZE];
    uint32_t number = 0;
    for (uint32_t i = 0; site != NULL && i < site->depth; ++i) {
        uintptr_t ip = site->places[i];
        if (i > 0 || is_program(ip) || is_exported(ip - 1)) {
            (void)report_place(line, sizeof line, ip - 1, true);
            console_print("osv:  #%-2u %016lx %s\n", number++, ip, line);
        }
    }
    if (number == 0) {
        console_print("osv:  (not known)\n");
    }
}
