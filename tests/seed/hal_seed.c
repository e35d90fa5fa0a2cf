// SPDX-License-Identifier: BSD-3-Clause
// hal_seed.c: the deterministic machine and the enumeration of its schedules. See seed.h.
//
// A schedule is the list of what was decided at each point where both CPUs could go on: stay (0) or
// preempt (1). The enumeration is a depth-first walk: run with a prefix of decisions and stay from
// there on; then turn the last stay of the list into a preemption and forget what follows it. Once
// all preemptions are used nothing is decided any more.
#include "seed.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/upcall.h"
#include "mark.h"
#include "memory_seed.h"

#pragma weak upcall_timer
#pragma weak upcall_kick

enum {
    DECISIONS_MAX = 100000,
    POINTS_MAX = 1000000,
    STACK_SIZE = 65536,
    MARKS_MAX = 64,
    POINT_NS = 100, // what an access takes of virtual time
};

struct seed_cpu {
    void *sp;         // where its coroutine was left
    struct cpu *core; // core's
    void *self;       // of the context that runs
    bool started, done, blocked, may_time_out;
    bool masked, kicked;
    hal_ns deadline;
    const _Atomic uint64_t *words; // of hal_cpu_poll
    uint32_t word_count;
    hal_ns polls_until; // UINT64_MAX: it does not
    _Alignas(16) char stack[STACK_SIZE];
};

static struct seed_cpu cpus[SEED_CPU_COUNT];
static struct seed_cpu *running; // NULL: the enumeration itself
static void *engine_sp;
static const struct seed_test *test;
static const char *violation;
static unsigned end_count;
static hal_ns now_ns;
static hal_ns wall_ns; // that the clock on the wall is ahead
static uint64_t point_count, point_count_max, relax_count;

static unsigned char decisions[DECISIONS_MAX];
static uint32_t decision_positions[DECISIONS_MAX]; // the point of each
static unsigned prefix_size, decision_count, preemption_count;

static struct {
    const char *name;
    uint64_t count;
} marks[MARKS_MAX];

// Saves the callee-saved registers and the stack pointer in *from, and goes on where to was left.
void seed_switch(void **from, void *to);
void seed_begin(void);
__asm__(".text\n"
        ".globl seed_switch\n"
        "seed_switch:\n"
        "    push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
        "    ret\n"
        ".globl seed_begin\n"
        "seed_begin:\n"
        "    mov %r13, %rdi\n"
        "    call *%r12\n"
        "    ud2\n");

// A stack that seed_switch enters in entry(argument).
static void *stack_make(char *stack, size_t size, void (*entry)(void *), void *argument)
{
    uintptr_t *top = (uintptr_t *)(((uintptr_t)stack + size) & ~(uintptr_t)15) - 1;
    *top = (uintptr_t)seed_begin;
    uintptr_t *sp = top - 6; // r15 r14 r13 r12 rbx rbp
    sp[0] = sp[1] = sp[4] = sp[5] = 0;
    sp[2] = (uintptr_t)argument;
    sp[3] = (uintptr_t)entry;
    return sp;
}

static void leave_run(void)
{
    static void *abandoned;
    running = NULL;
    seed_switch(&abandoned, engine_sp);
    abort();
}

void seed_fail(const char *text)
{
    violation = text;
    leave_run();
    abort();
}

void seed_check(bool condition, const char *text)
{
    if (!condition) {
        seed_fail(text);
    }
}

void seed_end(void)
{
    unsigned wanted = test->end_count == 0 ? SEED_CPU_COUNT : test->end_count;
    if (++end_count == wanted) {
        leave_run();
    }
}

static bool has_interrupt(const struct seed_cpu *cpu)
{
    return cpu->kicked || cpu->deadline <= now_ns;
}

// Of one in hal_cpu_poll: it has found something, or its time is up.
static bool has_polled(const struct seed_cpu *cpu)
{
    for (uint32_t i = 0; i < cpu->word_count; ++i) {
        if (atomic_load(&cpu->words[i]) != 0) {
            return true;
        }
    }
    return cpu->polls_until <= now_ns;
}

static bool can_run(const struct seed_cpu *cpu)
{
    return !cpu->done &&
           (!cpu->blocked || cpu->may_time_out || has_interrupt(cpu) || has_polled(cpu));
}

static hal_ns event_next(void)
{
    hal_ns next = UINT64_MAX;
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        next = cpus[i].deadline < next ? cpus[i].deadline : next;
        next = cpus[i].polls_until < next ? cpus[i].polls_until : next;
    }
    return next;
}

static struct seed_cpu *other(void)
{
    return &cpus[running == &cpus[0]];
}

static void go_on_with(struct seed_cpu *cpu)
{
    struct seed_cpu *from = running;
    running = cpu;
    seed_switch(&from->sp, cpu->sp);
}

// Both could go on: preempt?
static bool decide(void)
{
    if (decision_count < prefix_size) {
        preemption_count += decisions[decision_count];
        return decisions[decision_count++] != 0;
    }
    unsigned max = test->preemption_max == 0 ? PREEMPTIONS_MAX : test->preemption_max;
    if (preemption_count < max && decision_count < DECISIONS_MAX) {
        decision_positions[decision_count] = (uint32_t)point_count;
        decisions[decision_count++] = 0;
    }
    return false;
}

// Interrupts on, the causes one by one.
static void deliver(void *frame)
{
    while (has_interrupt(running)) {
        running->masked = true;
        if (running->deadline <= now_ns) {
            running->deadline = UINT64_MAX;
            upcall_timer(frame);
        } else {
            running->kicked = false;
            upcall_kick(frame);
        }
        running->masked = false; // perhaps on another CPU
    }
}

static void interrupts_look(void)
{
    if (!running->masked && has_interrupt(running)) {
        deliver(running); // some frame
    }
}

void seed_step(void)
{
    now_ns += POINT_NS;
    interrupts_look();
}

void seed_point(void)
{
    if (running == NULL) {
        return;
    }
    if (++point_count > POINTS_MAX) {
        seed_fail("does not come to an end");
    }
    if (can_run(other()) && decide()) {
        go_on_with(other());
    }
    seed_step();
}

// To the other CPU, because this one cannot go on. Comes back when it can.
static void give_way(void)
{
    while (!can_run(other()) && !can_run(running)) {
        now_ns = event_next();
        if (now_ns == UINT64_MAX) {
            seed_fail("nobody can run: a wake-up was lost");
        }
    }
    if (can_run(other())) {
        go_on_with(other());
    }
}

bool seed_block(bool may_time_out)
{
    running->blocked = true;
    running->may_time_out = may_time_out;
    give_way();
    bool in_time = !running->blocked;
    running->blocked = running->may_time_out = false;
    return in_time;
}

void seed_unblock(unsigned index)
{
    cpus[index].blocked = false;
    cpus[index].may_time_out = false;
}

bool seed_is_blocked(unsigned index)
{
    return cpus[index].blocked;
}

bool seed_is_running(void)
{
    return running != NULL;
}

unsigned seed_index(void)
{
    return (unsigned)(running - cpus);
}

void seed_self_set(unsigned index, void *self)
{
    cpus[index].self = self;
}

static void *outside; // of reset and check

void seed_self_outside_set(void *self)
{
    outside = self;
}

void seed_mark_access(const void *start, unsigned long size, int writes, const void *caller)
{
    (void)caller;
    (void)start;
    (void)size;
    (void)writes;
}

void seed_mark_allocated(const void *block, unsigned long size)
{
    (void)block;
    (void)size;
}

void seed_mark_freed(const void *block)
{
    (void)block;
}

void seed_mark_made(const void *object, unsigned long size)
{
    (void)object;
    (void)size;
}

// One lock order is as good as another: what two threads do is all there is.
void seed_mark_lock(const void *lock)
{
    (void)lock;
}

void seed_mark_lock_again(const void *lock)
{
    (void)lock;
}

void seed_mark_lock_tried(const void *lock)
{
    (void)lock;
}

void seed_mark_unlock(const void *lock)
{
    (void)lock;
}

void seed_mark(const char *name)
{
    for (unsigned i = 0; i < MARKS_MAX; ++i) {
        if (marks[i].name == NULL) {
            marks[i].name = name;
        }
        if (marks[i].name == name) { // the same name elsewhere may be another entry
            ++marks[i].count;
            return;
        }
    }
    abort();
}

// ---- The HAL ---------------------------------------------------------------

struct cpu *seed_cpu_self(void)
{
    return running == NULL ? NULL : running->core;
}

void *seed_self(void)
{
    return running == NULL ? outside : running->self;
}

// A spinning CPU waits for the other: it lets that go on, at no charge.
void seed_relax(void)
{
    if (++relax_count > POINTS_MAX) {
        seed_fail("does not come to an end");
    }
    if (can_run(other())) {
        go_on_with(other());
    }
    seed_step();
}

uintptr_t seed_irq_save(void)
{
    if (running == NULL) {
        return 0;
    }
    uintptr_t state = running->masked;
    running->masked = true;
    return state;
}

void seed_irq_restore(uintptr_t state)
{
    if (running != NULL && state == 0) {
        running->masked = false;
        deliver(NULL); // core lets it in
    }
}

bool seed_irq_enabled(void)
{
    return running != NULL && !running->masked;
}

bool seed_inject(enum hal_inject kind)
{
    (void)kind;
    return false;
}

void hal_cpu_kick(uint32_t index)
{
    seed_point();
    cpus[index].kicked = true;
    interrupts_look();
}

void hal_cpu_idle(void)
{
    seed_point();
    while (!has_interrupt(running)) {
        running->blocked = true;
        give_way();
        running->blocked = false;
    }
    deliver(NULL);
    running->masked = true;
}

void hal_cpu_poll(const _Atomic uint64_t *words, uint32_t count, hal_ns until)
{
    seed_point();
    running->words = words;
    running->word_count = count;
    running->polls_until = until;
    while (!has_interrupt(running) && !has_polled(running)) {
        running->blocked = true;
        give_way();
        running->blocked = false;
    }
    running->word_count = 0;
    running->polls_until = UINT64_MAX;
    deliver(NULL);
    running->masked = true;
}

void hal_context_init(struct hal_context *context, char *stack, size_t size, void (*entry)(void *),
                      void *argument)
{
    context->sp = stack_make(stack, size, entry, argument);
}

// sp is NULL while a context runs, so that resuming it before it was saved is seen.
void hal_context_switch(struct hal_context *from, const struct hal_context *to)
{
    seed_point();
    void *sp = to->sp;
    if (sp == NULL) {
        seed_fail("a context was resumed before it was saved");
    }
    ((struct hal_context *)(uintptr_t)to)->sp = NULL;
    running->self = to->self;
    seed_switch(&from->sp, sp);
}

hal_ns hal_clock_ns(void)
{
    return now_ns;
}

hal_ns hal_clock_wall_ns(void)
{
    seed_point();
    return now_ns + wall_ns;
}

void seed_wall_step(hal_ns by)
{
    seed_point();
    wall_ns += by;
}

void hal_timer_set(hal_ns deadline)
{
    running->deadline = deadline;
}

void seed_cpu_set(unsigned index, struct cpu *cpu)
{
    cpus[index].core = cpu;
}

void hal_cpu_adopt(struct cpu *cpu)
{
    cpus[0].core = cpu;
}

int hal_cpu_start(uint32_t index, struct cpu *cpu, char *stack, size_t size)
{
    (void)stack;
    (void)size;
    cpus[index].core = cpu;
    return 0;
}

void hal_console_write(const char *text, size_t size)
{
    fwrite(text, 1, size, stdout);
}

void hal_halt(enum hal_halt how, int code)
{
    (void)how;
    (void)code;
    seed_fail("halted");
}

void assert_fail(const char *condition, const char *file, int line)
{
    static char text[256];
    snprintf(text, sizeof text, "%s:%d: %s", file, line, condition);
    seed_fail(text);
}

// ---- The enumeration ---------------------------------------------------------

static void body_run(void *argument)
{
    struct seed_cpu *cpu = argument;
    test->bodies[cpu - cpus]();
    seed_end();
    cpu->done = true;
    give_way();
    abort();
}

static void run_once(void)
{
    violation = NULL;
    end_count = 0;
    decision_count = preemption_count = 0;
    point_count = relax_count = 0;
    now_ns = 1000000;
    wall_ns = 0;
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        struct seed_cpu *cpu = &cpus[i];
        cpu->done = cpu->blocked = cpu->may_time_out = cpu->kicked = false;
        cpu->masked = true;
        cpu->deadline = cpu->polls_until = UINT64_MAX;
        cpu->word_count = 0;
        cpu->sp = stack_make(cpu->stack, STACK_SIZE, body_run, cpu);
    }
    test->reset();
    running = &cpus[0];
    seed_switch(&engine_sp, cpus[0].sp);
    if (violation == NULL && test->check != NULL) {
        test->check();
    }
    if (point_count > point_count_max) {
        point_count_max = point_count;
    }
}

// The next schedule in the walk. False: that was the last.
static bool advance(void)
{
    while (decision_count > 0 && decisions[decision_count - 1] != 0) {
        --decision_count;
    }
    if (decision_count == 0) {
        return false;
    }
    decisions[decision_count - 1] = 1;
    prefix_size = decision_count;
    return true;
}

static void schedule_print(void)
{
    printf("  %s: %s; preempted at points", test->name, violation);
    for (unsigned i = 0; i < decision_count; ++i) {
        if (decisions[i] != 0) {
            printf(" %u", decision_positions[i]);
        }
    }
    printf(" of %lu\n", point_count);
}

static void marks_check(struct seed_result *result)
{
    for (const char *const *name = test->marks; name != NULL && *name != NULL; ++name) {
        uint64_t count = 0;
        for (unsigned i = 0; i < MARKS_MAX && marks[i].name != NULL; ++i) {
            count += strcmp(marks[i].name, *name) == 0 ? marks[i].count : 0;
        }
        printf("  %10lu  %s\n", count, *name);
        result->is_mark_missing |= count == 0;
    }
}

struct seed_result seed_enumerate(const struct seed_test *what)
{
    struct seed_result result = {0};
    test = what;
    memory_forget();
    do { // until nothing new turns out to be shared
        memset(marks, 0, sizeof marks);
        prefix_size = 0;
        point_count_max = 0;
        result.schedule_count = 0;
        do {
            run_once();
            ++result.schedule_count;
        } while (violation == NULL && !memory_has_learned() && advance());
    } while (violation == NULL && memory_take_learned());
    result.violation = violation;
    printf("%s: %lu schedules, at most %lu points\n", test->name, result.schedule_count,
           point_count_max);
    if (violation != NULL) {
        schedule_print();
    } else {
        marks_check(&result);
    }
    fflush(stdout);
    return result;
}
