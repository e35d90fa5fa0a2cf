// SPDX-License-Identifier: BSD-3-Clause
// scratch.h: a directory of our own for sockets, which is gone when osv-run ends.
#ifndef SIM_RUN_SCRATCH_H
#define SIM_RUN_SCRATCH_H

// Makes the directory. Ends the process where that fails.
void scratch_make(void);

// Removes it with what is in it. Does nothing where there is none.
void scratch_remove(void);

// A socket in it, on which we listen; its path goes to *path. Ends the process where that fails.
int scratch_listen(const char *name, char **path);

#endif
