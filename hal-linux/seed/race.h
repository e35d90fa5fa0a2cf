// SPDX-License-Identifier: BSD-3-Clause
// race.h: finds data races: two accesses to the same bytes, not both atomic and not both reads,
// that nothing orders.
//
// What orders is what C says: the program order of whoever makes the accesses (an actor), and
// atomic operations with acquire and release, fences and release sequences included. Who is an
// actor comes at two levels. Core's accesses are those of vCPUs: its state of one CPU, which only
// runs with interrupts off, is ordered so, and what a vCPU does for one thread and then for
// another. Those of an application are those of contexts: two threads that happen to run on one
// vCPU race all the same. Where a pair has one of core's in it, it is core's.
//
// After FastTrack (Flanagan, Freund, PLDI 2009): vector clocks for actors and atomic variables, a
// number for an access. The numbers count the accesses of the run, so a number also says where the
// run was.
#ifndef HAL_LINUX_SEED_RACE_H
#define HAL_LINUX_SEED_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RACE_CPUS = 256, RACE_CONTEXTS = 1024 };

// Kinds of access, or-ed.
enum { RACE_WRITES = 1, RACE_ATOMIC = 2, RACE_APPLICATION = 4 };

struct race_actor {
    uint32_t cpu, context;
};

struct race_access {
    uint64_t number; // 1 .. : it was this access of the run
    const void *place;
    struct race_actor by;
    uintptr_t address; // in one granule of 8 bytes
    uint32_t size;
    unsigned kind;
};

// Once. 0 or -errno.
int race_init(void);

// The number of the last access.
uint64_t race_number(void);

// An access, or an atomic one. order is one of __ATOMIC_RELAXED .. __ATOMIC_SEQ_CST.
void race_access(struct race_actor by, uintptr_t address, size_t size, unsigned kind,
                 const void *place);
void race_atomic(struct race_actor by, uintptr_t address, size_t size, unsigned kind, bool reads,
                 int order, const void *place);
void race_fence(struct race_actor by, int order);

// Order without an access: what by has done comes before what whoever acquires the same address
// does from there on. Atomic accesses there have no part in it.
void race_release(struct race_actor by, uintptr_t address);
void race_acquire(struct race_actor by, uintptr_t address);

// What by has done comes before all that cpu will do, which has done nothing yet.
void race_cpu_begin(struct race_actor by, uint32_t cpu);

// The memory is somebody else's from here on: what was done to it is of no account.
void race_forget(uintptr_t address, size_t size);

// For the one who uses this to define. second is the access that is about to be made.
void race_found(const struct race_access *first, const struct race_access *second);

// Nothing is looked at any more, for lack of memory: for the one who uses this to define.
void race_full(void);

#endif
