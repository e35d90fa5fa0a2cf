// SPDX-License-Identifier: BSD-3-Clause
// seed.h: how osv-sim --seed becomes the seeded machine.
#ifndef SIM_SEED_H
#define SIM_SEED_H

#include <stddef.h>

// Makes sure that this process is the seeded machine's program, at addresses that are the same in
// every run: executes it with the same arguments if it is not. Prints why where that cannot be
// done, and ends the process.
void seed_execute(char **argv);

// argv as a line for a shell; from *rest on it is what follows the first word.
char *seed_command(char **argv, size_t *rest);

#endif
