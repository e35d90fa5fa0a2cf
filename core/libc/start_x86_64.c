// SPDX-License-Identifier: BSD-3-Clause
// start_x86_64.c: what the processor has: AT_HWCAP, and what the image's libm.so.6 and libmvec.so.1
// choose their variants by.
//
// AT_HWCAP is EDX of CPUID leaf 1. The libraries read struct cpu_features in _rtld_global_ro, where
// glibc 2.36 has it: five words, then for each leaf the four registers as CPUID says them, and once
// more, only with the bits that may be used (the operating system saves the registers that they
// mean). A variant with fused multiply-add rounds once where the other rounds twice: the same
// results as on Linux need the same choice.
#include "core/libc/start.h"

#include "core/lib/string.h"

enum { EAX, EBX, ECX, EDX, REGISTER_COUNT };

enum {
    LEAF_FEATURES = 1,
    LEAF_MORE_FEATURES = 7,
    FEATURE_OSXSAVE = 1 << 27, // of leaf 1, ECX
    FEATURES_OFFSET = 0x70,    // of struct cpu_features in _rtld_global_ro
    FEATURES_BASIC = 20,       // bytes of the words before the leaves
};

#define LEAF_EXTENDED 0x80000001
#define STATE_YMM 0x06u // XCR0: SSE and AVX
#define STATE_ZMM 0xe6u // and AVX-512

struct leaf {
    uint32_t cpuid[REGISTER_COUNT];
    uint32_t usable[REGISTER_COUNT];
};

_Static_assert(sizeof(struct leaf) == 32, "as in glibc");

struct choice {
    uint32_t leaf;
    uint8_t in;
    uint32_t always, with_ymm, with_zmm;
};

// In the order of glibc's leaves.
static const struct choice choices[] = {
    // SSE3, SSSE3, SSE4.1, SSE4.2, POPCNT; FMA, AVX, F16C
    {LEAF_FEATURES, ECX, 1u << 0 | 1u << 9 | 1u << 19 | 1u << 20 | 1u << 23,
     1u << 12 | 1u << 28 | 1u << 29, 0},
    // BMI1, BMI2; AVX2; AVX512F, DQ, CD, BW, VL
    {LEAF_MORE_FEATURES, EBX, 1u << 3 | 1u << 8, 1u << 5,
     1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31},
    // FMA4
    {LEAF_EXTENDED, ECX, 0, 1u << 16, 0},
};

static void cpuid(uint32_t leaf, uint32_t registers[REGISTER_COUNT])
{
    __asm__("cpuid"
            : "=a"(registers[EAX]), "=b"(registers[EBX]), "=c"(registers[ECX]), "=d"(registers[EDX])
            : "a"(leaf), "c"(0));
}

struct libc_hardware libc_hardware(void)
{
    uint32_t registers[REGISTER_COUNT];
    cpuid(LEAF_FEATURES, registers);
    return (struct libc_hardware){.capabilities = registers[EDX], .platform = "x86_64"};
}

// Which vector registers are saved: XCR0.
static uint32_t saved_state(void)
{
    uint32_t registers[REGISTER_COUNT], low = 0, high;
    cpuid(LEAF_FEATURES, registers);
    if ((registers[ECX] & FEATURE_OSXSAVE) != 0) {
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    }
    return low;
}

void libc_features_set(char *rtld_global_ro)
{
    uint32_t state = saved_state(), top[2][REGISTER_COUNT];
    cpuid(0, top[0]);
    cpuid(LEAF_EXTENDED & ~1u, top[1]);
    char *place = rtld_global_ro + FEATURES_OFFSET + FEATURES_BASIC;
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; ++i) {
        const struct choice *choice = &choices[i];
        if (choice->leaf > top[choice->leaf == LEAF_EXTENDED][EAX]) {
            continue;
        }
        uint32_t mask = choice->always;
        mask |= (state & STATE_YMM) == STATE_YMM ? choice->with_ymm : 0;
        mask |= (state & STATE_ZMM) == STATE_ZMM ? choice->with_zmm : 0;
        struct leaf leaf = {0};
        cpuid(choice->leaf, leaf.cpuid);
        leaf.usable[choice->in] = leaf.cpuid[choice->in] & mask;
        memcpy(place + i * sizeof leaf, &leaf, sizeof leaf);
    }
}
