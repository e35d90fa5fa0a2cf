// SPDX-License-Identifier: BSD-3-Clause
// cpu_host.c: the machine of cpu_host.h.
//
// Nothing here orders what two CPUs do but a kick, by `pending`: what core shares between CPUs it
// has to order itself, or a race checker tells of it. So an idle CPU waits on a futex, which
// checkers do not know, and not on a condition variable, which would hide much.
#include "cpu_host.h"

#include <check.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

#include "core/sched/sched.h"
#include "hal/upcall.h"
#include "memory_host.h"
#include "tests/unit/hal/unit_hal.h"

enum { HOST_CPU_MAX = 8 };

static struct host_cpu {
    pthread_t thread;
    struct cpu *cpu;
    hal_ns deadline;          // its own
    ucontext_t host;          // where its host thread goes on at the end
    _Atomic uint32_t pending; // a kick
} cpus[HOST_CPU_MAX];

static uint32_t cpu_count;
static void (*first_thread)(void *);
_Atomic hal_ns cpu_host_wall = (hal_ns)1 << 60;
static _Atomic hal_ns clock_ns = 1; // 0 means "not" in core
static _Atomic bool is_ending;
static __thread struct host_cpu *host_self;

// A call, each time: see hal_inline.h.
__attribute__((noinline)) static struct host_cpu *self_get(void)
{
    __asm__ volatile("" ::: "memory");
    return host_self;
}

__attribute__((noinline)) static void unit_self_set(void *self)
{
    __asm__ volatile("" ::: "memory");
    unit_self = self;
}

// ---- Contexts ------------------------------------------------------------

struct beginning {
    ucontext_t context;
    void (*entry)(void *);
    void *argument;
};

static void context_begin(unsigned low, unsigned high)
{
    struct beginning *beginning = (void *)((uintptr_t)high << 32 | low);
    beginning->entry(beginning->argument);
}

void hal_context_init(struct hal_context *context, char *stack, size_t size, void (*entry)(void *),
                      void *argument)
{
    size_t left = (size - sizeof(struct beginning)) & ~(size_t)63;
    struct beginning *beginning = (struct beginning *)(void *)(stack + left);
    (void)VALGRIND_STACK_REGISTER(stack, stack + size);
    getcontext(&beginning->context);
    beginning->context.uc_stack.ss_sp = stack;
    beginning->context.uc_stack.ss_size = left;
    beginning->context.uc_link = NULL;
    beginning->entry = entry;
    beginning->argument = argument;
    makecontext(&beginning->context, (void (*)(void))context_begin, 2,
                (unsigned)(uintptr_t)beginning, (unsigned)((uintptr_t)beginning >> 32));
    context->sp = &beginning->context;
}

void hal_context_switch(struct hal_context *from, const struct hal_context *to)
{
    ucontext_t saved;
    from->sp = &saved;
    unit_self_set(to->self);
    swapcontext(&saved, to->sp);
}

// ---- Time and interrupts -------------------------------------------------

hal_ns hal_clock_ns(void)
{
    return atomic_load_explicit(&clock_ns, memory_order_relaxed);
}

hal_ns hal_clock_wall_ns(void)
{
    return hal_clock_ns() + atomic_load(&cpu_host_wall);
}

void hal_timer_set(hal_ns deadline)
{
    self_get()->deadline = deadline;
}

static void futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
    syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

void hal_cpu_kick(uint32_t index)
{
    atomic_store(&cpus[index].pending, 1);
    futex(&cpus[index].pending, FUTEX_WAKE, 1);
}

// One cause at a time, for an upcall may return on another CPU. False: there is none.
static bool interrupt_take(void)
{
    struct host_cpu *self = self_get();
    if (self->deadline <= hal_clock_ns()) {
        self->deadline = UINT64_MAX;
        upcall_timer(NULL);
        return true;
    }
    if (atomic_exchange(&self->pending, 0) != 0) {
        upcall_kick(NULL);
        return true;
    }
    return false;
}

static void interrupts_deliver(void)
{
    do {
        unit_irq_off_set(true);
    } while (interrupt_take());
    unit_irq_off_set(false);
}

void cpu_host_pass(hal_ns span)
{
    atomic_fetch_add_explicit(&clock_ns, span, memory_order_relaxed);
    hal_irq_restore(hal_irq_save());
}

static void clock_pass_to(hal_ns then)
{
    hal_ns now = hal_clock_ns();
    while (now < then && !atomic_compare_exchange_weak_explicit(
                             &clock_ns, &now, then, memory_order_relaxed, memory_order_relaxed)) {
    }
}

void hal_cpu_idle(void)
{
    struct host_cpu *self = self_get(); // the idle thread stays
    while (!interrupt_take()) {
        if (atomic_load(&is_ending)) {
            setcontext(&self->host);
        }
        if (self->deadline != UINT64_MAX) {
            clock_pass_to(self->deadline);
        } else {
            futex(&self->pending, FUTEX_WAIT, 0);
        }
    }
}

void hal_cpu_poll(const _Atomic uint64_t *words, uint32_t count, hal_ns until)
{
    enum { TURNS = 20 }; // the clock stands still
    for (int turn = 0; turn < TURNS && !interrupt_take(); ++turn) {
        for (uint32_t i = 0; i < count; ++i) {
            if (atomic_load_explicit(&words[i], memory_order_relaxed) != 0) {
                return;
            }
        }
        sched_yield();
    }
}

// ---- Beginning and end ---------------------------------------------------

// Core's first call on this CPU, which leaves the host's stack for ever; returns at the end all the
// same.
static void cpu_run(struct host_cpu *self)
{
    volatile bool is_back = false;
    getcontext(&self->host);
    if (is_back) {
        return;
    }
    is_back = true;
    unit_irq_off_set(true);
    if (self == &cpus[0]) {
        const struct hal_boot facts = {.cpu_count = cpu_count};
        sched_start(&facts, first_thread, NULL);
    }
    hal_cpu_adopt(self->cpu);
    upcall_cpu(self->cpu);
}

static void *cpu_main(void *self)
{
    host_self = self;
    cpu_run(self);
    return NULL;
}

int hal_cpu_start(uint32_t index, struct cpu *cpu, char *stack, size_t size)
{
    (void)stack; // the host's thread has one
    (void)size;
    cpus[index].cpu = cpu;
    return -pthread_create(&cpus[index].thread, NULL, cpu_main, &cpus[index]);
}

void cpu_host_run(uint32_t count, void (*first)(void *))
{
    ck_assert_uint_le(count, HOST_CPU_MAX);
    cpu_count = count;
    first_thread = first;
    for (uint32_t i = 0; i < count; ++i) {
        cpus[i].deadline = UINT64_MAX;
    }
    host_self = &cpus[0];
    sched_adopt();
    memory_host_init(count);
    unit_irq_deliver = interrupts_deliver;
    cpu_run(&cpus[0]);
    for (uint32_t i = 1; i < count; ++i) {
        pthread_join(cpus[i].thread, NULL);
    }
    unit_irq_deliver = NULL;
}

void cpu_host_end(void)
{
    (void)hal_irq_save();
    atomic_store(&is_ending, true);
    for (uint32_t i = 0; i < cpu_count; ++i) {
        hal_cpu_kick(i);
    }
    setcontext(&self_get()->host);
    __builtin_unreachable();
}
