// SPDX-License-Identifier: BSD-3-Clause
// move.c: mappings that change their place: mremap with a target, or with the old mapping kept.
//
// The target is mapped first, without access, so that nobody else takes it; then what is new behind
// the old size; then the pages go over in one change. What fails before that leaves the old mapping
// as it was.
#include "core/lib/errno.h"
#include "core/vm/area.h"
#include "core/vm/change.h"
#include "core/vm/huge.h"
#include "core/vm/lazy.h"
#include "core/vm/limit.h"
#include "core/vm/pages.h"
#include "core/vm/piece.h"
#include "core/vm/vm.h"

// Moves what area has in its tables. On failure nothing has changed.
static int tables_move(const struct area *area, char *target, struct gather *gather)
{
    char *start = area->start, *end = area->end;
    bool is_lazy = (area->flags & VM_LAZY) != 0;
    int error = is_lazy ? lazy_prepare(start, end, area->prot, false) : 0;
    if (error == 0 && is_lazy) {
        error = lazy_prepare(target, target + (end - start), area->prot, true);
    }
    if (error != 0 || !area->has_pages) {
        return error;
    }
    if (is_lazy) {
        lazy_set(start, end, 0);
    }
    error = pages_alias(start, end, target, area->prot, area_kind(area));
    if (error == 0) {
        error = pages_forget(start, end, gather);
        if (error != 0) {
            int undo = pages_forget(target, target + (end - start), gather);
            (void)undo; // its borders are there
        }
    }
    if (error != 0 && is_lazy) {
        lazy_set(start, end, area->prot);
    }
    return error;
}

// The record of what was moved; the old one stays, and its pages come by faults again.
static struct area *area_double(struct area *area)
{
    struct area *moved = change_spare();
    *moved = *area;
    if (area->pager != NULL) {
        area->pager->get(area->pager);
    } else if (area->prot != 0) {
        area->flags |= VM_LAZY;
        area->has_pages = area->is_sparse = true;
        lazy_set(area->start, area->end, area->prot);
    } else {
        area->flags &= ~(unsigned)VM_LAZY;
        area->has_pages = area->is_sparse = false;
    }
    area->flags &= ~(unsigned)(VM_LOCKED | VM_ON_FAULT);
    change_mapped_add((size_t)(area->end - area->start));
    return moved;
}

static int part_move(struct change *change, char *va, char *target, size_t size, bool stays)
{
    struct area *area = area_at(va);
    if (area == NULL || (size_t)(area->end - va) < size) {
        return -EFAULT;
    }
    int error = stays ? lazy_prepare(va, va + size, area->prot, false) : 0;
    error = error != 0 ? error : range_unmap(change, target, target + size);
    if (error != 0) {
        return error;
    }
    huge_cut(va, va + size, HUGE_CUT);
    range_isolate(va, va + size);
    area = area_at(va);
    const bool is_closed = range_close(va, va + size);
    error = tables_move(area, target, &change->gather);
    if (error != 0) {
        range_open(is_closed);
        range_merge(change, va, va + size);
        return error;
    }
    struct area *moved = area;
    if (stays) {
        gather_finish(&change->gather); // before pages come there by faults
        moved = area_double(area);
    } else {
        area_remove(area);
    }
    range_open(is_closed);
    moved->start = target;
    moved->end = target + size;
    moved->is_sparse = false;
    if ((moved->flags & VM_LAZY) != 0) {
        lazy_adopt(target, target + size, moved->prot);
    }
    change_bury(change, area_insert(moved));
    if (stays) {
        range_merge(change, va, va + size);
    }
    return 0;
}

// What is new behind the old size, of the same kind.
static int growth_map(const struct vm_piece *piece, size_t size, size_t new_size, char *target)
{
    if (new_size <= size) {
        return 0;
    }
    char *va = target + size;
    return vm_map(&va, new_size - size, piece->prot, piece->flags | VM_FIXED, piece->pager,
                  piece->offset + size);
}

// What stays is mapped twice: that counts, and as data where it is.
static bool is_allowed(const struct vm_piece *piece, size_t size, char *target, unsigned how)
{
    if ((how & VM_MOVE_STAYS) == 0) {
        return true;
    }
    change_lock();
    char *replaced = (how & VM_MOVE_FIXED) != 0 ? target : NULL;
    const bool is_allowed =
        limit_is_none || limit_allows(replaced, size, piece->prot, piece->flags);
    change_unlock();
    return is_allowed;
}

static int piece_move(const struct vm_piece *piece, size_t size, size_t new_size, char **target,
                      unsigned how)
{
    unsigned flags = (how & VM_MOVE_FIXED) != 0 ? VM_FIXED : 0;
    flags |= new_size <= size && (how & VM_MOVE_STAYS) == 0 ? VM_MOVED : 0;
    if (!is_allowed(piece, new_size, *target, how)) {
        return -ENOMEM;
    }
    int error = vm_map(target, new_size, 0, flags, NULL, 0);
    if (error != 0) {
        return error;
    }
    size_t kept = size < new_size ? size : new_size;
    error = growth_map(piece, size, new_size, *target);
    error =
        error == 0 && size > new_size ? vm_unmap(piece->start + new_size, size - new_size) : error;
    if (error == 0 && kept > 0) {
        struct change change;
        error = change_begin(&change);
        if (error == 0) {
            error = part_move(&change, piece->start, *target, kept, (how & VM_MOVE_STAYS) != 0);
            change_end(&change);
        }
    }
    if (error != 0) {
        int undo = vm_unmap(*target, new_size);
        (void)undo; // without memory for this, addresses are lost and nothing else
    }
    return error;
}

int vm_move(char *va, size_t size, size_t new_size, char **target, unsigned how)
{
    struct vm_piece piece;
    size_t kept = size < new_size ? size : new_size;
    if (!vm_piece_get(va, va + (kept > 0 ? kept : HAL_PAGE_SIZE), &piece)) {
        return -EFAULT;
    }
    bool is_shared = (piece.flags & VM_SHARED) != 0;
    bool is_one = piece.start == va && (size_t)(piece.end - va) >= kept;
    bool is_copied = piece.pager != NULL && piece.pager->find == NULL; // when it was mapped
    int error = !is_one                                                 ? -EFAULT
                : size == 0 && !is_shared                               ? -EINVAL
                : is_copied && (new_size > size || how & VM_MOVE_STAYS) ? -ENOMEM
                                                                        : 0;
    error = error != 0 ? error : piece_move(&piece, size, new_size, target, how);
    vm_piece_put(&piece);
    return error;
}
