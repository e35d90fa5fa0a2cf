// SPDX-License-Identifier: BSD-3-Clause
// memory_seed.h: what memory both CPUs touch. For hal_seed.c.
#ifndef SEED_MEMORY_SEED_H
#define SEED_MEMORY_SEED_H

#include <stdbool.h>

void memory_forget(void);
bool memory_has_learned(void);  // something new is shared since the last memory_take_learned
bool memory_take_learned(void);

// Time passes, interrupts are looked at: an access that is no point. In hal_seed.c.
void seed_step(void);

#endif
