// SPDX-License-Identifier: BSD-3-Clause
// memory.c: system calls on the address space.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/hugemap.h"
#include "core/linux/process.h"
#include "core/linux/range.h"
#include "core/linux/user.h"
#include "core/mem/frame.h"
#include "core/sync/shrinker.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/hugefile.h"
#include "core/vfs/memfile.h"
#include "core/vm/areaname.h"
#include "core/vm/piece.h"
#include "core/vm/vm.h"

_Static_assert(PROT_READ == HAL_READ && PROT_WRITE == HAL_WRITE && PROT_EXEC == HAL_EXEC, "prot");
_Static_assert(F_SEAL_SEAL == SEAL_SEAL && F_SEAL_SHRINK == SEAL_SHRINK &&
                   F_SEAL_GROW == SEAL_GROW && F_SEAL_WRITE == SEAL_WRITE &&
                   F_SEAL_FUTURE_WRITE == SEAL_FUTURE_WRITE,
               "seals");

enum {
    PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC,
    PROT_ANY = PROT_ALL | 8 | PROT_GROWSDOWN | PROT_GROWSUP, // 8: PROT_SEM, for other processors
    MAP_LOW = 0x40, // MAP_32BIT, which not all processors' headers have
};

// What is locked is there at once, unless mlockall has said otherwise.
static __attribute__((noinline)) unsigned map_flags_locked(unsigned flags)
{
    unsigned marks = VM_LOCKED | atomic_load_explicit(&memory_future_marks, memory_order_relaxed);
    memory_set_locked();
    return (marks & VM_ON_FAULT) != 0 ? (flags & ~(unsigned)VM_POPULATE) | marks
                                      : flags | marks | VM_POPULATE;
}

static inline unsigned map_flags_of(int flags, int prot)
{
    unsigned result = 0;
    result |= (flags & MAP_FIXED) != 0 ? VM_FIXED : 0;
    result |= (flags & MAP_FIXED_NOREPLACE) != 0 ? VM_FIXED | VM_NOREPLACE : 0;
    result |= (flags & MAP_SHARED) != 0 ? VM_SHARED : 0;
    result |= (flags & MAP_LOW) != 0 ? VM_LOW : 0;
    // What reserves only, or grows, gets its memory when it is touched.
    result |= (flags & (MAP_NORESERVE | MAP_STACK | MAP_GROWSDOWN)) != 0 && prot != 0 ? VM_LAZY : 0;
    result |= (flags & MAP_GROWSDOWN) != 0 ? VM_GROWS : 0;
    result |= (flags & MAP_POPULATE) != 0 ? VM_POPULATE : 0;
    return (flags & MAP_LOCKED) != 0 ? map_flags_locked(result) : result;
}

static bool marks_are_set(void)
{
    return atomic_load_explicit(&memory_future_marks, memory_order_relaxed) != 0;
}

static long map_shared(char **va, size_t size, int prot, int flags, uint64_t offset);

// /dev/zero. Who may only read it sees nothing but zeros.
static long map_zero(char **va, size_t size, int prot, int flags, uint32_t access, uint64_t offset)
{
    bool is_shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    if (is_shared && access == OPEN_READ_WRITE) {
        return map_shared(va, size, prot, flags, offset);
    }
    unsigned how = map_flags_of(flags, prot) & ~(unsigned)VM_LAZY;
    return vm_map(va, size, (unsigned)prot, how | (is_shared ? VM_READ_ONLY : 0), NULL, 0);
}

static long map_file(char **va, size_t size, int prot, int flags, struct file *file,
                     uint64_t offset)
{
    struct vm_pager *pager;
    bool is_shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    uint32_t access = atomic_load(&file->flags) & OPEN_ACCESS;
    if (is_shared && (prot & PROT_WRITE) != 0 && access != OPEN_READ_WRITE) {
        return -EACCES;
    }
    unsigned how = map_flags_of(flags, prot) & ~(unsigned)VM_LAZY;
    int error = file_pager(file, &pager);
    if (error == 0 && (flags & MAP_GROWSDOWN) != 0) {
        if (pager != NULL) {
            pager->put(pager);
        }
        return -EINVAL;
    }
    if (error == 0 && pager == NULL) {
        return map_zero(va, size, prot, flags, access, offset);
    }
    bool may_write = is_shared && access == OPEN_READ_WRITE;
    if (error == 0 && may_write && pager->claim != NULL && pager->claim(pager) != 0) {
        may_write = false;
        error = (prot & PROT_WRITE) != 0 ? -EPERM : 0;
        if (error != 0) {
            pager->put(pager);
        }
    }
    if (error != 0) {
        return error;
    }
    how |= is_shared && !may_write ? VM_READ_ONLY : 0;
    if (is_shared && pager->find == NULL && (prot & PROT_WRITE) == 0) {
        how = (how & ~(unsigned)VM_SHARED) | VM_READ_ONLY; // a copy does for who only reads
    }
    error = vm_map(va, size, (unsigned)prot, how, pager, offset);
    pager->put(pager);
    if (error == 0 && !is_shared && (how & VM_POPULATE) != 0 && (prot & PROT_WRITE) != 0) {
        int populated = vm_populate(*va, size, HAL_WRITE); // copies
        (void)populated;                                   // as far as there are pages
    }
    return error;
}

// Shared memory without a file is a file without a name: it can be mapped once more by mremap, and
// ends where it did at first: at size, wherever in it offset is.
static long map_shared(char **va, size_t size, int prot, int flags, uint64_t offset)
{
    struct file *file;
    int error = memfile_create(&file, "/dev/zero (deleted)", 0);
    if (error != 0) {
        return -ENOMEM;
    }
    error = file->ops->truncate(file, size) != 0 ? -ENOMEM : 0;
    error = error != 0 ? error : (int)map_file(va, size, prot, flags, file, offset);
    file_put(file);
    return error;
}

// The kind of mapping is looked at last: what else is wrong is said first.
static int kind_check(int flags, const struct file *file)
{
    enum { KNOWN = 0x7c07f9f3 }; // all flags that are older than MAP_SHARED_VALIDATE
    int kind = flags & MAP_TYPE;
    if (file == NULL && kind == MAP_SHARED && (flags & MAP_GROWSDOWN) != 0) {
        return -EINVAL;
    }
    if (kind == MAP_PRIVATE || kind == MAP_SHARED) {
        return 0;
    }
    return kind != MAP_SHARED_VALIDATE || file == NULL ? -EINVAL
           : (flags & ~KNOWN) != 0                     ? -EOPNOTSUPP
                                                       : 0;
}

static int place_check(const char *va, size_t whole, int flags)
{
    bool is_fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
    bool is_beyond =
        whole > MEMORY_ADDRESS_MAX || (is_fixed && (uintptr_t)va > MEMORY_ADDRESS_MAX - whole);
    if (is_beyond) {
        return -ENOMEM;
    }
    if (is_fixed && !memory_is_aligned(va)) {
        return -EINVAL;
    }
    struct vm_piece piece;
    if ((flags & MAP_FIXED_NOREPLACE) != 0 &&
        vm_piece_get((char *)va, (char *)va + whole, &piece)) {
        vm_piece_put(&piece);
        return -EEXIST;
    }
    return 0;
}

// Of regular files, the end is what a signed offset can name; of all else, an unsigned one.
static bool is_offset_beyond(struct file *file, uint64_t offset, size_t whole)
{
    struct file_status status;
    bool is_regular = file_status(file, &status) == 0 && (status.mode & MODE_TYPE) == MODE_FILE;
    return offset > (is_regular ? INT64_MAX : UINT64_MAX) - whole;
}

// What Linux looks at, in its order.
int memory_map_check(const char *va, size_t whole, int flags, struct file *file, uint64_t offset)
{
    int error = place_check(va, whole, flags);
    if (error == 0 && (flags & MAP_LOCKED) != 0) {
        error = memory_lock_allow(whole);
        error = error == -ENOMEM ? -EAGAIN : error;
    }
    bool may_be_beyond = error == 0 && file != NULL && offset > INT64_MAX - whole;
    error = may_be_beyond && is_offset_beyond(file, offset, whole) ? -EOVERFLOW : error;
    return error != 0 ? error : kind_check(flags, file);
}

// As Linux guesses by default: what counts is refused where it is more than all memory, also where
// it comes only when it is touched.
static bool is_hopeless(size_t whole, int prot, int flags)
{
    bool counts =
        (flags & MAP_TYPE) == MAP_PRIVATE ? (prot & PROT_WRITE) != 0 : (flags & MAP_ANONYMOUS) != 0;
    return counts && (flags & MAP_NORESERVE) == 0 && whole / HAL_PAGE_SIZE > frame_total_count();
}

static __attribute__((noinline)) long map_anything(char *va, size_t size, int prot, int flags,
                                                   struct file *file, uint64_t offset)
{
    if (size == 0) {
        return -EINVAL;
    }
    if ((flags & MAP_HUGETLB) != 0 || (file != NULL && hugefile_is(file))) {
        return hugemap_map(va, size, prot, flags, file, offset);
    }
    size_t whole = memory_round(size);
    if (whole == 0) {
        return -ENOMEM;
    }
    flags |= marks_are_set() ? MAP_LOCKED : 0;
    long error = memory_map_check(va, whole, flags, file, offset);
    error = error == 0 && is_hopeless(whole, prot, flags) ? -ENOMEM : error;
    if (error != 0) {
        return error;
    }
    error = (flags & MAP_FIXED) != 0 ? hugemap_unmap(va, whole) : 0;
    if (error != 0) {
        return error;
    }
    va = (char *)((uintptr_t)va & ~(uintptr_t)(HAL_PAGE_SIZE - 1));
    prot &= PROT_ALL;
    error = file != NULL ? map_file(&va, whole, prot, flags, file, offset)
            : (flags & MAP_TYPE) == MAP_SHARED
                ? map_shared(&va, whole, prot, flags, 0)
                : vm_map(&va, whole, (unsigned)prot, map_flags_of(flags, prot), NULL, 0);
    return error != 0 ? error : (long)va;
}

static long map_private(char *va, size_t size, int prot)
{
    va = (char *)((uintptr_t)va & ~(uintptr_t)(HAL_PAGE_SIZE - 1));
    int error = vm_map(&va, memory_round(size), (unsigned)prot & PROT_ALL, 0, NULL, 0);
    return error != 0 ? error : (long)va;
}

long linux_mmap(char *va, size_t size, int prot, int flags, int fd, int64_t offset)
{
    if ((offset & (HAL_PAGE_SIZE - 1)) != 0) {
        return -EINVAL;
    }
    // Most mappings are private memory anywhere.
    if (flags == (MAP_PRIVATE | MAP_ANONYMOUS) && size - 1 < MEMORY_ADDRESS_MAX &&
        !marks_are_set()) {
        return map_private(va, size, prot);
    }
    struct file *file = NULL;
    int error = (flags & MAP_ANONYMOUS) != 0 ? 0 : fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    if (file != NULL && (atomic_load(&file->flags) & OPEN_PATH) != 0) {
        file_put(file);
        return -EBADF;
    }
    long result = map_anything(va, size, prot, flags, file, (uint64_t)offset);
    if (file != NULL) {
        file_put(file);
    }
    return result;
}

long linux_munmap(char *va, size_t size)
{
    uintptr_t start = (uintptr_t)va;
    bool is_beyond = start > MEMORY_ADDRESS_MAX || size > MEMORY_ADDRESS_MAX - start;
    if (!memory_is_aligned(va) || size == 0 || is_beyond) {
        return -EINVAL;
    }
    int error = hugemap_unmap(va, memory_round(size));
    return error != 0 ? error : vm_unmap(va, memory_round(size));
}

// The end of what may get prot: where a hole is (-ENOMEM), or a mapping that refuses it (-EACCES).
static char *protect_end(char *va, char *end, unsigned prot, int *error)
{
    struct vm_piece piece;
    *error = -ENOMEM;
    while (va < end && vm_piece_get(va, end, &piece)) {
        bool is_hole = piece.start > va;
        bool is_refused = (prot & PROT_WRITE) != 0 && (piece.flags & VM_READ_ONLY) != 0;
        vm_piece_put(&piece);
        if (is_hole || is_refused) {
            *error = is_hole ? -ENOMEM : -EACCES;
            break;
        }
        va = piece.end;
    }
    return va;
}

// What is locked, private, and may be written from now on, gets pages of its own at once.
struct copies {
    struct vm_range {
        char *start, *end;
    } ranges[8];
    uint32_t count;
};

// Those of [va, end), as far as they fit. Answers how far.
static char *copies_find(struct copies *copies, char *va, char *end)
{
    struct vm_piece piece;
    copies->count = 0;
    while (va < end && copies->count < sizeof copies->ranges / sizeof copies->ranges[0] &&
           vm_piece_get(va, end, &piece)) {
        const unsigned marks = VM_SHARED | VM_LOCKED | VM_ON_FAULT;
        if ((piece.flags & marks) == VM_LOCKED && (piece.prot & PROT_WRITE) == 0) {
            copies->ranges[copies->count++] = (struct vm_range){piece.start, piece.end};
        }
        va = piece.end;
        vm_piece_put(&piece);
    }
    return copies->count < sizeof copies->ranges / sizeof copies->ranges[0] ? end : va;
}

static int protect_locked(char *va, char *end, unsigned prot)
{
    int error = 0;
    while (va < end && error == 0) {
        struct copies copies;
        char *stop = copies_find(&copies, va, end);
        error = vm_protect(va, (size_t)(stop - va), prot);
        for (uint32_t i = 0; i < copies.count && error == 0; ++i) {
            const struct vm_range *range = &copies.ranges[i];
            int populated =
                vm_populate(range->start, (size_t)(range->end - range->start), HAL_WRITE);
            (void)populated; // as far as there are pages
        }
        va = stop;
    }
    return error;
}

static int protect(char *va, char *end, unsigned prot)
{
    return (prot & PROT_WRITE) != 0 && memory_is_locked()
               ? protect_locked(va, end, prot)
               : vm_protect(va, (size_t)(end - va), prot);
}

// PROT_GROWSDOWN: from the start of what grows. Nothing grows up.
static int protect_grown(char **va, const char *end, int prot)
{
    struct vm_piece piece;
    if (!vm_piece_get(*va, (char *)(UINTPTR_MAX & ~(uintptr_t)(HAL_PAGE_SIZE - 1)), &piece)) {
        return -ENOMEM;
    }
    const bool is_down = (prot & PROT_GROWSDOWN) != 0;
    const bool is_hole = is_down ? piece.start >= end : piece.start > *va;
    const bool is_right = is_down && (piece.flags & VM_GROWS) != 0;
    *va = is_right ? piece.mapping_start : *va;
    vm_piece_put(&piece);
    return is_hole ? -ENOMEM : is_right ? 0 : -EINVAL;
}

// What is looked at before any mapping is, in Linux's order. *whole 0: nothing is to be done.
static int protect_check(const char *va, size_t size, int prot, size_t *whole)
{
    *whole = memory_round(size);
    if (!memory_is_aligned(va) || (prot & PROT_GROWSDOWN && prot & PROT_GROWSUP)) {
        return -EINVAL;
    }
    if (size == 0) {
        return 0;
    }
    if (*whole == 0 || *whole > SIZE_MAX - (uintptr_t)va) {
        return -ENOMEM;
    }
    return (prot & ~PROT_ANY) != 0 ? -EINVAL : 0;
}

long linux_mprotect(char *va, size_t size, int prot)
{
    size_t whole;
    int error = protect_check(va, size, prot, &whole);
    if (error != 0 || whole == 0) {
        return error;
    }
    char *end = va + whole;
    error = (prot & (PROT_GROWSDOWN | PROT_GROWSUP)) != 0 ? protect_grown(&va, end, prot) : 0;
    if (error != 0) {
        return error;
    }
    unsigned wanted = (unsigned)(prot & PROT_ALL);
    if (hugemap_is_cut(va, end)) {
        const bool is_first = hugemap_is_cut(va, va); // else what is before its end is looked at
        return !is_first && protect_end(va, end, wanted, &error) < end ? error : -EINVAL;
    }
    error = protect(va, end, wanted);
    if (error == -ENOMEM || error == -EACCES) { // what lies before that is changed
        char *stop = protect_end(va, end, wanted, &error);
        int before = stop > va && stop < end ? protect(va, stop, wanted) : 0;
        error = before != 0 ? before : error;
    }
    return error;
}

// ---- Protection keys -----------------------------------------------------

// There are none, as on a processor without them.

long linux_pkey_alloc(unsigned long flags, unsigned long rights)
{
    enum { RIGHTS = 3 }; // PKEY_DISABLE_ACCESS, PKEY_DISABLE_WRITE
    return flags != 0 || (rights & ~(unsigned long)RIGHTS) != 0 ? -EINVAL : -ENOSPC;
}

long linux_pkey_free(int key)
{
    (void)key;
    return -EINVAL;
}

long linux_pkey_mprotect(char *va, size_t size, int prot, int key)
{
    if (key == -1) {
        return linux_mprotect(va, size, prot);
    }
    size_t whole;
    int error = protect_check(va, size, prot, &whole);
    return error != 0 || whole == 0 ? error : -EINVAL;
}

// ---- Moving --------------------------------------------------------------

static bool is_overlap(const char *a, size_t a_size, const char *b, size_t b_size)
{
    return a + a_size > b && b + b_size > a;
}

// Whether va is mapped; *flags: VM_SHARED, VM_READ_ONLY, and the marks of mlock.
static bool is_mapped(char *va, unsigned *flags)
{
    struct vm_piece piece;
    bool is_there = vm_piece_get(va, va + HAL_PAGE_SIZE, &piece);
    if (is_there) {
        *flags = piece.flags;
        vm_piece_put(&piece);
    }
    return is_there;
}

static int remap_check(char *va, size_t old_size, size_t new_size, int flags, const char *target)
{
    bool has_target = (flags & MREMAP_FIXED) != 0, stays = (flags & MREMAP_DONTUNMAP) != 0;
    if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) != 0 ||
        ((has_target || stays) && (flags & MREMAP_MAYMOVE) == 0) ||
        (stays && old_size != new_size) || !memory_is_aligned(va) || new_size == 0) {
        return -EINVAL;
    }
    if ((uintptr_t)va > MEMORY_ADDRESS_MAX) {
        return -EFAULT;
    }
    bool is_beyond =
        new_size > MEMORY_ADDRESS_MAX || (uintptr_t)target > MEMORY_ADDRESS_MAX - new_size;
    if ((has_target || stays) &&
        (!memory_is_aligned(target) || is_beyond || is_overlap(va, old_size, target, new_size))) {
        return -EINVAL;
    }
    unsigned marks;
    if (old_size > new_size && !is_mapped(va, &marks)) {
        return -EFAULT;
    }
    return old_size > new_size && old_size > MEMORY_ADDRESS_MAX - (uintptr_t)va ? -EINVAL : 0;
}

static int remap_lock_check(char *va, size_t size)
{
    unsigned marks = 0;
    bool is_checked = is_mapped(va, &marks) && (marks & VM_LOCKED) != 0;
    int error = is_checked ? memory_lock_allow(size) : 0;
    return error == -ENOMEM ? -EAGAIN : error;
}

// An old size of 0 maps what is shared once more; but in its own place there is nothing left of it.
static int remap_again(char *va, size_t new_size, int flags, char *target)
{
    unsigned marks;
    if (!is_mapped(va, &marks)) {
        return -EFAULT;
    }
    if ((marks & VM_SHARED) == 0) {
        return -EINVAL;
    }
    if ((flags & MREMAP_MAYMOVE) == 0) {
        return -ENOMEM;
    }
    if ((flags & MREMAP_FIXED) == 0 || !is_overlap(va, HAL_PAGE_SIZE, target, new_size)) {
        return 0;
    }
    int error = vm_unmap(target, new_size);
    return error != 0 ? error : -EFAULT;
}

long linux_mremap(char *va, size_t old_size, size_t new_size, int flags, char *target)
{
    old_size = memory_round(old_size);
    new_size = memory_round(new_size);
    int error = remap_check(va, old_size, new_size, flags, target);
    if (error != 0) {
        return error;
    }
    bool has_target = (flags & MREMAP_FIXED) != 0, stays = (flags & MREMAP_DONTUNMAP) != 0;
    long result;
    if (hugemap_is_used() && hugemap_remap(va, old_size, new_size, flags, target, &result)) {
        return result;
    }
    unsigned marks;
    const bool is_replaced = has_target && hugemap_is_used() && is_mapped(va, &marks);
    error = is_replaced ? hugemap_unmap(target, new_size) : 0;
    if (error != 0) {
        return error;
    }
    if (old_size == 0) {
        error = remap_again(va, new_size, flags, target);
        if (error != 0) {
            return error;
        }
    }
    if (has_target || stays || old_size == 0) {
        target = has_target || stays ? target : NULL; // a wish, where it is not fixed
        error = vm_move(va, old_size, new_size, &target,
                        (has_target ? VM_MOVE_FIXED : 0u) | (stays ? VM_MOVE_STAYS : 0u));
        return error != 0 ? error : (long)target;
    }
    bool grows_locked = new_size > old_size && memory_is_locked();
    error = grows_locked ? remap_lock_check(va, new_size - old_size) : 0;
    error = error != 0 ? error : vm_remap(&va, old_size, new_size, (flags & MREMAP_MAYMOVE) != 0);
    if (error == 0 && grows_locked) {
        memory_grown_populate(va + old_size, va + new_size);
    }
    return error != 0 ? error : (long)va;
}

// How far the mapping at va goes on, by mappings of the same file. The caller holds piece's pager.
static char *same_end(const struct vm_piece *piece, char *end)
{
    char *va = piece->end;
    struct vm_piece next;
    while (va < end && vm_piece_get(va, end, &next)) {
        bool is_same = next.start == va && next.pager != NULL && next.prot == piece->prot &&
                       next.pager->object == piece->pager->object && next.flags == piece->flags;
        vm_piece_put(&next);
        if (!is_same) {
            break;
        }
        va = next.end;
    }
    return va;
}

// Another part of the file in the same place, by a mapping of its own, as Linux does it since 4.0.
long linux_remap_file_pages(char *va, size_t size, int prot, size_t page, int flags)
{
    (void)flags; // MAP_NONBLOCK: what is not there yet comes later
    va -= (uintptr_t)va % HAL_PAGE_SIZE;
    size -= size % HAL_PAGE_SIZE;
    struct vm_piece piece;
    if (prot != 0 || (uintptr_t)va + size <= (uintptr_t)va || page + size / HAL_PAGE_SIZE < page ||
        !vm_piece_get(va, va + HAL_PAGE_SIZE, &piece)) {
        return -EINVAL;
    }
    int error = -EINVAL;
    // Of a file that may only be read, a mapping is none that is shared, to Linux.
    if ((piece.flags & (VM_SHARED | VM_READ_ONLY)) == VM_SHARED && piece.pager != NULL &&
        same_end(&piece, va + size) >= va + size) {
        unsigned how = piece.flags & (VM_SHARED | VM_LOCKED);
        error = page > (INT64_MAX - size) / HAL_PAGE_SIZE
                    ? -EOVERFLOW
                    : vm_map(&va, size, piece.prot, how | VM_FIXED | VM_POPULATE, piece.pager,
                             page * HAL_PAGE_SIZE);
    }
    vm_piece_put(&piece);
    return error;
}

long linux_mincore(char *va, size_t size, unsigned char *pages)
{
    if (!memory_is_aligned(va)) {
        return -EINVAL;
    }
    if (size > MEMORY_ADDRESS_MAX || (uintptr_t)va > MEMORY_ADDRESS_MAX - size) {
        return -ENOMEM;
    }
    if ((uintptr_t)pages > MEMORY_ADDRESS_MAX) {
        return -EFAULT;
    }
    struct vm_piece piece;
    int error = 0;
    char *end = va + memory_round(size);
    while (va < end && error == 0) { // what lies before a hole is answered
        if (!vm_piece_get(va, end, &piece)) {
            return -ENOMEM;
        }
        size_t part = (size_t)(piece.end - piece.start);
        error = piece.start > va ? -ENOMEM : vm_is_resident(va, part, pages);
        va += part;
        pages += part / HAL_PAGE_SIZE;
        vm_piece_put(&piece);
    }
    return error;
}

// With locked memory: what is new is locked where mlockall has said so, what goes is not.
static char *brk_locked(char *end)
{
    char *old = vm_brk(NULL);
    const unsigned marks = atomic_load_explicit(&memory_future_marks, memory_order_relaxed);
    if (end > old && marks != 0 && memory_lock_allow((size_t)(end - old)) != 0) {
        return old;
    }
    char *now = vm_brk(end);
    char *low = now < old ? now : old, *high = now < old ? old : now;
    low += -(uintptr_t)low & (HAL_PAGE_SIZE - 1);
    high += -(uintptr_t)high & (HAL_PAGE_SIZE - 1);
    if (low < high) {
        int error = vm_lock_set(low, (size_t)(high - low), now < old ? 0 : marks);
        (void)error; // the mark alone
    }
    if (now > old) {
        memory_grown_populate(low, high);
    }
    return now;
}

long linux_brk(char *end)
{
    if (process_limit(RLIMIT_DATA) == 0 && end > vm_brk(NULL)) {
        return (long)vm_brk(NULL); // mappings have the hard limit, then; the break does not
    }
    const bool is_locked = end != NULL && memory_is_locked();
    char *now = is_locked ? brk_locked(end) : vm_brk(end);
    if (now < end && shrinker_retry((size_t)(end - now))) {
        now = is_locked ? brk_locked(end) : vm_brk(end);
    }
    return (long)now;
}

long linux_memfd_create(const char *user, unsigned flags)
{
    enum { NAME_LONGEST = 249 };
    char name[USER_PATH_MAX];
    struct file *file;
    const bool is_huge = (flags & MFD_HUGETLB) != 0;
    const unsigned sizes = is_huge ? (unsigned)MAP_HUGE_MASK << MAP_HUGE_SHIFT : 0;
    if ((flags & ~(unsigned)(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | sizes)) != 0) {
        return -EINVAL;
    }
    int error = user_read_path(name, user);
    if (error == -EFAULT) {
        return error;
    }
    if (error != 0 || strlen(name) > NAME_LONGEST) {
        return -EINVAL;
    }
    char path[NAME_LONGEST + sizeof "/memfd:"];
    (void)format(path, sizeof path, "/memfd:%s", name);
    if (is_huge && !hugemap_size_is_known(flags)) {
        return -ENODEV;
    }
    const uint32_t seals = SEALS_KNOWN | ((flags & MFD_ALLOW_SEALING) != 0 ? 0 : SEAL_SEAL);
    error =
        is_huge ? hugefile_create(&file, path, seals, NULL) : memfile_create(&file, path, seals);
    if (error != 0) {
        return error;
    }
    int fd = fd_install(file, 0, (flags & MFD_CLOEXEC) != 0);
    if (fd < 0) {
        file_put(file);
    }
    return fd;
}

// ---- Names ---------------------------------------------------------------

// Byte by byte: it may end right before a page that is not there.
static int name_read(char name[AREA_NAME_MAX + 1], const char *user)
{
    for (size_t i = 0; i <= AREA_NAME_MAX; ++i) {
        int error = user_read(&name[i], user + i, 1);
        if (error != 0 || name[i] == 0) {
            return error;
        }
        if (name[i] <= 0x1f || name[i] >= 0x7f || strchr("\\`$[]", name[i]) != NULL) {
            return -EINVAL;
        }
    }
    return -EINVAL;
}

int memory_name_set(char *va, size_t size, const char *user)
{
    char name[AREA_NAME_MAX + 1];
    const int error = user != NULL ? name_read(name, user) : 0;
    const size_t whole = memory_round(size);
    if (error != 0 || size == 0) {
        return error != 0 ? error : memory_is_aligned(va) ? 0 : -EINVAL;
    }
    if (!memory_is_aligned(va) || whole == 0 || whole > SIZE_MAX - (uintptr_t)va) {
        return -EINVAL;
    }
    return vm_range_name(va, whole, user != NULL ? name : NULL);
}
