// SPDX-License-Identifier: BSD-3-Clause
// cpu_registers.h: the instructions that C has no words for.
#ifndef HAL_X86_64_MACHINE_CPU_REGISTERS_H
#define HAL_X86_64_MACHINE_CPU_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

enum { MSR_FS_BASE = 0xc0000100, MSR_GS_BASE = 0xc0000101 };

static inline void port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void port_write16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t port_read8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t port_read16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t port_read32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

struct cpuid {
    uint32_t a, b, c, d;
};

// All zero where the processor, or the hypervisor, does not know the leaf.
static inline struct cpuid cpuid_read(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid out, top;
    __asm__ volatile("cpuid"
                     : "=a"(top.a), "=b"(top.b), "=c"(top.c), "=d"(top.d)
                     : "a"(leaf >> 28 == 4 ? leaf & 0xffffff00 : leaf & 0x80000000), "c"(0));
    if (leaf > top.a) {
        return (struct cpuid){0, 0, 0, 0};
    }
    __asm__ volatile("cpuid"
                     : "=a"(out.a), "=b"(out.b), "=c"(out.c), "=d"(out.d)
                     : "a"(leaf), "c"(subleaf));
    return out;
}

// Not before what precedes it and not after what follows.
static inline uint64_t tsc_read(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

// The address of the last page fault.
static inline uint64_t cr2_read(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t cr4_read(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr4, %0" : "=r"(value));
    return value;
}

static inline void cr4_write(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}

// Registers of devices in memory.
static inline uint32_t memory_read32(const char *at)
{
    return *(const volatile uint32_t *)at;
}

static inline void memory_write32(char *at, uint32_t value)
{
    *(volatile uint32_t *)at = value;
}

static inline void memory_write8(char *at, uint8_t value)
{
    *(volatile uint8_t *)at = value;
}

static inline void memory_write16(char *at, uint16_t value)
{
    *(volatile uint16_t *)at = value;
}

// What was stored before is seen by all before an MSR is written.
static inline void write_fence(void)
{
    __asm__ volatile("mfence\n\tlfence" ::: "memory");
}

// Forgets the translation of the page at va.
static inline void page_flush(const char *va)
{
    __asm__ volatile("invlpg %0" : : "m"(*va) : "memory");
}

static inline uint64_t cr3_read(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr3, %0" : "=r"(value));
    return value;
}

static inline void cr3_write(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

#endif
