// SPDX-License-Identifier: BSD-3-Clause
// network.h: the interface that the options want.
#ifndef CORE_BOOT_NETWORK_H
#define CORE_BOOT_NETWORK_H

struct options;

enum { NETWORK_TEXT_SIZE = 128 };

// Opens eth0, gives it its addresses or gets one by DHCP, and shows the program the name servers in
// /etc/resolv.conf, if there is such a file. Nothing where there is no device and no option wants
// it. Where DHCP takes too long, the program does not wait, and a line says so. NULL, or what is
// wrong, and in what with which option.
const char *network_start(const struct options *options, char what[NETWORK_TEXT_SIZE]);

#endif
