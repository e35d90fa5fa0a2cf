// SPDX-License-Identifier: BSD-3-Clause
// entropy.c: where unpredictable bytes come from.
//
// The device tree's rng-seed, RNDR where the processor has it, and the jitter of the counter,
// always: without the first two that is all there is, and somebody who knows the machine well may
// guess it.
#include "entropy.h"

#include "hal/common/entropy.h"

#include "percpu.h"

enum { SEED_WORDS = 32, RNDR_SHIFT = 60 };

static bool has_rndr(void)
{
    uint64_t features;
    __asm__ volatile("mrs %0, id_aa64isar0_el1" : "=r"(features));
    return features >> RNDR_SHIFT != 0;
}

static uint64_t rndr_read(void)
{
    uint64_t value;
    __asm__ volatile("mrs %0, s3_3_c2_c4_0" : "=r"(value) : : "cc");
    return value;
}

static uint64_t counter_read(void)
{
    uint64_t value;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value) : : "memory");
    return value;
}

void entropy_init(struct percpu *percpu, const void *seed, size_t size)
{
    const bool hardware = has_rndr();
    uint64_t words[SEED_WORDS];
    for (int i = 0; i < SEED_WORDS; ++i) {
        words[i] = counter_read() * 0x9e3779b97f4a7c15 ^ (hardware ? rndr_read() : 0);
    }
    entropy_seed(&percpu->entropy, words, sizeof words);
    entropy_seed(&percpu->entropy, seed, size);
    if (!hardware && size == 0) {
        static const char text[] =
            "machine: no RNDR, no rng-seed: random numbers come from timing alone\n";
        hal_console_write(text, sizeof text - 1);
    }
}

void hal_entropy(void *out, size_t size)
{
    const uintptr_t state = hal_irq_save();
    entropy_take(&percpu_self()->entropy, out, size);
    hal_irq_restore(state);
}
