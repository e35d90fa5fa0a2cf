// SPDX-License-Identifier: BSD-3-Clause
// guest.h: threads for tests of the real core/sched on two CPUs, and what it asks of core/mem.
//
// thread_create makes one thread more. A test's reset calls guests_reset and then guest_reset for
// each thread; its bodies are guest_cpu_run. A guest whose body returns has called seed_end.
#ifndef SEED_GUEST_H
#define SEED_GUEST_H

#include "core/sched/thread.h"

enum { GUEST_COUNT = 3 };

void guests_reset(void);                                            // two CPUs that idle; they halt at once
void guests_poll(void); // after guests_reset: they look for work for a moment
void guest_reset(unsigned index, unsigned cpu, void (*body)(void)); // a thread that is ready there
void guest_cpu_run(void);

struct thread *guest(unsigned index);
void guest_wait(unsigned index); // the caller, which is guest index, waits until it is told
void guest_tell(unsigned index);

// Bodies: guests 0 and 1 wake each other; guests 1 and 2 sleep until they are told.
void guest_ping(void);
void guest_pong(void);
void guest_sleep_1(void);
void guest_sleep_2(void);

unsigned guests_freed(void); // threads that were given back to core/mem

#endif
