// SPDX-License-Identifier: BSD-3-Clause
// turn.c: vCPUs as coroutines: start, idle, and who goes on; the inline half of the contract.
//
// A coroutine stays with its vCPU: whatever contexts core switches on it, turn_switch comes back to
// the vCPU that it left. So the vCPU is the same before and after turn_to; it may be another after
// an interrupt, as everywhere.
#include <errno.h>

#include "hal-linux/entry.h"
#include "hal-linux/halt.h"
#include "hal-linux/irq.h"
#include "hal-linux/machine.h"
#include "hal-linux/seed/seed.h"
#include "hal-linux/seed/tape.h"
#include "hal-linux/thread.h"
#include "hal/upcall.h"

#define PLACE __builtin_return_address(0)

struct turn_cpu turn_cpus[HAL_CPU_MAX];

static uint64_t turn_began; // point_count at the start of this turn
static bool is_deadlock;    // it has been said

// In switch_x86_64.S.
void turn_switch(void **from, void *to, struct vcpu *vcpu);

static uint32_t index_self(void)
{
    return vcpu_self()->index;
}

static bool is_any_set(const struct turn_cpu *cpu)
{
    for (uint32_t i = 0; i < cpu->word_count; ++i) {
        if (atomic_load(&cpu->words[i]) != 0) {
            return true;
        }
    }
    return false;
}

// Of one that waits.
static bool is_awaited(uint32_t index)
{
    const struct turn_cpu *cpu = &turn_cpus[index];
    return atomic_load(&vcpus[index].pending) != 0 || cpu->polls_until <= point_now ||
           is_any_set(cpu);
}

static bool is_able(uint32_t index)
{
    const struct turn_cpu *cpu = &turn_cpus[index];
    return cpu->is_started && cpu->stands_until <= point_now &&
           (!cpu->is_waiting || is_awaited(index));
}

uint64_t turn_points(void)
{
    return turn_cpus[index_self()].points + point_count - turn_began;
}

// The list is not on the stack: it may be an application's.
static uint32_t choose(enum turn_reason reason, bool is_change, const void *place)
{
    const uint32_t running = index_self();
    static uint32_t able[HAL_CPU_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < vcpu_count; ++i) {
        if (is_able(i)) {
            able[count++] = i;
        }
    }
    uint32_t chosen = count == 0     ? running
                      : tape_replays ? tape_choose(able, count, running, reason)
                                     : choice_make(able, count, running, is_change);
    if (tape_is_on && count > 0) {
        tape_note(able, count, running, reason, chosen, place);
    }
    return chosen;
}

static void turn_to(uint32_t index)
{
    uint32_t running = index_self();
    if (index != running) {
        point_note(index);
        turn_cpus[running].points += point_count - turn_began;
        turn_began = point_count;
        if (tape_is_on) {
            tape_turn_begin(index);
            point_next = 0; // the tape's next place is that vCPU's
        }
        turn_switch(&turn_cpus[running].sp, turn_cpus[index].sp, &vcpus[index]);
    }
}

// Nobody can ever go on again. Core prints its threads; when it has, that was all.
static void deadlock(void)
{
    static const char text[] = "osv-sim: deadlock: no thread can ever go on\n";
    if (is_deadlock) {
        hal_halt(HAL_CRASH, 128 + SIGABRT);
    }
    is_deadlock = true;
    hal_console_write(text, sizeof text - 1);
    vcpu_raise_notice(HAL_NOTICE_QUIT);
}

bool turn_is_deadlock(void)
{
    return is_deadlock;
}

bool turn_is_any_able(void)
{
    for (uint32_t i = 0; i < vcpu_count; ++i) {
        if (is_able(i)) {
            return true;
        }
    }
    return false;
}

// To some vCPU that can go on. The caller's cannot, until something is pending there or it stands
// still no longer. Masked.
static void give_way(void)
{
    (void)point_events_take();
    while (!turn_is_any_able()) {
        if (!point_jump() && !job_wait_late()) {
            deadlock();
        }
        (void)point_events_take();
    }
    turn_to(choose(TURN_WAIT, false, NULL));
}

void turn_choose(enum turn_reason reason, bool is_change, const void *place)
{
    if (is_able(index_self())) {
        turn_to(choose(reason, is_change, place));
    } else {
        give_way();
    }
}

static void await(uint32_t index)
{
    turn_cpus[index].is_waiting = true;
    while (!is_awaited(index)) {
        give_way();
    }
    turn_cpus[index].is_waiting = false;
    irq_deliver(NULL);
    point_next_update();
}

void hal_cpu_idle(void)
{
    point_at(PLACE);
    await(index_self());
}

// No turns are spent on looking: the vCPU can go on from when there is something to be seen, and
// does when it is chosen.
void hal_cpu_poll(const _Atomic uint64_t *words, uint32_t count, hal_ns until)
{
    point_at(PLACE);
    struct turn_cpu *cpu = &turn_cpus[index_self()];
    cpu->words = words;
    cpu->word_count = count;
    cpu->polls_until = until;
    await(index_self());
    cpu->word_count = 0;
    cpu->polls_until = UINT64_MAX;
}

// ---- Start -----------------------------------------------------------------------

static void start(void *arg)
{
    upcall_cpu(((struct vcpu *)arg)->cpu);
}

int hal_cpu_start(uint32_t index, struct cpu *cpu, char *stack, size_t size)
{
    if (index == 0 || index >= vcpu_count) {
        return -ENODEV;
    }
    struct hal_context context = {.sp = NULL};
    hal_context_init(&context, stack, size, start, &vcpus[index]);
    vcpus[index].cpu = cpu;
    turn_cpus[index].sp = context.sp;
    turn_cpus[index].is_started = true;
    witness_cpu_begin(index);
    return 0;
}

static const struct hal_boot *facts;

static void carry(struct vcpu *vcpu)
{
    turn_cpus[vcpu->index].is_started = true;
    trap_begin();
    thread_guest_begin();
    upcall_boot(facts);
}

int machine_start(const struct hal_boot *boot)
{
    facts = boot;
    for (uint32_t i = 0; i < boot->cpu_count; ++i) {
        turn_cpus[i].fires_at = UINT64_MAX;
        turn_cpus[i].polls_until = UINT64_MAX;
    }
    return thread_carry(&vcpus[0], carry);
}

// ---- The inline half ---------------------------------------------------------------

struct cpu *seed_cpu_self(void)
{
    return hal_cpu_self();
}

void *seed_self(void)
{
    return hal_self();
}

// Whoever spins waits for another; while points are held, for nobody.
void seed_relax(void)
{
    if (point_is_held()) {
        return;
    }
    point_spin(PLACE);
}

// Instrumented code needs more of the stack than the code that HAL_STACK_PROBE was measured on.
uintptr_t seed_irq_save(void)
{
    point_at(PLACE);
    point_stack_probe();
    return hal_irq_save();
}

void seed_irq_restore(uintptr_t state)
{
    if (state == 0) {
        struct vcpu *vcpu = vcpu_self();
        atomic_store_explicit(&vcpu->masked, 0, memory_order_relaxed);
        if (atomic_load_explicit(&vcpu->pending, memory_order_relaxed) != 0) {
            point_next = 0;
        }
        point_at(PLACE);
    }
}

bool seed_irq_enabled(void)
{
    return hal_irq_enabled();
}
