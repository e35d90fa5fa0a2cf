// SPDX-License-Identifier: BSD-3-Clause
// mix.c: many threads that hold every kind of state, preempted and moved to the next vCPU all the
// time.
#include "tests/system/hal_linux/cases.h"

#include "hal-linux/irq.h"
#include "hal/upcall.h"
#include "tests/system/hal_linux/sched.h"
#include "tests/system/hal_linux/work.h"

uint64_t hold_red_zone(uint64_t rounds, uint64_t seed, void *sp);

enum { WORKERS_MAX = 200 };

static struct worker workers[WORKERS_MAX];
static uint32_t worker_count = WORKERS_MAX;
static _Atomic uint32_t worker_done;
static struct thread *first;
static bool lazy = true;
static _Atomic uint64_t fault_count, fault_masked_count, fault_preempted_count;

// One fault in 16 dawdles, to be preempted and moved while it is being handled.
static void fault_dawdle(void)
{
    if (hal_irq_enabled() && atomic_load(&fault_count) % 16 == 0) {
        struct cpu *cpu = hal_cpu_self();
        hal_ns end = hal_clock_ns() + 200000;
        char *sp = (char *)__builtin_frame_address(0) - 1024; // core has a red zone too
        while (hal_clock_ns() < end) {
            ASSERT(hold_red_zone(1000, 5, sp) == 1000 * 5 * 16 + 136 * (1000 * 999 / 2));
        }
        fault_preempted_count += cpu != hal_cpu_self();
    }
}

static bool mix_fault(const struct hal_fault *fault, struct hal_frame *frame)
{
    (void)frame;
    for (uint32_t i = 0; i < worker_count; ++i) {
        struct worker *w = &workers[i];
        size_t offset = (size_t)(fault->va - w->stack_bottom);
        if (w->lazy && w->stack_bottom != NULL && offset < STACK_SIZE) {
            offset &= ~(size_t)(HAL_PAGE_SIZE - 1);
            ++fault_count;
            fault_masked_count += !hal_irq_enabled();
            fault_dawdle();
            return hal_map(w->stack_bottom + offset, w->stack_pa + offset, HAL_PAGE_SIZE,
                           HAL_READ | HAL_WRITE) == 0;
        }
    }
    return false;
}

void mix_prepare(uint32_t count, uint32_t scale, bool on_touch)
{
    ASSERT(count <= WORKERS_MAX);
    worker_count = count;
    lazy = on_touch;
    work_prepare(scale);
    sched_options = (struct sched_options){
        .slice_min_ns = 100000 * scale, .slice_span_ns = 400000 * scale, .migrate = true};
}

static void worker_entry(void *arg)
{
    work_run(arg);
    if (atomic_fetch_add(&worker_done, 1) + 1 == worker_count) {
        thread_wake(first);
    }
}

static void worker_start(uint32_t i)
{
    struct worker *w = &workers[i];
    hal_phys pa;
    struct tls *tls = (struct tls *)page_alloc(1, NULL);
    (void)page_alloc(STACK_SIZE / HAL_PAGE_SIZE, &pa);
    char *va = va_next + HAL_PAGE_SIZE; // below it a page that is never there
    va_next = va + STACK_SIZE;
    *w = (struct worker){.tls = tls,
                         .stack_bottom = va,
                         .stack_pa = pa,
                         .lazy = lazy && i % 2,
                         .random = i * 7919 + 1};
    tls->self = tls;
    tls->canary = (uint64_t)tls ^ 0xc0ffee0000000000;
    for (uint64_t k = 0; k < 10; ++k) {
        tls->pattern[k] = (uint64_t)tls * (k + 3);
    }
    // hal_context_init writes below stack_top, so that page must be there.
    size_t from = w->lazy ? STACK_SIZE - HAL_PAGE_SIZE : 0;
    ASSERT(hal_map(va + from, pa + from, STACK_SIZE - from, HAL_READ | HAL_WRITE) == 0);
    thread_create(i % cpu_count, va, tls, worker_entry, w);
}

static void mix_report(void)
{
    uint64_t rounds = 0, preempts = 0, migrates = 0, switches = 0, nested = 0;
    for (uint32_t i = 0; i < worker_count; ++i) {
        rounds += workers[i].rounds;
    }
    for (uint32_t i = 0; i < cpu_count; ++i) {
        preempts += cpus[i].preempt_count;
        migrates += cpus[i].migrate_count;
        switches += cpus[i].switch_count;
        nested += cpus[i].nested_count;
    }
    report("rounds of work, all right:", rounds);
    report("preemptions:", preempts);
    report("  of which on the entry stack already:", nested);
    report("migrations:", migrates);
    report("switches:", switches);
    report("faults resolved:", atomic_load(&fault_count));
    report("  with interrupts off:", atomic_load(&fault_masked_count));
    report("  moved to another CPU meanwhile:", atomic_load(&fault_preempted_count));
    report("signals: nothing to do", atomic_load(&irq_counts.nothing));
    report("  while masked", atomic_load(&irq_counts.masked));
    report("  restarted the exit", atomic_load(&irq_counts.exit_restart));
    report("  between unmask and jump", atomic_load(&irq_counts.exit_jump));
    report("  became an interrupt", atomic_load(&irq_counts.framed));
    report("entry stack used, bytes:", atomic_load(&irq_counts.depth_max));
    ASSERT(rounds > 0 && atomic_load(&fault_masked_count) == 0);
}

void mix_run(void *arg)
{
    (void)arg;
    first = hal_self();
    case_fault = mix_fault;
    for (uint32_t i = 0; i < worker_count; ++i) {
        worker_start(i);
    }
    thread_sleep_until(hal_clock_ns() + case_seconds * 1000000000);
    work_stop = 1;
    while (atomic_load(&worker_done) != worker_count) {
        thread_park();
    }
    mix_report();
    case_passed();
}
