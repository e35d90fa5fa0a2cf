// SPDX-License-Identifier: BSD-3-Clause
// paging.c: translation tables: the kernel's own in TTBR1, core's window in TTBR0.
//
// The window's tables come from core, the kernel's from memory that core never sees. An entry that
// becomes valid needs a barrier before it is used, and no flush.
#include "paging.h"

#include <stdatomic.h>

#include "hal/common/crash.h"
#include "hal/common/radix.h"
#include "hal/common/string.h"
#include "hal/upcall.h"

#include "layout.h"

enum { FLUSH_PAGES_MAX = 64, PAGE_BITS = 12 }; // above, everything goes

// From kernel.ld.
extern char image_start[], text_start[], data_start[], image_end[];

static _Alignas(HAL_PAGE_SIZE) char kernel_root[HAL_PAGE_SIZE];
static _Alignas(HAL_PAGE_SIZE) char window_root[HAL_PAGE_SIZE];
static struct memory_list *boot_memory;

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
    return (uintptr_t)address - LAYOUT_IMAGE + LAYOUT_MEMORY;
}

static struct radix kernel_tables(void)
{
    return (struct radix){.root = image_phys(kernel_root), .table_get = boot_table_get};
}

static struct radix window_tables(void)
{
    return (struct radix){.root = image_phys(window_root), .table_get = upcall_table_get};
}

// What was written to tables is seen by table walks from here on.
static void tables_publish(void)
{
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

static void all_flush(void)
{
    __asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
}

static void page_flush(const char *va)
{
    __asm__ volatile("tlbi vaae1is, %0" : : "r"((uintptr_t)va >> PAGE_BITS) : "memory");
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

void paging_init(const struct memory_list *ram, struct memory_list *usable)
{
    boot_memory = usable;
    for (size_t i = 0; i < ram->count; ++i) {
        const struct hal_region *region = &ram->regions[i];
        kernel_map(LAYOUT_DIRECT + region->start, region->start, region->size,
                   HAL_READ | HAL_WRITE);
    }
    image_map(image_start, text_start, HAL_READ);
    image_map(text_start, data_start, HAL_READ | HAL_EXEC);
    image_map(data_start, image_end, HAL_READ | HAL_WRITE);
}

void paging_enter(void)
{
    tables_publish();
    __asm__ volatile("msr ttbr0_el1, %0\n\tmsr ttbr1_el1, %1\n\tisb"
                     :
                     : "r"(image_phys(window_root)), "r"(image_phys(kernel_root))
                     : "memory");
    all_flush();
}

char *paging_device(hal_phys pa, size_t size)
{
    kernel_map(LAYOUT_DEVICE + pa, pa, size, HAL_READ | HAL_WRITE | HAL_DEVICE);
    tables_publish();
    return (char *)LAYOUT_DEVICE + pa;
}

bool paging_permits(const char *va, unsigned access)
{
    const struct radix radix = window_tables();
    hal_phys pa;
    unsigned prot;
    return (uintptr_t)va >> 48 == 0 && radix_translate(&radix, (uintptr_t)va, &pa, &prot) == 0 &&
           (prot & access) != 0;
}

bool paging_write_permit(const char *va)
{
    const struct radix radix = window_tables();
    if ((uintptr_t)va >> 48 != 0 || !radix_dirty_set(&radix, (uintptr_t)va)) {
        return false;
    }
    __asm__ volatile("dsb ishst" ::: "memory");
    page_flush(va);
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
    return true;
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
    const int error = radix_map(&radix, (uintptr_t)va, pa, size, prot);
    tables_publish();
    return error;
}

int hal_protect(char *va, size_t size, unsigned prot)
{
    window_check(va, size);
    const struct radix radix = window_tables();
    const int error = radix_protect(&radix, (uintptr_t)va, size, prot);
    tables_publish();
    return error;
}

int hal_unmap(char *va, size_t size)
{
    window_check(va, size);
    const struct radix radix = window_tables();
    const int error = radix_unmap(&radix, (uintptr_t)va, size);
    tables_publish();
    return error;
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

// Figures: nothing orders them. There is one CPU.
static struct {
    _Atomic uint64_t local_all, local_one;
} flushes;

static void count_add(_Atomic uint64_t *count, uint64_t by)
{
    atomic_fetch_add_explicit(count, by, memory_order_relaxed);
}

void hal_tlb_count(struct hal_tlb_counts *counts)
{
    *counts = (struct hal_tlb_counts){
        .local_all = atomic_load_explicit(&flushes.local_all, memory_order_relaxed),
        .local_one = atomic_load_explicit(&flushes.local_one, memory_order_relaxed),
    };
}

// The instructions reach every CPU of the inner shareable domain, whatever cpus says. A retired
// table may be known by any address in it, and core gives the page to others: all of the caches go.
void hal_tlb_flush(const struct hal_range *ranges, size_t count, const struct hal_cpu_set *cpus)
{
    (void)cpus;
    const hal_phys tables = radix_retired_take();
    size_t pages = 0;
    for (size_t i = 0; i < count; ++i) {
        pages += ranges[i].size / HAL_PAGE_SIZE;
    }
    if (pages > FLUSH_PAGES_MAX || tables != 0) {
        count_add(&flushes.local_all, 1);
        all_flush();
    } else {
        count_add(&flushes.local_one, pages);
        __asm__ volatile("dsb ishst" ::: "memory");
        for (size_t i = 0; i < count; ++i) {
            for (size_t at = 0; at < ranges[i].size; at += HAL_PAGE_SIZE) {
                page_flush(ranges[i].va + at);
            }
        }
        __asm__ volatile("dsb ish\n\tisb" ::: "memory");
    }
    radix_retired_put(tables);
}

void hal_dirty_take(char *va, size_t size, uint64_t *bits)
{
    window_check(va, size);
    const struct radix radix = window_tables();
    if (radix_dirty_take(&radix, (uintptr_t)va, size, bits)) {
        all_flush();
    }
}

// Memory is all there from the start.
void hal_populate(char *va, size_t size)
{
    (void)va;
    (void)size;
}

// Data to the point of unification, then instructions from there, line by line (Arm ARM B2.4.4).
void hal_code_sync(char *va, size_t size)
{
    uint64_t types;
    __asm__ volatile("mrs %0, ctr_el0" : "=r"(types));
    const uintptr_t data_line = 4ul << (types >> 16 & 15), code_line = 4ul << (types & 15);
    const uintptr_t start = (uintptr_t)va, end = start + size;
    for (uintptr_t at = start & ~(data_line - 1); at < end; at += data_line) {
        __asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
    }
    __asm__ volatile("dsb ish" ::: "memory");
    for (uintptr_t at = start & ~(code_line - 1); at < end; at += code_line) {
        __asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
    }
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
}
