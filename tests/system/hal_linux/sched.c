// SPDX-License-Identifier: BSD-3-Clause
// sched.c: run queues that only their CPU touches, inboxes for everybody else.
//
// A thread that changes CPU is posted to its new one by whoever runs next on the old one, once its
// registers are saved: sched_finish is the first thing after every switch.
#include "tests/system/hal_linux/sched.h"

#include "hal-x86_64/isa/frame.h"
#include "hal/upcall.h"

struct cpu cpus[HAL_CPU_MAX];
struct sched_options sched_options = {.slice_min_ns = 10000000};
uint32_t cpu_count;
char *va_next;
static char *direct_base;
static _Atomic hal_phys page_next;
static hal_phys page_end;
static _Atomic uint32_t cpus_up;

void report(const char *text, uint64_t value)
{
    char line[128];
    size_t size = 0;
    while (*text != 0 && size < 80) {
        line[size++] = *text++;
    }
    line[size++] = ' ';
    char digits[24];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0) {
        line[size++] = digits[--count];
    }
    line[size++] = '\n';
    hal_console_write(line, size);
}

void sched_panic(const char *text, uint64_t value)
{
    (void)hal_irq_save();
    report(text, value);
    hal_halt(HAL_CRASH, 134);
}

char *page_alloc(size_t count, hal_phys *pa)
{
    hal_phys start = atomic_fetch_add(&page_next, count * HAL_PAGE_SIZE);
    ASSERT(start + count * HAL_PAGE_SIZE <= page_end);
    if (pa != NULL) {
        *pa = start;
    }
    return direct_base + start;
}

static void runq_push(struct cpu *cpu, struct thread *t)
{
    t->next = NULL;
    t->cpu = cpu;
    *(cpu->runq_first == NULL ? &cpu->runq_first : &cpu->runq_last->next) = t;
    cpu->runq_last = t;
}

static struct thread *runq_take_first(struct cpu *cpu)
{
    struct thread *t = cpu->runq_first;
    if (t == NULL) {
        return &cpu->idle;
    }
    cpu->runq_first = t->next;
    return t;
}

static void inbox_post(struct cpu *target, struct thread *t)
{
    struct thread *head = atomic_load_explicit(&target->inbox, memory_order_relaxed);
    do {
        t->next = head;
    } while (
        !atomic_compare_exchange_weak_explicit(&target->inbox, &head, t, memory_order_release,
                                               memory_order_relaxed)); // pairs with inbox_drain
    if (head == NULL) {
        hal_cpu_kick(target->index);
    }
}

static void inbox_drain(struct cpu *cpu)
{
    struct thread *t = atomic_exchange_explicit(&cpu->inbox, NULL, memory_order_acquire);
    struct thread *oldest = NULL;
    while (t != NULL) {
        struct thread *older = t->next;
        t->next = oldest;
        oldest = t;
        t = older;
    }
    while (oldest != NULL) {
        struct thread *newer = oldest->next;
        runq_push(cpu, oldest);
        oldest = newer;
    }
}

static void timer_program(struct cpu *cpu)
{
    hal_ns wake = cpu->sleepers == NULL ? UINT64_MAX : cpu->sleepers->wake_ns;
    hal_timer_set(wake < cpu->slice_end_ns ? wake : cpu->slice_end_ns);
}

static void sched_finish(void)
{
    struct cpu *cpu = hal_cpu_self();
    struct thread *t = cpu->departing;
    if (t != NULL) {
        cpu->departing = NULL;
        inbox_post(t->cpu, t);
    }
}

static uint64_t random_next(struct cpu *cpu)
{
    cpu->random ^= cpu->random << 13;
    cpu->random ^= cpu->random >> 7;
    return cpu->random ^= cpu->random << 17;
}

// Gives the CPU to the next thread. target: where the caller is ready to run; NULL: it is not.
static void sched_switch(struct cpu *target)
{
    ASSERT(!hal_irq_enabled());
    struct cpu *cpu = hal_cpu_self();
    struct thread *prev = cpu->current;
    inbox_drain(cpu);
    if (prev != &cpu->idle && target == cpu) {
        runq_push(cpu, prev);
    } else if (prev != &cpu->idle && target != NULL) {
        prev->cpu = target;
        cpu->departing = prev;
        ++cpu->migrate_count;
    }
    struct thread *next = runq_take_first(cpu);
    cpu->slice_end_ns = UINT64_MAX;
    if (next != &cpu->idle) {
        uint64_t span = sched_options.slice_span_ns;
        cpu->slice_end_ns =
            hal_clock_ns() + sched_options.slice_min_ns + (span == 0 ? 0 : random_next(cpu) % span);
    }
    timer_program(cpu);
    ++cpu->switch_count;
    if (next != prev) {
        cpu->current = next;
        hal_context_switch(&prev->context, &next->context);
        sched_finish(); // cpu is stale
    }
}

static void frame_count(struct cpu *cpu, struct hal_frame *frame)
{
    if (frame != NULL) {
        char *sp = (char *)frame->general[HAL_REG_RSP];
        char *top = cpu->current->context.entry_stack;
        cpu->nested_count += sp <= top && sp > top - HAL_ENTRY_STACK;
    }
}

void upcall_timer(struct hal_frame *frame)
{
    struct cpu *cpu = hal_cpu_self();
    hal_ns now = hal_clock_ns();
    while (cpu->sleepers != NULL && cpu->sleepers->wake_ns <= now) {
        struct thread *t = cpu->sleepers;
        cpu->sleepers = t->next;
        thread_wake(t);
    }
    if (now < cpu->slice_end_ns) {
        timer_program(cpu);
        return;
    }
    ++cpu->preempt_count;
    frame_count(cpu, frame);
    sched_switch(sched_options.migrate ? &cpus[(cpu->index + 1) % cpu_count] : cpu);
}

void upcall_kick(struct hal_frame *frame)
{
    (void)frame;
    struct cpu *cpu = hal_cpu_self();
    ++cpu->kick_count;
    inbox_drain(cpu);
    if (sched_options.switch_on_kick) {
        sched_switch(cpu);
    }
}

void thread_park(void)
{
    uintptr_t state = hal_irq_save();
    struct thread *self = hal_self();
    uint32_t running = THREAD_RUNNING;
    if (atomic_compare_exchange_strong(&self->state, &running, THREAD_PARKED)) {
        sched_switch(NULL);
    } else {
        atomic_store(&self->state, THREAD_RUNNING);
    }
    hal_irq_restore(state);
}

void thread_wake(struct thread *t)
{
    uintptr_t irq = hal_irq_save();
    uint32_t state = atomic_load(&t->state);
    while (state != THREAD_NOTIFIED &&
           !atomic_compare_exchange_weak(
               &t->state, &state, state == THREAD_PARKED ? THREAD_RUNNING : THREAD_NOTIFIED)) {
    }
    if (state == THREAD_PARKED) {
        struct cpu *target = t->cpu;
        if (target == hal_cpu_self()) {
            runq_push(target, t);
        } else {
            inbox_post(target, t);
        }
    }
    hal_irq_restore(irq);
}

void thread_yield(void)
{
    uintptr_t state = hal_irq_save();
    sched_switch(hal_cpu_self());
    hal_irq_restore(state);
}

void thread_sleep_until(hal_ns when)
{
    uintptr_t state = hal_irq_save();
    struct thread *self = hal_self();
    struct cpu *cpu = hal_cpu_self();
    self->wake_ns = when;
    struct thread **link = &cpu->sleepers;
    while (*link != NULL && (*link)->wake_ns <= when) {
        link = &(*link)->next;
    }
    self->next = *link;
    *link = self;
    atomic_store(&self->state, THREAD_PARKED); // nobody else wakes a sleeper
    sched_switch(NULL);
    hal_irq_restore(state);
}

void thread_exit(void)
{
    (void)hal_irq_save();
    atomic_store(&((struct thread *)hal_self())->state, THREAD_PARKED);
    sched_switch(NULL);
    sched_panic("dead thread ran", 0);
}

static void thread_start(void *arg)
{
    struct thread *self = arg;
    sched_finish();
    hal_irq_restore(0);
    self->entry(self->arg);
    thread_exit();
}

struct thread *thread_create(uint32_t cpu, char *stack, void *tp, void (*entry)(void *), void *arg)
{
    struct thread *t = (struct thread *)page_alloc(1, NULL);
    char *entry_stack = page_alloc(HAL_ENTRY_STACK / HAL_PAGE_SIZE, NULL) + HAL_ENTRY_STACK;
    if (stack == NULL) {
        stack = page_alloc(THREAD_STACK / HAL_PAGE_SIZE, NULL);
    }
    *t = (struct thread){.cpu = &cpus[cpu],
                         .entry = entry,
                         .arg = arg,
                         .context = {.tp = tp, .self = t, .entry_stack = entry_stack}};
    hal_context_init(&t->context, stack, THREAD_STACK, thread_start, t);
    atomic_store(&t->state, THREAD_PARKED);
    thread_wake(t);
    return t;
}

static void idle_run(void *arg)
{
    static const _Atomic uint64_t nothing; // all that is raised comes as an interrupt
    enum { IDLE_POLL_NS = 15000 };
    struct cpu *cpu = arg;
    sched_finish();
    atomic_fetch_add(&cpus_up, 1);
    for (;;) {
        sched_switch(cpu);
        if (cpu->runq_first == NULL) {
            hal_cpu_poll(&nothing, 1, hal_clock_ns() + IDLE_POLL_NS);
        }
        if (cpu->runq_first == NULL) {
            hal_cpu_idle();
        }
    }
}

// The context of a CPU's boot becomes its idle thread, on a stack of core's.
HAL_NORETURN static void cpu_run(struct cpu *cpu)
{
    struct hal_context boot = {0};
    char *stack = page_alloc(HAL_ENTRY_STACK / HAL_PAGE_SIZE, NULL) + HAL_ENTRY_STACK;
    cpu->random = 88172645463325252ull + cpu->index;
    cpu->idle.cpu = cpu;
    cpu->idle.context = (struct hal_context){.self = &cpu->idle, .entry_stack = stack};
    cpu->current = &cpu->idle;
    hal_context_init(&cpu->idle.context, stack - HAL_ENTRY_STACK, HAL_ENTRY_STACK, idle_run, cpu);
    hal_context_switch(&boot, &cpu->idle.context);
    __builtin_unreachable();
}

void upcall_cpu(struct cpu *cpu)
{
    cpu_run(cpu);
}

void sched_start(const struct hal_boot *boot, void (*first)(void *), void *arg)
{
    direct_base = boot->direct_base;
    va_next = boot->va_base;
    page_next = boot->regions[0].start;
    page_end = page_next + boot->regions[0].size;
    cpu_count = boot->cpu_count;
    for (uint32_t i = 0; i < cpu_count; ++i) {
        cpus[i].index = i;
    }
    hal_cpu_adopt(&cpus[0]);
    for (uint32_t i = 1; i < cpu_count; ++i) {
        ASSERT(hal_cpu_start(i, &cpus[i], page_alloc(2, NULL), 2 * HAL_PAGE_SIZE) == 0);
    }
    thread_create(0, NULL, NULL, first, arg);
    cpu_run(&cpus[0]);
}
