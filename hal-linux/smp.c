// SPDX-License-Identifier: BSD-3-Clause
// smp.c: vCPUs as host threads: start, raise, idle.
//
// The protocol between vcpu_raise and hal_cpu_idle is one word, pending. The idler swings it from 0
// to VCPU_IDLE and waits while it is that; hal_cpu_poll swings it to VCPU_SPIN and looks. Whoever
// raises a cause learns, in the same atomic operation, how to make the vCPU look: by futex
// (VCPU_IDLE was set), by signal (nothing was set), or not at all (VCPU_SPIN: it is looking;
// another cause: whoever raised that one makes it look).
//
// The last case is sound because a vCPU never goes on with a cause pending: it takes one off at a
// time, only to deliver it, and looks at the whole word before it idles or goes on unmasked.
//
// A vCPU with a source (vcpu.h) waits for that in place of the futex, as one that runs: by signal.
#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "hal-linux/clock.h"
#include "hal-linux/dev/job.h"
#include "hal-linux/halt.h"
#include "hal-linux/irq.h"
#include "hal-linux/machine.h"
#include "hal-linux/syscall.h"
#include "hal-linux/thread.h"
#include "hal/upcall.h"

enum { POLL_TURNS = 16 }; // looks at memory for each look at the clock

static _Atomic uint32_t vcpu_busy_count = 1; // vCPUs started that do not wait in the host

int hal_cpu_start(uint32_t index, struct cpu *cpu, char *stack, size_t size)
{
    if (index == 0 || index >= vcpu_count) {
        return -ENODEV;
    }
    struct vcpu *vcpu = &vcpus[index];
    vcpu->cpu = cpu;
    vcpu->start_stack = stack;
    vcpu->start_stack_size = size;
    atomic_fetch_add_explicit(&vcpu_busy_count, 1, memory_order_relaxed);
    atomic_store_explicit(&vcpu->started, 1, memory_order_release); // pairs with carry
    syscall3(SYS_futex, (long)&vcpu->started, FUTEX_WAKE_PRIVATE, 1);
    return 0;
}

// Masked: a caller that is preempted between the two steps would hold up everybody else's causes.
void vcpu_raise(struct vcpu *vcpu, uint32_t causes)
{
    uintptr_t state = hal_irq_save();
    uint32_t before = atomic_fetch_or(&vcpu->pending, causes);
    if (!(before & (VCPU_CAUSES | VCPU_SPIN)) && vcpu != vcpu_self()) {
        // A vCPU without a thread yet looks when it first turns interrupts on. Its store of tid and
        // its look at pending, and our two accesses here, are all sequentially consistent: one side
        // sees the other.
        int tid = atomic_load(&vcpu->tid);
        if (before & VCPU_IDLE) {
            syscall3(SYS_futex, (long)&vcpu->pending, FUTEX_WAKE_PRIVATE, 1);
        } else if (tid != 0 && syscall3(SYS_tgkill, vcpu_pid, tid, VCPU_SIGNAL) != 0) {
            halt_fatal("tgkill failed", tid);
        }
    }
    hal_irq_restore(state);
}

// Whether a vCPU that looks takes a host CPU from one that has work.
static bool is_crowded(void)
{
    return atomic_load_explicit(&vcpu_busy_count, memory_order_relaxed) > vcpu_host_count;
}

static bool is_any_set(const _Atomic uint64_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        if (atomic_load_explicit(&words[i], memory_order_relaxed) != 0) {
            return true;
        }
    }
    return false;
}

// True where there is something to do, after some looks.
static bool poll_turns(const struct vcpu *vcpu, const _Atomic uint64_t *words, uint32_t count)
{
    for (int i = 0; i < POLL_TURNS; ++i) {
        if (is_any_set(words, count) ||
            atomic_load_explicit(&vcpu->pending, memory_order_relaxed) != VCPU_SPIN) {
            return true;
        }
        hal_cpu_relax();
    }
    return false;
}

// Its source, where it has one that nobody else looks after. Then: vcpu_source->leave.
static struct vcpu_source *source_enter(const struct vcpu *vcpu)
{
    struct vcpu_source *source = atomic_load_explicit(&vcpu->source, memory_order_acquire);
    return source != NULL && source->enter(source) ? source : NULL;
}

// What raises a line while it looks ends the turns.
static bool poll_until(const struct vcpu *vcpu, const _Atomic uint64_t *words, uint32_t count,
                       hal_ns end)
{
    struct vcpu_source *source = source_enter(vcpu);
    bool is_over = false;
    while (!is_over && !poll_turns(vcpu, words, count)) {
        if (source != NULL) {
            source->look(source);
        }
        is_over = is_crowded() || hal_clock_ns() >= end;
    }
    if (source != NULL) {
        source->leave(source);
    }
    return is_over;
}

// The deadline of this vCPU is looked at, too: the host's signal for it comes later than we see it.
void hal_cpu_poll(const _Atomic uint64_t *words, uint32_t count, hal_ns until)
{
    struct vcpu *vcpu = vcpu_self();
    uint32_t none = 0;
    if (!is_crowded() && atomic_compare_exchange_strong(&vcpu->pending, &none, VCPU_SPIN)) {
        hal_ns deadline = atomic_load_explicit(&vcpu->deadline, memory_order_relaxed);
        hal_ns end = until < deadline ? until : deadline;
        if (poll_until(vcpu, words, count, end)) {
            clock_timer_check(vcpu);
        }
        atomic_fetch_and(&vcpu->pending, ~(uint32_t)VCPU_SPIN);
    }
    irq_deliver(NULL);
}

// False: it has no source that it could wait for now.
static bool source_wait(struct vcpu *vcpu)
{
    struct vcpu_source *source = source_enter(vcpu);
    bool has_waited = false;
    if (source != NULL) {
        has_waited = source->wait(source);
        source->leave(source);
    }
    return has_waited;
}

// The host thread waits while the word is VCPU_IDLE; the deadline is the wait's own timeout.
static void word_wait(struct vcpu *vcpu)
{
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&vcpu->pending, &none, VCPU_IDLE)) {
        return;
    }
    hal_ns deadline = atomic_load_explicit(&vcpu->deadline, memory_order_relaxed);
    struct timespec time = clock_host_time(deadline);
    syscall6(SYS_futex, (long)&vcpu->pending, FUTEX_WAIT_BITSET_PRIVATE, VCPU_IDLE,
             deadline == UINT64_MAX ? 0 : (long)&time, 0, FUTEX_BITSET_MATCH_ANY);
    clock_timer_check(vcpu);
    atomic_fetch_and(&vcpu->pending, ~(uint32_t)VCPU_IDLE);
}

static void vcpu_wait(struct vcpu *vcpu)
{
    if (atomic_load(&vcpu->pending) != 0) {
        return;
    }
    atomic_fetch_sub_explicit(&vcpu_busy_count, 1, memory_order_relaxed);
    while (atomic_load(&vcpu->pending) == 0) {
        if (!source_wait(vcpu)) {
            word_wait(vcpu);
        }
    }
    atomic_fetch_add_explicit(&vcpu_busy_count, 1, memory_order_relaxed);
}

void hal_cpu_idle(void)
{
    vcpu_wait(vcpu_self());
    irq_deliver(NULL);
}

static void start(void *arg)
{
    upcall_cpu(((struct vcpu *)arg)->cpu);
}

static const struct hal_boot *facts;

// A host thread's life. From here on no host libc.
static void carry(struct vcpu *vcpu)
{
    int failure = clock_timer_init(vcpu);
    if (failure != 0) {
        halt_fatal("timer_create failed", -failure);
    }
    while (atomic_load_explicit(&vcpu->started, memory_order_acquire) == 0) {
        syscall4(SYS_futex, (long)&vcpu->started, FUTEX_WAIT_PRIVATE, 0, 0);
    }
    thread_guest_begin();
    if (vcpu->index == 0) {
        upcall_boot(facts);
    }
    struct hal_context context = {.sp = NULL};
    hal_context_init(&context, vcpu->start_stack, vcpu->start_stack_size, start, vcpu);
    hal_context_switch(&vcpu->boot, &context);
    __builtin_unreachable();
}

// vCPU 0 starts as soon as its thread is there; the other threads come up meanwhile.
int machine_start(const struct hal_boot *boot)
{
    int failure = 0;
    facts = boot;
    for (uint32_t i = 0; i < boot->cpu_count && failure == 0; ++i) {
        failure = thread_carry(&vcpus[i], carry);
    }
    return failure;
}

void worker_submit(struct worker_job *job)
{
    job_queue(job);
}
