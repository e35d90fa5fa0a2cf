// SPDX-License-Identifier: BSD-3-Clause
// point.c: points, and what happens at them.
//
// A point costs an addition, a multiplication and a comparison until point_next is reached. Whoever
// brings something forward (a timer, a cause, interrupts on with a cause pending) calls
// point_next_update; what is later than point_next may be left there.
#include "hal-linux/clock.h"
#include "hal-linux/irq.h"
#include "hal-linux/seed/access.h"
#include "hal-linux/seed/mark.h"
#include "hal-linux/seed/seed.h"
#include "hal-linux/seed/tape.h"
#include "hal-linux/syscall.h"
#include "hal-x86_64/isa/isa.h"

enum { CAUSE_DELAY_NS = 20000, TIMER_JITTER_NS = 5000, FRAME_WORDS = 24, SLOW_STACK = 1024 };

hal_ns point_now;
hal_ns point_next;
uint64_t point_hash;
uint64_t point_count;

static struct random delays;
static hal_ns choice_at;
static _Atomic bool is_spoilt;
static bool is_held;
static bool is_spin; // the next point is one

_Static_assert(sizeof(struct hal_frame) == FRAME_WORDS * sizeof(uint64_t), "frame_clear");

// In switch_x86_64.S.
void turn_interrupt(struct hal_frame *frame);

void point_init(const struct seed_options *options)
{
    delays = random_stream(options->seed, 1);
    point_hash = options->seed;
    point_now = 0;
    choice_init(options);
    choice_at = choice_gap();
    point_next = 0;
}

void point_note(uint64_t word)
{
    point_hash = random_mix(point_hash ^ word);
}

void point_spoil(const char *why)
{
    static const char text[] = "osv-sim: this run cannot be repeated: ";
    size_t size = 0;
    while (why[size] != 0) {
        ++size;
    }
    if (!is_spoilt) {
        hal_console_write(text, sizeof text - 1);
        hal_console_write(why, size);
        hal_console_write("\n", 1);
    }
    is_spoilt = true;
}

bool point_is_spoilt(void)
{
    return atomic_load_explicit(&is_spoilt, memory_order_relaxed);
}

// ---- What happens when ---------------------------------------------------------

static void earlier(hal_ns *next, hal_ns time)
{
    *next = time < *next ? time : *next;
}

static hal_ns events_next(void)
{
    hal_ns next = job_due();
    earlier(&next, link_due());
    for (uint32_t i = 0; i < vcpu_count; ++i) {
        earlier(&next, turn_cpus[i].coming != 0 ? turn_cpus[i].coming_at : UINT64_MAX);
        earlier(&next, turn_cpus[i].fires_at);
        hal_ns polls_until = turn_cpus[i].polls_until;
        earlier(&next, polls_until > point_now ? polls_until : UINT64_MAX);
        hal_ns until = turn_cpus[i].stands_until;
        earlier(&next, until > point_now ? until : UINT64_MAX);
    }
    return next;
}

void point_next_update(void)
{
    bool is_due = vcpu_self()->masked == 0 && vcpu_self()->pending != 0;
    point_next = is_due ? 0 : events_next();
    earlier(&point_next, choice_at);
    if (tape_is_on) {
        earlier(&point_next, tape_next());
    }
}

static bool cpu_take(uint32_t index)
{
    struct turn_cpu *cpu = &turn_cpus[index];
    uint32_t causes = 0;
    if (cpu->coming != 0 && cpu->coming_at <= point_now) {
        causes = cpu->coming;
        cpu->coming = 0;
    }
    if (cpu->fires_at <= point_now) {
        cpu->fires_at = UINT64_MAX;
        causes |= VCPU_TIMER;
    }
    if (causes != 0) {
        point_note((uint64_t)index << 32 | causes);
        atomic_fetch_or(&vcpus[index].pending, causes);
    }
    return causes != 0;
}

bool point_events_take(void)
{
    bool is_any = false;
    job_take_arrived();
    job_run_due();
    link_run_due();
    for (uint32_t i = 0; i < vcpu_count; ++i) {
        is_any = cpu_take(i) || is_any;
    }
    return is_any;
}

bool point_jump(void)
{
    hal_ns next = events_next();
    if (next == UINT64_MAX) {
        return false;
    }
    point_now = next > point_now ? next : point_now;
    return true;
}

// ---- Points --------------------------------------------------------------------

struct hal_frame *point_frame(uintptr_t ip, uintptr_t sp)
{
    struct hal_frame *frame = irq_frame_place(vcpu_self(), ip, sp);
    for (int i = 0; i < FRAME_WORDS; ++i) {
        ((uint64_t *)frame)[i] = 0;
    }
    return frame;
}

static void interrupt(void)
{
    atomic_store_explicit(&vcpu_self()->masked, 1, memory_order_relaxed);
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0) - HAL_STACK_PROBE;
    turn_interrupt(point_frame((uintptr_t)__builtin_return_address(0), sp));
}

// Masked while it works, so that the watchdog's signal leaves it alone. An interrupt in an
// application is application_x86_64.S's to deliver. Whether it is called where nothing is due makes
// no difference to the run.
static void point_slow(const void *place)
{
    struct vcpu *vcpu = vcpu_self();
    uint32_t masked = atomic_load_explicit(&vcpu->masked, memory_order_relaxed);
    atomic_store_explicit(&vcpu->masked, 1, memory_order_relaxed);
    const enum turn_reason reason = is_spin ? TURN_SPIN : TURN_POINT;
    bool is_change = is_spin || choice_at <= point_now;
    is_spin = false;
    if (tape_is_on) {
        tape_check();
    }
    bool is_event = point_events_take() && choice_wants_events();
    hal_ns stall = 0;
    if (choice_at <= point_now) {
        choice_at = point_now + choice_gap();
        stall = inject_stall();
    }
    if (tape_is_on) {
        is_change = tape_look(is_change || is_event, &stall) || is_change;
    }
    turn_cpus[vcpu->index].stands_until = point_now + stall;
    if (is_change || is_event) {
        turn_choose(reason, is_change, place);
    }
    atomic_store_explicit(&vcpu->masked, masked, memory_order_relaxed);
    bool is_due = masked == 0 && atomic_load_explicit(&vcpu->pending, memory_order_relaxed) != 0;
    if (is_due && !application_is_place(place)) {
        interrupt();
    }
    point_next_update();
}

// Touches the stack that point_slow uses, so that pages of it come at the same points whether that
// is called or not.
static inline void slow_probe(void)
{
    __asm__ volatile("testb $0, -%c0(%%rsp)" : : "i"(SLOW_STACK) : "memory", "cc");
}

void point_at(const void *place)
{
    point_hash = (point_hash ^ (uintptr_t)place) * 0x9e3779b97f4a7c15u;
    point_hash ^= point_hash >> 32;
    point_now += POINT_NS;
    ++point_count;
    slow_probe();
    if (__builtin_expect(point_now >= point_next, 0)) {
        point_slow(place);
    }
}

void point_spin(const void *place)
{
    is_spin = choice_at_spin();
    point_now += POINT_NS;
    point_next = is_spin ? 0 : point_next;
    point_at(place);
}

void seed_access(const volatile void *address, size_t size, bool writes, const void *place)
{
    point_at(place);
    if (meet_is_on && !is_held) {
        meet_access(address, place);
    }
    if (witness_is_on) {
        witness_access(address, size, writes, place);
    }
}

void seed_atomic(const volatile void *address, size_t size, bool reads, bool writes, int order,
                 const void *place)
{
    if (!is_held) {
        earlier(&choice_at, choice_at_atomic(address, vcpu_self()->index));
        earlier(&point_next, choice_at);
    }
    point_at(place);
    if (meet_is_on && !is_held) {
        meet_access(address, place);
    }
    if (witness_is_on) {
        witness_atomic(address, size, reads, writes, order, place);
    }
}

void seed_fence(int order)
{
    if (witness_is_on) {
        witness_fence(order);
    }
}

bool point_is_held(void)
{
    return is_held;
}

// Nothing is due meanwhile, and what point_at changes is put back.
void point_hold(void (*function)(void))
{
    hal_ns now = point_now, next = point_next;
    uint64_t hash = point_hash, count = point_count;
    is_held = true;
    point_next = UINT64_MAX;
    function();
    is_held = false;
    point_now = now;
    point_next = next;
    point_hash = hash;
    point_count = count;
}

void seed_mark(const char *name)
{
    (void)name;
}

// What an application does by memcpy and the like is followed if its own accesses are: of others it
// is not seen what orders them.
void seed_mark_access(const void *start, unsigned long size, int writes, const void *caller)
{
    const void *place = __builtin_return_address(0);
    point_at(place);
    if (witness_is_on && (!application_is_place(caller) || witness_has_applications)) {
        witness_access(start, size, writes != 0, place);
    }
}

void seed_mark_allocated(const void *block, unsigned long size)
{
    if (block != NULL) {
        locks_forget(block, size);
    }
    if (witness_is_on && block != NULL) {
        witness_allocated(block, size);
    }
}

void seed_mark_freed(const void *block)
{
    if (witness_is_on) {
        witness_freed(block);
    }
}

void seed_mark_made(const void *object, unsigned long size)
{
    locks_forget(object, size);
    machine_memory_renew(object, size);
}

// ---- Causes, timers, the clock ---------------------------------------------------

void vcpu_raise(struct vcpu *vcpu, uint32_t causes)
{
    if (vcpu_self()->index == VCPU_HOSTED) {
        job_raise(vcpu->index, causes);
        return;
    }
    uintptr_t state = hal_irq_save();
    struct turn_cpu *cpu = &turn_cpus[vcpu->index];
    // A kick of its own is there at once, as on the other machines.
    bool is_own = vcpu == vcpu_self() && causes == VCPU_KICK;
    hal_ns at = point_now + (is_own ? 0 : random_below(&delays, CAUSE_DELAY_NS));
    cpu->coming_at = cpu->coming != 0 && cpu->coming_at < at ? cpu->coming_at : at;
    cpu->coming |= causes;
    earlier(&point_next, cpu->coming_at);
    hal_irq_restore(state);
}

void hal_timer_set(hal_ns deadline)
{
    uintptr_t state = hal_irq_save();
    struct vcpu *vcpu = vcpu_self();
    hal_ns fires = deadline < point_now ? point_now : deadline;
    atomic_fetch_and(&vcpu->pending, ~(uint32_t)VCPU_TIMER);
    if (deadline != UINT64_MAX && fires < UINT64_MAX - TIMER_JITTER_NS) {
        fires += random_below(&delays, TIMER_JITTER_NS);
    }
    turn_cpus[vcpu->index].fires_at = fires;
    earlier(&point_next, fires);
    hal_irq_restore(state);
}

hal_ns hal_clock_ns(void)
{
    point_at(__builtin_return_address(0));
    return point_now;
}

// No real time is in it, or a run could not be repeated. Later than any file of the host is likely
// to be, for programs such as make that do not like files from the future.
hal_ns hal_clock_wall_ns(void)
{
    return SEED_START_S * 1000000000ul + hal_clock_ns() + (uint64_t)inject_clock_step();
}

void clock_init(int (*vdso)(int clock, struct timespec *time))
{
    (void)vdso;
}

int clock_watch(void)
{
    return -1; // who steps this clock says so: inject.c
}

// The watchdog's signal, in the handler: the program has not called the kernel for a second. Some
// time passes, and an interrupt that means nothing lets others go on.
void clock_timer_check(struct vcpu *vcpu)
{
    if (watch_take() && atomic_load_explicit(&vcpu->masked, memory_order_relaxed) == 0) {
        point_spoil("the program ran for a second without calling the kernel and was interrupted");
        point_now += WATCH_SPOILT_NS;
        (void)point_events_take();
        atomic_fetch_or(&vcpu->pending, VCPU_KICK);
        point_next = 0;
    }
}
