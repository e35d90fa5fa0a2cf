// SPDX-License-Identifier: BSD-3-Clause
// options.h: the command line of osv-sim.
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal-linux/machine.h"
#include "sim/tool/port.h"

enum {
    OPTIONS_MOUNT_MAX = 20,
    OPTIONS_DISK_MAX = 26,
    OPTIONS_ENV_MAX = 256,
    OPTIONS_ADDRESS_MAX = 8
};

// Exit statuses of osv-sim itself, as shells have them.
enum { EXIT_USAGE = 2, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

// Of --schedule enumerate.
enum { ENUMERATE_DEPTH_MAX = 8, ENUMERATE_RUNS_DEFAULT = 10000 };

struct recording;

struct options_mount {
    const char *host, *guest;
    bool read_only;
};

struct options_disk {
    const char *host;
    bool read_only;
};

struct options_balloon {
    bool is_there, gives_back;
    size_t size;        // from the start
    const char *socket; // or NULL
};

struct options {
    uint32_t cpu_count;
    size_t memory_size;
    uint32_t node_count; // 0: one
    struct options_mount mounts[OPTIONS_MOUNT_MAX];
    size_t mount_count;
    struct options_disk disks[OPTIONS_DISK_MAX];
    size_t disk_count;
    const char *net;                            // what the network device leads to; NULL: none
    const char *addresses[OPTIONS_ADDRESS_MAX]; // as core reads them
    size_t address_count;
    const char *name_servers[OPTIONS_ADDRESS_MAX]; // the same
    size_t name_server_count;
    struct port ports[PORT_MAX]; // of the host, that lead to the machine's
    size_t port_count;
    const char *capture; // the file for the network device's frames, or NULL
    const char *env[OPTIONS_ENV_MAX]; // NAME=VALUE
    size_t env_count;
    struct options_balloon balloon;
    const char *cwd; // NULL: the current one
    bool strace, verbose, stats, leak, check_heap, perf_map;
    bool shrinks;
    uint32_t enumerated_depth, enumerated_runs; // preemptions, and runs at most; 0: no enumeration
    bool is_seeded, has_faults;
    struct seed_options seed; // where is_seeded
    const char *debug;        // libs,symbols; or NULL
    const char *core;         // the file for a core dump, or NULL
    const char *replay_name;  // the file of the run to be made again, or NULL
    struct recording *replay; // that run
    char **words;             // the options and PROGRAM as a recording has them
    size_t word_count;        // of the options
    const char *self_test;    // core's option that runs its self-test instead of a program, or NULL
    char **program;           // PROGRAM and its arguments; NULL ends
};

// Reads the command line. Prints what is wrong with it, or what --help and --version ask for, and
// ends the process.
void options_read(struct options *options, int argc, char **argv);

// Prints one line to standard error, "osv-sim: " before it, and ends the process.
__attribute__((noreturn, format(printf, 2, 3))) void options_fail(int status, const char *format,
                                                                  ...);

// A number of bytes, with k, M or G. False: text is none.
bool size_parse(const char *text, uint64_t *size);

#endif
