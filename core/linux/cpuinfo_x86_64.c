// SPDX-License-Identifier: BSD-3-Clause
// cpuinfo_x86_64.c: /proc/cpuinfo on x86_64: what CPUID says (Intel SDM volume 2, AMD APM volume
// 3), in Linux's words.
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/procfiles.h"
#include "core/sched/thread.h"

enum {
    LEAF_VENDOR = 0,
    LEAF_FEATURES = 1,
    LEAF_MORE_FEATURES = 7,
    LEAF_BRAND = 0x80000002,
    LEAF_EXTENDED = 0x80000001,
    FLAGS_SIZE = 1024,
    BRAND_SIZE = 49
};

enum cpuid_register { EAX, EBX, ECX, EDX };

struct cpuid {
    uint32_t registers[4];
};

static struct cpuid cpuid(uint32_t leaf)
{
    struct cpuid got;
    __asm__("cpuid"
            : "=a"(got.registers[EAX]), "=b"(got.registers[EBX]), "=c"(got.registers[ECX]),
              "=d"(got.registers[EDX])
            : "a"(leaf), "c"(0));
    return got;
}

struct flag {
    uint32_t leaf;
    uint8_t in, bit;
    const char *name;
};

static const struct flag flags[] = {
    {LEAF_FEATURES, EDX, 0, "fpu"},           {LEAF_FEATURES, EDX, 4, "tsc"},
    {LEAF_FEATURES, EDX, 6, "pae"},           {LEAF_FEATURES, EDX, 8, "cx8"},
    {LEAF_FEATURES, EDX, 15, "cmov"},         {LEAF_FEATURES, EDX, 19, "clflush"},
    {LEAF_FEATURES, EDX, 23, "mmx"},          {LEAF_FEATURES, EDX, 24, "fxsr"},
    {LEAF_FEATURES, EDX, 25, "sse"},          {LEAF_FEATURES, EDX, 26, "sse2"},
    {LEAF_EXTENDED, EDX, 11, "syscall"},      {LEAF_EXTENDED, EDX, 20, "nx"},
    {LEAF_EXTENDED, EDX, 27, "rdtscp"},       {LEAF_EXTENDED, EDX, 29, "lm"},
    {LEAF_FEATURES, ECX, 0, "pni"},           {LEAF_FEATURES, ECX, 1, "pclmulqdq"},
    {LEAF_FEATURES, ECX, 9, "ssse3"},         {LEAF_FEATURES, ECX, 12, "fma"},
    {LEAF_FEATURES, ECX, 13, "cx16"},         {LEAF_FEATURES, ECX, 19, "sse4_1"},
    {LEAF_FEATURES, ECX, 20, "sse4_2"},       {LEAF_FEATURES, ECX, 22, "movbe"},
    {LEAF_FEATURES, ECX, 23, "popcnt"},       {LEAF_FEATURES, ECX, 25, "aes"},
    {LEAF_FEATURES, ECX, 26, "xsave"},        {LEAF_FEATURES, ECX, 28, "avx"},
    {LEAF_FEATURES, ECX, 29, "f16c"},         {LEAF_FEATURES, ECX, 30, "rdrand"},
    {LEAF_FEATURES, ECX, 31, "hypervisor"},   {LEAF_EXTENDED, ECX, 0, "lahf_lm"},
    {LEAF_EXTENDED, ECX, 5, "abm"},           {LEAF_MORE_FEATURES, EBX, 0, "fsgsbase"},
    {LEAF_MORE_FEATURES, EBX, 3, "bmi1"},     {LEAF_MORE_FEATURES, EBX, 5, "avx2"},
    {LEAF_MORE_FEATURES, EBX, 8, "bmi2"},     {LEAF_MORE_FEATURES, EBX, 9, "erms"},
    {LEAF_MORE_FEATURES, EBX, 16, "avx512f"}, {LEAF_MORE_FEATURES, EBX, 18, "rdseed"},
    {LEAF_MORE_FEATURES, EBX, 19, "adx"},     {LEAF_MORE_FEATURES, EBX, 29, "sha_ni"},
};

static void flags_write(char text[FLAGS_SIZE])
{
    size_t length = 0;
    text[0] = 0;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; ++i) {
        const struct flag *flag = &flags[i];
        if ((cpuid(flag->leaf).registers[flag->in] >> flag->bit & 1) != 0) {
            length +=
                format(text + length, FLAGS_SIZE - length, length == 0 ? "%s" : " %s", flag->name);
        }
    }
}

static void brand_write(char text[BRAND_SIZE])
{
    for (uint32_t i = 0; i < 3; ++i) {
        struct cpuid part = cpuid(LEAF_BRAND + i);
        memcpy(text + i * sizeof part, &part, sizeof part);
    }
    text[BRAND_SIZE - 1] = 0;
}

// Family and model have parts that count only for some families.
static uint32_t family_of(uint32_t signature)
{
    uint32_t family = signature >> 8 & 15;
    return family == 15 ? family + (signature >> 20 & 255) : family;
}

static uint32_t model_of(uint32_t signature)
{
    uint32_t model = signature >> 4 & 15;
    return family_of(signature) >= 6 ? model | (signature >> 12 & 0xf0) : model;
}

size_t cpuinfo_make(char *text, size_t size, void *argument)
{
    (void)argument;
    char flag_names[FLAGS_SIZE], brand[BRAND_SIZE], vendor[13] = {0};
    struct cpuid id = cpuid(LEAF_VENDOR);
    uint32_t signature = cpuid(LEAF_FEATURES).registers[EAX];
    memcpy(vendor, &id.registers[EBX], 4);
    memcpy(vendor + 4, &id.registers[EDX], 4);
    memcpy(vendor + 8, &id.registers[ECX], 4);
    flags_write(flag_names);
    brand_write(brand);
    size_t length = 0;
    uint32_t count = sched_cpu_count();
    for (uint32_t i = 0; i < count; ++i) {
        size_t used = length < size ? length : size;
        length += format(text + used, size - used,
                         "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n"
                         "model name\t: %s\nstepping\t: %u\nphysical id\t: 0\nsiblings\t: %u\n"
                         "core id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\nfpu\t\t: yes\n"
                         "cpuid level\t: %u\nflags\t\t: %s\n\n",
                         i, vendor, family_of(signature), model_of(signature), brand,
                         signature & 15, count, i, count, i, id.registers[EAX], flag_names);
    }
    return length;
}
