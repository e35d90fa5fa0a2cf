// SPDX-License-Identifier: BSD-3-Clause
// stats.c: what the run was made of: switches, interrupts, faults, memory, system calls.
//
// Each CPU has its own counts of calls, and raises them with interrupts off: no atomics, and no
// line of memory that two CPUs write. The time of a call is counted where it ends.
#include "core/linux/stats.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/lib/count.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/linux/calls.h"
#include "core/linux/syscall.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"

struct call_count {
    uint64_t count, time_ns;
};

static struct call_count *cpu_calls[HAL_CPU_MAX]; // by CPU; then by number
static _Atomic uint32_t unknown_counts[SYSCALL_NUMBER_MAX];

int stats_start(void)
{
    for (uint32_t i = 0; i < sched_cpu_count(); ++i) {
        cpu_calls[i] = heap_alloc_zeroed(SYSCALL_NUMBER_MAX * sizeof *cpu_calls[i]);
        if (cpu_calls[i] == NULL) {
            return -ENOMEM;
        }
    }
    frame_peak_watch();
    return 0;
}

static void call_add(long number, uint64_t calls, hal_ns time_ns)
{
    if (number < 0 || number >= SYSCALL_NUMBER_MAX) {
        return;
    }
    uintptr_t irq = hal_irq_save();
    struct call_count *count = &cpu_calls[thread_cpu_index()][number];
    count_add(&count->count, calls);
    count_add(&count->time_ns, time_ns);
    hal_irq_restore(irq);
}

hal_ns stats_call_begin(long number)
{
    call_add(number, 1, 0);
    return hal_clock_ns();
}

void stats_call_end(long number, hal_ns start)
{
    call_add(number, 0, hal_clock_ns() - start);
}

void stats_unknown_add(long number)
{
    atomic_fetch_add_explicit(&unknown_counts[number], 1, memory_order_relaxed);
}

static const char *call_name(long number)
{
    const struct linux_row *row = syscall_row(number);
    const char *name = row == NULL ? linux_call_name(number) : row->name;
    return name == NULL ? "?" : name;
}

void stats_unknown_print(void)
{
    char line[512];
    size_t used = 0;
    for (long number = 0; number < SYSCALL_NUMBER_MAX && used < sizeof line; ++number) {
        uint32_t count = atomic_load_explicit(&unknown_counts[number], memory_order_relaxed);
        if (count != 0) {
            used += format(line + used, sizeof line - used, " %s %u", call_name(number), count);
        }
    }
    if (used != 0) {
        console_print("osv: system calls that are not here, and how often they were made:%s\n",
                      line);
    }
}

static struct call_count call_sum(long number)
{
    struct call_count sum = {0};
    for (uint32_t i = 0; i < sched_cpu_count(); ++i) {
        sum.count += count_get(&cpu_calls[i][number].count);
        sum.time_ns += count_get(&cpu_calls[i][number].time_ns);
    }
    return sum;
}

static bool is_before(const struct call_count *a, long a_number, const struct call_count *b,
                      long b_number)
{
    return a->time_ns != b->time_ns ? a->time_ns > b->time_ns : a_number < b_number;
}

// The one that comes after the last in order of time, the longest first. -1: there is none.
static long call_next(const struct call_count *last, long last_number, struct call_count *found)
{
    long next = -1;
    for (long number = 0; number < SYSCALL_NUMBER_MAX; ++number) {
        struct call_count sum = call_sum(number);
        bool is_left = sum.count != 0 && number != last_number &&
                       (last_number < 0 || is_before(last, last_number, &sum, number));
        if (is_left && (next < 0 || is_before(&sum, number, found, next))) {
            *found = sum;
            next = number;
        }
    }
    return next;
}

static void calls_print(void)
{
    struct call_count last = {0}, next;
    console_print("osv:   %10s %14s  system call\n", "calls", "us");
    long number = call_next(&last, -1, &next);
    while (number >= 0) {
        console_print("osv:   %10lu %10lu.%03lu  %s\n", next.count, next.time_ns / 1000,
                      next.time_ns % 1000, call_name(number));
        last = next;
        number = call_next(&last, number, &next);
    }
}

void stats_print(void)
{
    struct sched_counts counts;
    const uint64_t page_kib = HAL_PAGE_SIZE / 1024;
    sched_counts_sum(&counts);
    console_print("osv: after %lu.%03lu s on %u CPUs:\n", hal_clock_ns() / 1000000000,
                  hal_clock_ns() / 1000000 % 1000, sched_cpu_count());
    console_print("osv:   %10lu switches\n", counts.switches);
    console_print("osv:   %10lu wakes\n", counts.wakes);
    console_print(
        "osv:   %10lu kicks, %lu saved by %lu looks of idle CPUs, of %lu us; in vain %lu us\n",
        counts.kicks, counts.unkicked, counts.polls, counts.polled_ns / 1000,
        counts.polled_vain_ns / 1000);
    console_print("osv:   %10lu interrupts (timer %lu, kick %lu, devices and notices %lu)\n",
                  counts.interrupts, counts.timers, counts.kicked,
                  counts.interrupts - counts.timers - counts.kicked);
    console_print("osv:   %10lu faults\n", counts.faults);
    console_print("osv:   %10lu KiB of memory at most\n", frame_peak_count() * page_kib);
    calls_print();
}
