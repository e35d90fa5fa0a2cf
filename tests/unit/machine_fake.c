// SPDX-License-Identifier: BSD-3-Clause
// machine_fake.c: a PC, as far as its clocks, timers and interrupt controller go. Its time goes on
// by what accesses cost.
#include "tests/unit/machine_fake.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hal-x86_64/machine/apic.h"
#include "hal-x86_64/machine/firmware.h"
#include "hal-x86_64/machine/paging.h"

enum {
    APIC_PAGE = 0xfee00000,
    HPET_PAGE = 0xfed00000,
    PIT_HZ = 1193182,
    PM_TIMER_HZ = 3579545,
    MSR_APIC_BASE = 0x1b,
    CHANNEL2 = 0x42,
    COMMAND = 0x43,
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    COMMAND_PENDING = 1 << 12,
};

struct fake fake;

static uint64_t pit_start, apic_start_ns;
static uint32_t apic_start, pit_latched, pit_bytes, cmos_index;

void fake_reset(void)
{
    memset(&fake, 0, sizeof fake);
    fake.now_ns = 123456789;
    fake.tsc_hz = 2893202000;
    fake.apic_hz = 1000000000;
    fake.cpus[1].index = 1;
    fake.cpus[1].apic_id = 5;
    pit_bytes = 0;
}

static uint64_t ticks(uint64_t ns, uint64_t hz)
{
    return (uint64_t)((unsigned __int128)ns * hz / 1000000000);
}

// The CPU may lose its host before an access and behind it.
static void stall(void)
{
    if (fake.stall_every != 0 && (uint32_t)random() % fake.stall_every == 0) {
        fake.now_ns += fake.stall_ns;
    }
}

static void spend(uint64_t ns)
{
    ++fake.access_count;
    stall();
    fake.now_ns += ns;
}

// ---- Ports --------------------------------------------------------------------

void port_write8(uint16_t port, uint8_t value)
{
    spend(700);
    if (port == COMMAND && value == 0x80) {
        pit_latched = (uint32_t)(0xffff - ticks(fake.now_ns - pit_start, PIT_HZ)) & 0xffff;
        pit_bytes = 0;
    } else if (port == CHANNEL2) {
        pit_start = fake.now_ns;
    } else if (port == CMOS_INDEX) {
        cmos_index = value & 127;
    }
}

uint8_t port_read8(uint16_t port)
{
    spend(700);
    if (port == CHANNEL2) {
        return !fake.has_pit ? 0xff : (uint8_t)(pit_latched >> 8 * (pit_bytes++ % 2));
    }
    if (port == CMOS_DATA && cmos_index == 10) {
        return fake.cmos_updating == 0 ? 0 : (--fake.cmos_updating, 0x80);
    }
    return port == CMOS_DATA ? fake.cmos[cmos_index] : 0xff;
}

uint32_t port_read32(uint16_t port)
{
    spend(900);
    const uint64_t count = ticks(fake.now_ns, PM_TIMER_HZ);
    return port == FAKE_PM_TIMER ? (uint32_t)(count & ((1ull << fake.acpi.timer_bits) - 1))
                                 : UINT32_MAX;
}

// ---- Memory -------------------------------------------------------------------

char *paging_device(hal_phys pa, size_t size)
{
    ck_assert_uint_eq(size, HAL_PAGE_SIZE);
    return (char *)(uintptr_t)pa; // nobody follows it
}

int hal_translate(const char *va, hal_phys *pa, unsigned *prot)
{
    *pa = (hal_phys)(uintptr_t)va;
    *prot = HAL_READ | HAL_WRITE;
    return 0;
}

static uint32_t hpet_read(uint32_t at)
{
    const uint64_t count =
        fake.hpet_start + (fake.hpet_period == 0 ? 0
                                                 : (uint64_t)((unsigned __int128)fake.now_ns *
                                                              1000000 / fake.hpet_period));
    switch (at) {
    case 0:
        return fake.hpet_is_short ? 0 : 1 << 13;
    case 4:
        return fake.hpet_period;
    case 0xf0:
        return (uint32_t)count;
    case 0xf4:
        return fake.hpet_is_short ? 0 : (uint32_t)(count >> 32);
    default:
        return 0;
    }
}

static void write_note(uint32_t to, uint64_t value)
{
    ck_assert_uint_lt(fake.write_count, FAKE_WRITES);
    fake.writes[fake.write_count++] = (struct fake_write){.to = to, .value = value};
}

static void apic_note(uint32_t at, uint64_t value)
{
    write_note(at, value);
    if (at == APIC_TIMER_START) {
        apic_start = (uint32_t)value;
        apic_start_ns = fake.now_ns;
    }
}

static uint32_t apic_value(uint32_t at)
{
    const uint64_t passed = ticks(fake.now_ns - apic_start_ns, fake.apic_hz / 16);
    switch (at) {
    case APIC_ID:
        return 7;
    case APIC_TIMER_NOW:
        return passed < apic_start ? (uint32_t)(apic_start - passed) : 0;
    case APIC_COMMAND:
        return fake.apic_pending == 0 ? 0 : (--fake.apic_pending, COMMAND_PENDING);
    default:
        return 0;
    }
}

uint32_t memory_read32(const char *at)
{
    const uint32_t offset = (uint32_t)((uintptr_t)at & 0xfff);
    spend(1000);
    if (((uintptr_t)at & ~0xfffull) == HPET_PAGE) {
        return hpet_read(offset);
    }
    ck_assert_uint_eq((uintptr_t)at & ~0xfffull, APIC_PAGE);
    const uint32_t value = apic_value(offset);
    return offset == APIC_ID ? value << 24 : value;
}

void memory_write32(char *at, uint32_t value)
{
    spend(1000);
    if (((uintptr_t)at & ~0xfffull) == APIC_PAGE) {
        apic_note((uint32_t)((uintptr_t)at & 0xfff), value);
    }
}

// ---- The processor --------------------------------------------------------------

// x2APIC's registers look like the others, in writes[] as on reading.
uint64_t msr_read(uint32_t msr)
{
    spend(100);
    if (msr == MSR_APIC_BASE) {
        return APIC_PAGE | 1 << 8;
    }
    return msr >= 0x800 && msr < 0x840 ? apic_value((msr - 0x800) << 4) : 0;
}

void msr_write(uint32_t msr, uint64_t value)
{
    spend(100);
    if (msr >= 0x800 && msr < 0x840) {
        apic_note((msr - 0x800) << 4, value);
    } else {
        write_note(msr, value);
    }
}

struct cpuid cpuid_read(uint32_t leaf, uint32_t subleaf)
{
    for (int i = 0; i < FAKE_LEAVES; ++i) {
        if (fake.leaves[i].leaf == leaf && fake.leaves[i].subleaf == subleaf) {
            return fake.leaves[i].value;
        }
    }
    return (struct cpuid){0, 0, 0, 0};
}

void isa_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    const struct cpuid found = cpuid_read(leaf, subleaf);
    memcpy(out, &found, sizeof found);
}

uint64_t isa_xcr0_read(void)
{
    return fake.xcr0;
}

uint64_t tsc_read(void)
{
    spend(20);
    void (*hook)(void) = fake.tsc_hook;
    fake.tsc_hook = NULL;
    if (hook != NULL) {
        hook();
    }
    return ticks(fake.now_ns, fake.tsc_hz);
}

void write_fence(void)
{
    fake.fence_at = fake.write_count;
}

struct percpu *percpu_self(void)
{
    return &fake.cpus[0];
}

struct percpu *percpu_of(uint32_t index)
{
    return &fake.cpus[index];
}

const struct acpi *firmware(void)
{
    return &fake.acpi;
}
