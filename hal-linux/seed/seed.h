// SPDX-License-Identifier: BSD-3-Clause
// seed.h: the seeded machine: all vCPUs take turns on one host thread, and a seed decides
// everything that chance decides on others.
//
// core is compiled with -fsanitize=thread. Each of its accesses to memory, and each call of the
// contract, is a point: virtual time goes on by POINT_NS, and where that reaches next_ns something
// happens: another vCPU goes on, an interrupt comes up, a device's work is done. Between two points
// the machine is deterministic because it is one thread that asks the host for nothing but files.
//
// Everything here runs on that thread, in guest context, unless a comment says otherwise.
#ifndef HAL_LINUX_SEED_SEED_H
#define HAL_LINUX_SEED_SEED_H

#include "hal-linux/machine.h"
#include "hal-linux/seed/random.h"
#include "hal-linux/vcpu.h"
#include "hal/upcall.h"

enum {
    POINT_NS = 100,
    // How often a spoilt run is looked at, in real time, and what an interruption takes in virtual time.
    WATCH_SPOILT_NS = 2000000,
};

// What the clock on the wall says at the start of each run: 2030-01-01.
#define SEED_START_S 1893456000ul

// One vCPU, beside its struct vcpu. It is in one of five states: not started; waiting in
// hal_cpu_idle, until something is pending; in hal_cpu_poll, until that, or a word is set, or a time;
// standing still, as a planted fault, until a time; able to run.
struct turn_cpu {
    void *sp; // where its coroutine was left
    bool is_started, is_waiting;
    const _Atomic uint64_t *words; // of hal_cpu_poll
    uint32_t word_count;
    hal_ns polls_until;            // UINT64_MAX: it does not
    uint32_t coming;  // causes that were raised and are not pending yet,
    hal_ns coming_at; // but will be then
    hal_ns fires_at;  // when its timer will: the deadline and its jitter
    hal_ns stands_until;
    uint64_t points;  // that it has passed, when its turn ended: turn_points for the one that runs
};

// Why another vCPU may go on.
enum turn_reason {
    TURN_POINT, // a turn ends at a point
    TURN_SPIN,  // at a point where code waits for another vCPU by looking again and again
    TURN_WAIT,  // the vCPU waits
};

extern struct turn_cpu turn_cpus[HAL_CPU_MAX];

// The virtual clock, and when point_slow is due. Read and written at each point.
extern hal_ns point_now, point_next;
extern uint64_t point_hash;  // of the places of all points and of all decisions so far
extern uint64_t point_count; // of them

// ---- point.c ----

void point_init(const struct seed_options *options);

// A point of the code behind place.
void point_at(const void *place);

// A point of code that waits for another vCPU by looking again and again.
void point_spin(const void *place);

// Something that the hash shall tell apart.
void point_note(uint64_t word);

// Looks again when the next thing happens: a timer, a cause or a mask has changed.
void point_next_update(void);

// Makes pending what is due. True: something became pending.
bool point_events_take(void);

// Advances the clock to the next event. False: there is none, now or ever.
bool point_jump(void);

// An empty frame on the entry stack for what is interrupted at ip and sp. Masked.
struct hal_frame *point_frame(uintptr_t ip, uintptr_t sp);

// Touches the stack as far down as masked code may need it: like hal_irq_save, but instrumented code
// needs more than what HAL_STACK_PROBE was measured on.
static inline void point_stack_probe(void)
{
    __asm__ volatile("sub %0, %%rsp\n\ttestb $0, -%c1(%%rsp)\n\tadd %0, %%rsp"
                     :
                     : "i"(HAL_STACK_PROBE), "i"(HAL_STACK_PROBE)
                     : "memory", "cc");
}

// Calls function as if it took no time and passed no point. Masked.
void point_hold(void (*function)(void));
bool point_is_held(void);

// The run cannot be repeated from here on; says why, once.
void point_spoil(const char *why);

// Whether that has been said. Any host thread.
bool point_is_spoilt(void);

// ---- turn.c ----

// Lets another vCPU go on, or this one, as the choice falls, at the point of place. is_change: this
// one has had its turn. Masked.
void turn_choose(enum turn_reason reason, bool is_change, const void *place);

// Whether a deadlock was found.
bool turn_is_deadlock(void);

// How many points the vCPU that runs has passed.
uint64_t turn_points(void);

// ---- choice.c ----

void choice_init(const struct seed_options *options);

// How long until the next choice, in virtual time.
hal_ns choice_gap(void);

// Whether a choice is to be made where a vCPU spins.
bool choice_at_spin(void);

// When a choice is to be made because the vCPU that runs is about to access address atomically:
// point_now is before the access, later than that is behind it. UINT64_MAX: not for that.
hal_ns choice_at_atomic(const volatile void *address, uint32_t running);

// Whether a choice is to be made, too, whenever a vCPU becomes able to go on.
bool choice_wants_events(void);

// Which of the `count` able vCPUs goes on, count > 0. running is one of them, or can no longer.
// is_change: it has had its turn. Puts able into another order.
uint32_t choice_make(uint32_t *able, uint32_t count, uint32_t running, bool is_change);

// The able one after running, going round.
uint32_t choice_following(const uint32_t *able, uint32_t count, uint32_t running);

// Whether any vCPU could go on.
bool turn_is_any_able(void);

// ---- application.c ----

// Whether that instruction is an application's.
bool application_is_place(const void *place);

// ---- inject.c ----

void inject_init(const struct seed_options *options);

// How much later than usual a device's work is done.
hal_ns inject_delay(void);

// How far the clock on the wall is off.
int64_t inject_clock_step(void);

// How long a vCPU stands still from here on; 0: it does not.
hal_ns inject_stall(void);

// A vCPU begins to stand still, though not by chance.
void inject_stall_note(void);

// How often each fault was planted.
extern uint64_t inject_counts[SEED_FAULT_COUNT];

// ---- jobs.c ----

void job_init(uint64_t seed);

// When the next job is due; UINT64_MAX: there is none.
hal_ns job_due(void);

// Does the jobs that are due.
void job_run_due(void);

// Waits for the host to finish a job that was given up on. False: there is none.
bool job_wait_late(void);

// Causes that a hosted thread raises; and their taking over as coming.
void job_raise(uint32_t index, uint32_t causes);
void job_take_arrived(void);

// ---- link.c ----

void link_init(const struct seed_options *options);

// When the next frame is due; UINT64_MAX: none is under way.
hal_ns link_due(void);

// Delivers the frames that are due.
void link_run_due(void);

// What became of all frames so far.
enum link_fate {
    LINK_SENT,        // by the machine
    LINK_TOO_LONG,    // for the network
    LINK_LOST,        // by chance
    LINK_CUT,         // while the network was cut
    LINK_NO_ROOM,     // the queue was full
    LINK_CORRUPTED,   // and went on
    LINK_DUPLICATED,  // one more went on
    LINK_UNANSWERED,  // for nobody
    LINK_NO_BUFFER,   // the machine had none for it
    LINK_RECEIVED,    // by the machine
    LINK_FATES
};
extern uint64_t link_counts[LINK_FATES];
extern bool link_is_there;

// ---- entropy.c ----

void entropy_init(uint64_t seed);

// ---- stream.c ----

void stream_init(const struct seed_options *options);

// Writes down what workers have answered.
void stream_note_late(void);

// ---- file.c ----

void file_init(const struct seed_options *options);

// When the run began, in the host's time.
uint64_t file_start_s(void);

// ---- trap.c ----

// The calling host thread's rdtsc and cpuid are traps from here on.
void trap_begin(void);

// Hosted, before trap_begin: looks which processor cpuid will describe.
void trap_init(void);

// Whether this host can trap cpuid.
bool trap_is_whole(void);

// The name of that processor.
const char *trap_processor(void);

// ---- witness.c ----

// Whether the functions below want to be called.
extern bool witness_is_on;
extern bool witness_has_applications; // compiled for it have been met

// Before anything else. 0 or -errno.
int witness_init(const struct seed_options *options);

// The caller is about to do this at place (access.h).
void witness_access(const volatile void *address, size_t size, bool writes, const void *place);
void witness_atomic(const volatile void *address, size_t size, bool reads, bool writes, int order,
                  const void *place);
void witness_fence(int order);

// A function of an application begins, or ends (calls.h).
void witness_enter(const void *caller, uintptr_t sp);
void witness_leave(uintptr_t sp);

// mark.h
void witness_allocated(const void *block, size_t size);
void witness_freed(const void *block);

// The vCPU of that index begins, started by the caller.
void witness_cpu_begin(uint32_t index);

// How many races were found; and the numbers of the earlier accesses of the first of them, each once.
uint32_t witness_race_count(void);
uint32_t witness_race_firsts(uint64_t numbers[SEED_RACES_MAX]);

// Who calls place, from the frames of the caller on; NULL ends. No point.
void witness_stack(const void *place, const void *stack[HAL_RACE_DEPTH]);

// Calls function where upcalls for reports may be made. No point.
void witness_tell(void (*function)(const void *unused));

// ---- locks.c ----

// mark.h: locks in that memory were other locks.
void locks_forget(const void *block, size_t size);

// How many circles of locks were found.
uint32_t locks_circle_count(void);

// ---- watch.c ----

// True once after the watchdog's signal was sent.
bool watch_take(void);

// While the machine waits for the host, nobody expects points.
void watch_pause(bool is_paused);

#endif
