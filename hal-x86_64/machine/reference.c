// SPDX-License-Identifier: BSD-3-Clause
// reference.c: counters of known frequency (IA-PC HPET Specification 1.0a; ACPI 6.4, 4.8.3.3; Intel
// 8254), and others measured by them.
#include "reference.h"

#include "hal/hal.h"

#include "cpu_registers.h"
#include "firmware.h"
#include "paging.h"

enum {
    HPET_FEATURES = 0,
    HPET_PERIOD = 4, // femtoseconds
    HPET_CONFIG = 0x10,
    HPET_COUNTER = 0xf0,
    HPET_64_BITS = 1 << 13,
    HPET_ENABLE = 1,
    HPET_PERIOD_MOST = 100000000, // 100 ns, says the specification

    ACPI_TIMER_HZ = 3579545,

    PIT_HZ = 1193182,
    PIT_CHANNEL2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_LOAD = 0xb0,  // channel 2, two bytes, mode 0: counts down, and on
    PIT_LATCH = 0x80, // channel 2
    PIT_GATE_PORT = 0x61,

    READINGS = 8,
    SAMPLES = 3,
    SAMPLE_TICKS = 20000,
    STILL_READINGS = 10000, // that a counter may stand still, and polls of one sample
    POLLS_MAX = 10000000,
};

static const uint64_t fs_per_second = 1000000000000000;

static char *hpet;

// Two words, and the upper one once more: it may have changed in between.
static uint64_t hpet_read(void)
{
    uint32_t high = memory_read32(hpet + HPET_COUNTER + 4);
    for (;;) {
        const uint32_t low = memory_read32(hpet + HPET_COUNTER);
        const uint32_t again = memory_read32(hpet + HPET_COUNTER + 4);
        if (again == high) {
            return (uint64_t)high << 32 | low;
        }
        high = again;
    }
}

static uint64_t hpet_read_low(void)
{
    return memory_read32(hpet + HPET_COUNTER);
}

static uint64_t acpi_timer_read(void)
{
    return port_read32((uint16_t)firmware()->timer.address);
}

static uint64_t pit_read(void)
{
    port_write8(PIT_COMMAND, PIT_LATCH);
    const uint32_t low = port_read8(PIT_CHANNEL2);
    return 0xffff - (low | (uint32_t)port_read8(PIT_CHANNEL2) << 8);
}

static bool is_running(const struct reference *reference)
{
    const uint64_t first = reference->read();
    for (int i = 0; i < STILL_READINGS; ++i) {
        if (((reference->read() ^ first) & reference->mask) != 0) {
            return true;
        }
    }
    return false;
}

static bool hpet_find(struct reference *reference)
{
    if (firmware()->hpet == 0) {
        return false;
    }
    hpet = paging_device(firmware()->hpet, HAL_PAGE_SIZE);
    const uint32_t period = memory_read32(hpet + HPET_PERIOD);
    if (period == 0 || period > HPET_PERIOD_MOST) {
        return false;
    }
    memory_write32(hpet + HPET_CONFIG, memory_read32(hpet + HPET_CONFIG) | HPET_ENABLE);
    const bool is_long = (memory_read32(hpet + HPET_FEATURES) & HPET_64_BITS) != 0;
    *reference = (struct reference){.read = is_long ? hpet_read : hpet_read_low,
                                    .hz = fs_per_second / period,
                                    .mask = is_long ? UINT64_MAX : UINT32_MAX};
    return is_running(reference);
}

bool reference_find_hpet(struct reference *reference)
{
    return hpet_find(reference) && reference->mask == UINT64_MAX;
}

bool reference_find(struct reference *reference)
{
    if (hpet_find(reference)) {
        return true;
    }
    const struct acpi *acpi = firmware();
    if (acpi->timer.address != 0 && acpi->timer.space == ACPI_SPACE_PORT) {
        *reference = (struct reference){
            .read = acpi_timer_read, .hz = ACPI_TIMER_HZ, .mask = (1ull << acpi->timer_bits) - 1};
        if (is_running(reference)) {
            return true;
        }
    }
    port_write8(PIT_GATE_PORT, (uint8_t)((port_read8(PIT_GATE_PORT) & ~2u) | 1u));
    port_write8(PIT_COMMAND, PIT_LOAD);
    port_write8(PIT_CHANNEL2, 0xff);
    port_write8(PIT_CHANNEL2, 0xff);
    *reference = (struct reference){.read = pit_read, .hz = PIT_HZ, .mask = 0xffff};
    return is_running(reference);
}

// ---- Measuring -------------------------------------------------------------

static struct reading reading_take(const struct reference *reference, uint64_t (*counter)(void))
{
    struct reading best = {0, 0};
    uint64_t width_best = UINT64_MAX;
    for (int i = 0; i < READINGS; ++i) {
        const uint64_t before = counter();
        const uint64_t time = reference->read();
        const uint64_t width = counter() - before;
        if (width < width_best) {
            width_best = width;
            best = (struct reading){.counter = before + width / 2, .reference = time};
        }
    }
    return best;
}

void measurement_begin(struct measurement *measurement, const struct reference *reference,
                       uint64_t (*counter)(void))
{
    *measurement = (struct measurement){
        .reference = *reference, .counter = counter, .first = reading_take(reference, counter)};
}

uint64_t measurement_end(const struct measurement *measurement, struct reading *last)
{
    const struct reference *reference = &measurement->reference;
    const struct reading *first = &measurement->first;
    *last = reading_take(reference, measurement->counter);
    const uint64_t passed = (last->reference - first->reference) & reference->mask;
    const unsigned __int128 counted = last->counter - first->counter;
    return passed == 0 ? 0 : (uint64_t)(counted * reference->hz / passed);
}

static uint64_t sample_take(const struct reference *reference, uint64_t (*counter)(void),
                            uint64_t ticks)
{
    struct measurement measurement;
    measurement_begin(&measurement, reference, counter);
    uint64_t passed = 0;
    for (int i = 0; i < POLLS_MAX && passed < ticks; ++i) {
        passed = (reference->read() - measurement.first.reference) & reference->mask;
    }
    struct reading last;
    return measurement_end(&measurement, &last);
}

uint64_t reference_measure(const struct reference *reference, uint64_t (*counter)(void))
{
    const uint64_t least = reference->hz / 1000, most = reference->hz / 200;
    const uint64_t ticks = least > SAMPLE_TICKS ? least : most < SAMPLE_TICKS ? most : SAMPLE_TICKS;
    uint64_t sorted[SAMPLES];
    for (size_t i = 0; i < SAMPLES; ++i) {
        const uint64_t sample = sample_take(reference, counter, ticks);
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > sample; --at) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = sample;
    }
    return sorted[SAMPLES / 2];
}
