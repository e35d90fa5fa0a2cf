// SPDX-License-Identifier: BSD-3-Clause
// vcpu.h: one virtual CPU, which is one host thread.
//
// Invariant: everything here is touched by its own host thread only, from masked code or from its
// signal handler; pending, lines and notices alone are written by others.
#ifndef HAL_LINUX_VCPU_H
#define HAL_LINUX_VCPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "hal-x86_64/isa/frame.h"
#include "hal/hal.h"

// SIGURG: gdb passes it silently, and tgkill of it never fails for lack of a queue slot.
enum { VCPU_SIGNAL = 23 };

// Bits of pending.
enum {
    VCPU_KICK = 1,   // upcall_kick is due
    VCPU_TIMER = 2,  // upcall_timer is due
    VCPU_DEV = 4,    // upcall_dev is due for each bit of lines
    VCPU_NOTICE = 8, // upcall_notice is due for each bit of notices
    VCPU_CAUSES = 15,
    VCPU_IDLE = 16, // the host thread waits, or is about to wait, on the word: wake it by futex
    VCPU_SPIN = 32, // the host thread looks at the word all the time: nothing need wake it
};

enum { VCPU_LINES = 320 }; // interrupt lines: see dev/line.h

// What the host has for a device whose interrupts a vCPU gets, and which that vCPU looks after
// itself while it idles: so no other thread of the host's need wake for it. Of the vCPU, masked.
struct vcpu_source {
    // From now on it is the vCPU's. False: another looks after it.
    bool (*enter)(struct vcpu_source *source);
    // Takes what is there, and raises the lines.
    void (*look)(struct vcpu_source *source);
    // Waits for something to take, or until something is pending. False: it cannot be waited for
    // now.
    bool (*wait)(struct vcpu_source *source);
    void (*leave)(struct vcpu_source *source);
};

struct vcpu {
    struct vcpu *self;            // what GS base is
    struct cpu *cpu;              // core's, for hal_cpu_self
    void *context_self;           // of the running context, for hal_self
    char *entry_stack;            // of the running context; its top
    void *tp;                     // what FS base is
    _Atomic uint32_t masked;      // interrupts are off
    _Atomic uint32_t pending;     // the futex word
    struct hal_frame *exit_frame; // the frame that the exit sequence is restoring
    uint64_t exit_ip;             // and where it will jump
    _Atomic hal_ns deadline;      // what core asked for; UINT64_MAX is none
    _Atomic hal_ns armed;         // when the host's timer will fire; UINT64_MAX is never
    int timer;                    // the host's timer
    _Atomic int tid;              // 0: the host thread has not come up yet
    uint32_t index;               // VCPU_HOSTED: no virtual CPU, but a hosted thread
    char *start_stack;
    size_t start_stack_size;
    _Atomic uint32_t started; // futex word of hal_cpu_start
    struct hal_context boot;  // the host thread's own stack
    _Alignas(64) _Atomic uint64_t lines[VCPU_LINES / 64];
    _Atomic uint32_t notices;             // bits are enum hal_notice
    uint32_t acts_uid, acts_gid;          // see machine_act_as
    _Atomic(struct vcpu_source *) source; // NULL: none; set once
};

enum { VCPU_HOSTED = UINT32_MAX };

_Static_assert(offsetof(struct vcpu, self) == PERCPU_BLOCK, "percpu.h");
_Static_assert(offsetof(struct vcpu, cpu) == PERCPU_CPU, "percpu.h");
_Static_assert(offsetof(struct vcpu, context_self) == PERCPU_SELF, "percpu.h");
_Static_assert(offsetof(struct vcpu, entry_stack) == PERCPU_ENTRY_STACK, "percpu.h");
_Static_assert(offsetof(struct vcpu, tp) == PERCPU_TP, "percpu.h");
_Static_assert(offsetof(struct vcpu, masked) == VCPU_MASKED, "hal_inline.h, entry_x86_64.S");
_Static_assert(offsetof(struct vcpu, pending) == VCPU_PENDING, "hal_inline.h, entry_x86_64.S");
_Static_assert(offsetof(struct vcpu, exit_frame) == 48, "entry_x86_64.S");
_Static_assert(offsetof(struct vcpu, exit_ip) == 56, "entry_x86_64.S");

extern struct vcpu vcpus[HAL_CPU_MAX];
extern uint32_t vcpu_count;
extern uint32_t vcpu_host_count; // CPUs that the host lets us use
extern int vcpu_pid;

// The calling host thread's. Stale as soon as the caller can be preempted.
static inline struct vcpu *vcpu_self(void)
{
    struct vcpu *vcpu;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(vcpu));
    return vcpu;
}

// Sets causes in vcpu's pending and makes it look. Any host thread that has GS set
// (vcpu_adopt_thread).
void vcpu_raise(struct vcpu *vcpu, uint32_t causes);

// One that waits in the host, with nothing pending, asks its source anew. Any host thread.
void vcpu_source_free(struct vcpu *vcpu);

// Raises an interrupt line (device.c) on vcpu.
void vcpu_raise_line(struct vcpu *vcpu, uint32_t line);

// Raises a notice (enum hal_notice) on the boot CPU.
void vcpu_raise_notice(uint32_t notice);

// Gives the calling hosted thread a block of its own, interrupts off for ever, so that code which
// serves guest and hosted callers alike finds one. block lives as long as the thread.
void vcpu_adopt_thread(struct vcpu *block);

#endif
