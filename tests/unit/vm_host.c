// SPDX-License-Identifier: BSD-3-Clause
// vm_host.c: what core/vm stands on, for its tests.
//
// The machine is an array of translations that insists on the contract of hal_map, hal_protect and
// hal_unmap. Whatever may fail can be made to fail at its n-th call, and then nothing may have
// changed.
#include "vm_host.h"

#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/percpu.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/shrinker.h"
#include "core/vm/vm.h"
#include "tests/unit/hal/unit_hal.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>

// ---- The machine ---------------------------------------------------------

static struct translation table[WINDOW_PAGES + LOW_PAGES];
size_t map_calls, map_failures;
void (*vm_host_unmaps)(void);
long fail_after = -1; // calls that may fail until one does

bool fails(void)
{
    return fail_after >= 0 && fail_after-- == 0;
}

struct translation *translation_of(const char *va)
{
    if (va >= LOW_BASE && va < LOW_BASE + LOW) {
        return &table[WINDOW_PAGES + (size_t)(va - LOW_BASE) / PAGE];
    }
    ck_assert(va >= WINDOW_BASE && va < WINDOW_BASE + WINDOW);
    return &table[(size_t)(va - WINDOW_BASE) / PAGE];
}

int hal_map(char *va, hal_phys pa, size_t size, unsigned prot)
{
    map_calls++;
    ck_assert(size > 0 && size % PAGE == 0 && (uintptr_t)va % PAGE == 0 && pa % PAGE == 0);
    if (fails()) {
        map_failures++;
        return -ENOMEM;
    }
    for (size_t i = 0; i < size; i += PAGE) {
        struct translation *page = translation_of(va + i);
        ck_assert_uint_eq(page->pa, 0);
        *page = (struct translation){pa + i, prot, i == 0};
    }
    return 0;
}

// Cutting a mapping may fail; what is not cut may not.
static bool cut_fails(char *va)
{
    bool is_outside = va == LOW_BASE + LOW || va == WINDOW_BASE + WINDOW;
    if (is_outside || translation_of(va)->pa == 0 || translation_of(va)->starts) {
        return false;
    }
    if (fails()) {
        return true;
    }
    translation_of(va)->starts = true;
    return false;
}

int hal_protect(char *va, size_t size, unsigned prot)
{
    ck_assert(size > 0 && size % PAGE == 0);
    if (cut_fails(va) || cut_fails(va + size)) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < size; i += PAGE) {
        ck_assert_uint_ne(translation_of(va + i)->pa, 0);
        translation_of(va + i)->prot = prot;
    }
    return 0;
}

int hal_unmap(char *va, size_t size)
{
    if (vm_host_unmaps != NULL) {
        vm_host_unmaps();
    }
    ck_assert(size > 0 && size % PAGE == 0);
    if (cut_fails(va) || cut_fails(va + size)) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < size; i += PAGE) {
        *translation_of(va + i) = (struct translation){0, 0, false};
    }
    return 0;
}

int hal_translate(const char *va, hal_phys *pa, unsigned *prot)
{
    const struct translation *page = translation_of(va);
    *pa = page->pa;
    *prot = page->prot;
    return page->pa == 0 ? -EFAULT : 0;
}

int hal_page_look(const char *va, struct hal_page *page)
{
    const struct translation *at = translation_of(va);
    const struct translation *first = translation_of(va - (uintptr_t)va % (2 * MIB));
    bool is_large = first->pa != 0 && first->pa % (2 * MIB) == 0;
    for (size_t i = 1; i < 2 * MIB / PAGE && is_large; i++) {
        is_large = first[i].pa == first->pa + i * PAGE && first[i].prot == first->prot;
    }
    *page = (struct hal_page){is_large ? 2 * MIB : PAGE, at->prot, true};
    return at->pa == 0 ? -EFAULT : 0;
}

// ---- What vm stands on ---------------------------------------------------

bool vm_host_is_out, vm_host_gives;
size_t vm_host_waits;

bool shrinker_wait(size_t size)
{
    ck_assert_uint_gt(size, 0);
    ++vm_host_waits;
    vm_host_may_wait = true;
    vm_host_is_out &= !vm_host_gives;
    return vm_host_gives;
}

int __real_frame_alloc(size_t count, unsigned flags, hal_phys *start);
int __wrap_frame_alloc(size_t count, unsigned flags, hal_phys *start);
int __wrap_frame_alloc(size_t count, unsigned flags, hal_phys *start)
{
    return vm_host_is_out || fails() ? -ENOMEM : __real_frame_alloc(count, flags, start);
}

size_t __real_frame_alloc_run(size_t count, unsigned flags, hal_phys *start);
size_t __wrap_frame_alloc_run(size_t count, unsigned flags, hal_phys *start);
size_t __wrap_frame_alloc_run(size_t count, unsigned flags, hal_phys *start)
{
    return fails() ? 0 : __real_frame_alloc_run(count, flags, start);
}

void *__real_heap_alloc_zeroed(size_t size), *__real_plain_alloc_zeroed(size_t size);
void *__wrap_heap_alloc_zeroed(size_t size), *__wrap_plain_alloc_zeroed(size_t size);
void *__wrap_heap_alloc_zeroed(size_t size)
{
    return fails() ? NULL : __real_heap_alloc_zeroed(size);
}

void *__wrap_plain_alloc_zeroed(size_t size)
{
    return fails() ? NULL : __real_plain_alloc_zeroed(size);
}

// One thread: a mutex that is not free is its own.
void mutex_lock_contended(struct mutex *mutex)
{
    ck_abort_msg("the mutex is held already");
}

void mutex_unlock_contended(struct mutex *mutex)
{
    ck_abort_msg("nobody waits");
}

bool vm_host_may_wait;

void thread_wake(struct thread *thread)
{
    ck_assert_msg(vm_host_may_wait, "nobody has waited");
}

uintptr_t thread_batch_begin(void)
{
    return 0;
}

void thread_batch_end(uintptr_t irq)
{
    (void)irq;
}

void thread_yield(void)
{
    ck_abort_msg("nobody else is there to wait for");
}

// ---- Start, and what programs do ----

static char *arena;
size_t vm_host_eager_max = SIZE_MAX;
size_t free_at_start;

static struct percpu cpu;

void boot(void)
{
    static struct hal_region region = {2 * MIB, MEMORY};
    arena =
        mmap(NULL, MEMORY + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(arena != MAP_FAILED);
    arena = (char *)(((uintptr_t)arena + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
    unit_cpu = (struct cpu *)(void *)&cpu;
    unit_self = &cpu;
    const struct hal_boot facts = {
        .cpu_count = 1,
        .direct_base = arena - region.start,
        .va_base = WINDOW_BASE,
        .va_size = WINDOW,
        .low_base = LOW_BASE,
        .low_size = LOW,
        .regions = &region,
        .region_count = 1,
        .memory_is_zero = true,
        .eager_max = vm_host_eager_max,
    };
    frame_init(&facts);
    heap_init(1);
    ck_assert_int_eq(vm_init(&facts), 0);
    char *warm = NULL; // so that the heap's fresh memory is not counted
    ck_assert_int_eq(vm_map(&warm, PAGE, RW, 0, NULL, 0), 0);
    ck_assert_int_eq(vm_unmap(warm, PAGE), 0);
    free_at_start = frame_free_count();
}

bool touch(char *va, unsigned access)
{
    struct translation *page = translation_of(va);
    if (page->pa == 0 || (access & ~page->prot) != 0) {
        return vm_fault(va, access) && page->pa != 0 && (access & ~page->prot) == 0;
    }
    return true;
}

unsigned char *bytes_of(char *va)
{
    hal_phys pa = translation_of(va)->pa;
    return (unsigned char *)frame_address(pa);
}

void fill(char *va, size_t size, unsigned char byte)
{
    for (char *at = va; at < va + size; at += PAGE) {
        ck_assert(touch(at, HAL_WRITE));
        bytes_of(at)[0] = bytes_of(at)[PAGE - 1] = byte;
    }
}

void expect(char *va, size_t size, unsigned char byte)
{
    for (char *at = va; at < va + size; at += PAGE) {
        ck_assert(touch(at, HAL_READ));
        ck_assert_uint_eq(bytes_of(at)[0], byte);
        ck_assert_uint_eq(bytes_of(at)[PAGE - 1], byte);
    }
}

static bool count_areas(const struct vm_area_info *area, void *argument)
{
    ++*(size_t *)argument;
    return true;
}

size_t areas(void)
{
    size_t count = 0;
    vm_walk(count_areas, &count);
    return count;
}
