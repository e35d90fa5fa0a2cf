// SPDX-License-Identifier: BSD-3-Clause
// smp.c: the other CPUs (Intel SDM vol. 3, 9.4): INIT, then a start-up IPI that names the page
// whose code runs.
//
// They start one at a time, as core asks, and hal_cpu_start waits until the CPU is there. So one
// place, smp_start, tells boot.S all that a CPU needs on its way.
//
// A kick may come before its CPU runs: the kicker then leaves was_kicked, and looks at is_running
// once more; the CPU sets is_running and then looks at was_kicked. All four accesses are
// sequentially consistent: one of the two sees the other's.
#include "smp.h"

#include "hal/common/error.h"
#include "hal/common/string.h"
#include "hal/upcall.h"

#include "apic.h"
#include "clock.h"
#include "entropy.h"
#include "firmware.h"
#include "layout.h"
#include "paging.h"
#include "timer.h"
#include "trap.h"

enum {
    PAGE_SHIFT = 12,
    SECOND_AFTER_NS = 200000, // SDM 9.4.4.1: a second start-up IPI where the first had no effect
};

static const hal_ns wait_ns = 5000000000; // an emulated CPU on a busy host takes its time

// In boot.S.
extern const char boot_real_mode[], boot_real_mode_end[];

// What boot.S reads, in this order.
struct smp_start {
    uint64_t root;
    char *stack_top;
    struct percpu *percpu;
};
struct smp_start smp_start;
_Static_assert(offsetof(struct smp_start, stack_top) == 8, "boot.S");
_Static_assert(offsetof(struct smp_start, percpu) == 16, "boot.S");

static hal_phys start_page;
static _Atomic uint64_t
    stopper; // the index of the CPU that stops the others, and 1; 0: nobody does

void smp_page_set(hal_phys page)
{
    start_page = page;
    if (page != 0) {
        memcpy((char *)LAYOUT_DIRECT + page, boot_real_mode,
               (size_t)(boot_real_mode_end - boot_real_mode));
    }
}

static bool cpu_add(struct memory_list *usable, uint32_t id)
{
    const size_t size = (sizeof(struct percpu) + HAL_PAGE_SIZE - 1) & ~(size_t)(HAL_PAGE_SIZE - 1);
    const hal_phys block = memory_list_take(usable, size, UINT64_MAX);
    if (block == 0) {
        return false;
    }
    struct percpu *percpu = (struct percpu *)(LAYOUT_DIRECT + block);
    memset(percpu, 0, sizeof *percpu);
    percpu->index = percpu_count();
    percpu->apic_id = id;
    percpu_add(percpu);
    return true;
}

uint32_t smp_init(struct memory_list *usable)
{
    const struct acpi *acpi = firmware();
    const uint32_t self = percpu_self()->apic_id;
    bool has_room = start_page != 0;
    for (size_t i = 0; i < acpi->cpu_count && percpu_count() < HAL_CPU_MAX && has_room; ++i) {
        const uint32_t id = acpi->cpus[i].id;
        if (id != self && id <= apic_id_max()) {
            has_room = cpu_add(usable, id);
        }
    }
    return percpu_count();
}

static bool is_running_by(const struct percpu *percpu, hal_ns deadline)
{
    while (!atomic_load(&percpu->is_running) && hal_clock_ns() < deadline) {
        hal_cpu_relax();
    }
    return atomic_load(&percpu->is_running);
}

int hal_cpu_start(uint32_t index, struct cpu *cpu, char *stack, size_t size)
{
    if (index == 0 || index >= percpu_count()) {
        return -ERROR_NODEV;
    }
    clock_settle();
    timer_settle();
    struct percpu *percpu = percpu_of(index);
    percpu->cpu = cpu;
    percpu->entry_stack = stack + size; // until core switches to a context that has its own
    smp_start =
        (struct smp_start){.root = paging_root(), .stack_top = stack + size, .percpu = percpu};
    apic_send(percpu->apic_id, APIC_INIT);
    apic_send(percpu->apic_id, APIC_START | (uint32_t)(start_page >> PAGE_SHIFT));
    const hal_ns now = hal_clock_ns();
    if (is_running_by(percpu, now + SECOND_AFTER_NS)) {
        return 0;
    }
    apic_send(percpu->apic_id, APIC_START | (uint32_t)(start_page >> PAGE_SHIFT));
    return is_running_by(percpu, now + wait_ns) ? 0 : -ERROR_NODEV;
}

HAL_NORETURN void smp_enter(struct percpu *percpu)
{
    percpu_init(percpu);
    apic_cpu_init();
    clock_cpu_init();
    timer_cpu_init();
    entropy_init(percpu);
    atomic_store(&percpu->is_running, true);
    if (atomic_load(&percpu->was_kicked)) {
        apic_send_self(VECTOR_KICK);
    }
    upcall_cpu(percpu->cpu);
}

void hal_cpu_kick(uint32_t index)
{
    struct percpu *percpu = percpu_of(index);
    if (!atomic_load(&percpu->is_running)) {
        atomic_store(&percpu->was_kicked, true);
        if (!atomic_load(&percpu->is_running)) {
            return;
        }
    }
    apic_send(percpu->apic_id, VECTOR_KICK);
}

// Two may want to at once, and one must be left to end the machine: the second waits for its NMI.
// One that fails on its way is not to start again.
void smp_stop(void)
{
    const uint64_t self = percpu_count() == 0 ? 1 : percpu_self()->index + 1;
    uint64_t first = 0;
    if (!atomic_compare_exchange_strong(&stopper, &first, self)) {
        while (first != self) {
            __asm__ volatile("cli\n\thlt" ::: "memory");
        }
        return;
    }
    for (uint32_t i = 0; i < percpu_count(); ++i) {
        const struct percpu *percpu = percpu_of(i);
        if (percpu != percpu_self() && atomic_load(&percpu->is_running)) {
            apic_send(percpu->apic_id, APIC_NMI);
        }
    }
}

bool smp_is_stopping(void)
{
    return atomic_load(&stopper) != 0;
}
