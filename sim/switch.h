// SPDX-License-Identifier: BSD-3-Clause
// switch.h: a machine's place on a switch that is a folder (hal-linux/dev/net_switch.h).
#ifndef SIM_SWITCH_H
#define SIM_SWITCH_H

struct net_far;

// Makes the folder where there is none, and in it a socket by the name of far->hardware, which is
// far's wire from then on, and is removed when this process exits. Once in a process. NULL; or what
// cannot be had, where errno says why.
const char *switch_join(struct net_far *far, const char *folder);

#endif
