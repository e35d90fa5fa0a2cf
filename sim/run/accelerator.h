// SPDX-License-Identifier: BSD-3-Clause
// accelerator.h: whether KVM is to be used.
#ifndef SIM_RUN_ACCELERATOR_H
#define SIM_RUN_ACCELERATOR_H

#include <stdbool.h>

// Whether to try KVM. Where it is not there, or known not to work, one line says so.
bool accelerator_is_kvm(void);

// That KVM does not work on this host, until it boots again.
void accelerator_remember_broken(void);

#endif
