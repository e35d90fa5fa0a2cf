// SPDX-License-Identifier: BSD-3-Clause
// qemu_arguments.h: the description of a machine as arguments of QEMU.
#ifndef SIM_RUN_QEMU_ARGUMENTS_H
#define SIM_RUN_QEMU_ARGUMENTS_H

struct machine;

// A list that ends with NULL, program first. QEMU waits for `cont` on its monitor, a socket that it
// connects to.
char **qemu_arguments_make(const struct machine *machine, const char *qemu, const char *monitor);

// Of these, those of virtio devices.
char **qemu_virtio_arguments_make(const struct machine *machine);

// Those of a network device on PCI, among libvirt's devices.
char **qemu_network_arguments_make(const struct machine *machine);

// Frees such a list.
void qemu_arguments_free(char **arguments);

#endif
