// SPDX-License-Identifier: BSD-3-Clause
// start.c: from boot.S to core: finds out what the machine is and says it in struct hal_boot.
#include "start.h"

#include "hal/common/crash.h"
#include "hal/common/error.h"
#include "hal/upcall.h"

#include "clock.h"
#include "entropy.h"
#include "gic.h"
#include "halt.h"
#include "layout.h"
#include "paging.h"
#include "percpu.h"
#include "serial.h"
#include "tree.h"

// From kernel.ld.
extern char image_start[], image_end[];

// In boot.S; entries' stack, too, until core switches to a context that has its own.
extern char boot_stack_top[];

static struct percpu boot_cpu;
static struct tree tree;
static struct memory_list usable;
static const char *const environment[] = {NULL};
static struct hal_boot boot;

static void percpu_init(void)
{
    boot_cpu.deadline = UINT64_MAX;
    boot_cpu.entry_stack = boot_stack_top;
    percpu_bounce_set(boot_cpu.bounce + BOUNCE_SIZE);
    __asm__ volatile("msr tpidr_el1, %0\n\tmsr tpidrro_el0, xzr\n\tmsr tpidr_el0, xzr"
                     :
                     : "r"(&boot_cpu));
}

static bool tree_at(hal_phys address)
{
    return address % 8 == 0 && address < BOOT_MAPPED && address >= LAYOUT_MEMORY &&
           tree_read(&tree, (const char *)LAYOUT_DIRECT + address, address);
}

static void memory_init(void)
{
    usable = tree.ram;
    memory_list_remove(&usable, (uintptr_t)image_start - LAYOUT_IMAGE + LAYOUT_MEMORY,
                       (size_t)(image_end - image_start));
    memory_list_remove(&usable, tree.module.start, tree.module.size);
    for (size_t i = 0; i < tree.reserved.count; ++i) {
        memory_list_remove(&usable, tree.reserved.regions[i].start, tree.reserved.regions[i].size);
    }
    paging_init(&tree.ram, &usable);
}

static char *device_map(const struct hal_region *region)
{
    return region->start == 0 ? NULL : paging_device(region->start, HAL_PAGE_SIZE);
}

static void devices_init(void)
{
    char *serial = device_map(&tree.serial), *rtc = device_map(&tree.rtc);
    char *distributor = device_map(&tree.distributor), *interrupts = device_map(&tree.interrupts);
    paging_enter();
    serial_set(serial);
    halt_psci_set(tree.psci_by_smc);
    crash_unless(distributor != NULL && interrupts != NULL, "no GICv2 in the device tree");
    clock_init(rtc);
    gic_init(distributor, interrupts);
}

// Some loaders pass the device tree, others leave it at the start of memory.
HAL_NORETURN void machine_start(hal_phys tree_address)
{
    percpu_init();
    if (!tree_at(tree_address) && !tree_at(LAYOUT_MEMORY)) {
        hal_halt(HAL_CRASH, CRASH_STATUS); // and nowhere to say why
    }
    serial_set((char *)LAYOUT_DIRECT + tree.serial.start);
    memory_init();
    devices_init();
    entropy_init(&boot_cpu, tree.seed, tree.seed_size);
    boot = (struct hal_boot){
        .args = tree.args,
        .env = environment,
        .cpu_count = 1,
        .direct_base = (char *)LAYOUT_DIRECT,
        .va_base = (char *)LAYOUT_WINDOW,
        .va_size = LAYOUT_WINDOW_SIZE,
        .regions = usable.regions,
        .region_count = usable.count,
        .memory_is_zero = false, // the loader has been there
        .eager_max = 0,
        .modules = &tree.module,
        .module_count = tree.module.size != 0,
        .image = image_start,
        .image_size = (size_t)(image_end - image_start),
    };
    upcall_boot(&boot);
}

void hal_cpu_adopt(struct cpu *cpu)
{
    percpu_self()->cpu = cpu;
}

// The machine knows of one CPU.
int hal_cpu_start(uint32_t index, struct cpu *cpu, char *stack, size_t size)
{
    (void)index;
    (void)cpu;
    (void)stack;
    (void)size;
    return -ERROR_NODEV;
}
