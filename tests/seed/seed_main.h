// SPDX-License-Identifier: BSD-3-Clause
// seed_main.h: the main of tests on the deterministic machine: TAP, one line for each struct
// seed_test.
#ifndef SEED_SEED_MAIN_H
#define SEED_SEED_MAIN_H

#include <stddef.h>

#include "seed.h"

// With the argument "planted" one of the tests must fail: the source under test has a bug.
int seed_main(int argc, char **argv, const struct seed_test *tests, size_t count);

#endif
