// SPDX-License-Identifier: BSD-3-Clause
// inbox.c: threads on their way to another CPU's run queue: N x N wake queues, and who kicks.
//
// Each CPU has for each other one a queue, and a mask of those that have posted. Only the poster
// makes a queue other than empty, only the owner empties it. So a post to an empty queue is a store
// and a bit in the mask; it kicks if it is the first bit, for the owner takes all that is in the
// mask at once, and not if the owner looks at the mask by itself. A post to a queue that is not
// empty is an exchange there and no more: what was posted before it has set the bit, and whoever
// takes that takes this. No loop, no retry, no memory but for the queues: a burst of wakes costs
// one kick.
//
// The mask is one word, so that the owner's look at it, which each switch has, is one load: CPUs 0,
// 64, 128 ... share a bit, and who takes a bit looks at the queues of all of them.
//
// With up to 13 CPUs mask and queues are in one pair of cache lines, so that the wake that travels
// from CPU to CPU travels once.
//
// Invariant: where a queue is not empty its bit is set, or about to be by its poster. is_polled is
// true from when the idle thread is chosen; an owner that halts, or chooses another, has looked at
// the mask after it took that back.
#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/sched/cpu.h"

enum { WORD_BITS = 64 };

size_t inbox_size(uint32_t cpus)
{
    size_t size = sizeof(struct inbox) + cpus * sizeof(_Atomic(struct thread *));
    return (size + CPU_LINE - 1) / CPU_LINE * CPU_LINE;
}

void inbox_init(struct cpu *cpu, void *memory)
{
    ASSERT((uintptr_t)memory % CPU_LINE == 0);
    cpu->inbox = memory;
}

static uint32_t word_count(void)
{
    return (sched_count + WORD_BITS - 1) / WORD_BITS;
}

// True: the queue was not empty, so its owner is to take it anyway.
static bool queue_push(_Atomic(struct thread *) *queue, struct thread *thread)
{
    struct thread *head = atomic_load_explicit(queue, memory_order_relaxed);
    thread->next = head;
    if (head != NULL && atomic_compare_exchange_strong(queue, &head, thread)) { // with queue_take
        return true;
    }
    thread->next = NULL;
    atomic_store_explicit(queue, thread, memory_order_release); // the bit publishes it
    return false;
}

static void kick(struct cpu *cpu, uint32_t index)
{
    if (cpu->is_batching) {
        MARK("inbox: a kick is put off");
        cpu->owed[index / WORD_BITS] |= 1ul << index % WORD_BITS;
    } else {
        cpu_kick(index);
    }
}

// thread is the target's from the push on: not even its next is ours to read.
bool inbox_post(struct cpu *target, struct thread *thread)
{
    struct inbox *inbox = target->inbox;
    uint32_t self = hal_cpu_self()->index;
    if (queue_push(&inbox->queues[self], thread)) {
        MARK("inbox: a post rides on an earlier one");
        return false;
    }
    uint64_t bit = 1ul << self % WORD_BITS;
    uint64_t posted = atomic_fetch_or(&inbox->posted, bit); // with inbox_take
    if (posted != 0) {
        MARK("inbox: a post rides on another CPU's kick");
    } else if (atomic_load(&inbox->is_polled)) { // after the bit; inbox_unwatch: the other way
        MARK("inbox: its owner looks");
        count_add(&hal_cpu_self()->counts.unkicked, 1);
    } else {
        kick(hal_cpu_self(), target->index);
        return true;
    }
    return false;
}

uintptr_t thread_batch_begin(void)
{
    uintptr_t irq = hal_irq_save();
    struct cpu *cpu = hal_cpu_self();
    ASSERT(!cpu->is_batching);
    cpu->is_batching = true;
    return irq;
}

// Who posted to the same CPU meanwhile relied on our kick, and waits as long as those that we woke.
void thread_batch_end(uintptr_t irq)
{
    struct cpu *cpu = hal_cpu_self();
    ASSERT(cpu->is_batching);
    cpu->is_batching = false;
    for (uint32_t i = 0; i < word_count(); ++i) {
        uint64_t owed = cpu->owed[i];
        cpu->owed[i] = 0;
        while (owed != 0) {
            cpu_kick(i * WORD_BITS + (uint32_t)__builtin_ctzl(owed));
            owed &= owed - 1;
        }
    }
    hal_irq_restore(irq);
}

static void thread_take(struct cpu *cpu, struct thread *thread)
{
    // current, which is on its way out, cannot be sent off: its registers are not saved yet.
    if (thread == cpu->current) {
        MARK("inbox: one that is still parking");
        runq_insert(cpu, thread);
    } else if (cpu_is_allowed(thread, cpu)) {
        runq_insert(cpu, thread);
    } else {
        MARK("inbox: one that must not run here");
        thread_depart(cpu, thread, cpu_allowed(thread, cpu));
    }
}

// In the order in which they came.
static void queue_take(struct cpu *cpu, _Atomic(struct thread *) *queue)
{
    struct thread *thread = atomic_exchange(queue, NULL);
    struct thread *oldest = NULL;
    while (thread != NULL) {
        struct thread *older = thread->next;
        thread->next = oldest;
        oldest = thread;
        thread = older;
    }
    while (oldest != NULL) {
        struct thread *newer = oldest->next;
        thread_take(cpu, oldest);
        oldest = newer;
    }
}

void inbox_take(struct cpu *cpu)
{
    struct inbox *inbox = cpu->inbox;
    uint64_t posted = atomic_exchange(&inbox->posted, 0); // before the queues are emptied
    while (posted != 0) {
        uint32_t first = (uint32_t)__builtin_ctzl(posted);
        for (uint32_t i = first; i < sched_count; i += WORD_BITS) {
            queue_take(cpu, &inbox->queues[i]);
        }
        posted &= posted - 1;
    }
}

bool inbox_poll(struct cpu *cpu, hal_ns until)
{
    hal_cpu_poll(&cpu->inbox->posted, 1, until);
    return !inbox_is_empty(cpu);
}

bool inbox_unwatch(struct cpu *cpu)
{
    atomic_store_explicit(&cpu->inbox->is_polled, false, memory_order_relaxed);
    // Either a look behind this finds the bit, or inbox_post finds that nobody polls.
    atomic_thread_fence(memory_order_seq_cst);
    return inbox_is_empty(cpu);
}
