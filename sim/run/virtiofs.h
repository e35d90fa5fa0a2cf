// SPDX-License-Identifier: BSD-3-Clause
// virtiofs.h: servers of the host's directories: one virtiofsd for each mount of a machine.
#ifndef SIM_RUN_VIRTIOFS_H
#define SIM_RUN_VIRTIOFS_H

struct machine;

// Starts them and fills in their sockets. Each serves one run of the machine. Ends the process
// where there is no virtiofsd.
void virtiofs_start(struct machine *machine);

// What one that has ended by itself said last, with the directory; NULL: none has. To be freed.
char *virtiofs_explanation(const struct machine *machine);

// Ends them. May be called at any time.
void virtiofs_stop(void);

#endif
