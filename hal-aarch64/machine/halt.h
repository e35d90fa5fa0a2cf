// SPDX-License-Identifier: BSD-3-Clause
// halt.h: how the machine ends.
#ifndef HAL_AARCH64_MACHINE_HALT_H
#define HAL_AARCH64_MACHINE_HALT_H

#include <stdbool.h>
#include <stdint.h>

// Which instruction PSCI is called by; hvc until it is said.
void halt_psci_set(bool by_smc);

// Whether pc is an instruction that is tried and skipped where it does not exist.
bool halt_is_probe(uint64_t pc);

#endif
