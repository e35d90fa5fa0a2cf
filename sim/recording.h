// SPDX-License-Identifier: BSD-3-Clause
// recording.h: a recorded run as a file (hal-linux/seed/README.md).
#ifndef SIM_RECORDING_H
#define SIM_RECORDING_H

#include <stdio.h>

#include "hal-linux/machine.h"

struct recording_object { // an ELF object of the run
    uint64_t base;
    char *path;
};

struct recording {
    struct seed_recording run;
    char **words, **environment; // NULL ends: the options and PROGRAM with its arguments
    struct seed_turn *meetings;  // as turns, each with the number of turns before it as its order
    size_t meeting_count;
    struct recording_object *objects;
    size_t object_count;
    char how[16]; // the program ended: exit, crash, deadlock, races
    unsigned code;
    char *text; // what the others point into
};

// Reads the file. NULL, or what is wrong with it.
const char *recording_read(struct recording *recording, const char *name);

// Writes the same run with these turns only, which need not be its own.
void recording_write(const struct recording *recording, const struct seed_turn *turns, size_t count,
                     FILE *out);

// Whether it is a turn that ended although the vCPU could go on.
bool recording_is_preemption(const struct seed_turn *turn);

void recording_free(struct recording *recording);

#endif
