// SPDX-License-Identifier: BSD-3-Clause
// seed.h: how osv-sim --seed becomes the seeded machine.
#ifndef SIM_SEED_H
#define SIM_SEED_H

// Makes sure that this process is the seeded machine's program, at addresses that are the same in
// every run: executes it with the same arguments if it is not. Prints why where that cannot be
// done, and ends the process.
void seed_execute(char **argv);

// argv as a line for a shell.
char *seed_command(char **argv);

#endif
