// SPDX-License-Identifier: BSD-3-Clause
// relay.h: QEMU's network device on a switch of osv-sim's.
#ifndef SIM_RUN_RELAY_H
#define SIM_RUN_RELAY_H

struct machine;

// Where the machine's network is a switch: fills in the socket by which QEMU gets there, and
// carries frames for one run of the machine. Ends the process where that fails.
void relay_start(struct machine *machine);

// May be called at any time.
void relay_stop(void);

#endif
