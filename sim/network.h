// SPDX-License-Identifier: BSD-3-Clause
// network.h: what the network device of osv-sim is connected to.
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

struct options;

// Ends the process where text is none of none, user, switch=FOLDER and tap=NAME.
void network_check(const char *text);

// Adds the device that options->net, which has been checked, says, if any. Ends the process where
// it cannot be had.
void network_add(const struct options *options);

#endif
