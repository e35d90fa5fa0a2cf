// SPDX-License-Identifier: BSD-3-Clause
// power.h: how the machine ends.
#ifndef HAL_X86_64_MACHINE_POWER_H
#define HAL_X86_64_MACHINE_POWER_H

// Makes the registers reachable that firmware names. After firmware_init and paging_init.
void power_init(void);

#endif
