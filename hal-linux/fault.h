// SPDX-License-Identifier: BSD-3-Clause
// fault.h: what start-up tells the fault handler.
#ifndef HAL_LINUX_FAULT_H
#define HAL_LINUX_FAULT_H

#include <stddef.h>

// The host's vDSO, whose own system calls are let through.
void fault_vdso_set(const char *start, size_t size);

#endif
