// SPDX-License-Identifier: BSD-3-Clause
// network.h: what the network device of osv-sim is connected to.
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

// Ends the process where text is none of none, switch=FOLDER and tap=NAME.
void network_check(const char *text);

// Adds the device that text, which has been checked, says. NULL: none. Ends the process where it
// cannot be had.
void network_add(const char *text);

#endif
