// SPDX-License-Identifier: BSD-3-Clause
// percpu.c: the tables and registers that each CPU needs before it can take an exception.
#include "percpu.h"

#include "hal-x86_64/isa/isa.h"
#include "hal/common/crash.h"
#include "hal/common/string.h"

#include "cpu_registers.h"
#include "layout.h"
#include "machine_check.h"
#include "trap.h"

enum {
    MSR_EFER = 0xc0000080,
    MSR_STAR = 0xc0000081,
    MSR_LSTAR = 0xc0000082,
    MSR_FMASK = 0xc0000084,
    SYSCALL_FLAGS_CLEARED = 0x44700, // AC, NT, DF, IF, TF
    TSS_IST = 36,
    TSS_IO_MAP = 102,
    GATE_INTERRUPT = 0x8e, // present, interrupts off
    LEAF_FEATURES = 1,
    LEAF_STRUCTURED = 7,
    LEAF_XSAVE = 13,
    FEATURE_XSAVE = 1 << 26, // leaf 1, ecx
    FEATURE_FSGSBASE = 1,    // leaf 7, ebx
    CR4_FSGSBASE = 1 << 16,
    CR4_OSXSAVE = 1 << 18,
    FXSAVE_SIZE = 576, // with the room of a header, so that frames look alike
};

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, zero;
};

_Static_assert(sizeof(struct gate) == 16, "Intel SDM vol. 3, 6.14.1");

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static struct gate idt[VECTOR_COUNT]; // of every CPU
static struct percpu *percpus[HAL_CPU_MAX];
static uint32_t count;

void percpu_add(struct percpu *percpu)
{
    crash_unless(percpu->index == count && count < HAL_CPU_MAX, "a CPU out of order");
    percpus[count++] = percpu;
}

struct percpu *percpu_of(uint32_t index)
{
    crash_unless(index < count, "no such CPU");
    return percpus[index];
}

uint32_t percpu_count(void)
{
    return count;
}

static uint8_t vector_stack(int vector)
{
    switch (vector) {
    case VECTOR_DOUBLE_FAULT:
        return IST_DOUBLE_FAULT;
    case VECTOR_NMI:
        return IST_NMI;
    case VECTOR_MACHINE_CHECK:
        return IST_MACHINE_CHECK;
    default:
        return IST_ENTRY;
    }
}

static void idt_make(void)
{
    for (int i = 0; i < VECTOR_COUNT; ++i) {
        const uint64_t stub = (uint64_t)trap_stubs + (uint64_t)i * TRAP_STUB_SIZE;
        idt[i] = (struct gate){
            .offset_low = (uint16_t)stub,
            .selector = SELECTOR_CODE,
            .stack = vector_stack(i),
            .type = GATE_INTERRUPT,
            .offset_middle = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
        };
    }
}

static void idt_load(void)
{
    const struct table_pointer pointer = {.limit = sizeof idt - 1, .base = (uint64_t)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void tss_make(struct percpu *percpu)
{
    for (int i = 0; i < IST_COUNT; ++i) {
        const uint64_t top = (uint64_t)percpu->stacks[i] + BOUNCE_SIZE;
        memcpy(percpu->tss + TSS_IST + 8 * i, &top, sizeof top);
    }
    const uint16_t none = TSS_SIZE;
    memcpy(percpu->tss + TSS_IO_MAP, &none, sizeof none);
    percpu->bounce_top = percpu->stacks[IST_ENTRY - 1] + BOUNCE_SIZE;
}

static void gdt_load(struct percpu *percpu)
{
    const uint64_t tss = (uint64_t)percpu->tss;
    percpu->gdt[SELECTOR_CODE / 8] = 0x00af9b000000ffff;
    percpu->gdt[SELECTOR_DATA / 8] = 0x00cf93000000ffff;
    percpu->gdt[SELECTOR_TASK / 8] =
        (TSS_SIZE - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
    percpu->gdt[SELECTOR_TASK / 8 + 1] = tss >> 32;
    const struct table_pointer pointer = {.limit = sizeof percpu->gdt - 1,
                                          .base = (uint64_t)percpu->gdt};
    // The selectors stay what boot.S loaded; only the table moves.
    __asm__ volatile("lgdt %0\n\tltr %w1" : : "m"(pointer), "r"(SELECTOR_TASK));
}

static void syscall_init(void)
{
    // Both selectors are two apart, as SYSCALL wants them; SYSRET is never used.
    msr_write(MSR_STAR, (uint64_t)SELECTOR_CODE << 32);
    msr_write(MSR_LSTAR, (uint64_t)trap_syscall);
    msr_write(MSR_FMASK, SYSCALL_FLAGS_CLEARED);
}

// Enables what frames save: x87, SSE, AVX and AVX-512, each where the processor has it. Processors
// without XSAVE: the mask stays zero, and trap.S uses FXSAVE. All CPUs are taken to be alike, so
// the boot CPU's frames fit all.
static void vector_init(bool is_first)
{
    const bool has_fsgsbase = (cpuid_read(LEAF_STRUCTURED, 0).b & FEATURE_FSGSBASE) != 0;
    cr4_write(cr4_read() | (has_fsgsbase ? CR4_FSGSBASE : 0));
    if ((cpuid_read(LEAF_FEATURES, 0).c & FEATURE_XSAVE) == 0) {
        if (is_first) {
            isa_has_fsgsbase = has_fsgsbase;
            isa_vector_size = FXSAVE_SIZE;
        }
        return;
    }
    cr4_write(cr4_read() | CR4_OSXSAVE);
    const struct cpuid leaf = cpuid_read(LEAF_XSAVE, 0);
    const uint64_t mask = isa_vector_choose((uint64_t)leaf.d << 32 | leaf.a);
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)));
    if (is_first) {
        isa_init(has_fsgsbase);
    }
}

void percpu_init(struct percpu *percpu)
{
    const bool is_first = percpu->index == 0;
    percpu->self = percpu;
    percpu->deadline = UINT64_MAX;
    tss_make(percpu);
    gdt_load(percpu);
    if (is_first) {
        idt_make();
    }
    idt_load();
    msr_write(MSR_GS_BASE, (uint64_t)percpu);
    msr_write(MSR_FS_BASE, 0);
    syscall_init();
    vector_init(is_first);
    machine_check_init();
}

// ---- What isa/ asks of the machine -------------------------------------------

void isa_tp_load_slow(void *tp)
{
    msr_write(MSR_FS_BASE, (uint64_t)tp);
}

// No tool watches.
void isa_stack_use(char *stack, size_t size)
{
    (void)stack;
    (void)size;
}
