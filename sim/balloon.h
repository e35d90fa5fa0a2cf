// SPDX-License-Identifier: BSD-3-Clause
// balloon.h: the socket by which a person says how much memory osv-sim's program is to give up.
#ifndef SIM_BALLOON_H
#define SIM_BALLOON_H

#include <stddef.h>

// Makes the socket and serves it until the process ends, which removes it. After balloon_add;
// memory_size is the machine's. What is wrong ends the process.
void balloon_listen(const char *path, size_t memory_size);

#endif
