// SPDX-License-Identifier: BSD-3-Clause
// machine_fake.h: stands in for the x86_64 kernel's cpu_registers.h, percpu.h and cpuid.h, and is
// included before all else: what would be instructions of ring 0 are calls into a PC that
// machine_fake.c plays.
#ifndef UNIT_MACHINE_FAKE_H
#define UNIT_MACHINE_FAKE_H

#define HAL_X86_64_MACHINE_CPU_REGISTERS_H
#define HAL_X86_64_MACHINE_PERCPU_H
#define HAL_X86_64_ISA_CPUID_H

#include <stdbool.h>
#include <stdint.h>

#include "hal-x86_64/machine/kvmclock.h"
#include "hal/common/acpi.h"
#include "hal/hal.h"

struct percpu {
    uint32_t index, apic_id;
    hal_ns deadline;
    struct kvmclock kvmclock;
};

struct cpuid {
    uint32_t a, b, c, d;
};

struct percpu *percpu_self(void);
struct percpu *percpu_of(uint32_t index);

void port_write8(uint16_t port, uint8_t value);
uint8_t port_read8(uint16_t port);
uint32_t port_read32(uint16_t port);
uint64_t msr_read(uint32_t msr);
void msr_write(uint32_t msr, uint64_t value);
struct cpuid cpuid_read(uint32_t leaf, uint32_t subleaf);
uint64_t tsc_read(void);
void isa_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
uint64_t isa_xcr0_read(void);
uint32_t memory_read32(const char *at);
void memory_write32(char *at, uint32_t value);
void write_fence(void);

// ---- What the tests see of it ------------------------------------------------

enum { FAKE_LEAVES = 16, FAKE_WRITES = 64, FAKE_PM_TIMER = 0x608 };

struct fake_leaf {
    uint32_t leaf, subleaf;
    struct cpuid value;
};

struct fake_write { // to an MSR, or to a register of the local APIC
    uint32_t to;
    uint64_t value;
};

struct fake {
    uint64_t now_ns; // goes on with each access
    uint32_t access_count;
    uint32_t
        stall_every; // accesses between two moments at which the CPU is not there; 0: it always is
    uint64_t stall_ns;
    uint64_t tsc_hz, apic_hz;
    uint32_t hpet_period; // femtoseconds; 0: no HPET
    bool hpet_is_short;
    uint64_t hpet_start;
    bool has_pit;
    uint8_t cmos[128];
    uint32_t cmos_updating; // reads of status A that say so
    struct fake_leaf leaves[FAKE_LEAVES];
    struct fake_write writes[FAKE_WRITES];
    uint32_t write_count;
    uint32_t fence_at;      // how many writes there were at the last fence
    uint32_t apic_pending;  // reads of the command register that say so
    void (*tsc_hook)(void); // called by the next tsc_read, once
    uint64_t xcr0;
    struct acpi acpi;
    struct percpu cpus[2];
};
extern struct fake fake;

// A PC with nothing but a TSC and a local APIC.
void fake_reset(void);

#endif
