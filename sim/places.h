// SPDX-License-Identifier: BSD-3-Clause
// places.h: places of code as a person knows them.
#ifndef SIM_PLACES_H
#define SIM_PLACES_H

#include <stdint.h>
#include <stdio.h>

struct recording;

// "function (file:line)" of a return address in a recorded run, by addr2line, or as much of it as
// is known: "object+0xoffset".
void place_print(const struct recording *recording, uint64_t place, FILE *out);

#endif
