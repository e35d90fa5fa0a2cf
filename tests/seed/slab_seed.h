// SPDX-License-Identifier: BSD-3-Clause
// slab_seed.h: core/mem/slab.h in few lines: the same objects in every schedule, and none is used
// twice in one.
#ifndef SEED_SLAB_SEED_H
#define SEED_SLAB_SEED_H

void seed_slabs_reset(void);
unsigned seed_slabs_used(void); // objects that were taken and not freed

#endif
