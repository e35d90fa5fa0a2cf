// SPDX-License-Identifier: BSD-3-Clause
// domain.h: the description of a machine as libvirt's XML.
#ifndef SIM_RUN_DOMAIN_H
#define SIM_RUN_DOMAIN_H

struct machine;

// To be freed.
char *domain_make(const struct machine *machine);

#endif
