// SPDX-License-Identifier: BSD-3-Clause
// hugemap.c: mappings of large pages, all of which are shared mappings of files (hugefile.h). A
// private one is that of a file which nobody else has: anonymous, or one that copies the other's
// pages as they are touched. So what is unmapped of a private one leaves its file, too.
#include "core/linux/hugemap.h"

#include <sys/mman.h>

#include "core/lib/errno.h"
#include "core/linux/range.h"
#include "core/vfs/file.h"
#include "core/vfs/hugefile.h"
#include "core/vfs/pager.h"
#include "core/vm/hugepool.h"
#include "core/vm/piece.h"
#include "core/vm/vm.h"

enum { SIZE_SHIFT = 26, SIZE_MASK = 0x3f, SIZE_KNOWN = 21 };

_Atomic bool hugemap_has_been;

void hugemap_use(void)
{
    atomic_store_explicit(&hugemap_has_been, true, memory_order_relaxed);
}

bool hugemap_size_is_known(unsigned flags)
{
    const unsigned log = flags >> SIZE_SHIFT & SIZE_MASK;
    return log == 0 || log == SIZE_KNOWN;
}

static bool is_whole(uintptr_t value)
{
    return value % HUGEPOOL_PAGE == 0;
}

static uintptr_t round_up(uintptr_t value) // 0: beyond all
{
    return (value + HUGEPOOL_PAGE - 1) & ~(uintptr_t)(HUGEPOOL_PAGE - 1);
}

static bool is_huge(const struct vm_piece *piece)
{
    return (piece->flags & VM_HUGE) != 0;
}

static bool is_private(const struct vm_piece *piece)
{
    return (piece->flags & VM_SHARED) == 0;
}

static size_t size_of(const struct vm_piece *piece)
{
    return (size_t)(piece->end - piece->start);
}

// ---- Mapping -------------------------------------------------------------

struct wish {
    char *va;
    size_t size;
    int prot, flags;
    uint64_t offset;
};

static unsigned how_of(const struct wish *wish)
{
    const int flags = wish->flags;
    return VM_HUGE | VM_SHARED | ((flags & MAP_FIXED) != 0 ? VM_FIXED : 0u) |
           ((flags & MAP_FIXED_NOREPLACE) != 0 ? VM_FIXED | VM_NOREPLACE : 0u) |
           ((flags & (MAP_POPULATE | MAP_LOCKED)) != 0 ? VM_POPULATE : 0u);
}

static int place(const struct wish *wish, struct file *file, unsigned more, char **va)
{
    struct vm_pager *pager;
    int error =
        (wish->flags & MAP_NORESERVE) != 0 ? 0 : hugefile_reserve(file, wish->offset, wish->size);
    error = error != 0 ? error : file_pager(file, &pager);
    if (error != 0) {
        return error;
    }
    if (more == 0 && pager->claim != NULL && pager->claim(pager) != 0) {
        more = VM_READ_ONLY;
        error = (wish->prot & PROT_WRITE) != 0 ? -EPERM : 0;
    }
    if (error == 0) {
        *va = wish->va;
        error =
            vm_map(va, wish->size, (unsigned)wish->prot, how_of(wish) | more, pager, wish->offset);
    }
    pager->put(pager);
    return error;
}

static int private_map(const struct wish *wish, struct file *origin, char **va)
{
    struct file *file;
    const char *path = origin != NULL ? origin->path : "/anon_hugepage (deleted)";
    int error = hugefile_create(&file, path, 0, origin);
    if (error == 0) {
        hugefile_extend(file, wish->offset + wish->size);
        error = place(wish, file, VM_HUGE_PRIVATE, va);
        file_put(file);
    }
    return error;
}

static int shared_map(const struct wish *wish, struct file *file, char **va)
{
    if (file == NULL) {
        int error = hugefile_create(&file, "/anon_hugepage (deleted)", 0, NULL);
        if (error == 0) {
            hugefile_extend(file, wish->size);
            error = place(wish, file, 0, va);
            file_put(file);
        }
        return error;
    }
    const uint32_t access = atomic_load(&file->flags) & OPEN_ACCESS;
    if ((wish->prot & PROT_WRITE) != 0 && access != OPEN_READ_WRITE) {
        return -EACCES;
    }
    int error = place(wish, file, access == OPEN_READ_WRITE ? 0 : VM_READ_ONLY, va);
    if (error == 0 && (wish->prot & PROT_WRITE) != 0) {
        hugefile_extend(file, wish->offset + wish->size);
    }
    return error;
}

long hugemap_map(char *va, size_t size, int prot, int flags, struct file *file, uint64_t offset)
{
    enum { PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC };
    const bool is_fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
    if ((file != NULL && !hugefile_is(file)) ||
        (file == NULL && !hugemap_size_is_known((unsigned)flags))) {
        return -EINVAL;
    }
    const size_t whole = round_up(size);
    if (whole == 0) {
        return -ENOMEM;
    }
    if (is_fixed && !is_whole((uintptr_t)va)) {
        return -EINVAL;
    }
    int error = memory_map_check(va, whole, flags, file, offset);
    error = error == 0 && !is_whole(offset) ? -EINVAL : error;
    error = error == 0 && is_fixed ? hugemap_unmap(va, whole) : error;
    if (error != 0) {
        return error;
    }
    hugemap_use();
    const struct wish wish = {(char *)round_up((uintptr_t)va), whole, prot & PROT_ALL, flags,
                              file != NULL ? offset : 0};
    error = (flags & MAP_TYPE) == MAP_PRIVATE ? private_map(&wish, file, &va)
                                              : shared_map(&wish, file, &va);
    return error != 0 ? error : (long)va;
}

// ---- Unmapping -----------------------------------------------------------

// Whether va lies within a large page.
static bool is_within(char *va)
{
    struct vm_piece piece;
    if (is_whole((uintptr_t)va) || !vm_piece_get(va, va + HAL_PAGE_SIZE, &piece)) {
        return false;
    }
    vm_piece_put(&piece);
    return is_huge(&piece);
}

bool hugemap_cuts(char *va, char *end)
{
    return is_within(va) || is_within(end);
}

int hugemap_unmap_all(char *va, size_t size)
{
    struct vm_piece piece;
    char *end = va + size;
    int error = hugemap_cuts(va, end) ? -EINVAL : 0;
    while (error == 0 && va < end && vm_piece_get(va, end, &piece)) {
        va = piece.end;
        error = is_huge(&piece) ? vm_unmap(piece.start, size_of(&piece)) : 0;
        if (error == 0 && is_huge(&piece) && is_private(&piece)) {
            error =
                hugefile_remove(file_pager_of(piece.pager)->file, piece.offset, size_of(&piece));
        }
        vm_piece_put(&piece);
    }
    return error;
}

// ---- Moving --------------------------------------------------------------

static long remap(char *va, size_t old_size, size_t new_size, int flags, char *target)
{
    const bool is_fixed = (flags & MREMAP_FIXED) != 0;
    old_size = round_up(old_size);
    new_size = round_up(new_size);
    if (!is_whole((uintptr_t)va) || (is_fixed && !is_whole((uintptr_t)target)) ||
        new_size > old_size || (flags & MREMAP_DONTUNMAP) != 0) {
        return -EINVAL;
    }
    if (new_size < old_size) {
        int error = hugemap_unmap(va + new_size, old_size - new_size);
        error = error != 0 ? error : vm_unmap(va + new_size, old_size - new_size);
        if (error != 0) {
            return error;
        }
    }
    if (!is_fixed) {
        return (long)va;
    }
    int error = hugemap_unmap(target, new_size);
    error = error != 0 ? error : vm_move(va, new_size, new_size, &target, VM_MOVE_FIXED);
    return error != 0 ? error : (long)target;
}

bool hugemap_remap(char *va, size_t old_size, size_t new_size, int flags, char *target,
                   long *result)
{
    struct vm_piece piece;
    if (!vm_piece_get(va, va + HAL_PAGE_SIZE, &piece)) {
        return false;
    }
    const bool is_ours = is_huge(&piece);
    vm_piece_put(&piece);
    if (is_ours) {
        *result = remap(va, old_size, new_size, flags, target);
    }
    return is_ours;
}

// ---- Advice --------------------------------------------------------------

int hugemap_discard(const struct vm_piece *piece)
{
    if (!is_whole((uintptr_t)piece->start)) {
        return -EINVAL;
    }
    const size_t size = size_of(piece) & ~(size_t)(HUGEPOOL_PAGE - 1);
    return size > 0 && is_private(piece)
               ? hugefile_discard(file_pager_of(piece->pager)->file, piece->offset, size)
               : 0;
}

int hugemap_advise(const struct vm_piece *piece, int advice)
{
    struct file *file = file_pager_of(piece->pager)->file;
    switch (advice) {
    case MADV_REMOVE:
        return is_private(piece) || (piece->flags & VM_READ_ONLY) != 0
                   ? -EACCES
                   : file->ops->allocate(file, ALLOCATE_KEEP_SIZE | ALLOCATE_PUNCH_HOLE,
                                         piece->offset, size_of(piece));
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_DONTFORK:
    case MADV_DONTDUMP: // marks, which Linux divides a mapping for
        return is_whole((uintptr_t)piece->start) && is_whole((uintptr_t)piece->end) ? 0 : -EINVAL;
    case MADV_NORMAL:
    case MADV_WILLNEED:
    case MADV_DODUMP:
    case MADV_KEEPONFORK:
        return 0;
    default: // it grows, shrinks and moves as a whole, and stays large
        return -EINVAL;
    }
}
