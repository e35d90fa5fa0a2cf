// SPDX-License-Identifier: BSD-3-Clause
// cpuid.h: what the processor says of itself, in user mode too.
#ifndef HAL_X86_64_ISA_CPUID_H
#define HAL_X86_64_ISA_CPUID_H

#include <stdint.h>

static inline void isa_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(subleaf));
}

// The state components that are enabled.
static inline uint64_t isa_xcr0_read(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

#endif
