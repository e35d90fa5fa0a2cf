// SPDX-License-Identifier: BSD-3-Clause
// simulated.h: --net sim: a network that the seed decides.
#ifndef SIM_SIMULATED_H
#define SIM_SIMULATED_H

#include <stdbool.h>

struct options;

// Whether text, of --net, is "sim", perhaps with properties.
bool simulated_is(const char *text);

// Ends the process where the properties are wrong; remembers them.
void simulated_check(const char *text);

// Adds the device. capture: of capture_open, or 0. Ends the process where it cannot be made.
void simulated_add(int capture);

// Gives the machine its addresses there, where none are given.
void simulated_addresses(struct options *options);

#endif
