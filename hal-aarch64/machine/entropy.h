// SPDX-License-Identifier: BSD-3-Clause
// entropy.h: seeding a CPU's generator.
#ifndef HAL_AARCH64_MACHINE_ENTROPY_H
#define HAL_AARCH64_MACHINE_ENTROPY_H

#include <stddef.h>

struct percpu;

// seed is what the loader gave, perhaps nothing.
void entropy_init(struct percpu *percpu, const void *seed, size_t size);

#endif
