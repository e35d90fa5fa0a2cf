// SPDX-License-Identifier: BSD-3-Clause
// options.h: the command line of osv-run.
#ifndef SIM_RUN_OPTIONS_H
#define SIM_RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/run/network.h"

enum { OPTIONS_LIST_MAX = 128 };

enum acceleration { ACCELERATION_AUTO, ACCELERATION_KVM, ACCELERATION_TCG };

// What was given by one repeatable option, in order.
struct option_list {
    const char *items[OPTIONS_LIST_MAX];
    size_t count;
};

struct options {
    const char *image;
    char **program; // what replaces the image's program, and its arguments; NULL ends; or NULL
    const char *connect;
    bool is_direct;
    const char *name; // of the domain, or NULL
    const char *board;
    uint32_t cpu_count;
    uint64_t memory_size;
    const char *memory; // as given
    enum acceleration acceleration;
    const char *initrd;
    const char *cwd;
    struct network network;       // not yet looked for on the host
    uint32_t timeout_s;           // 0: none
    struct option_list disks;     // FILE[:ro]
    struct option_list mounts;    // HOST:GUEST[:ro]
    struct option_list variables; // NAME=VALUE
    struct option_list kernel;    // options of the kernel, as they are
    struct option_list qemu;      // arguments of QEMU, as they are
};

// Reads the command line. Prints what is wrong with it, or what --help asks for, and ends the
// process.
void options_read(struct options *options, int argc, char **argv);

#endif
