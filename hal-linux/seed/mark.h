// SPDX-License-Identifier: BSD-3-Clause
// mark.h: takes the place of core/lib/mark.h in what is compiled for the deterministic machine.
#ifndef HAL_LINUX_SEED_MARK_H
#define HAL_LINUX_SEED_MARK_H

#ifndef __ASSEMBLER__ // it is included before everything that is compiled

void seed_mark(const char *name);

#define MARK(name) seed_mark(name)

#endif

#endif
