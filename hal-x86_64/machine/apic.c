// SPDX-License-Identifier: BSD-3-Clause
// apic.c: the local APIC (Intel SDM vol. 3, 11).
//
// x2APIC where the processor has it: registers are MSRs, CPUs have 32-bit numbers, and a command is
// one write. Otherwise the registers are a page of memory, at the same place on every CPU.
#include "apic.h"

#include "cpu_registers.h"
#include "paging.h"
#include "percpu.h"
#include "trap.h"

enum {
    MSR_APIC_BASE = 0x1b,
    MSR_X2APIC = 0x800, // the register at offset 0; one MSR for each 16 bytes
    BASE_ENABLE = 1 << 11,
    BASE_X2APIC = 1 << 10,
    ID_SHIFT = 24,
    ID_MAX = 254, // 255 names all
    ENABLE = 1 << 8,
    COMMAND_SELF = 1 << 18,
    COMMAND_ASSERT = 1 << 14,
    COMMAND_PENDING = 1 << 12,
    PIC1_DATA = 0x21,
    PIC2_DATA = 0xa1,
    LEAF_FEATURES = 1,
    FEATURE_X2APIC = 1 << 21, // ecx
};

static char *page; // NULL: x2APIC

static uint32_t register_msr(enum apic_register at)
{
    return MSR_X2APIC + ((uint32_t)at >> 4);
}

uint32_t apic_read(enum apic_register at)
{
    return page == NULL ? (uint32_t)msr_read(register_msr(at)) : memory_read32(page + at);
}

void apic_write(enum apic_register at, uint32_t value)
{
    if (page == NULL) {
        msr_write(register_msr(at), value);
    } else {
        memory_write32(page + at, value);
    }
}

// The old controllers may raise nothing: their lines stay masked.
void apic_init(void)
{
    port_write8(PIC1_DATA, 0xff);
    port_write8(PIC2_DATA, 0xff);
    page = NULL;
    if ((cpuid_read(LEAF_FEATURES, 0).c & FEATURE_X2APIC) == 0) {
        const uint64_t base = msr_read(MSR_APIC_BASE);
        page = paging_device(base & ~0xfffull & ((1ull << 52) - 1), HAL_PAGE_SIZE);
    }
    apic_cpu_init();
    apic_write(APIC_LINT1, APIC_NMI); // whoever asks by it wants one report
    percpu_self()->apic_id = apic_read(APIC_ID) >> (page == NULL ? 0 : ID_SHIFT);
}

void apic_cpu_init(void)
{
    const uint64_t base = msr_read(MSR_APIC_BASE) | BASE_ENABLE;
    msr_write(MSR_APIC_BASE, base); // x2APIC comes by way of this
    if (page == NULL) {
        msr_write(MSR_APIC_BASE, base | BASE_X2APIC);
    }
    apic_write(APIC_TASK_PRIORITY, 0);
    apic_write(APIC_LINT0, APIC_MASKED);
    apic_write(APIC_LINT1, APIC_MASKED);
    apic_write(APIC_ERROR, APIC_MASKED);
    apic_write(APIC_SPURIOUS, ENABLE | VECTOR_SPURIOUS);
}

uint32_t apic_id(uint32_t cpu)
{
    return percpu_of(cpu)->apic_id;
}

uint32_t apic_id_max(void)
{
    return page == NULL ? UINT32_MAX - 1 : ID_MAX;
}

// The old controller takes a command in two writes, and one at a time.
static void command_write(uint32_t id, uint32_t command)
{
    if (page == NULL) {
        write_fence(); // SDM 11.12.3: this MSR does not wait for what was stored before
        msr_write(register_msr(APIC_COMMAND), (uint64_t)id << 32 | command);
        return;
    }
    const uintptr_t state = hal_irq_save();
    while ((apic_read(APIC_COMMAND) & COMMAND_PENDING) != 0) {
        hal_cpu_relax();
    }
    apic_write(APIC_COMMAND_TARGET, id << ID_SHIFT);
    apic_write(APIC_COMMAND, command);
    hal_irq_restore(state);
}

void apic_send(uint32_t id, uint32_t what)
{
    command_write(id, what | COMMAND_ASSERT);
}

void apic_send_self(uint32_t vector)
{
    command_write(0, vector | COMMAND_ASSERT | COMMAND_SELF);
}

void apic_end(void)
{
    apic_write(APIC_EOI, 0);
}
