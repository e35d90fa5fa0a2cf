// SPDX-License-Identifier: BSD-3-Clause
// flush_fake.h: stands in for the x86_64 kernel's cpu_registers.h and percpu.h, and is included
// before all else: CPUs that flush_test.c plays, one at a time.
#ifndef UNIT_FLUSH_FAKE_H
#define UNIT_FLUSH_FAKE_H

#define HAL_X86_64_MACHINE_CPU_REGISTERS_H
#define HAL_X86_64_MACHINE_PERCPU_H

#define hal_tlb_flush machine_tlb_flush // the unit tests' machine has one, too
#define hal_tlb_count machine_tlb_count

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct percpu {
    uint32_t index, apic_id;
    _Atomic bool is_running;
    _Atomic uint64_t flushes;
    _Atomic uint32_t nap;
    uint32_t everything, pages, interrupts; // of this CPU: dropped, and how often it was asked
};

struct percpu *percpu_self(void);
struct percpu *percpu_of(uint32_t index);
uint32_t percpu_count(void);

uint64_t cr3_read(void);
void cr3_write(uint64_t value);
void page_flush(const char *va);

#endif
