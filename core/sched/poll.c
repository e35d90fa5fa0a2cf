// SPDX-License-Identifier: BSD-3-Clause
// poll.c: whether an idle CPU looks for work before it halts, and for how long.
//
// To wake a halted CPU takes 20 to 100 us, for the waker's system call or interrupt and the way
// back from sleep; one that looks sees a wake in a tenth of a microsecond. But one that looks may
// keep from running whoever would wake it, where the host has less CPUs than it shows, and wakes
// are quick there. So it is not assumed which is better, but measured. The rules:
//
// - A CPU knows how long it is idle, on average, where it halts at once, and where it looks first:
//   each time changes one of the two by an eighth of the difference, and counts as POLL_GAP_MAX_NS
//   at most; but adds no more than POLL_STEP_NS: one that was held up says nothing. What counts in
//   full is where it looked in vain: else many times when work is there at once would hide that.
// - It looks where that makes it idle for less, or for POLL_KICK_NS more, which it saves who would
//   have to wake it; and for POLL_GAP_NS or less: for twice as long, and
//   for POLL_WAKE_NS: as long as another CPU takes if that has to be woken first. Else one
//   disturbance would have both halt in turns for a while. Once in POLL_OTHER times it halts all
//   the same, to know what that is like by now.
// - Where halting is better it looks once in a while, when its credit is full, for POLL_GAP_NS: for
//   the same reason. As that is rare it counts for more, a quarter.
// - Looking in vain is paid from a credit, which grows by 1/POLL_SHARE of the time, up to
//   POLL_CREDIT_NS; looking only to know, in vain or not, POLL_TRIAL times. It does not look where
//   it has less credit than it would need: to look for less is mostly in vain.
//
// So, whatever happens, a CPU spends at most 1/16 of its time looking in vain, 1/128 where halting
// is better, and in any span POLL_CREDIT_NS more. Where nothing happens it looks once, and never
// again.
//
// The figures are of a process under Linux on a virtual machine, and fit others: guests of KVM look
// for up to 200 us.
#include "core/lib/mark.h"
#include "core/sched/cpu.h"

enum {
    POLL_GAP_NS = 50000,
    POLL_GAP_MAX_NS = 4 * POLL_GAP_NS,
    POLL_PARTS = 8,
    POLL_TRIAL_PARTS = 4,
    POLL_WAKE_NS = 25000,
    POLL_KICK_NS = 5000,
    POLL_STEP_NS = POLL_KICK_NS / 2,
    POLL_OTHER = 128,
    POLL_SHARE = 16,
    POLL_TRIAL = 8,
    POLL_CREDIT_NS = 1000000,
};

void poll_init(struct cpu *cpu)
{
    cpu->poll = (struct poll){.credit_ns = POLL_CREDIT_NS, .wake_ns = POLL_WAKE_NS};
}

static void wait_note(struct poll *poll, hal_ns span)
{
    const enum poll_way way = poll->state <= POLL_LEFT ? POLL_HALTS : POLL_LOOKS;
    const hal_ns parts = poll->is_trial && way == POLL_LOOKS ? POLL_TRIAL_PARTS : POLL_PARTS;
    hal_ns *wait = &poll->waits_ns[way];
    const hal_ns more = (span < POLL_GAP_MAX_NS ? span : POLL_GAP_MAX_NS) / parts;
    const hal_ns less = *wait / parts;
    const hal_ns most = poll->state == POLL_FAILED ? POLL_GAP_MAX_NS : less + POLL_STEP_NS;
    *wait += more < most ? more : most;
    *wait -= less;
}

static void credit_take(struct poll *poll, hal_ns price)
{
    poll->credit_ns -= price < poll->credit_ns ? price : poll->credit_ns;
}

// Nothing here asks for the time: now_ns is when the CPU became idle, and how long it was before is
// how long its idle thread ran.
void poll_begin(struct cpu *cpu)
{
    struct poll *poll = &cpu->poll;
    hal_ns idle = atomic_load_explicit(&cpu->idle_thread.runtime_ns, memory_order_relaxed);
    hal_ns span = idle - poll->idle_ns;
    wait_note(poll, span);
    if (poll->state == POLL_CAUGHT) {
        count_add(&cpu->counts.polled_ns, span);
        credit_take(poll, poll->is_trial ? POLL_TRIAL * span : 0);
    }
    hal_ns credit = poll->credit_ns + (cpu->now_ns - poll->began_ns) / POLL_SHARE;
    poll->credit_ns = credit < POLL_CREDIT_NS ? credit : POLL_CREDIT_NS;
    poll->idle_ns = idle;
    poll->began_ns = cpu->now_ns;
    poll->state = POLL_NONE;
}

// How long it is to look; 0: not at all.
static hal_ns poll_span(struct poll *poll)
{
    const hal_ns looks = poll->waits_ns[POLL_LOOKS];
    const hal_ns halts = poll->waits_ns[POLL_HALTS] + POLL_KICK_NS;
    poll->is_trial = looks >= halts || looks > POLL_GAP_NS;
    if (poll->is_trial) {
        return poll->credit_ns == POLL_CREDIT_NS ? POLL_GAP_NS : 0;
    }
    ++poll->turns;
    const hal_ns span = 2 * looks + poll->wake_ns;
    return poll->turns % POLL_OTHER == 0 || span > poll->credit_ns ? 0 : span;
}

static void poll_fail(struct cpu *cpu)
{
    struct poll *poll = &cpu->poll;
    hal_ns spent = hal_clock_ns() - poll->began_ns;
    credit_take(poll, poll->is_trial ? POLL_TRIAL * spent : spent);
    count_add(&cpu->counts.polled_ns, spent);
    count_add(&cpu->counts.polled_vain_ns, spent);
    poll->state = POLL_FAILED;
}

bool poll_run(struct cpu *cpu)
{
    struct poll *poll = &cpu->poll;
    hal_ns span = poll->state == POLL_NONE ? poll_span(poll) : 0;
    if (span == 0) {
        poll->state = poll->state == POLL_NONE ? POLL_LEFT : poll->state;
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
