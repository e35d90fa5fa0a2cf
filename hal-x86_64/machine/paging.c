// SPDX-License-Identifier: BSD-3-Clause
// paging.c: translation tables: the kernel's own, and core's window.
//
// One root for both. The window's tables come from core, the kernel's from memory that core never
// sees.
#include "paging.h"

#include <stdatomic.h>

#include "hal/common/crash.h"
#include "hal/common/radix.h"
#include "hal/common/string.h"
#include "hal/common/virtio.h"
#include "hal/upcall.h"

#include "cpu_registers.h"
#include "hypervisor.h"
#include "layout.h"
#include "radix_entry.h"

// From kernel.ld.
extern char image_start[], text_start[], data_start[], image_end[];

// In boot.S: the 512 GiB from LAYOUT_DIRECT on, of which those below BOOT_MAPPED are mapped.
extern uint64_t boot_direct[];

enum { ROOT_SHIFT = 39, LEVEL_GIANT = 2 };

static const hal_phys direct_table_end = 1ull << ROOT_SHIFT; // what boot_direct has entries for

static _Alignas(HAL_PAGE_SIZE) uint64_t root[RADIX_ENTRIES];
static struct memory_list *boot_memory; // NULL once core runs
static bool is_emulated;                // by QEMU; set while the machine starts

static hal_phys boot_table_get(void)
{
    const hal_phys page = memory_list_take(boot_memory, HAL_PAGE_SIZE, BOOT_MAPPED);
    if (page != 0) {
        memset((char *)LAYOUT_DIRECT + page, 0, HAL_PAGE_SIZE);
    }
    return page;
}

static hal_phys image_phys(const char *address)
{
    return (uintptr_t)address - LAYOUT_IMAGE;
}

static struct radix kernel_tables(void)
{
    return (struct radix){.root = image_phys((const char *)root), .table_get = boot_table_get};
}

static struct radix window_tables(void)
{
    return (struct radix){.root = image_phys((const char *)root), .table_get = upcall_table_get};
}

static void kernel_map(uintptr_t va, hal_phys pa, size_t size, unsigned prot)
{
    const struct radix radix = kernel_tables();
    crash_unless(radix_map(&radix, va, pa, size, prot) == 0,
                 "too little memory for the direct map");
}

static void image_map(const char *start, const char *end, unsigned prot)
{
    kernel_map((uintptr_t)start, image_phys(start), (size_t)(end - start), prot);
}

static hal_phys greater(hal_phys a, hal_phys b)
{
    return a > b ? a : b;
}

// Memory above BOOT_MAPPED: in entries of 1 GiB where the processor knows them, whatever else is in
// the same GiB, so that machines with much memory start as fast as others.
static void direct_map(const struct memory_list *ram)
{
    enum { LEAF_FEATURES = 0x80000001, FEATURE_GIANT = 1 << 26 }; // edx
    const bool has_giant = (cpuid_read((uint32_t)LEAF_FEATURES, 0).d & FEATURE_GIANT) != 0;
    const unsigned prot = HAL_READ | HAL_WRITE;
    const hal_phys mask = has_giant ? RADIX_GIANT_SIZE - 1 : RADIX_LARGE_SIZE - 1;
    const struct radix radix = kernel_tables();
    hal_phys done = BOOT_MAPPED;
    for (size_t i = 0; i < ram->count; ++i) {
        hal_phys start = greater(ram->regions[i].start & ~mask, done);
        const hal_phys end = (ram->regions[i].start + ram->regions[i].size + mask) & ~mask;
        if (start >= end) {
            continue;
        }
        done = end;
        for (; has_giant && start < end && start < direct_table_end; start += RADIX_GIANT_SIZE) {
            boot_direct[start / RADIX_GIANT_SIZE] = entry_leaf(start, prot, LEVEL_GIANT);
        }
        if (start >= end) {
            continue;
        }
        const uint64_t va = LAYOUT_DIRECT + start;
        const int error = has_giant ? radix_map_giant(&radix, va, start, end - start, prot)
                                    : radix_map(&radix, va, start, end - start, prot);
        crash_unless(error == 0, "too little memory for the direct map");
    }
}

void paging_init(const struct memory_list *ram, struct memory_list *usable)
{
    boot_memory = usable;
    is_emulated = hypervisor_is_tcg();
    const size_t direct = LAYOUT_DIRECT >> ROOT_SHIFT & (RADIX_ENTRIES - 1);
    root[direct] = entry_table(image_phys((const char *)boot_direct));
    direct_map(ram);
    image_map(image_start, text_start, HAL_READ);
    image_map(text_start, data_start, HAL_READ | HAL_EXEC);
    image_map(data_start, image_end, HAL_READ | HAL_WRITE);
    cr3_write(image_phys((const char *)root));
}

hal_phys paging_root(void)
{
    return image_phys((const char *)root);
}

static bool is_mapped(uintptr_t va)
{
    const struct radix radix = kernel_tables();
    hal_phys pa;
    unsigned prot;
    return radix_translate(&radix, va, &pa, &prot) == 0;
}

// Page by page: devices share pages.
char *paging_device(hal_phys pa, size_t size)
{
    const hal_phys end = pa + size;
    for (hal_phys page = pa & ~(hal_phys)(HAL_PAGE_SIZE - 1); page < end; page += HAL_PAGE_SIZE) {
        if (!is_mapped(LAYOUT_DEVICE + page)) {
            kernel_map(LAYOUT_DEVICE + page, page, HAL_PAGE_SIZE,
                       HAL_READ | HAL_WRITE | HAL_DEVICE);
        }
    }
    return (char *)LAYOUT_DEVICE + pa;
}

// The part of the address space that LAYOUT_DEVICE has.
static const hal_phys device_end = LAYOUT_IMAGE - LAYOUT_DEVICE;

char *machine_device_map(hal_phys start, size_t size)
{
    return start < device_end && size <= device_end - start ? paging_device(start, size) : NULL;
}

bool paging_permits(const char *va, unsigned access)
{
    const struct radix radix = window_tables();
    hal_phys pa;
    unsigned prot;
    return radix_translate(&radix, (uintptr_t)va, &pa, &prot) == 0 && (prot & access) != 0;
}

// ---- The contract ----------------------------------------------------------

static void window_check(const char *va, size_t size)
{
    const uintptr_t start = (uintptr_t)va - LAYOUT_WINDOW;
    crash_unless(((uintptr_t)va | size) % HAL_PAGE_SIZE == 0 && size > 0, "not whole pages");
    crash_unless(start < LAYOUT_WINDOW_SIZE && size <= LAYOUT_WINDOW_SIZE - start,
                 "outside of the window");
}

int hal_map(char *va, hal_phys pa, size_t size, unsigned prot)
{
    window_check(va, size);
    const struct radix radix = window_tables();
    return radix_map(&radix, (uintptr_t)va, pa, size, prot);
}

int hal_protect(char *va, size_t size, unsigned prot)
{
    window_check(va, size);
    const struct radix radix = window_tables();
    return radix_protect(&radix, (uintptr_t)va, size, prot);
}

int hal_unmap(char *va, size_t size)
{
    window_check(va, size);
    const struct radix radix = window_tables();
    return radix_unmap(&radix, (uintptr_t)va, size);
}

int hal_translate(const char *va, hal_phys *pa, unsigned *prot)
{
    const struct radix radix = window_tables();
    return radix_translate(&radix, (uintptr_t)va, pa, prot);
}

int hal_page_look(const char *va, struct hal_page *page)
{
    const struct radix radix = window_tables();
    return radix_page_look(&radix, (uintptr_t)va, page);
}

void hal_dirty_take(char *va, size_t size, uint64_t *bits)
{
    window_check(va, size);
    const struct radix radix = window_tables();
    if (radix_dirty_take(&radix, (uintptr_t)va, size, bits)) {
        // A cached translation would not set the mark again.
        const struct hal_range range = {.va = va, .size = size};
        struct hal_cpu_set all;
        memset(&all, 0xff, sizeof all);
        hal_tlb_flush(&range, 1, &all);
    }
}

// Memory is all there from the start.
void hal_populate(char *va, size_t size)
{
    (void)va;
    (void)size;
}

// Processors keep their instruction caches coherent. One that might have fetched the old bytes
// ahead had the right to execute them, so core has taken that right away before, and the interrupt
// of that flush serialises.
//
// QEMU's emulation keeps what it has made of a page's instructions until one of its own processors
// or devices writes there. Of a device in another process (vhost-user: virtiofsd) it learns
// nothing. So each word is written once more, as it is; others may write it at the same time.
void hal_code_sync(char *va, size_t size)
{
    if (!is_emulated) {
        return;
    }
    for (size_t at = 0; at < size; at += HAL_PAGE_SIZE) {
        hal_phys page;
        unsigned prot;
        if (hal_translate(va + at, &page, &prot) != 0) {
            continue;
        }
        _Atomic uint64_t *words = (_Atomic uint64_t *)(LAYOUT_DIRECT + page);
        for (size_t i = 0; i < HAL_PAGE_SIZE / sizeof *words; ++i) {
            (void)atomic_fetch_or_explicit(&words[i], 0, memory_order_relaxed);
        }
    }
}
