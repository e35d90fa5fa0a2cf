// SPDX-License-Identifier: BSD-3-Clause
// network.h: the interface that the options want.
#ifndef CORE_BOOT_NETWORK_H
#define CORE_BOOT_NETWORK_H

struct options;

// Opens eth0 and gives it its addresses. Nothing where the options want none. NULL, or what is
// wrong, and in *option with which of them.
const char *network_start(const struct options *options, const char **option);

#endif
