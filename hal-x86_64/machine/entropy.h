// SPDX-License-Identifier: BSD-3-Clause
// entropy.h: seeding a CPU's generator.
#ifndef HAL_X86_64_MACHINE_ENTROPY_H
#define HAL_X86_64_MACHINE_ENTROPY_H

struct percpu;

void entropy_init(struct percpu *percpu);

#endif
