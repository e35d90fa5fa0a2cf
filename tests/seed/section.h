// SPDX-License-Identifier: BSD-3-Clause
// section.h: a critical section that tests of core/sync guard with one mutex, and that checks that
// nobody else is inside.
#ifndef SEED_SECTION_H
#define SEED_SECTION_H

#include "core/sync/mutex.h"

extern struct mutex section_mutex;

void section_reset(void);
void section_check(void); // at the end: nobody has it, or wants it
void section_enter(void); // the caller has got the mutex
void section_leave(void); // the caller is about to give it up
void section_lock(void);
void section_unlock(void);

#endif
