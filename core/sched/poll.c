// SPDX-License-Identifier: BSD-3-Clause
// poll.c: how long an idle CPU looks for work before it halts.
//
// To wake a halted CPU takes 20 to 100 us, for the waker's system call or interrupt and the way
// back from sleep; one that looks sees a wake in a tenth of a microsecond. So it is worth while to
// look for as long as that when work is likely to come. The rules:
//
// - A CPU expects to be idle for as long as it was on average: each time of being idle changes that
//   by an eighth of the difference, and counts as POLL_GAP_MAX_NS at most. One that a kick ended
//   counts up to the kick: how long it takes to wake up is not to be learned, or two CPUs that wait
//   for each other would go on halting for ever.
// - Where it expects POLL_GAP_NS or less it looks for twice that, and for POLL_WAKE_NS: as long as
//   the other CPU takes if that has to be woken first. Else one disturbance would have both halt in
//   turns for a while.
// - Where it expects more it does not look; but once in a while, when its credit is full, for
//   POLL_GAP_NS: what it expects may be wrong.
// - Looking in vain is paid from a credit, which grows by 1/POLL_SHARE of the time, up to
//   POLL_CREDIT_NS. It does not look for longer than it has credit, nor for less than
//   POLL_LEAST_NS.
//
// So, whatever happens, a CPU spends at most 1/64, 1.6 %, of its time looking in vain, and in any
// span POLL_CREDIT_NS more. Where nothing happens it looks once, and never again.
//
// The figures are of a process under Linux on a virtual machine, and fit others: guests of KVM look
// for up to 200 us.
#include "core/lib/mark.h"
#include "core/sched/cpu.h"

enum {
    POLL_GAP_NS = 50000,
    POLL_GAP_MAX_NS = 4 * POLL_GAP_NS,
    POLL_GAP_PARTS = 8,
    POLL_WAKE_NS = 25000,
    POLL_LEAST_NS = 2000,
    POLL_SHARE = 64,
    POLL_CREDIT_NS = 1000000,
};

void poll_init(struct cpu *cpu)
{
    cpu->poll = (struct poll){.credit_ns = POLL_CREDIT_NS};
}

// How long others let it idle, of the span that it did.
MARK_GUESS static hal_ns gap_of(struct cpu *cpu, hal_ns span)
{
    hal_ns gap = span;
    if (cpu->poll.state != POLL_CAUGHT) {
        hal_ns kicked = atomic_load_explicit(&cpu->inbox->kicked_ns, memory_order_relaxed);
        hal_ns began = cpu->poll.began_ns;
        gap = kicked > began && kicked - began < span ? kicked - began : span;
    }
    return gap < POLL_GAP_MAX_NS ? gap : POLL_GAP_MAX_NS;
}

// Nothing here asks for the time: now_ns is when the CPU became idle, and how long it was before is
// how long its idle thread ran.
void poll_begin(struct cpu *cpu)
{
    struct poll *poll = &cpu->poll;
    hal_ns idle = atomic_load_explicit(&cpu->idle_thread.runtime_ns, memory_order_relaxed);
    hal_ns span = idle - poll->idle_ns;
    poll->gap_ns += gap_of(cpu, span) / POLL_GAP_PARTS;
    poll->gap_ns -= poll->gap_ns / POLL_GAP_PARTS;
    if (poll->state == POLL_CAUGHT) {
        count_add(&cpu->counts.polled_ns, span);
    }
    hal_ns credit = poll->credit_ns + (cpu->now_ns - poll->began_ns) / POLL_SHARE;
    poll->credit_ns = credit < POLL_CREDIT_NS ? credit : POLL_CREDIT_NS;
    poll->idle_ns = idle;
    poll->began_ns = cpu->now_ns;
    poll->state = POLL_NONE;
}

static hal_ns poll_span(const struct poll *poll)
{
    hal_ns span = 2 * poll->gap_ns + POLL_WAKE_NS;
    if (poll->gap_ns > POLL_GAP_NS) {
        span = poll->credit_ns == POLL_CREDIT_NS ? POLL_GAP_NS : 0;
    }
    span = span < poll->credit_ns ? span : poll->credit_ns;
    return span < POLL_LEAST_NS ? 0 : span;
}

static void poll_fail(struct cpu *cpu)
{
    struct poll *poll = &cpu->poll;
    hal_ns spent = hal_clock_ns() - poll->began_ns;
    poll->credit_ns -= spent < poll->credit_ns ? spent : poll->credit_ns;
    count_add(&cpu->counts.polled_ns, spent);
    count_add(&cpu->counts.polled_vain_ns, spent);
    poll->state = POLL_FAILED;
}

bool poll_run(struct cpu *cpu)
{
    struct poll *poll = &cpu->poll;
    hal_ns span = poll_span(poll);
    if (span == 0 || poll->state == POLL_FAILED) {
        return false;
    }
    hal_ns end = poll->began_ns + span;
    count_add(&cpu->counts.polls, 1);
    uint64_t interrupts;
    do {
        interrupts = count_get(&cpu->counts.interrupts);
        if (inbox_poll(cpu, end) || runq_count(cpu) > 0) {
            MARK("poll: found work");
            poll->state = POLL_CAUGHT;
            return true;
        }
    } while (count_get(&cpu->counts.interrupts) != interrupts && hal_clock_ns() < end);
    MARK("poll: in vain");
    poll_fail(cpu);
    return false;
}
