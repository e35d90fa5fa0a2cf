// SPDX-License-Identifier: BSD-3-Clause
// machine_check.h: errors that the hardware reports of itself.
#ifndef HAL_X86_64_MACHINE_MACHINE_CHECK_H
#define HAL_X86_64_MACHINE_MACHINE_CHECK_H

#include <stdint.h>

struct machine_check {
    uint64_t global; // IA32_MCG_STATUS
    uint64_t bank;   // the first with an error, and its status and address; all 0: none has
    uint64_t status, address;
};

// Lets this CPU report errors, where it can: without, an error stops the machine and says nothing.
void machine_check_init(void);

// What the error is, in the exception's handler.
void machine_check_read(struct machine_check *check);

#endif
