// SPDX-License-Identifier: BSD-3-Clause
// trap.c: instructions that would tell a program about this host or its time. rdtsc and cpuid are
// traps here, and answered.
//
// The processor that cpuid describes is one of two, the same on every host that can run it: what
// x86-64-v3 asks for, so that libm takes the paths that it takes on any host of these years, or
// where the host lacks that, x86-64-v2. On a host that cannot trap cpuid, as --verbose says, what
// is named is its own processor, in the hash and in recordings: a run is repeated on no other.
#include <linux/prctl.h>
#include <signal.h>

#include "hal-linux/machine.h"
#include "hal-linux/seed/seed.h"
#include "hal-linux/syscall.h"
#include "hal-x86_64/isa/isa.h"
#include "hal/regs_x86_64.h"

#define ARCH_SET_CPUID 0x1012
#define BIT(n) (1u << (n))

enum { TSC_READ_NS = 25, SI_FROM_KERNEL = 0x80, XSTATE_LEAF = 13 };
enum { STATE_X87_SSE = 3, STATE_AVX = 7, SIZE_X87_SSE = 576, SIZE_AVX = 832 };

struct cpuid {
    uint32_t leaf, a, b, c, d;
};

// Programs ask for makers that they know: "GenuineIntel". The name is "OSv seeded machine".
static const struct cpuid both[] = {
    {0, XSTATE_LEAF, 0x756e6547, 0x6c65746e, 0x49656e69},
    {0x80000000, 0x80000004, 0, 0, 0},
    {0x80000002, 0x2076534f, 0x64656573, 0x6d206465, 0x69686361},
    {0x80000003, 0x0000656e, 0, 0, 0},
};

enum {
    // FPU TSC MSR PAE CX8 CMOV CLFSH MMX FXSR SSE SSE2
    D_1 = BIT(0) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(15) | BIT(19) | BIT(23) | BIT(24) |
          BIT(25) | BIT(26),
    // SSE3 SSSE3 CX16 SSE4.1 SSE4.2 POPCNT
    C_1_V2 = BIT(0) | BIT(9) | BIT(13) | BIT(19) | BIT(20) | BIT(23),
    // FMA MOVBE XSAVE OSXSAVE AVX F16C
    C_1_V3 = C_1_V2 | BIT(12) | BIT(22) | BIT(26) | BIT(27) | BIT(28) | BIT(29),
    // BMI1 AVX2 BMI2
    B_7_V3 = BIT(3) | BIT(5) | BIT(8),
    D_8_1 = BIT(11) | BIT(20) | BIT(29), // SYSCALL NX LM
    C_8_1_V2 = BIT(0),                   // LAHF
    C_8_1_V3 = C_8_1_V2 | BIT(5),        // LZCNT
};

static const struct cpuid v2[] = {
    {1, 0x106a0, 8 << 8, C_1_V2, D_1},
    {0x80000001, 0, 0, C_8_1_V2, D_8_1},
};

static const struct cpuid v3[] = {
    {1, 0x306c0, 8 << 8, C_1_V3, D_1},
    {7, 0, B_7_V3, 0, 0},
    {XSTATE_LEAF, STATE_AVX, SIZE_AVX, SIZE_AVX, 0},
    {0x80000001, 0, 0, C_8_1_V3, D_8_1},
};

static bool has_v3, can_trap;
static char processor[64]; // the host's, where that is what programs see

static void host_cpuid(uint32_t leaf, struct cpuid *found)
{
    __asm__ volatile("cpuid"
                     : "=a"(found->a), "=b"(found->b), "=c"(found->c), "=d"(found->d)
                     : "a"(leaf), "c"(0));
}

static bool host_has(uint32_t leaf, uint32_t b, uint32_t c)
{
    struct cpuid found;
    host_cpuid(leaf, &found);
    return (found.b & b) == b && (found.c & c) == c;
}

const char *trap_processor(void)
{
    return !can_trap ? processor : has_v3 ? "x86-64-v3" : "x86-64-v2";
}

bool trap_is_whole(void)
{
    return can_trap;
}

// What cpuid answers where it is not trapped, as far as it decides what a program does: the name
// and, behind it, the model.
static void processor_name_host(void)
{
    enum { PART_SIZE = 16, PARTS = 3, NAME_SIZE = PART_SIZE * PARTS };
    struct cpuid part;
    for (uint32_t i = 0; i < PARTS; ++i) {
        host_cpuid(0x80000002 + i, &part);
        __builtin_memcpy(processor + PART_SIZE * i, &part.a, PART_SIZE);
    }
    size_t size = 0;
    while (size < NAME_SIZE && processor[size] != 0) {
        ++size;
    }
    host_cpuid(1, &part);
    processor[size++] = ' ';
    for (int shift = 28; shift >= 0; shift -= 4) {
        processor[size++] = "0123456789abcdef"[part.a >> shift & 15];
    }
    processor[size] = 0;
}

void trap_init(void)
{
    has_v3 = host_has(1, 0, (uint32_t)C_1_V3) && host_has(7, B_7_V3, 0) &&
             host_has(0x80000001, 0, C_8_1_V3) && (isa_vector_mask & STATE_AVX) == STATE_AVX;
    can_trap = syscall3(SYS_arch_prctl, ARCH_SET_CPUID, 1, 0) == 0;
    if (!can_trap) {
        processor_name_host();
    }
}

// cpuid names the processor of the host's that it runs on: from now on always the same one.
static void processor_stay(void)
{
    enum { WORDS = 128 };
    static uint64_t may[WORDS];
    long size = syscall3(SYS_sched_getaffinity, 0, sizeof may, (long)may);
    size_t word = 0;
    while (size > 0 && word < WORDS && may[word] == 0) {
        ++word;
    }
    if (size > 0 && word < WORDS) {
        static uint64_t shall[WORDS];
        shall[word] = may[word] & -may[word];
        syscall3(SYS_sched_setaffinity, 0, sizeof shall, (long)shall);
    }
}

void trap_begin(void)
{
    syscall3(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0);
    if (can_trap) {
        syscall3(SYS_arch_prctl, ARCH_SET_CPUID, 0, 0);
        isa_vector_mask = has_v3 ? STATE_AVX : STATE_X87_SSE;
        isa_vector_size = has_v3 ? SIZE_AVX : SIZE_X87_SSE;
    } else {
        processor_stay();
    }
}

static const struct cpuid *find(const struct cpuid *table, size_t count, uint32_t leaf)
{
    for (size_t i = 0; i < count; ++i) {
        if (table[i].leaf == leaf) {
            return &table[i];
        }
    }
    return NULL;
}

static void cpuid_answer(greg_t *general)
{
    static const struct cpuid none = {0};
    uint32_t leaf = (uint32_t)general[HAL_REG_RAX];
    const struct cpuid *own = has_v3 ? find(v3, sizeof v3 / sizeof v3[0], leaf)
                                     : find(v2, sizeof v2 / sizeof v2[0], leaf);
    const struct cpuid *common = find(both, sizeof both / sizeof both[0], leaf);
    bool is_part = (uint32_t)general[HAL_REG_RCX] != 0 && (leaf == 7 || leaf == XSTATE_LEAF);
    const struct cpuid *answer = is_part || (own == NULL && common == NULL) ? &none
                                 : own != NULL                              ? own
                                                                            : common;
    general[HAL_REG_RAX] = answer->a;
    general[HAL_REG_RBX] = answer->b;
    general[HAL_REG_RCX] = answer->c;
    general[HAL_REG_RDX] = answer->d;
}

// The counter runs at 1 GHz.
static void tsc_answer(greg_t *general)
{
    point_now += TSC_READ_NS;
    general[HAL_REG_RAX] = (greg_t)(uint32_t)point_now;
    general[HAL_REG_RDX] = (greg_t)(point_now >> 32);
}

bool machine_emulate(int signal, int code, greg_t *general)
{
    const unsigned char *ip = (const unsigned char *)general[HAL_REG_RIP];
    if (signal != SIGSEGV || code != SI_FROM_KERNEL || ip[0] != 0x0f) {
        return false;
    }
    if (ip[1] == 0xa2) {
        cpuid_answer(general);
        general[HAL_REG_RIP] += 2;
    } else if (ip[1] == 0x31) {
        tsc_answer(general);
        general[HAL_REG_RIP] += 2;
    } else if (ip[1] == 0x01 && ip[2] == 0xf9) {
        tsc_answer(general);
        general[HAL_REG_RCX] = vcpu_self()->index;
        general[HAL_REG_RIP] += 3;
    } else {
        return false;
    }
    return true;
}
