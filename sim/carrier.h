// SPDX-License-Identifier: BSD-3-Clause
// carrier.h: whether somebody holds an interface of the host's.
#ifndef SIM_CARRIER_H
#define SIM_CARRIER_H

#include <stdbool.h>

// Whether the interface of that index has a carrier, be it up or down: a TAP has one while a
// process has a queue of it. False where the host does not say.
bool carrier_is_on(unsigned index);

#endif
