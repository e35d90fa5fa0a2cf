// SPDX-License-Identifier: BSD-3-Clause
// entropy.c: where unpredictable bytes come from.
//
// RDRAND where the processor has it, and the jitter of the time-stamp counter around port reads,
// always: on a machine without RDRAND that is all there is, and somebody who knows the machine well
// may guess it.
#include "entropy.h"

#include "hal/common/entropy.h"

#include "cpu_registers.h"
#include "percpu.h"

enum {
    LEAF_FEATURES = 1,
    FEATURE_RDRAND = 1 << 30,
    SEED_WORDS = 32,
    RDRAND_TRIES = 10,
    STATUS_PORT = 0x61
};

static uint64_t rdrand_read(void)
{
    for (int i = 0; i < RDRAND_TRIES; ++i) {
        uint64_t value;
        bool valid;
        __asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(valid));
        if (valid) {
            return value;
        }
    }
    return 0;
}

void entropy_init(struct percpu *percpu)
{
    const bool has_rdrand = (cpuid_read(LEAF_FEATURES, 0).c & FEATURE_RDRAND) != 0;
    uint64_t seed[SEED_WORDS];
    for (int i = 0; i < SEED_WORDS; ++i) {
        (void)port_read8(STATUS_PORT); // a VM exit: its length varies
        seed[i] = tsc_read() * 0x9e3779b97f4a7c15 ^ (has_rdrand ? rdrand_read() : 0);
    }
    entropy_seed(&percpu->entropy, seed, sizeof seed);
    if (!has_rdrand && percpu->index == 0) {
        static const char text[] = "machine: no RDRAND: random numbers come from timing alone\n";
        hal_console_write(text, sizeof text - 1);
    }
}

void hal_entropy(void *out, size_t size)
{
    const uintptr_t state = hal_irq_save();
    entropy_take(&percpu_self()->entropy, out, size);
    hal_irq_restore(state);
}
