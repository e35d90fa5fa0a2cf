// SPDX-License-Identifier: BSD-3-Clause
// backend.h: what runs a machine: QEMU as our child (direct.c), or libvirt (libvirt.c).
#ifndef SIM_RUN_BACKEND_H
#define SIM_RUN_BACKEND_H

struct machine;

enum backend_event {
    EVENT_NONE,
    EVENT_RESET,   // the machine reset itself
    EVENT_OFF,     // it turned itself off
    EVENT_STOPPED, // the hypervisor cannot go on with it
    EVENT_KILLED,  // somebody else ends it
    EVENT_GONE,    // it is no more
};

struct backend {
    // Starts the machine. NULL, or why it cannot be, in one line to be freed. Where nothing of the
    // kind can ever be started it ends the process.
    char *(*start)(const struct machine *machine);
    // Readable where event_take may have something to say.
    int (*event_fd)(void);
    // The next event; never waits.
    enum backend_event (*event_take)(void);
    // What the hypervisor said that explains the end: one line, or an empty one.
    const char *(*explanation)(void);
    // There is no machine when it returns. May be called at any time.
    void (*stop)(void);
};

// What an event SHUTDOWN of QEMU's says, in JSON. No text in it is a person's: words in quotes are
// found by search.
enum backend_event backend_shutdown_event(const char *details);

extern const struct backend backend_direct;

// uri: of libvirt.
const struct backend *backend_libvirt(const char *uri);

#endif
