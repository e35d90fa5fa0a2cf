// SPDX-License-Identifier: BSD-3-Clause
// process.h: a program that osv-run starts and that does not outlive it.
#ifndef SIM_RUN_PROCESS_H
#define SIM_RUN_PROCESS_H

#include <sys/types.h>

struct process {
    pid_t pid;
    int pidfd;  // readable when it has ended
    int errors; // its standard output and error stream
};

// Starts arguments[0], which is a path. fd is inherited, unless it is -1. Ends the process where
// that fails.
void process_start(struct process *process, char *const *arguments, int fd);

// Kills it where it still runs and waits for it: the status that waitpid says.
int process_end(struct process *process);

// The path of the first of names (NULL ends) that is in $PATH or, by itself, an absolute path;
// NULL: none. To be freed.
char *process_find(const char *const *names);

#endif
