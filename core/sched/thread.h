// SPDX-License-Identifier: BSD-3-Clause
// thread.h: threads as the rest of core sees the scheduler.
#ifndef CORE_SCHED_THREAD_H
#define CORE_SCHED_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/tree.h"
#include "core/lib/wheel.h"
#include "hal/hal.h"

struct cpu;
struct thread;

enum { THREAD_NAME_SIZE = 16, THREAD_STACK_SIZE = 65536 };

enum thread_state {
    THREAD_RUNNING, // or ready, in a run queue or on its way to one
    THREAD_PARKED,
    THREAD_NOTIFIED, // a wake came before the park: the next park returns at once
    THREAD_NEW,      // not started: a late wake, meant for an earlier thread in this memory, must not start it
    THREAD_DEAD,
};

// What a parked thread waits for, as people are told. The object is a thread for THREAD_WAIT_JOIN,
// the word of a futex, else the lock.
enum thread_wait {
    THREAD_WAIT_NONE, // nothing that has a name
    THREAD_WAIT_MUTEX,
    THREAD_WAIT_CONDVAR,
    THREAD_WAIT_QUEUE, // struct waitqueue
    THREAD_WAIT_RWLOCK,
    THREAD_WAIT_SEMAPHORE,
    THREAD_WAIT_FUTEX,
    THREAD_WAIT_JOIN,
    THREAD_WAIT_SLEEP,
    THREAD_WAIT_POLL,
    THREAD_WAIT_DEVICE,
};

// Who runs: first the real-time threads (THREAD_FIFO, THREAD_ROUND_ROBIN), by priority. All others share what these
// leave, by nice: each step is a quarter more than the next.
enum thread_policy { THREAD_FAIR, THREAD_FIFO, THREAD_ROUND_ROBIN, THREAD_BATCH, THREAD_IDLE };
enum {
    THREAD_PRIORITY_MAX = 99, // of applications; core's own threads that must not wait for those have one more
    THREAD_NICE_MIN = -20,
    THREAD_NICE_MAX = 19,
    THREAD_SLICE_NS = 100000000, // of a THREAD_ROUND_ROBIN: then it is the turn of an equal
};

struct thread_schedule {
    uint8_t policy;   // enum thread_policy. THREAD_BATCH is THREAD_FAIR, THREAD_IDLE a nicer one
    uint8_t priority; // 1 .. THREAD_PRIORITY_MAX for real-time, else 0
    int8_t nice;      // THREAD_NICE_MIN .. THREAD_NICE_MAX; without effect for real-time
    bool resets;      // threads that it creates are no real-time ones, and of nice 0 or more
};

// Why a thread cannot be queued as it is: its CPU is to look at it. Bits; 0 is what a wake and a switch look for.
enum thread_unusual {
    UNUSUAL_SCHEDULE = 1,  // schedule has changed: anybody says so, its CPU takes it back
    UNUSUAL_AFFINITY = 2,  // affinity has: the same. Without it one that wakes may run where it is
    UNUSUAL_WEIGHT = 4,    // real-time, or more important than nice 0: its CPU's
    UNUSUAL_MIGRATING = 8, // the CPU that takes it in gives it a place among its own: that CPU's
};

// With whom a thread works (pair.c). Its own, and while it is parked its waker's.
struct thread_pair {
    hal_ns woke_ns;         // when, since it last parked, it last woke one on another CPU; 0: it did not
    hal_ns cost_ns;         // of that wake; 0: not to be saved
    struct thread *partner; // whom it woke there last
    struct thread *waker;   // who woke it from there last
    hal_ns rest_ns;         // it stays where it is until then
    uint32_t handovers;     // so many times in a row it has parked soon after it woke partner
    bool is_parking;        // it goes to partner's CPU, and parks there
};

enum { THREAD_FOUND = 2 };

struct thread {
    struct hal_context context;
    _Atomic(struct cpu *) cpu;   // where it runs, or will run once woken; written by that CPU only (switch.c)
    struct tree_node run_node;   // in its CPU's run queue; that CPU's, interrupts off
    struct thread *next;         // in an inbox between CPUs, or in the list of threads to be freed after a walk
    _Atomic uint32_t state;      // enum thread_state
    uint32_t id;                 // 1 .. ; unique while the thread lives
    int32_t preempt_count;       // > 0: not to be preempted; its own
    bool need_switch;            // a preemption was put off by preempt_count; its own
    bool preempted;              // it is being switched out, and would have gone on; its own
    uint8_t found;               // THREAD_FOUND where its CPU has looked who waits behind it since it ran, or it is
                                 // new; half of it when it has parked, where there is one CPU; that CPU's
    bool is_round_robin;         // this and the next two: what its CPU has taken of schedule; that CPU's
    uint8_t priority;            // 0: not real-time
    uint32_t weight;             // how its time counts (decay.h); 0: not at all: real-time, or an idle thread
    uint64_t order;              // the smaller runs first (schedule.c); its CPU's
    uint64_t slice_used_ns;      // if is_round_robin; its CPU's
    _Atomic uint32_t unusual;    // enum thread_unusual
    _Atomic struct thread_schedule schedule;
    bool is_serving;             // thread_serve; its own
    _Atomic bool is_called;      // that of thread_serve_set has something to do; anybody sets it, it takes it back
    bool has_served;             // since thread_serve_begin, and to be interrupted; its own
    bool never_restarts;         // said to the function of thread_serve_set; its own
    bool timer_armed;            // timer_node is in the wheel of cpu; that CPU's, interrupts off
    bool timer_passed;           // the timer ended the last park_until; that CPU's
    _Atomic bool on_wall;        // it sleeps until a deadline with THREAD_WALL; its own
    struct thread_pair pair;
    void *user;                  // of the room that made it (core/linux: struct task); set before it starts
    // Its own, and a waker's that moves it to another queue. For reports and debuggers, and for pair.c.
    _Atomic uint32_t wait_kind;  // enum thread_wait
    _Atomic(const void *) wait_object;
    void *timed_waiter;          // core/sync/mutex.c's: its last timed lock that gave up
    void *to_run;                // core/net/run.c's: a socket that it is to run, or NULL; its own
    char *stack;                 // lowest byte
    size_t stack_size;
    char name[THREAD_NAME_SIZE];
    hal_ns ready_ns;             // when balance_push first saw it in the queue, or 0; that CPU's
    _Atomic uint64_t runtime_ns; // used before switched_ns; written by its CPU
    _Atomic hal_ns switched_ns;  // since when it runs; 0: it does not
    _Atomic uint32_t runtime_version; // odd while its CPU changes the two above
    _Atomic uint64_t affinity[HAL_CPU_MAX / 64];
    struct wheel_node timer_node; // key: its deadline
    _Atomic uintptr_t joiner;    // a thread, or one of thread.c's marks
    void (*entry)(void *);
    void *argument;
    void (*released)(struct thread *thread);
    void *released_argument;
    // Kept in this memory from thread to thread.
    bool listed;                 // it has been a thread
    struct thread *all_next;     // in the list of all memory that ever was a thread; only ever pushed
    _Atomic bool live;           // created and not yet freed
    char *own_stack;             // THREAD_STACK_SIZE bytes, or NULL
    void *own_entry_stack;       // top; NULL while it is free, unless it is one of the spare ones
};

struct thread_config {
    const char *name; // NULL: that of the creator
    char *stack;      // NULL: THREAD_STACK_SIZE bytes of core's own. The highest page must be mapped
    size_t stack_size;
    bool on_entry_stack; // begins there and leaves it by hal_regs_resume: it has no other stack of core's
    void *tp;
    void *user;
    const struct hal_cpu_set *affinity; // NULL: the creator's
    const struct thread_schedule *schedule; // NULL: the creator's
    // Called once the thread runs no more and its stack is free to be reused, on any thread, interrupts off: must not
    // block. NULL: nothing. For detached threads; a joiner knows by thread_join.
    void (*released)(struct thread *thread);
    void *released_argument;
    bool detached;
};

// Gives back stacks of core's own that are kept for new threads, and answers how many bytes.
size_t thread_spares_free(void);

// Makes a thread, not running. -ENOMEM.
HAL_MUST_CHECK int thread_create(struct thread **thread, const struct thread_config *config,
                                 void (*entry)(void *), void *argument);
void thread_start(struct thread *thread); // once
void thread_discard(struct thread *thread); // one that was never started

static inline struct thread *thread_self(void)
{
    return hal_self();
}

// Sets the thread pointer of the caller, one of the program's threads, which context.tp then is, too. (A switch stores
// what it finds.)
static inline void thread_tp_set(void *tp)
{
    hal_tp_set(tp);
    thread_self()->context.tp = tp;
}

// Blocks the caller until somebody wakes it. May also return early: the caller loops on its own condition.
void thread_park(void);

// Part of a deadline, here and where core/sync takes one: it is one of hal_clock_wall_ns, and whoever sets that clock
// makes it come earlier or later. Without it a deadline is one of hal_clock_ns, and less.
#define THREAD_WALL ((hal_ns)1 << 63)

// The same with an end; UINT64_MAX is none. False: the deadline has passed.
bool thread_park_until(hal_ns deadline);
void thread_wall_changed(void); // hal_clock_wall_ns has stepped: sleepers look at it anew

// Says what thread, which is the caller or cannot run, waits for from here on; THREAD_WAIT_NONE: it
// waits no more.
__attribute__((no_sanitize("thread"))) static inline void
thread_wait_note(struct thread *thread, enum thread_wait kind, const void *object)
{
    atomic_store_explicit(&thread->wait_kind, kind, memory_order_relaxed);
    atomic_store_explicit(&thread->wait_object, object, memory_order_relaxed);
}

// Wakes thread, or makes its next thread_park return at once. Any context. The thread may have exited: thread
// memory is type-stable, so a late wake is only spurious.
void thread_wake(struct thread *thread);

// Wakes between the two, of many at once, cost one kick for each CPU: at the end. Interrupts are off between, so the
// caller begins anew after THREAD_BATCH_MAX wakes. Not nested. begin answers what end takes.
enum { THREAD_BATCH_MAX = 32 };
uintptr_t thread_batch_begin(void);
void thread_batch_end(uintptr_t irq);

// Where thread runs on another CPU, or is about to: interrupts it there soon, so that the frame hook
// sees what the caller did before. Any context.
void thread_kick(struct thread *thread);

void thread_yield(void);
void thread_sleep_until(hal_ns deadline); // not ended by a wake

// Waits that the application makes (for a mutex, a thread ...) let in what interrupts it, signals: between begin and
// end, core/sync and thread_join call thread_serve before they park. It calls the function that core/linux has
// registered, and remembers whether that said true: the wait is to be given up, if it can be. The caller of begin
// holds no lock of core's.
// never_restarts: the wait is given up whatever that signal says about restarts.
void thread_serve_set(bool (*serve)(bool never_restarts));

static inline void thread_serve_begin(void)
{
    struct thread *self = thread_self();
    self->has_served = self->never_restarts = false;
    self->is_serving = true;
}

void thread_serve_begin_once(void); // the same for a wait that never restarts

static inline bool thread_serve_end(void) // has any said true?
{
    struct thread *self = thread_self();
    self->is_serving = false;
    return self->has_served;
}

void thread_serve_slow(void);

// Before every wait of the program's. Who calls the thread sets is_called, and wakes it after that.
static inline void thread_serve(void)
{
    struct thread *self = thread_self();
    if (self->is_serving && atomic_load_explicit(&self->is_called, memory_order_relaxed)) {
        thread_serve_slow();
    }
}

static inline bool thread_serve_gives_up(void)
{
    return thread_self()->is_serving && thread_self()->has_served;
}

// Ends the caller. Its thread object lives until it is joined or, detached, until its stack is left.
HAL_NORETURN void thread_exit(void);

// Waits until thread runs no more, and frees it. One joiner. False: the deadline passed, and nothing has changed.
bool thread_join(struct thread *thread, hal_ns deadline);
void thread_detach(struct thread *thread); // instead of joining

// Affinity. Never empty: -EINVAL. A running thread moves before the call returns if it is the caller, soon otherwise.
HAL_MUST_CHECK int thread_affinity_set(struct thread *thread, const struct hal_cpu_set *cpus);
void thread_affinity_get(struct thread *thread, struct hal_cpu_set *cpus);

// schedule is valid. A caller that has no more claim to its CPU is switched before the call returns; another thread
// is looked at by its CPU, soon.
void thread_schedule_set(struct thread *thread, struct thread_schedule schedule);
struct thread_schedule thread_schedule_get(const struct thread *thread);
hal_ns thread_slice_ns(struct thread_schedule schedule); // how long it runs while an equal waits; 0: as long as it will

// Of core's own threads that applications wait for: before all of these.
extern const struct thread_schedule thread_schedule_core;

hal_ns thread_runtime_ns(struct thread *thread); // CPU time used, up to now

// A guess, stale at once: does thread occupy a CPU?
static inline bool thread_is_running(struct thread *thread)
{
    return atomic_load_explicit(&thread->switched_ns, memory_order_relaxed) != 0;
}

// Since when, by hal_clock_ns, the caller has not been switched away from; its CPU may say a later time by now. For who
// has slept that is just now, and no clock is read.
static inline hal_ns thread_since_ns(void)
{
    return atomic_load_explicit(&thread_self()->switched_ns, memory_order_relaxed);
}

uint32_t thread_cpu_index(void);                 // where the caller is now
uint32_t sched_cpu_count(void);
bool thread_is_waited_for(void);                 // a guess, stale at once: does another wait for the caller's CPU?

// Calls visit for each thread that has not ended, in no particular order, with interrupts on. Threads may start and
// end meanwhile; the one that is visited stays a thread (perhaps a dead one) until visit returns.
void thread_walk(void (*visit)(struct thread *thread, void *argument), void *argument);

// A caller between the two is not preempted and does not change CPU; it must not block. Nests.
void preempt_disable(void);
void preempt_enable(void);

#endif
