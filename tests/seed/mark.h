// SPDX-License-Identifier: BSD-3-Clause
// mark.h: takes the place of core/lib/mark.h in what is compiled for the deterministic machine.
#ifndef SEED_MARK_H
#define SEED_MARK_H

void seed_mark(const char *name);

#define MARK(name) seed_mark(name)

#endif
