// SPDX-License-Identifier: BSD-3-Clause
// clock.c: time by the time-stamp counter, the date by the CMOS clock.
//
// The counter's frequency is what CPUID 0x15 says, or is measured against the PIT's channel 2: a
// pair (TSC, PIT) is read at two moments, each the tightest of several readings, so that a virtual
// CPU that loses its host CPU during one reading does not spoil the result.
#include "clock.h"

#include "cpu_registers.h"

enum {
    PIT_HZ = 1193182,
    PIT_CHANNEL2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_LOAD = 0xb0,  // channel 2, two bytes, mode 0: count down once
    PIT_LATCH = 0x80, // channel 2
    PIT_GATE_PORT = 0x61,
    PIT_START = 0xffff,
    PIT_SPAN = 23864, // 20 ms
    PIT_READINGS = 8,
    PIT_POLLS_MAX = 1000000,
    LEAF_TSC = 0x15,
    LEAF_FREQUENCY = 0x16,
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    CMOS_STATUS_A = 10,
    CMOS_STATUS_B = 11,
    CMOS_UPDATING = 0x80,
    CMOS_BINARY = 4,
    CMOS_24_HOURS = 2,
    CMOS_PM = 0x80,
    CMOS_TRIES = 1000000,
};

static const uint64_t ns_per_second = 1000000000, tsc_hz_least = 100000000,
                      tsc_hz_most = 20000000000;

static uint64_t tsc_base;
static uint64_t ns_per_tsc; // 32.32 fixed point
static uint64_t tsc_per_ns; // 40.24 fixed point
static hal_ns wall_base;

struct reading {
    uint64_t tsc;
    uint32_t pit;
};

static uint32_t pit_read(void)
{
    port_write8(PIT_COMMAND, PIT_LATCH);
    const uint32_t low = port_read8(PIT_CHANNEL2);
    return low | (uint32_t)port_read8(PIT_CHANNEL2) << 8;
}

static struct reading reading_take(void)
{
    struct reading best = {0, 0};
    uint64_t width_best = UINT64_MAX;
    for (int i = 0; i < PIT_READINGS; ++i) {
        const uint64_t before = tsc_read();
        const uint32_t pit = pit_read();
        const uint64_t width = tsc_read() - before;
        if (width < width_best) {
            width_best = width;
            best = (struct reading){.tsc = before + width / 2, .pit = pit};
        }
    }
    return best;
}

// 0: there is no PIT, or no sense in what it says.
static uint64_t tsc_hz_measured(void)
{
    port_write8(PIT_GATE_PORT, (uint8_t)((port_read8(PIT_GATE_PORT) & ~2u) | 1u));
    port_write8(PIT_COMMAND, PIT_LOAD);
    port_write8(PIT_CHANNEL2, PIT_START & 0xff);
    port_write8(PIT_CHANNEL2, PIT_START >> 8);
    const struct reading first = reading_take();
    int polls = 0;
    while (first.pit - pit_read() < PIT_SPAN && polls < PIT_POLLS_MAX) {
        ++polls;
    }
    const struct reading last = reading_take();
    if (first.pit <= last.pit || polls == PIT_POLLS_MAX) {
        return 0;
    }
    return (last.tsc - first.tsc) * PIT_HZ / (first.pit - last.pit);
}

static uint64_t tsc_hz(void)
{
    const struct cpuid leaf = cpuid_read(LEAF_TSC, 0); // TSC = crystal (ecx) * ebx / eax
    if (leaf.a != 0 && leaf.b != 0 && leaf.c != 0) {
        return (uint64_t)leaf.c * leaf.b / leaf.a;
    }
    uint64_t hz = tsc_hz_measured();
    if (hz < tsc_hz_least || hz > tsc_hz_most) {
        hz = cpuid_read(LEAF_FREQUENCY, 0).a * 1000000ull;
    }
    return hz < tsc_hz_least ? ns_per_second : hz;
}

// ---- The date --------------------------------------------------------------

static uint8_t cmos_read(uint8_t index)
{
    port_write8(CMOS_INDEX, index);
    return port_read8(CMOS_DATA);
}

struct date {
    uint32_t second, minute, hour, day, month, year;
};

static struct date date_read(void)
{
    for (int i = 0; i < CMOS_TRIES && (cmos_read(CMOS_STATUS_A) & CMOS_UPDATING) != 0; ++i) {
        hal_cpu_relax();
    }
    return (struct date){
        .second = cmos_read(0),
        .minute = cmos_read(2),
        .hour = cmos_read(4),
        .day = cmos_read(7),
        .month = cmos_read(8),
        .year = cmos_read(9),
    };
}

static uint32_t from_bcd(uint32_t value)
{
    return (value & 15) + (value >> 4) * 10;
}

static struct date date_decode(struct date date)
{
    const uint8_t status = cmos_read(CMOS_STATUS_B);
    const bool afternoon = (status & CMOS_24_HOURS) == 0 && (date.hour & CMOS_PM) != 0;
    date.hour &= 0x7f;
    if ((status & CMOS_BINARY) == 0) {
        date = (struct date){
            .second = from_bcd(date.second),
            .minute = from_bcd(date.minute),
            .hour = from_bcd(date.hour),
            .day = from_bcd(date.day),
            .month = from_bcd(date.month),
            .year = from_bcd(date.year),
        };
    }
    if ((status & CMOS_24_HOURS) == 0) {
        date.hour = date.hour % 12 + (afternoon ? 12 : 0);
    }
    return date;
}

// Seconds since 1970 of a date in 2000 .. 2099, where every fourth year is a leap year.
static uint64_t date_seconds(const struct date *date)
{
    static const uint16_t days_before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const uint32_t month = date->month >= 1 && date->month <= 12 ? date->month : 1;
    uint64_t days = 10957 + date->year * 365ull + (date->year + 3) / 4 + days_before[month - 1];
    days += date->year % 4 == 0 && month > 2 ? 1 : 0;
    days += date->day - 1;
    return ((days * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
}

// Twice the same, or an update came between.
static uint64_t wall_seconds(void)
{
    struct date date = date_read();
    for (int i = 0; i < 4; ++i) {
        const struct date again = date_read();
        if (again.second == date.second && again.minute == date.minute && again.hour == date.hour) {
            break;
        }
        date = again;
    }
    date = date_decode(date);
    return date_seconds(&date);
}

// ---- The contract ----------------------------------------------------------

void clock_init(void)
{
    const uint64_t hz = tsc_hz();
    ns_per_tsc = (ns_per_second << 32) / hz;
    tsc_per_ns = (hz << 24) / ns_per_second;
    tsc_base = tsc_read();
    wall_base = wall_seconds() * ns_per_second - hal_clock_ns();
}

hal_ns hal_clock_ns(void)
{
    return (hal_ns)((unsigned __int128)(tsc_read() - tsc_base) * ns_per_tsc >> 32);
}

hal_ns hal_clock_wall_ns(void)
{
    return wall_base + hal_clock_ns();
}

uint64_t clock_tsc_span(hal_ns ns)
{
    return (uint64_t)((unsigned __int128)ns * tsc_per_ns >> 24) + 1;
}
