// SPDX-License-Identifier: BSD-3-Clause
// apic.h: the local interrupt controller: its registers, and interrupts between CPUs.
#ifndef HAL_X86_64_MACHINE_APIC_H
#define HAL_X86_64_MACHINE_APIC_H

#include <stdbool.h>
#include <stdint.h>

// Registers, by their offset in the page.
enum apic_register {
    APIC_ID = 0x20,
    APIC_TASK_PRIORITY = 0x80,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_COMMAND = 0x300,
    APIC_COMMAND_TARGET = 0x310,
    APIC_TIMER = 0x320,
    APIC_LINT0 = 0x350,
    APIC_LINT1 = 0x360,
    APIC_ERROR = 0x370,
    APIC_TIMER_START = 0x380,
    APIC_TIMER_NOW = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

enum { APIC_MASKED = 1 << 16 }; // of the registers from APIC_TIMER to APIC_ERROR

// What apic_send sends, a vector apart.
enum { APIC_NMI = 4 << 8, APIC_INIT = 5 << 8, APIC_START = 6 << 8 };

// Turns the old controllers off and the boot CPU's on; the same for another CPU's, on it.
void apic_init(void);
void apic_cpu_init(void);

// This CPU's registers.
uint32_t apic_read(enum apic_register at);
void apic_write(enum apic_register at, uint32_t value);

// By what number messages of devices name a CPU.
uint32_t apic_id(uint32_t cpu);

// The highest number that apic_send can name.
uint32_t apic_id_max(void);

// Sends a vector or one of the above to the CPU of that number; a vector to this one.
void apic_send(uint32_t id, uint32_t what);
void apic_send_self(uint32_t vector);

// Tells the controller that the interrupt has been taken. Before any upcall: that may switch
// context.
void apic_end(void);

#endif
