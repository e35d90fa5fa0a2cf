// SPDX-License-Identifier: BSD-3-Clause
// smp.h: the other CPUs: how they start.
#ifndef HAL_X86_64_MACHINE_SMP_H
#define HAL_X86_64_MACHINE_SMP_H

#include "hal/common/memory_list.h"
#include "hal/hal.h"

#include "percpu.h"

// Puts the code with which other CPUs start into a page below 1 MiB, while boot.S's map is there.
// 0: no other CPU will start.
void smp_page_set(hal_phys page);

// Makes the other CPUs' blocks, in memory taken out of usable. After paging_init, apic_init and
// firmware_init. Answers how many CPUs there are.
uint32_t smp_init(struct memory_list *usable);

// Called by boot.S on another CPU, on the stack that core gave it, interrupts off.
HAL_NORETURN void smp_enter(struct percpu *percpu);

// Takes every other CPU out of work for good. Any context.
void smp_stop(void);

// Whether smp_stop was called: the NMI that comes then is not to be reported.
bool smp_is_stopping(void);

#endif
