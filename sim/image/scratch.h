// SPDX-License-Identifier: BSD-3-Clause
// scratch.h: a directory beside the output, where everything is made. It goes away when osv-image
// ends, however it does, and the output is there whole or not at all.
#ifndef SIM_IMAGE_SCRATCH_H
#define SIM_IMAGE_SCRATCH_H

#include <sys/types.h>

// Once. From now on SIGINT, SIGTERM and SIGHUP end the run at the next scratch_check.
void scratch_start(const char *output);

// The path of a name in the directory.
char *scratch_path(const char *name);

// Makes the file of that name in the directory the output.
void scratch_publish(const char *name);

// The process that these signals end, too: a child that is not yet waited for. 0: none any more.
void scratch_child_set(pid_t process);

// Ends the run where a signal has asked for it.
void scratch_check(void);

#endif
