// SPDX-License-Identifier: BSD-3-Clause
// machine.h: the one description of the virtual machine. qemu_arguments.c makes QEMU's arguments of
// it, domain.c libvirt's XML.
#ifndef SIM_RUN_MACHINE_H
#define SIM_RUN_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/run/network.h"

struct image;
struct options;

enum { MACHINE_DISK_MAX = 8, MACHINE_MOUNT_MAX = 8 };

enum accelerator { ACCELERATOR_TCG, ACCELERATOR_KVM };

// Unix sockets on which we listen and that QEMU connects to.
enum channel_kind {
    CHANNEL_CONSOLE, // the serial port: what the kernel says, and the program's error stream
    CHANNEL_SIGN,    // a debug console: that the kernel runs (hal-x86_64/README.md)
    CHANNEL_CODE,    // a debug console: the exit status
    CHANNEL_INPUT,   // ports of a virtio console: the program's standard streams
    CHANNEL_OUTPUT,
    CHANNEL_COUNT,
};

struct machine_disk {
    const char *path;
    const char *format; // QEMU's name for it
    bool read_only;
};

// A directory of the host's, served by virtiofsd.
struct machine_mount {
    const char *host, *guest;
    bool read_only;
    char tag[16];
    char *socket;
};

struct machine {
    const char *name;
    const char *board; // QEMU's -M
    uint32_t cpu_count;
    uint64_t memory_size;
    enum accelerator accelerator;
    const char *kernel; // NULL: it boots from the first disk
    const char *initrd; // or NULL
    char *command_line; // of the kernel
    char *sockets[CHANNEL_COUNT];
    bool has_streams;
    struct machine_disk disks[MACHINE_DISK_MAX];
    size_t disk_count;
    struct machine_mount mounts[MACHINE_MOUNT_MAX];
    size_t mount_count;
    struct network network;
    const char *const *more; // arguments that QEMU gets as they are
    size_t more_count;
};

// Whether devices are on a PCI bus; otherwise, on microvm, their registers are pieces of memory.
bool machine_has_pci(const struct machine *machine);

// How many CPUs the machine has room for. Where QEMU is the processor that is two at least:
// before 8.0 its CPU leaves out barriers where there is room for one only, though devices run
// beside it, so that a notification of theirs, or to them, is lost now and then.
uint32_t machine_cpu_places(const struct machine *machine);

// Fills in all but the accelerator and the sockets. Ends the process where the options ask for what
// cannot be.
void machine_make(struct machine *machine, const struct options *options,
                  const struct image *image);

#endif
