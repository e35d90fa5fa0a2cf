// SPDX-License-Identifier: BSD-3-Clause
// advise.c: system calls that go over whatever is mapped in a range: madvise, msync, the mlock
// family. Behind a hole they go on, and say at the end that there was one; mlock stops there.
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/hugemap.h"
#include "core/linux/range.h"
#include "core/linux/process.h"
#include "core/linux/user.h"
#include "core/vfs/file.h"
#include "core/vfs/pager.h"
#include "core/vfs/zeros.h"
#include "core/vm/collapse.h"
#include "core/vm/piece.h"
#include "core/vm/vm.h"

// ---- Advice --------------------------------------------------------------

// Younger than musl's headers.
enum {
    ADVICE_POPULATE_READ = 22,
    ADVICE_POPULATE_WRITE = 23,
    ADVICE_DONTNEED_LOCKED = 24,
    ADVICE_COLLAPSE = 25
};

static bool is_locked(const struct vm_piece *piece)
{
    return (piece->flags & VM_LOCKED) != 0;
}

static bool is_anonymous(const struct vm_piece *piece)
{
    return piece->pager == NULL && (piece->flags & VM_SHARED) == 0;
}

static int piece_remove(struct vm_piece *piece)
{
    if (is_locked(piece) || piece->pager == NULL) {
        return -EINVAL;
    }
    if ((piece->flags & VM_SHARED) == 0 || (piece->flags & VM_READ_ONLY) != 0) {
        return -EACCES;
    }
    struct file *file = file_pager_of(piece->pager)->file;
    return file->ops->allocate == NULL
               ? -EOPNOTSUPP
               : file->ops->allocate(file, ALLOCATE_KEEP_SIZE | ALLOCATE_PUNCH_HOLE, piece->offset,
                                     (uint64_t)(piece->end - piece->start));
}

static int piece_advise(struct vm_piece *piece, int advice)
{
    size_t size = (size_t)(piece->end - piece->start);
    if ((piece->flags & VM_HUGE) != 0) {
        return hugemap_advise(piece, advice);
    }
    switch (advice) {
    case MADV_REMOVE:
        return piece_remove(piece);
    case MADV_FREE: // what is free may stay as long as there is memory
        return is_anonymous(piece) && !is_locked(piece) ? 0 : -EINVAL;
    case MADV_WIPEONFORK:
        return is_anonymous(piece) ? 0 : -EINVAL;
    case MADV_COLD:
    case MADV_PAGEOUT:
        return is_locked(piece) ? -EINVAL : 0;
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
        return vm_advise_large(piece->start, size, advice == MADV_HUGEPAGE);
    case ADVICE_COLLAPSE:
        return is_anonymous(piece) ? vm_collapse(piece->start, size) : -EINVAL;
    default: // there is no second process, and no swap
        return 0;
    }
}

// Those that change nothing here are known, too. What a kernel of Linux may be without is not.
static bool is_advice(int advice)
{
    static const uint64_t low =
        UINT64_C(1) << MADV_NORMAL | UINT64_C(1) << MADV_RANDOM | UINT64_C(1) << MADV_SEQUENTIAL |
        UINT64_C(1) << MADV_WILLNEED | UINT64_C(1) << MADV_DONTNEED | UINT64_C(1) << MADV_FREE |
        UINT64_C(1) << MADV_REMOVE | UINT64_C(1) << MADV_DONTFORK | UINT64_C(1) << MADV_DOFORK |
        UINT64_C(1) << MADV_HUGEPAGE | UINT64_C(1) << MADV_NOHUGEPAGE |
        UINT64_C(1) << MADV_DONTDUMP | UINT64_C(1) << MADV_DODUMP | UINT64_C(1) << MADV_WIPEONFORK |
        UINT64_C(1) << MADV_KEEPONFORK | UINT64_C(1) << MADV_COLD | UINT64_C(1) << MADV_PAGEOUT |
        UINT64_C(1) << ADVICE_POPULATE_READ | UINT64_C(1) << ADVICE_POPULATE_WRITE |
        UINT64_C(1) << ADVICE_DONTNEED_LOCKED | UINT64_C(1) << ADVICE_COLLAPSE;
    return advice >= 0 && advice < 64 && (low >> advice & 1) != 0;
}

static int range_populate(char *va, char *end, unsigned access)
{
    int error = 0;
    while (va < end && error == 0) {
        struct vm_piece piece;
        if (!vm_piece_get(va, end, &piece)) {
            return -ENOMEM;
        }
        bool is_hole = piece.start > va, is_allowed = (piece.prot & access) != 0;
        va = piece.end;
        error = is_hole       ? -ENOMEM
                : !is_allowed ? -EINVAL
                              : vm_populate(piece.start, (size_t)(piece.end - piece.start), access);
        vm_piece_put(&piece);
    }
    return error;
}

// The end of the mappings from start on that are one behind the other and may be discarded.
static char *discard_end(char *start, char *end, bool may_be_locked, bool *is_refused)
{
    struct vm_piece piece;
    char *va = start;
    bool goes_on = true;
    while (goes_on && va < end && vm_piece_get(va, end, &piece)) {
        *is_refused = piece.start == va && is_locked(&piece) && !may_be_locked;
        goes_on = piece.start == va && !*is_refused && (piece.flags & VM_HUGE) == 0;
        va = goes_on ? piece.end : va;
        vm_piece_put(&piece);
    }
    return va;
}

// A system call runs on its caller's stack, below what the caller has there: within CALL_DEPTH and
// CALL_HEIGHT of here.
enum { CALL_DEPTH = 32 << 10, CALL_HEIGHT = 8 << 10, CLEAR_DEPTH = 1024 };

// Pages where this very call has its own variables are not thrown away: zeros come in up to these.
static __attribute__((noinline)) void own_clear(char *va, char *end)
{
    char *live = (char *)__builtin_frame_address(0) - CLEAR_DEPTH;
    struct vm_piece piece;
    end = end < live ? end : live;
    while (va < end && vm_piece_get(va, end, &piece)) {
        bool is_own = is_anonymous(&piece) && (piece.prot & HAL_WRITE) != 0;
        for (char *at = piece.start; at < piece.end && is_own; at += HAL_PAGE_SIZE) {
            size_t left = (size_t)(piece.end - at);
            is_own = user_write(at, vfs_zeros, left < HAL_PAGE_SIZE ? left : HAL_PAGE_SIZE) == 0;
        }
        va = piece.end;
        vm_piece_put(&piece);
    }
}

// Of mappings one behind the other.
static int mapped_discard(char *start, char *end)
{
    const uintptr_t page = HAL_PAGE_SIZE, here = (uintptr_t)__builtin_frame_address(0);
    char *low = (char *)((here - CALL_DEPTH) & -page),
         *high = (char *)((here + CALL_HEIGHT) & -page);
    if (end <= low || start >= high) {
        return end > start ? vm_discard(start, (size_t)(end - start)) : 0;
    }
    low = start > low ? start : low;
    high = end < high ? end : high;
    int error = start < low ? vm_discard(start, (size_t)(low - start)) : 0;
    error = error == 0 && high < end ? vm_discard(high, (size_t)(end - high)) : error;
    if (error == 0) {
        own_clear(low, high);
    }
    return error;
}

static int range_discard(char *va, char *end, bool may_be_locked)
{
    struct vm_piece piece;
    bool has_hole = false;
    while (va < end && vm_piece_get(va, end, &piece)) {
        char *start = piece.start;
        bool is_refused = false;
        has_hole |= start > va;
        if ((piece.flags & VM_HUGE) != 0) {
            va = piece.end;
            int error = hugemap_discard(&piece);
            if (error != 0) {
                vm_piece_put(&piece);
                return error;
            }
        }
        vm_piece_put(&piece);
        if (va == piece.end) {
            continue;
        }
        va = discard_end(start, end, may_be_locked, &is_refused);
        int error = mapped_discard(start, va);
        if (error != 0 || is_refused) {
            return error != 0 ? error : -EINVAL;
        }
    }
    return has_hole || va < end ? -ENOMEM : 0;
}

static int range_advise(char *va, char *end, int advice)
{
    struct vm_piece piece;
    bool has_hole = false;
    while (va < end && vm_piece_get(va, end, &piece)) {
        has_hole |= piece.start > va;
        va = piece.end;
        int error = piece_advise(&piece, advice);
        vm_piece_put(&piece);
        if (error != 0) {
            return error;
        }
    }
    return has_hole || va < end ? -ENOMEM : 0;
}

long linux_madvise(char *va, size_t size, int advice)
{
    size_t whole = memory_round(size);
    if (!is_advice(advice) || !memory_is_aligned(va) || whole < size ||
        whole > SIZE_MAX - (uintptr_t)va) {
        return -EINVAL;
    }
    switch (advice) {
    case ADVICE_POPULATE_READ:
        return range_populate(va, va + whole, HAL_READ);
    case ADVICE_POPULATE_WRITE:
        return range_populate(va, va + whole, HAL_WRITE);
    case MADV_DONTNEED:
    case ADVICE_DONTNEED_LOCKED:
        return range_discard(va, va + whole, advice == ADVICE_DONTNEED_LOCKED);
    default:
        return range_advise(va, va + whole, advice);
    }
}

// ---- Writing back --------------------------------------------------------

static int piece_sync(const struct vm_piece *piece, int flags)
{
    if ((flags & MS_INVALIDATE) != 0 && is_locked(piece)) {
        return -EBUSY;
    }
    bool is_asked = (flags & MS_SYNC) != 0 && (piece->flags & VM_SHARED) != 0 &&
                    piece->pager != NULL && piece->pager->sync != NULL;
    return is_asked ? piece->pager->sync(piece->pager) : 0;
}

long linux_msync(char *va, size_t size, int flags)
{
    bool is_contrary = (flags & MS_ASYNC) != 0 && (flags & MS_SYNC) != 0;
    if (!memory_is_aligned(va) || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0 ||
        is_contrary) {
        return -EINVAL;
    }
    size_t whole = memory_round(size);
    if (whole > SIZE_MAX - (uintptr_t)va) {
        return -ENOMEM;
    }
    struct vm_piece piece;
    bool has_hole = false;
    char *end = va + whole;
    while (va < end && vm_piece_get(va, end, &piece)) {
        has_hole |= piece.start > va;
        va = piece.end;
        int error = piece_sync(&piece, flags);
        vm_piece_put(&piece);
        if (error != 0) {
            return error;
        }
    }
    return has_hole || va < end ? -ENOMEM : 0;
}

// ---- Locked memory -------------------------------------------------------

_Atomic unsigned memory_future_marks;
_Atomic bool memory_has_been_locked;

static bool lock_is_limited(void)
{
    return !credentials_may(CAPABILITY_IPC_LOCK) && process_limit(RLIMIT_MEMLOCK) != RLIM_INFINITY;
}

int memory_lock_allow_all(size_t size)
{
    const uint64_t limit = process_limit(RLIMIT_MEMLOCK);
    return !lock_is_limited() ? 0 : limit == 0 ? -EPERM : size > limit ? -ENOMEM : 0;
}

int memory_lock_allow(size_t size)
{
    const size_t locked = lock_is_limited() ? vm_locked_bytes() : 0;
    return memory_lock_allow_all(size > SIZE_MAX - locked ? SIZE_MAX : size + locked);
}

// What a process that locks memory wants: it is there, and will not have to wait for it. Memory
// that it may not touch stays absent; a page beyond the end of a file, too.
static int piece_populate(const struct vm_piece *piece)
{
    if ((piece->flags & VM_ON_FAULT) != 0) {
        return 0;
    }
    bool is_written = (piece->prot & HAL_WRITE) != 0 && (piece->flags & VM_SHARED) == 0;
    return piece->prot == 0 ? -EFAULT
                            : vm_populate(piece->start, (size_t)(piece->end - piece->start),
                                          is_written ? HAL_WRITE : 0);
}

static int range_lock_populate(char *va, char *end)
{
    struct vm_piece piece;
    int error = 0;
    while (va < end && error == 0 && vm_piece_get(va, end, &piece)) {
        va = piece.end;
        error = piece_populate(&piece);
        vm_piece_put(&piece);
    }
    return error == 0 ? 0 : -ENOMEM;
}

void memory_grown_populate(char *va, char *end)
{
    struct vm_piece piece;
    while (va < end && vm_piece_get(va, end, &piece)) {
        va = piece.end;
        int error = is_locked(&piece) ? piece_populate(&piece) : 0;
        (void)error;
        vm_piece_put(&piece);
    }
}

// The pages of the range, which need not begin or end with one. False: it goes round.
static bool lock_range(char **va, char **end, size_t size)
{
    uintptr_t offset = (uintptr_t)*va & (HAL_PAGE_SIZE - 1);
    size_t whole = memory_round(size + offset);
    *va -= offset;
    *end = (char *)((uintptr_t)*va + whole);
    return *end >= *va;
}

static long lock(char *va, size_t size, unsigned marks)
{
    char *end;
    bool is_range = lock_range(&va, &end, size);
    int error = memory_lock_allow((size_t)(end - va));
    error = error == 0 && !is_range ? -EINVAL : error;
    if (error != 0 || va == end) {
        return error;
    }
    memory_set_locked();
    error = vm_lock_set(va, (size_t)(end - va), marks);
    return error != 0 ? error : range_lock_populate(va, end);
}

long linux_mlock(char *va, size_t size)
{
    return lock(va, size, VM_LOCKED);
}

long linux_mlock2(char *va, size_t size, int flags)
{
    enum { ON_FAULT = 1 };
    unsigned marks = VM_LOCKED | ((flags & ON_FAULT) != 0 ? VM_ON_FAULT : 0);
    return (flags & ~ON_FAULT) != 0 ? -EINVAL : lock(va, size, marks);
}

long linux_munlock(char *va, size_t size)
{
    char *end;
    if (!lock_range(&va, &end, size)) {
        return -EINVAL;
    }
    return va == end ? 0 : vm_lock_set(va, (size_t)(end - va), 0);
}

static int all_lock_set(unsigned marks)
{
    char *va = NULL, *top = (char *)(UINTPTR_MAX & ~(uintptr_t)(HAL_PAGE_SIZE - 1));
    struct vm_piece piece;
    int error = 0;
    while (error == 0 && vm_piece_get(va, top, &piece)) {
        va = piece.end;
        error = vm_lock_set(piece.start, (size_t)(piece.end - piece.start), marks);
        error = error == -ENOMEM ? 0 : error; // another thread has unmapped it
        vm_piece_put(&piece);
    }
    return error;
}

// Everything that is mapped comes into memory, as far as there is any.
long linux_mlockall(int flags)
{
    if (flags == 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) != 0 ||
        flags == MCL_ONFAULT) {
        return -EINVAL;
    }
    int error = memory_lock_allow_all((flags & MCL_CURRENT) != 0 ? vm_mapped_bytes() : 0);
    if (error != 0) {
        return error;
    }
    const unsigned marks = VM_LOCKED | ((flags & MCL_ONFAULT) != 0 ? VM_ON_FAULT : 0);
    memory_set_locked();
    atomic_store_explicit(&memory_future_marks, (flags & MCL_FUTURE) != 0 ? marks : 0,
                          memory_order_relaxed);
    if ((flags & MCL_CURRENT) == 0) {
        return 0;
    }
    error = all_lock_set(marks);
    if (error == 0) {
        memory_grown_populate(NULL, (char *)MEMORY_ADDRESS_MAX);
    }
    return error;
}

long linux_munlockall(void)
{
    atomic_store_explicit(&memory_future_marks, 0, memory_order_relaxed);
    return all_lock_set(0);
}
