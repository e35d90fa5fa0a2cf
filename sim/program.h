// SPDX-License-Identifier: BSD-3-Clause
// program.h: finds the program's file on the host.
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

// The absolute path, without symbolic links, of the file that name means: with a slash a path,
// without one a file in PATH, or else in the current directory. Where there is none that could run,
// prints why and ends the process.
char *program_find(const char *name);

#endif
