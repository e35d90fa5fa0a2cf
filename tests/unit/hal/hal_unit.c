// SPDX-License-Identifier: BSD-3-Clause
// hal_unit.c: what unit tests need of the HAL's functions, in a plain process.
//
// Physical memory is the process's own: a physical address is a pointer, so a test that sets
// hal_boot.direct_base to NULL can hand out any buffer as RAM. A function that is
// not in this folder is one that no unit test should reach: the link names it.
#include "hal/hal.h"
#include "unit_hal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// As core/mem/percpu.h reads it: CPU 0, until a test says what else.
static const struct {
    uint32_t index;
    void *heap;
} first_cpu;

__thread struct cpu *unit_cpu = (struct cpu *)(uintptr_t)&first_cpu;
__thread void *unit_self;
__thread bool unit_irq_off;
void (*unit_irq_deliver)(void);
__thread struct hal_range unit_populated;

void hal_cpu_adopt(struct cpu *cpu)
{
    unit_cpu = cpu;
}

struct cpu *unit_cpu_get(void)
{
    return unit_cpu;
}

void *unit_self_get(void)
{
    return unit_self;
}

bool unit_irq_off_get(void)
{
    return unit_irq_off;
}

void unit_irq_off_set(bool is_off)
{
    unit_irq_off = is_off;
}

int hal_copy_safe(void *target, const void *source, size_t size)
{
    memcpy(target, source, size);
    return 0;
}

void hal_populate(char *va, size_t size)
{
    unit_populated = (struct hal_range){va, size};
}

void hal_code_sync(char *va, size_t size)
{
    __builtin___clear_cache(va, va + size);
}

__thread size_t unit_flushes;

void hal_tlb_flush(const struct hal_range *ranges, size_t count, const struct hal_cpu_set *cpus)
{
    (void)ranges;
    (void)count;
    (void)cpus;
    unit_flushes++;
}

void hal_tlb_count(struct hal_tlb_counts *counts)
{
    *counts = (struct hal_tlb_counts){.remote = unit_flushes};
}

void hal_entropy(void *out, size_t size)
{
    static unsigned seed = 1;
    unsigned char *bytes = out;
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1103515245 + 12345;
        bytes[i] = (unsigned char)(seed >> 16);
    }
}

void hal_console_write(const char *text, size_t size)
{
    fwrite(text, 1, size, stderr);
}

void hal_check_object(const char *path, char *base)
{
    (void)path;
    (void)base;
}

// A test that expects core to stop (an assertion) sees SIGABRT: tcase_add_test_raise_signal.
void hal_halt(enum hal_halt how, int code)
{
    fprintf(stderr, "hal_halt: %d, %d\n", (int)how, code);
    abort();
}
