// SPDX-License-Identifier: BSD-3-Clause
// percpu.h: what the machine keeps for one CPU, at GS base.
//
// Invariant: touched by its own CPU only, with interrupts off or in one instruction; but the fields
// that say otherwise.
#ifndef HAL_X86_64_MACHINE_PERCPU_H
#define HAL_X86_64_MACHINE_PERCPU_H

#include <stdatomic.h>
#include <stddef.h>

#include "hal/common/entropy.h"
#include "hal/hal.h"

#include "kvmclock.h"

enum { BOUNCE_SIZE = 4096, TSS_SIZE = 104, GDT_ENTRIES = 5 };

// Stacks of the interrupt stack table, numbered as the IDT wants them.
enum { IST_ENTRY = 1, IST_DOUBLE_FAULT, IST_NMI, IST_MACHINE_CHECK, IST_COUNT = IST_MACHINE_CHECK };

struct percpu {
    struct percpu *self;      // what GS base is; the first five are as isa/percpu.h has them
    struct cpu *cpu;          // core's, for hal_cpu_self
    void *context_self;       // of the running context, for hal_self
    char *entry_stack;        // of the running context; its top
    void *tp;                 // what FS base is
    char *bounce_top;         // where interrupts and exceptions land, by the IST
    uint64_t syscall_sp;      // the caller's stack, for the instructions until it is in the frame
    uint64_t upcall_count;    // trap_upcalls
    hal_ns deadline;          // what core asked for; UINT64_MAX is none
    uint32_t index;           // never changes once the block is found by percpu_of; read by all
    uint32_t apic_id;         // the same
    _Atomic bool is_running;  // set by its CPU once interrupts reach it; read by all
    _Atomic bool was_kicked;  // before it ran; set by others (smp.c)
    _Atomic uint64_t flushes; // slots that wait for this CPU; set by others (flush.c)
    _Atomic uint32_t nap;     // flush.c
    struct entropy entropy;
    struct kvmclock kvmclock;
    uint64_t gdt[GDT_ENTRIES];
    unsigned char tss[TSS_SIZE];
    _Alignas(64) char stacks[IST_COUNT][BOUNCE_SIZE];
};

_Static_assert(offsetof(struct percpu, self) == PERCPU_BLOCK, "isa/percpu.h");
_Static_assert(offsetof(struct percpu, cpu) == PERCPU_CPU, "isa/percpu.h");
_Static_assert(offsetof(struct percpu, context_self) == PERCPU_SELF, "isa/percpu.h");
_Static_assert(offsetof(struct percpu, entry_stack) == PERCPU_ENTRY_STACK, "isa/percpu.h, trap.S");
_Static_assert(offsetof(struct percpu, tp) == PERCPU_TP, "isa/percpu.h");
_Static_assert(offsetof(struct percpu, bounce_top) == 40, "trap.S");
_Static_assert(offsetof(struct percpu, syscall_sp) == 48, "trap.S");

static inline struct percpu *percpu_self(void)
{
    struct percpu *percpu;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(percpu));
    return percpu;
}

// Makes the block, whose index is percpu_count(), findable. The boot CPU's is the first; others
// follow before they run.
void percpu_add(struct percpu *percpu);
struct percpu *percpu_of(uint32_t index);
uint32_t percpu_count(void);

// Loads this CPU's segments, GS base, interrupt table, control registers and vector state.
void percpu_init(struct percpu *percpu);

#endif
