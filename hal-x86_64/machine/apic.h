// SPDX-License-Identifier: BSD-3-Clause
// apic.h: the local interrupt controller: the timer and the one IPI.
#ifndef HAL_X86_64_MACHINE_APIC_H
#define HAL_X86_64_MACHINE_APIC_H

#include <stdbool.h>

// Turns the old controllers off and this CPU's on. After clock_init; takes about 5 ms.
void apic_init(void);

// Tells the controller that the interrupt has been taken. Before any upcall: that may switch
// context.
void apic_end(void);

// After the timer's interrupt: true if the deadline has come, and is then gone; arms the timer
// again if it has not.
bool apic_timer_due(void);

#endif
