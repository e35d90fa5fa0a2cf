// SPDX-License-Identifier: BSD-3-Clause
// memory.c: the machine's memory is one memfd. The direct map is one view of it; hal_map makes
// others.
//
// Every page of the windows is always mapped, PROT_NONE where core has nothing: a hole would be
// filled by some mmap of a host thread, and killed by the next MAP_FIXED.
//
// What each page of a window is mapped to stands in a flat array, a word a page. The array is
// reserved whole and the host backs what is touched, so its sparse page table is ours too.
#include "hal-linux/memory.h"

#include <errno.h>
#include <linux/mman.h>
#include <linux/memfd.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "hal-linux/dirty.h"
#include "hal-linux/huge.h"
#include "hal-linux/machine.h"
#include "hal-linux/syscall.h"
#include "hal-linux/vcpu.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10
#endif

enum { PAGE_SHIFT = 12 };

// Between where Linux and the sanitizers put things: AddressSanitizer's shadow ends at
// 0x10007fff8000, and programs, libraries and stacks begin at 0x550000000000.
#define WINDOW_BASE 0x200000000000ul
#define WINDOW_SIZE (256ul << 30) // 25000 threads with stacks of 8 MiB
#define DIRECT_BASE 0x300000000000ul
#define WINDOW_SIZE_MIN (1ul << 30)
// Where linkers put programs that are not position-independent: GNU ld from 0x400000, lld from
// 0x200000.
#define LOW_BASE 0x200000ul
#define LOW_SIZE (0x40000000ul - LOW_BASE)
// A page-frame number has 27 bits; the devices' shared memory has some as well.
#define MEMORY_MAX (1ul << 39)

struct window {
    char *base;
    size_t size;
    // page-frame number << PAGE_FRAME_SHIFT | PAGE_CLEAN | PAGE_MAPPED | prot (dirty.h); 0:
    // unmapped. Core serialises the changes of a range, dirty_lock marks with them.
    uint32_t *entries;
};

// What a unit of the devices' shared memory is.
struct shared_unit {
    int fd; // + 1; 0: nothing
    uint64_t offset;
};

static struct {
    hal_phys start;
    size_t size;
    struct shared_unit *units;
} shared;

static int memory_fd;
static char *memory_direct;
static enum memory_text memory_text;
static bool has_marks; // no checker watches, which could not restart every instruction
static size_t memory_size;
static struct hal_region memory_region; // without the first page: 0 often means no page
static struct window windows[2];

static bool is_error(long result)
{
    return result < 0 && result >= -4095;
}

static long host_map(char *va, size_t size, long prot, long flags, long fd, hal_phys pa)
{
    return syscall6(SYS_mmap, (long)va, (long)size, prot, flags, fd, (long)pa);
}

static long host_prot(unsigned prot)
{
    return (prot & HAL_READ ? PROT_READ : 0) | (prot & HAL_WRITE ? PROT_WRITE : 0) |
           (prot & HAL_EXEC ? PROT_EXEC : 0);
}

// The words of the pages from va on, or NULL where [va, va + size) is not all in one window.
static uint32_t *entries_of(const char *va, size_t size)
{
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; ++i) {
        size_t offset = (size_t)(va - windows[i].base);
        if (offset < windows[i].size && size <= windows[i].size - offset) {
            return &windows[i].entries[offset >> PAGE_SHIFT];
        }
    }
    return NULL;
}

char *memory_at(hal_phys pa, size_t size)
{
    bool inside = pa < memory_size && size <= memory_size - pa;
    return inside ? memory_direct + pa : NULL;
}

static long host_reserve(char *va, size_t size, long fixed)
{
    return host_map(va, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1,
                    0);
}

// Text that is not written through this view any more. Behind the end of a file there is nothing.
static long text_copy(char *va, hal_phys pa, size_t size, unsigned prot)
{
    long result = host_map(va, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (is_error(result)) {
        return result;
    }
    for (size_t at = 0; at < size; at += HAL_PAGE_SIZE) {
        if (hal_copy_safe(va + at, memory_direct + pa + at, HAL_PAGE_SIZE) != 0) {
            break;
        }
    }
    return syscall3(SYS_mprotect, (long)va, (long)size, host_prot(prot));
}

// ---- The devices' shared memory ----

static struct shared_unit *shared_unit_of(hal_phys pa)
{
    return &shared.units[(pa - shared.start) / MEMORY_SHARED_UNIT];
}

static bool is_shared(hal_phys pa, size_t size)
{
    return pa >= shared.start && pa - shared.start < shared.size &&
           size <= shared.size - (pa - shared.start);
}

void memory_shared_set(const char *at, size_t size, int fd, uint64_t offset)
{
    hal_phys pa = (hal_phys)(at - memory_direct);
    for (size_t done = 0; done < size && is_shared(pa, size); done += MEMORY_SHARED_UNIT) {
        *shared_unit_of(pa + done) = (struct shared_unit){fd + 1, offset + done};
    }
}

// How much of [pa, pa + size) is one part of one file, and where that is.
static size_t shared_span(hal_phys pa, size_t size, struct shared_unit *place)
{
    size_t skip = (pa - shared.start) % MEMORY_SHARED_UNIT;
    struct shared_unit unit = *shared_unit_of(pa);
    *place = (struct shared_unit){unit.fd, unit.offset + skip};
    size_t span = MEMORY_SHARED_UNIT - skip;
    while (span < size) {
        const struct shared_unit *next = shared_unit_of(pa + span);
        if (next->fd != unit.fd || next->offset != place->offset + span) {
            break;
        }
        span += MEMORY_SHARED_UNIT;
    }
    return span < size ? span : size;
}

// Views of the files themselves. Text of a file system that allows none is copied.
static long shared_map(char *va, hal_phys pa, size_t size, unsigned prot, int sharing)
{
    long result = 0;
    for (size_t done = 0, span; done < size && !is_error(result); done += span) {
        struct shared_unit place;
        span = shared_span(pa + done, size - done, &place);
        result = place.fd == 0 ? -EINVAL
                               : host_map(va + done, span, host_prot(prot), sharing | MAP_FIXED,
                                          place.fd - 1, place.offset);
        if (result == -EPERM && (prot & HAL_EXEC) != 0) {
            result = text_copy(va + done, pa + done, span, prot);
        }
    }
    if (is_error(result)) {
        (void)host_reserve(va, size, MAP_FIXED);
    }
    return result;
}

// ---- Mapping ----

// The host lets a debugger write through a view that is not writable only if that makes a copy. A
// private view of text has the same pages as a shared one until somebody does.
static long view_map(char *va, hal_phys pa, size_t size, unsigned prot)
{
    bool is_text = (prot & (HAL_EXEC | HAL_WRITE)) == HAL_EXEC;
    if (is_text && memory_text == MEMORY_TEXT_COPIED) {
        return text_copy(va, pa, size, prot);
    }
    int sharing = is_text && memory_text == MEMORY_TEXT_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
    if (is_shared(pa, size)) {
        return shared_map(va, pa, size, prot, sharing);
    }
    const long result = host_map(va, size, host_prot(prot), sharing | MAP_FIXED, memory_fd, pa);
    if (!is_error(result)) {
        huge_view(va, pa, size, prot);
    }
    return result;
}

int hal_map(char *va, hal_phys pa, size_t size, unsigned prot)
{
    uint32_t *entry = entries_of(va, size);
    if (entry == NULL || (memory_at(pa, size) == NULL && !is_shared(pa, size))) {
        return -EINVAL;
    }
    long result = view_map(va, pa, size, prot);
    if (is_error(result)) {
        return (int)result;
    }
    uint32_t word =
        (uint32_t)(pa >> PAGE_SHIFT << PAGE_FRAME_SHIFT) | PAGE_MAPPED | (prot & PAGE_PROT);
    for (size_t i = 0; i < size >> PAGE_SHIFT; ++i) {
        entry[i] = word + (uint32_t)(i << PAGE_FRAME_SHIFT);
    }
    machine_memory_renew(va, size);
    return 0;
}

// Who holds dirty_lock. Interrupts are off.
static uint32_t self_number(void)
{
    return vcpu_self()->index + 1;
}

// Nothing is locked until marks are asked for: the stack that this runs on may be what goes.
struct rights {
    bool is_locked;
    uintptr_t irq;
};

static struct rights rights_lock(void)
{
    struct rights rights = {dirty_is_used(), 0};
    if (rights.is_locked) {
        rights.irq = hal_irq_save();
        dirty_lock(self_number());
    }
    return rights;
}

static void rights_unlock(struct rights rights)
{
    if (rights.is_locked) {
        dirty_unlock();
        hal_irq_restore(rights.irq);
    }
}

// New views, of one run of consecutive pages after the other.
static long views_remap(char *va, const uint32_t *entry, size_t count, unsigned prot)
{
    long result = 0;
    for (size_t start = 0, end; start < count && !is_error(result); start = end) {
        end = start + 1;
        while (end < count &&
               entry[end] >> PAGE_FRAME_SHIFT == (entry[end - 1] >> PAGE_FRAME_SHIFT) + 1) {
            ++end;
        }
        hal_phys pa = (hal_phys)(entry[start] >> PAGE_FRAME_SHIFT) << PAGE_SHIFT;
        result = view_map(va + (start << PAGE_SHIFT), pa, (end - start) << PAGE_SHIFT, prot);
    }
    return result;
}

int hal_protect(char *va, size_t size, unsigned prot)
{
    uint32_t *entry = entries_of(va, size);
    if (entry == NULL) {
        return -EINVAL;
    }
    const struct rights rights = rights_lock();
    long result = memory_text != MEMORY_TEXT_SHARED
                      ? views_remap(va, entry, size >> PAGE_SHIFT, prot)
                      : syscall3(SYS_mprotect, (long)va, (long)size, host_prot(prot));
    for (size_t i = 0; i < size >> PAGE_SHIFT && !is_error(result); ++i) {
        entry[i] = (entry[i] & ~(uint32_t)(PAGE_PROT | PAGE_CLEAN)) | (prot & PAGE_PROT);
    }
    rights_unlock(rights);
    return is_error(result) ? (int)result : 0;
}

int hal_unmap(char *va, size_t size)
{
    uint32_t *entry = entries_of(va, size);
    if (entry == NULL) {
        return -EINVAL;
    }
    const struct rights rights = rights_lock();
    long result = host_reserve(va, size, MAP_FIXED);
    for (size_t i = 0; i < size >> PAGE_SHIFT && !is_error(result); ++i) {
        entry[i] = 0;
    }
    rights_unlock(rights);
    if (is_error(result)) {
        return (int)result;
    }
    machine_memory_renew(va, size);
    return 0;
}

long huge_host_advise(char *va, size_t size, int advice)
{
    return syscall3(SYS_madvise, (long)va, (long)size, advice);
}

// One call for 2 MiB instead of a fault of the host's per page. Hosts before Linux 5.14 do not know
// it.
void hal_populate(char *va, size_t size)
{
    huge_populate(va, size);
}

void memory_view_restore(char *va, size_t size)
{
    const uint32_t *entry = entries_of(va, size);
    size_t count = entry == NULL ? 0 : size >> PAGE_SHIFT;
    for (size_t i = 0; i < count; ++i) {
        char *page = va + (i << PAGE_SHIFT);
        if (entry[i] & PAGE_MAPPED) {
            (void)views_remap(page, &entry[i], 1, dirty_prot(entry[i]));
        } else {
            (void)host_reserve(page, HAL_PAGE_SIZE, MAP_FIXED);
        }
    }
}

static struct {
    _Atomic uint64_t remote, local_all, local_one;
} flushes;

static bool is_one(const struct hal_cpu_set *cpus)
{
    int count = 0;
    for (size_t i = 0; i < HAL_CPU_MAX / 64; ++i) {
        count += __builtin_popcountll(cpus->words[i]);
    }
    return count <= 1;
}

// The host's mmap and mprotect return when no CPU holds an old translation: what is counted is what
// they had to do, at least. Figures: nothing orders them.
void hal_tlb_flush(const struct hal_range *ranges, size_t count, const struct hal_cpu_set *cpus)
{
    enum { PAGES_MAX = 33 }; // tlb_single_page_flush_ceiling of Linux
    size_t pages = 0;
    for (size_t i = 0; i < count; ++i) {
        pages += ranges[i].size >> PAGE_SHIFT;
    }
    bool is_all = pages > PAGES_MAX;
    atomic_fetch_add_explicit(&flushes.remote, !is_one(cpus), memory_order_relaxed);
    atomic_fetch_add_explicit(is_all ? &flushes.local_all : &flushes.local_one, is_all ? 1 : pages,
                              memory_order_relaxed);
}

void hal_tlb_count(struct hal_tlb_counts *counts)
{
    *counts = (struct hal_tlb_counts){
        .remote = atomic_load_explicit(&flushes.remote, memory_order_relaxed),
        .local_all = atomic_load_explicit(&flushes.local_all, memory_order_relaxed),
        .local_one = atomic_load_explicit(&flushes.local_one, memory_order_relaxed),
    };
}

bool dirty_host_protect(char *va, size_t size, unsigned prot)
{
    return !is_error(syscall3(SYS_mprotect, (long)va, (long)size, host_prot(prot)));
}

bool memory_write_fault(const char *va)
{
    uint32_t *entry = entries_of(va, 1);
    return entry != NULL &&
           dirty_fault(entry, (char *)((uintptr_t)va & -(uintptr_t)HAL_PAGE_SIZE), self_number());
}

void hal_dirty_take(char *va, size_t size, uint64_t *bits)
{
    uint32_t *entry = entries_of(va, size);
    const size_t count = entry == NULL ? 0 : size >> PAGE_SHIFT;
    if (has_marks) {
        const uintptr_t irq = hal_irq_save();
        dirty_take(entry, va, count, bits, self_number());
        hal_irq_restore(irq);
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        if (entry[i] & PAGE_MAPPED) {
            bits[i / 64] |= 1ul << i % 64;
        }
    }
}

// 2 MiB of memory in one piece, where the host can map them at once if it does so at all.
// *is_dirty: some of it is.
static bool is_large(const char *va, bool *is_dirty)
{
    enum { LARGE = 2 << 20, LARGE_PAGES = LARGE >> PAGE_SHIFT };
    const uint32_t *first = entries_of(va - (uintptr_t)va % LARGE, LARGE);
    bool is_one = first != NULL && (*first & PAGE_MAPPED) != 0 &&
                  (*first >> PAGE_FRAME_SHIFT) % LARGE_PAGES == 0;
    bool is_any = is_one && (*first & PAGE_CLEAN) == 0;
    for (uint32_t i = 1; i < LARGE_PAGES && is_one; ++i) {
        const uint32_t clean = PAGE_CLEAN;
        is_one = (first[i] | clean) == (*first | clean) + (i << PAGE_FRAME_SHIFT);
        is_any |= (first[i] & clean) == 0;
    }
    *is_dirty = is_one ? is_any : *is_dirty;
    return is_one;
}

int hal_page_look(const char *va, struct hal_page *page)
{
    const uint32_t *entry = entries_of(va, 1);
    if (entry == NULL || !(*entry & PAGE_MAPPED)) {
        return -EFAULT;
    }
    bool is_dirty = (*entry & PAGE_CLEAN) == 0;
    const size_t size = is_large(va, &is_dirty) ? 2 << 20 : HAL_PAGE_SIZE;
    *page = (struct hal_page){size, *entry & PAGE_PROT, is_dirty};
    return 0;
}

int hal_translate(const char *va, hal_phys *pa, unsigned *prot)
{
    size_t offset = (size_t)(va - memory_direct);
    if (offset < memory_size) {
        *pa = offset;
        *prot = HAL_READ | HAL_WRITE;
        return 0;
    }
    const uint32_t *entry = entries_of(va, 1);
    if (entry == NULL || !(*entry & PAGE_MAPPED)) {
        return -EFAULT;
    }
    *pa = (hal_phys)(*entry >> PAGE_FRAME_SHIFT) << PAGE_SHIFT |
          ((uintptr_t)va & (HAL_PAGE_SIZE - 1));
    *prot = *entry & PAGE_PROT;
    return 0;
}

// x86 processors see written instructions by themselves.
void hal_code_sync(char *va, size_t size)
{
    (void)va;
    (void)size;
    __asm__ volatile("" : : : "memory");
}

static int window_init(struct window *window, char *base, size_t size)
{
    long at = host_reserve(base, size, MAP_FIXED_NOREPLACE);
    if (is_error(at) || (char *)at != base) {
        if (!is_error(at)) { // an old kernel took the address for a hint
            syscall3(SYS_munmap, at, (long)size, 0);
        }
        return -ENOMEM;
    }
    long entries = host_map(NULL, (size >> PAGE_SHIFT) * sizeof(uint32_t), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (is_error(entries)) {
        return (int)entries;
    }
    *window = (struct window){base, size, (uint32_t *)entries};
    return 0;
}

// At the fixed address, where backtraces of two runs agree, or anywhere (Valgrind), and there
// smaller if need be.
static int window_init_high(struct window *window, size_t memory)
{
    size_t size = memory > WINDOW_SIZE / 2 ? memory * 2 : WINDOW_SIZE;
    if (window_init(window, (char *)WINDOW_BASE, size) == 0) {
        return 0;
    }
    for (; size >= WINDOW_SIZE_MIN; size /= 2) {
        long at = host_reserve(NULL, size, 0);
        if (!is_error(at)) {
            syscall3(SYS_munmap, at, (long)size, 0);
            if (window_init(window, (char *)at, size) == 0) {
                return 0;
            }
        }
    }
    return -ENOMEM;
}

// Executable, because programs are loaded into it; hosts before Linux 6.3 do not know the flag, and
// need none.
static long memfd_open(void)
{
    long fd = syscall3(SYS_memfd_create, (long)"osv-memory", MFD_CLOEXEC | MFD_EXEC, 0);
    return is_error(fd) ? syscall3(SYS_memfd_create, (long)"osv-memory", MFD_CLOEXEC, 0) : fd;
}

hal_phys memory_shared_start(size_t size)
{
    return (size + HAL_DIRECT_ALIGN - 1) & -(hal_phys)HAL_DIRECT_ALIGN;
}

// All of the memory in one view, aligned so that what is aligned in it is aligned here; behind it
// room for the devices' shared memory.
static long direct_map(long fd, size_t size, size_t shared_size)
{
    size_t reserved = memory_shared_start(size) + shared_size + HAL_DIRECT_ALIGN;
    long start = host_reserve((char *)DIRECT_BASE, reserved, 0); // a hint
    if (is_error(start)) {
        return start;
    }
    long aligned = (start + HAL_DIRECT_ALIGN - 1) & -(long)HAL_DIRECT_ALIGN;
    return host_map((char *)aligned, size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_NORESERVE | MAP_FIXED, (int)fd, 0);
}

static int shared_init(hal_phys start, size_t size)
{
    size_t count = size / MEMORY_SHARED_UNIT + 1;
    long units = host_map(NULL, count * sizeof(struct shared_unit), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (is_error(units)) {
        return (int)units;
    }
    shared.start = start;
    shared.size = size;
    shared.units = (struct shared_unit *)units;
    return 0;
}

int memory_init(struct hal_boot *boot, size_t size, size_t shared_size, enum memory_text text)
{
    memory_text = text;
    has_marks = !boot->is_checked;
    bool is_too_large = size > MEMORY_MAX || shared_size > MEMORY_MAX - size;
    long fd = is_too_large ? -ENOMEM : memfd_open();
    if (is_error(fd)) {
        return (int)fd;
    }
    memory_fd = (int)fd;
    long result = syscall3(SYS_ftruncate, fd, (long)size, 0);
    long direct = is_error(result) ? result : direct_map(fd, size, shared_size);
    if (is_error(direct)) {
        return (int)direct;
    }
    memory_direct = (char *)direct;
    memory_size = size;
    memory_region = (struct hal_region){HAL_PAGE_SIZE, size - HAL_PAGE_SIZE};
    int failure = shared_init(memory_shared_start(size), shared_size);
    failure = failure != 0 ? failure : window_init_high(&windows[0], size);
    if (failure != 0) {
        return failure;
    }
    (void)window_init(&windows[1], (char *)LOW_BASE,
                      LOW_SIZE); // a machine without it runs most programs
    if (boot->is_checked) {      // until core takes it
        hal_check_set(HAL_CHECK_CLOSED, memory_direct, size);
    }
    boot->direct_base = memory_direct;
    boot->va_base = windows[0].base;
    boot->va_size = windows[0].size;
    boot->low_base = windows[1].base;
    boot->low_size = windows[1].size;
    boot->regions = &memory_region;
    boot->region_count = 1;
    boot->memory_is_zero = true;
    return 0;
}
