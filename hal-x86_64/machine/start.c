// SPDX-License-Identifier: BSD-3-Clause
// start.c: from boot.S to core: finds out what the machine is and says it in struct hal_boot.
#include "start.h"

#include "hal/common/crash.h"
#include "hal/common/string.h"
#include "hal/common/cmdline.h"
#include "hal/common/image.h"
#include "hal/common/nodes.h"
#include "hal/common/virtio.h"
#include "hal/common/virtio_mmio.h"
#include "hal/upcall.h"

#include "apic.h"
#include "clock.h"
#include "cpu_registers.h"
#include "entropy.h"
#include "firmware.h"
#include "layout.h"
#include "loader.h"
#include "paging.h"
#include "percpu.h"
#include "power.h"
#include "smp.h"
#include "timer.h"

enum {
    SIGN_PORT = 0xf9,
    SIGN_PORT_ANSWER = 0xe9,
    WORDS_MAX = IMAGE_WORDS_MAX + 1 + CMDLINE_WORDS,
};

// From kernel.ld.
extern char image_start[], image_end[];

// Of the boot CPU. The stack is boot.S's first, and that of entries, too, until core switches to a
// context that has its own.
struct machine_first {
    _Alignas(64) char stack[HAL_ENTRY_STACK];
    struct percpu cpu;
} machine_first;

_Static_assert(offsetof(struct machine_first, cpu) == HAL_ENTRY_STACK &&
                   HAL_ENTRY_STACK == BOOT_STACK_SIZE,
               "boot.S");

static struct loader loader;
static struct memory_list usable;
static const char *const environment[] = {NULL};
static struct nodes nodes;
static struct virtio_found devices;
static struct virtio_mmio_list mmio;
static const char *arguments[WORDS_MAX + 1];
static struct hal_boot boot;

// Loaders put modules in the first MiB, too, even at address 0, which is none to core. They move to
// where there is nothing else.
static void low_module_move(struct hal_module *module)
{
    const size_t size = (module->size + HAL_PAGE_SIZE - 1) & ~(size_t)(HAL_PAGE_SIZE - 1);
    const hal_phys start = memory_list_take(&usable, size, BOOT_MAPPED);
    crash_unless(start != 0, "too little memory for a module");
    memcpy((char *)LAYOUT_DIRECT + start, (const char *)LAYOUT_DIRECT + module->start,
           module->size);
    module->start = start;
}

static void text_write(const char *text)
{
    hal_console_write(text, text_size(text));
}

static void number_write(uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    hal_console_write(digits + at, sizeof digits - at);
}

// What a small program runs in (tests/bench:boot_test).
static uint64_t memory_least(void)
{
    enum { KERNEL = 3550 << 10, EACH_CPU = 96 << 10 };
    const size_t cpus = firmware()->cpu_count;
    uint64_t size = KERNEL + (uint64_t)EACH_CPU * (cpus == 0 ? 1 : cpus);
    for (size_t i = 0; i < loader.module_count; ++i) {
        size += loader.modules[i].size;
    }
    return size;
}

// Said at once, while what is there suffices to say it.
static void memory_check(void)
{
    enum { MB_SHIFT = 20, STATUS_NOT_EXECUTABLE = 126 };
    uint64_t size = LOADER_LOW_MEMORY;
    for (size_t i = 0; i < loader.ram.count; ++i) {
        const struct hal_region *region = &loader.ram.regions[i];
        size += region->start < LOADER_LOW_MEMORY ? 0 : region->size;
    }
    // Firmware keeps a part of the last one.
    const uint64_t last = (1 << MB_SHIFT) - 1, there = (size + last) >> MB_SHIFT;
    const uint64_t least = (memory_least() + last) >> MB_SHIFT;
    if (there < least) {
        text_write("osv: ");
        number_write(there);
        text_write(" MB of memory are too few; give at least ");
        number_write(least);
        text_write("\n");
        hal_halt(HAL_POWER_OFF, STATUS_NOT_EXECUTABLE);
    }
}

static void memory_init(void)
{
    usable = loader.ram;
    memory_list_remove(&usable, (uintptr_t)image_start - LAYOUT_IMAGE,
                       (size_t)(image_end - image_start));
    for (size_t i = 0; i < loader.module_count; ++i) {
        memory_list_remove(&usable, loader.modules[i].start, loader.modules[i].size);
    }
    for (size_t i = 0; i < loader.module_count; ++i) {
        if (loader.modules[i].start < LOADER_LOW_MEMORY) {
            low_module_move(&loader.modules[i]);
        }
    }
    smp_page_set(loader.low_page);
    paging_init(&loader.ram, &usable);
}

// NULL: there is one.
static const struct hal_nodes *nodes_said(void)
{
    const struct acpi *acpi = firmware();
    if (!nodes_find(&nodes, acpi)) {
        return NULL;
    }
    for (uint32_t i = 0; i < percpu_count(); ++i) {
        nodes_cpu_add(&nodes, acpi, i, percpu_of(i)->apic_id);
    }
    return &nodes.found;
}

// Those of the command line first: it has those that have devices.
static void devices_find(void)
{
    const struct acpi *acpi = firmware();
    virtio_mmio_words_take(&mmio, loader.args, arguments, WORDS_MAX);
    for (size_t i = 0; i < acpi->mmio_count; ++i) {
        const struct acpi_mmio *found = &acpi->mmio[i];
        const struct virtio_mmio_place place = {.start = found->region.start,
                                                .size = (uint32_t)found->region.size,
                                                .line = found->line,
                                                .is_level = found->is_level,
                                                .is_low = found->is_low};
        virtio_mmio_add(&mmio, &place);
    }
    virtio_pci_find(&devices);
    virtio_mmio_find(&devices, &mmio);
}

// To whoever started the machine, where QEMU has an isa-debugcon there: it runs.
static void sign_give(void)
{
    if (port_read8(SIGN_PORT) == SIGN_PORT_ANSWER) {
        port_write8(SIGN_PORT, '\n');
    }
}

// The names of functions come with an image, in its own module, which is the last one.
static void symbols_find(void)
{
    const struct image *image = &image_note.image;
    if (loader.module_count == 0 || image->symbols_size == 0) {
        return;
    }
    const struct hal_module *module = &loader.modules[loader.module_count - 1];
    if (image->symbols_offset <= module->size &&
        image->symbols_size <= module->size - image->symbols_offset) {
        boot.image_file = (const char *)LAYOUT_DIRECT + module->start + image->symbols_offset;
        boot.image_file_size = image->symbols_size;
    }
}

HAL_NORETURN void machine_start(hal_phys info, enum loader_protocol protocol)
{
    percpu_init(&machine_first.cpu);
    percpu_add(&machine_first.cpu);
    atomic_store(&machine_first.cpu.is_running, true);
    machine_first.cpu.entry_stack = machine_first.stack + HAL_ENTRY_STACK;
    loader_read(&loader, protocol, info);
    firmware_init(loader.rsdp);
    memory_check();
    memory_init();
    power_init();
    clock_init();
    apic_init();
    timer_init();
    entropy_init(&machine_first.cpu);
    const uint32_t cpu_count = smp_init(&usable);
    devices_find();
    boot = (struct hal_boot){
        .args = arguments,
        .env = environment,
        .cpu_count = cpu_count,
        .direct_base = (char *)LAYOUT_DIRECT,
        .va_base = (char *)LAYOUT_WINDOW_HIGH,
        .va_size = LAYOUT_WINDOW + LAYOUT_WINDOW_SIZE - LAYOUT_WINDOW_HIGH,
        .low_base = (char *)LAYOUT_WINDOW,
        .low_size = LAYOUT_WINDOW_HIGH - LAYOUT_WINDOW,
        .regions = usable.regions,
        .region_count = usable.count,
        .nodes = nodes_said(),
        .memory_is_zero = false, // firmware and loader have been there
        .eager_max = 0,
        .modules = loader.modules,
        .module_count = loader.module_count,
        .devs = devices.infos,
        .dev_count = devices.count,
        .image = image_start,
        .image_size = (size_t)(image_end - image_start),
        .scratch = (const char *)&machine_first,
        .scratch_size = sizeof machine_first,
    };
    sign_give();
    symbols_find();
    upcall_boot(&boot);
}

void hal_cpu_adopt(struct cpu *cpu)
{
    percpu_self()->cpu = cpu;
}
