// SPDX-License-Identifier: BSD-3-Clause
// session.h: one run of a machine, with its streams connected to ours.
#ifndef SIM_RUN_SESSION_H
#define SIM_RUN_SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct backend;
struct machine;

enum session_end {
    END_STATUS,       // the program's or the kernel's exit status
    END_RESET,        // the machine reset itself
    END_OFF,          // it turned itself off, or was destroyed, without a status
    END_STOPPED,      // the hypervisor cannot go on
    END_KILLED,       // QEMU was killed, or died
    END_NOT_STARTED,  // the machine gave no sign in the time it had for that
    END_TIMEOUT,      // --timeout
    END_SIGNAL,       // one came to osv-run
    END_OUTPUT_CLOSED // nobody reads our output any more
};

struct session_outcome {
    enum session_end end;
    int code;             // status, or signal
    bool has_started;     // the kernel ran
    bool has_said;        // something of the machine has been written
    bool can_be_repeated; // all input that the machine got is kept for another run
    char explanation[512];
};

// Blocks the signals that end osv-run: session_run takes them. Once, before anything is started.
void session_signals_block(void);

// Runs the machine to its end; then there is none. deadline_ns: of CLOCK_MONOTONIC, INT64_MAX
// without; start_ns: the time that the machine has until its first sign, INT64_MAX without.
void session_run(const struct backend *backend, struct machine *machine, int64_t deadline_ns,
                 int64_t start_ns, struct session_outcome *outcome);

// CLOCK_MONOTONIC
int64_t session_now_ns(void);

#endif
