// SPDX-License-Identifier: BSD-3-Clause
// process.h: a program that osv-run starts and that does not outlive it.
#ifndef SIM_RUN_PROCESS_H
#define SIM_RUN_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

enum { PROCESS_LINE_SIZE = 512 };

struct process {
    pid_t pid;
    int pidfd;  // readable when it has ended
    int errors; // a file with what it wrote to standard output and error
};

// Starts arguments[0], which is a path. fd is inherited, unless it is -1. Ends the process where
// that fails.
void process_start(struct process *process, char *const *arguments, int fd);

bool process_has_ended(const struct process *process);

// The last line that it wrote: the one that says why it ended. An empty one: none.
void process_last_line(const struct process *process, char line[PROCESS_LINE_SIZE]);

// Kills it where it still runs, and waits for it.
void process_end(struct process *process);

// The path of the first of names (NULL ends) that is in $PATH or, by itself, an absolute path;
// NULL: none. To be freed.
char *process_find(const char *const *names);

#endif
