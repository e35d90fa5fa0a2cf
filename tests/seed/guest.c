// SPDX-License-Identifier: BSD-3-Clause
// guest.c: see guest.h. Compiled as the tests are: what it shares with them are points.
#include "guest.h"

#include <string.h>

#include "core/mem/frame.h"
#include "core/mem/frame_clear.h"
#include "core/mem/slab.h"
#include "core/sched/cpu.h"
#include "core/sched/sched.h"
#include "hal/upcall.h"
#include "seed.h"

enum { STACK_SIZE = 16384, ENTRY_STACK_PHYS = 1 };

struct guest {
    struct thread thread;
    void (*body)(void);
    _Alignas(16) char stack[STACK_SIZE];
};

static struct guest guests[GUEST_COUNT];
static _Alignas(16) char idle_stacks[SEED_CPU_COUNT][STACK_SIZE];
static _Alignas(CPU_LINE) char inboxes[SEED_CPU_COUNT][4 * CPU_LINE];
static _Atomic int flags[GUEST_COUNT];
static _Atomic unsigned freed;
static struct guest spare; // for one call of thread_create
static _Alignas(16) char spare_stack[THREAD_STACK_SIZE];
static bool spare_is_taken;

// What core/sched asks of core/mem: memory for one thread, and the end of any. Nobody uses its
// entry stack.

int frame_alloc(size_t count, unsigned flag, hal_phys *start)
{
    (void)count;
    (void)flag;
    *start = ENTRY_STACK_PHYS;
    return 0;
}

char *frame_address(hal_phys frame)
{
    (void)frame;
    return spare.stack;
}

// The one spare thread keeps its stacks.
void frame_free(hal_phys start, size_t count)
{
    (void)start;
    (void)count;
    seed_fail("a stack is freed");
}

bool frame_clear(void)
{
    return false;
}

hal_phys frame_of(const void *address)
{
    (void)address;
    return 0;
}

void *slab_alloc(struct slab *slab)
{
    (void)slab;
    if (spare_is_taken) {
        return NULL;
    }
    spare_is_taken = true;
    return &spare.thread;
}

void slab_free(struct slab *slab, void *object)
{
    (void)slab;
    seed_check(((struct thread *)object)->context.sp != NULL, "freed while it runs");
    ++freed;
}

static void guest_begin(void *argument)
{
    struct guest *guest = argument;
    sched_finish();
    hal_irq_restore(0);
    guest->body();
    seed_end();
    for (;;) {
        thread_park();
    }
}

static void cpu_reset(unsigned index)
{
    static struct cpu cpus[SEED_CPU_COUNT];
    struct cpu *cpu = sched_cpus[index] = &cpus[index];
    struct thread *idle = &cpu->idle_thread;
    memset(cpu, 0, sizeof *cpu);
    cpu->index = index;
    memset(inboxes[index], 0, sizeof inboxes[index]);
    inbox_init(cpu, inboxes[index]);
    cpu->poll.began_ns = hal_clock_ns();
    atomic_store(&cpu->answered, atomic_load(&quiescence_asked));
    cpu->timer_ns = UINT64_MAX;
    idle->context.self = idle;
    idle->stack = idle_stacks[index];
    idle->stack_size = STACK_SIZE;
    atomic_store(&idle->cpu, cpu);
    atomic_store(&idle->affinity[0], 1u << index);
    sched_idle_init(cpu);
}

void guest_reset(unsigned index, unsigned cpu, void (*body)(void))
{
    struct guest *guest = &guests[index];
    struct thread *thread = &guest->thread;
    memset(thread, 0, sizeof *thread);
    guest->body = body;
    thread->id = index + 1;
    thread->weight = DECAY_WEIGHT_ONE;
    thread->context.self = thread;
    hal_context_init(&thread->context, guest->stack, STACK_SIZE, guest_begin, guest);
    atomic_store(&thread->affinity[0], 3);
    atomic_store(&thread->cpu, sched_cpus[cpu]);
    struct inbox *inbox = sched_cpus[cpu]->inbox;
    thread->next = atomic_load(&inbox->queues[cpu]);
    atomic_store(&inbox->queues[cpu], thread);
    atomic_store(&inbox->posted, 1u << cpu);
    atomic_store(&flags[index], 0);
}

// As it is each time that it is free. Core keeps a list of all memory that ever was a thread's, to
// which it adds what is new to it: once.
static void spare_reset(void)
{
    static struct thread free_again;
    spare_is_taken = false;
    if (free_again.own_stack == NULL) {
        struct thread *thread;
        spare.thread.own_stack = spare_stack;
        seed_check(thread_create(&thread, &(struct thread_config){0}, NULL, NULL) == 0,
                   "no memory");
        thread_discard(thread);
        free_again = spare.thread;
        spare_is_taken = false;
    }
    spare.thread = free_again;
}

void guests_reset(void)
{
    sched_count = SEED_CPU_COUNT;
    sched_frame_hook_set(NULL);
    spare_reset();
    freed = 0;
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        cpu_reset(i);
        seed_cpu_set(i, sched_cpus[i]);
    }
}

void guests_poll(void)
{
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        struct poll *poll = &sched_cpus[i]->poll;
        poll->wake_ns = 2000; // some points
        poll->credit_ns = 2 * poll->wake_ns;
        poll->waits_ns[POLL_HALTS] = poll->credit_ns;
    }
}

void guest_cpu_run(void)
{
    upcall_cpu(hal_cpu_self());
}

struct thread *guest(unsigned index)
{
    return &guests[index].thread;
}

void guest_wait(unsigned index)
{
    while (atomic_load(&flags[index]) == 0) {
        thread_park();
    }
}

void guest_tell(unsigned index)
{
    atomic_store(&flags[index], 1);
    thread_wake(guest(index));
}

void guest_ping(void)
{
    guest_tell(1);
    guest_wait(0);
}

void guest_pong(void)
{
    guest_wait(1);
    guest_tell(0);
}

void guest_sleep_1(void)
{
    guest_wait(1);
}

void guest_sleep_2(void)
{
    guest_wait(2);
}

unsigned guests_freed(void)
{
    return freed;
}
