// SPDX-License-Identifier: BSD-3-Clause
// vm.c: the address space, as vm.h promises it.
//
// Anonymous memory comes by faults, and only what memory cannot hold now is refused. What is small
// (hal_boot.eager_max) is mapped at once, in as few runs of frames as there are, unless VM_LAZY
// asks for faults. The fault path (lazy.c) takes no lock, so a thread in here may itself touch a
// new page of its stack.
//
// Frames are found, zeroed and read from files before the mutex is taken: pagers may block and
// allocate. Files whose frames are mapped themselves are filemap.c's; but a program's data, which
// will be written and whose file will not (VM_COPY), is copied at once where it is small.
#include "core/vm/vm.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/pressure.h"
#include "core/sched/thread.h"
#include "core/vm/area.h"
#include "core/vm/change.h"
#include "core/vm/filemap.h"
#include "core/vm/grow.h"
#include "core/vm/huge.h"
#include "core/vm/lazy.h"
#include "core/vm/limit.h"
#include "core/vm/pages.h"
#include "core/vm/place.h"

enum {
    COPY_MAX = 256 << 10,
    GROWTH_ROOM = 2 * AREA_GAP, // below what grows, at first
    LARGE_PAGE = 2 << 20,
    BREAK_SIZE = 1 << 30,
    BREAK_SHARE = 16,            // of the window, at most
    PAGES_MANY = 16 << 20 >> 12, // fewer are mapped at once without looking how many are free
};

static struct {
    size_t window_size;
    size_t eager_max; // hal_boot
    // Under the mutex of change.c:
    char *break_start, *break_end, *break_limit;
} space;

struct request {
    char *va;
    size_t size;
    unsigned prot, flags;
    struct vm_pager *pager;
    uint64_t offset;
    bool is_eager;
    bool is_promised;         // lazy, but not asked to be: what cannot come is refused
    size_t eager_size;        // what frames cover: less than size where the file ends before
    struct frame_list frames; // where is_eager
};

static bool is_aligned(const void *va)
{
    return (uintptr_t)va % HAL_PAGE_SIZE == 0;
}

static bool is_range(const char *va, size_t size)
{
    return is_aligned(va) && size > 0 && size % HAL_PAGE_SIZE == 0 &&
           size <= SIZE_MAX - (uintptr_t)va;
}

// ---- Map -----------------------------------------------------------------

// What has large pages begins with one.
static bool is_fit(const struct request *request, const char *va)
{
    return (request->flags & VM_HUGE) == 0 || (uintptr_t)va % LARGE_PAGE == 0;
}

static int request_check(struct request *request)
{
    unsigned prot_all = HAL_READ | HAL_WRITE | HAL_EXEC;
    if (request->size == 0 || request->size % HAL_PAGE_SIZE != 0 ||
        (request->prot & ~prot_all) != 0 || request->offset % HAL_PAGE_SIZE != 0) {
        return -EINVAL;
    }
    if ((request->flags & VM_FIXED) != 0) {
        if (!is_aligned(request->va) || !is_fit(request, request->va)) {
            return -EINVAL;
        }
        if (!area_is_in_window(request->va, request->size)) {
            return -ENOMEM;
        }
    }
    return 0;
}

// Whether pages of a file are copied when they are mapped. Not every checker can restart an
// instruction that faults.
static bool is_copied(const struct request *request)
{
    bool is_shared = (request->flags & VM_SHARED) != 0;
    bool is_written = (request->flags & VM_COPY) != 0 && (request->prot & HAL_WRITE) != 0 &&
                      request->size <= COPY_MAX;
    return !is_shared && (request->pager->find == NULL || is_written || frame_is_checked());
}

static int file_fill(struct request *request)
{
    struct vm_pager *pager = request->pager;
    request->flags &= ~(unsigned)VM_LAZY;
    if ((request->flags & VM_SHARED) != 0 && pager->find == NULL) {
        return -ENODEV;
    }
    int error = pager->prepare != NULL ? pager->prepare(pager, request->offset, request->size) : 0;
    request->is_eager = is_copied(request);
    if (error != 0 || !request->is_eager) {
        return error;
    }
    uint64_t end = pager->size != NULL ? pager->size(pager) : UINT64_MAX;
    uint64_t left = end > request->offset ? end - request->offset : 0;
    if (left < request->size) {
        request->eager_size = (left + HAL_PAGE_SIZE - 1) & ~(size_t)(HAL_PAGE_SIZE - 1);
    }
    return frame_list_fill(&request->frames, request->eager_size, pager, request->offset);
}

static int request_fill(struct request *request)
{
    request->eager_size = request->size;
    if (request->pager != NULL) {
        return file_fill(request);
    }
    bool at_once = (request->flags & VM_LAZY) == 0 || (request->flags & VM_POPULATE) != 0;
    if (request->prot == 0) {
        request->flags &= ~(unsigned)VM_LAZY;
    } else if ((request->size > space.eager_max || place_is_told()) &&
               (request->flags & VM_POPULATE) == 0 && !frame_is_checked()) {
        request->is_promised = at_once;
        request->flags |= VM_LAZY;
    } else if (at_once || frame_is_checked()) { // not every checker can restart an instruction
        size_t pages = request->size / HAL_PAGE_SIZE;
        if (at_once && pages > frame_total_count()) {
            return -ENOMEM;
        }
        size_t share = (request->flags & VM_POPULATE) != 0 ? 1 : 2;
        bool is_scarce = pages > PAGES_MANY && pages > frame_free_count() / share;
        request->flags &= ~(unsigned)VM_LAZY;
        request->flags |= is_scarce || (place_is_told() && !frame_is_checked()) ? VM_LAZY : 0;
    }
    request->is_eager = request->prot != 0 && (request->flags & VM_LAZY) == 0;
    return request->is_eager ? frame_list_fill(&request->frames, request->size, NULL, 0) : 0;
}

// What is promised comes when it is touched: so no more is than there are frames for, and for the
// tables that map them. Under the mutex.
static bool is_promisable(size_t pages)
{
    const size_t spare = pressure_spare(), reserve = (size_t)pressure.min;
    pressure_end_look();
    return spare > reserve && pages <= spare - reserve;
}

static unsigned lazy_how(const struct request *request)
{
    return request->is_promised ? LAZY_LARGE | LAZY_PROMISED : 0;
}

// RLIMIT_AS, RLIMIT_DATA.
static bool is_allowed(const struct request *request)
{
    char *va = (request->flags & VM_FIXED) != 0 ? request->va : NULL;
    return limit_is_none || (request->flags & VM_MOVED) != 0 ||
           limit_allows(va, request->size, request->prot, request->flags);
}

static bool is_possible(const struct request *request)
{
    return is_allowed(request) &&
           (!request->is_promised || is_promisable(request->size / HAL_PAGE_SIZE));
}

// Whether a mapping may be put there unasked.
static bool is_free(const char *va, size_t size)
{
    const struct area *area = area_first(va, (char *)UINTPTR_MAX);
    return area_is_in_window(va, size) && (area == NULL || va + size <= area_room_end(area));
}

static char *place_find(const struct request *request)
{
    enum area_place place = (request->flags & VM_LOW) != 0 ? AREA_LOW : AREA_HIGH;
    char *hint = request->va;
    if (hint != NULL && is_aligned(hint) && is_fit(request, hint) && place == AREA_HIGH &&
        is_free(hint, request->size)) {
        return hint;
    }
    if ((request->flags & VM_GROWS) != 0) {
        char *room = area_hole_find(place, request->size + GROWTH_ROOM, HAL_PAGE_SIZE);
        if (room != NULL) {
            return room + GROWTH_ROOM;
        }
    }
    size_t alignment = request->size >= LARGE_PAGE   ? (size_t)LARGE_PAGE
                       : request->size >= LAZY_CHUNK ? (size_t)LAZY_CHUNK
                                                     : (size_t)HAL_PAGE_SIZE;
    char *va = area_hole_find(place, request->size, alignment);
    return va != NULL || alignment == HAL_PAGE_SIZE || (request->flags & VM_HUGE) != 0
               ? va
               : area_hole_find(place, request->size, HAL_PAGE_SIZE);
}

// Finds or makes the hole.
static int request_place(struct request *request)
{
    if ((request->flags & VM_FIXED) == 0) {
        request->va = place_find(request);
        return request->va == NULL ? -ENOMEM : 0;
    }
    char *end = request->va + request->size;
    if ((request->flags & VM_NOREPLACE) != 0 && area_first(request->va, end) != NULL) {
        return -EEXIST;
    }
    return 0;
}

// What comes by faults, where there is room: what most mappings are. After change_begin_place.
static int lazy_place(struct change *change, struct request *request)
{
    const size_t size = request->size;
    const unsigned flags = request->flags & (VM_SHARED | VM_LAZY);
    const bool is_anywhere = request->va == NULL && (request->flags & VM_LOW) == 0;
    struct area *area = change_place(is_anywhere ? size : SIZE_MAX, request->prot, flags);
    char *va = area != NULL ? area->start : place_find(request);
    if (va == NULL || !is_possible(request) ||
        lazy_prepare(va, va + size, request->prot, false) != 0) {
        if (area != NULL) {
            area_remove(area);
            change_bury(change, area);
        }
        return -ENOMEM;
    }
    lazy_begin(va, va + size, request->prot, lazy_how(request));
    if (area == NULL) {
        area = change_spare();
        area->start = va;
        area->end = va + size;
        area->prot = request->prot;
        area->flags = flags;
        area->has_pages = area->is_sparse = true;
        change_bury(change, area_insert(area));
    }
    change_mapped_add(size);
    request->va = va;
    return 0;
}

static void request_insert(struct change *change, const struct request *request)
{
    struct area *area = change_spare();
    area->start = request->va;
    area->end = request->va + request->size;
    area->prot = request->prot;
    area->flags = request->flags &
                  (VM_SHARED | VM_LAZY | VM_READ_ONLY | VM_LOCKED | VM_ON_FAULT | VM_COPY |
                   AREA_GROWING | VM_HUGE | VM_HUGE_PRIVATE | VM_ADVISED_MASK | VM_POLICY_MASK);
    area->has_pages = request->is_eager || request->pager != NULL || (area->flags & VM_LAZY) != 0;
    area->is_sparse = (area->flags & VM_LAZY) != 0;
    area->pager = request->pager;
    area->offset = request->offset;
    if (request->pager != NULL) {
        request->pager->get(request->pager);
    }
    if (!request->is_eager && filemap_is(area)) {
        filemap_populate(area, (request->flags & VM_POPULATE) != 0 || frame_is_checked());
    }
    change_bury(change, area_insert(area));
    change_mapped_add(request->size);
}

static int request_map(struct change *change, struct request *request)
{
    if (!is_possible(request)) {
        return -ENOMEM;
    }
    int error = request_place(request);
    if (error != 0) {
        return error;
    }
    char *end = request->va + request->size;
    bool is_lazy = (request->flags & VM_LAZY) != 0 && request->prot != 0;
    error = is_lazy ? lazy_prepare(request->va, end, request->prot, false) : 0;
    if (error == 0 && (request->flags & VM_FIXED) != 0) { // any other place was found empty
        error = range_unmap(change, request->va, end);
    }
    if (error == 0 && request->is_eager) {
        error = pages_map(request->va, &request->frames, request->prot);
    }
    if (error != 0) {
        return error;
    }
    if ((request->flags & VM_POPULATE) != 0 && request->is_eager && request->pager == NULL &&
        (request->prot & HAL_WRITE) != 0) {
        hal_populate(request->va, request->size);
    }
    if (is_lazy) {
        lazy_begin(request->va, end, request->prot, lazy_how(request));
    } else if (request->is_eager && request->eager_size > 0 && (request->prot & HAL_EXEC) != 0) {
        hal_code_sync(request->va, request->eager_size);
    }
    request_insert(change, request);
    return 0;
}

int vm_map(char **va, size_t size, unsigned prot, unsigned flags, struct vm_pager *pager,
           uint64_t offset)
{
    struct request request; // a large one: frames is not set here
    request.va = *va;
    request.size = size;
    request.prot = prot;
    request.flags = flags;
    request.pager = pager;
    request.offset = offset;
    request.is_eager = false;
    request.is_promised = false;
    struct change change;
    int error = request_check(&request);
    error = error != 0 ? error : request_fill(&request);
    if (error != 0) {
        return error;
    }
    const unsigned special = VM_FIXED | VM_READ_ONLY | VM_LOCKED | AREA_GROWING;
    bool is_simple = (request.flags & (VM_LAZY | special)) == VM_LAZY;
    error = is_simple ? change_begin_place(&change) : change_begin(&change);
    if (error == 0) {
        error = is_simple ? lazy_place(&change, &request) : request_map(&change, &request);
        change_end(&change);
    }
    if (request.is_eager) {
        if (error == 0) {
            frame_list_done(&request.frames);
        } else {
            frame_list_free(&request.frames);
        }
    }
    *va = error == 0 ? request.va : *va;
    return error;
}

// ---- Unmap, protect, discard ---------------------------------------------

int vm_unmap(char *va, size_t size)
{
    if (!is_range(va, size)) {
        return -EINVAL;
    }
    struct change change;
    int error = change_begin(&change);
    if (error != 0) {
        change_begin_bare(&change);
        error = range_is_isolated(va, va + size) ? 0 : error;
    }
    error = error != 0 ? error : range_unmap_last(&change, va, va + size);
    change_end(&change);
    return error;
}

int vm_protect(char *va, size_t size, unsigned prot)
{
    if (!is_range(va, size) || (prot & ~(unsigned)(HAL_READ | HAL_WRITE | HAL_EXEC)) != 0) {
        return -EINVAL;
    }
    struct change change;
    int error = change_begin(&change);
    if (error != 0) {
        return error;
    }
    error = range_protect(&change, va, va + size, prot);
    change_end(&change);
    return error;
}

// Whether its pages were read when it was mapped.
static bool is_read(const struct area *area)
{
    return area->pager != NULL && !filemap_is(area);
}

// The end of what from va on is mapped and can be discarded in one change.
static char *discard_end(char *va, char *end)
{
    const struct area *area = area_at(va);
    while (area != NULL && !is_read(area) && area->start <= va && va < end) {
        va = area->end;
        area = area_after(area, end);
    }
    return va < end ? va : end;
}

// Discards from *va on as much as one change can, and moves *va behind it.
static int discard_step(char **va, char *end)
{
    struct change change;
    change_begin_bare(&change);
    struct area *area = area_at(*va);
    if (area == NULL) {
        change_end(&change);
        return -ENOMEM;
    }
    char *start = *va;
    if (!is_read(area)) {
        *va = discard_end(start, end);
        int error = range_discard(&change, start, *va);
        change_end(&change);
        return error;
    }
    char *stop = area->end < end ? area->end : end;
    *va = stop;
    struct vm_pager *pager = area->pager;
    unsigned prot = area->prot, flags = area->flags;
    uint64_t offset = area->offset + (uint64_t)(start - area->start);
    pager->get(pager);
    change_end(&change);
    int error = vm_map(&start, (size_t)(stop - start), prot, flags | VM_FIXED, pager, offset);
    pager->put(pager);
    return error;
}

int vm_discard(char *va, size_t size)
{
    if (!is_range(va, size)) {
        return -EINVAL;
    }
    char *end = va + size;
    int error = 0;
    while (va < end && error == 0) {
        error = discard_step(&va, end);
    }
    return error;
}

static bool is_resident(char *va)
{
    hal_phys pa;
    unsigned prot;
    const struct area *area = area_at(va);
    return filemap_is(area) ? filemap_is_resident(area, va) : hal_translate(va, &pa, &prot) == 0;
}

int vm_is_resident(char *va, size_t size, unsigned char *pages)
{
    enum { PIECE = 256 };
    if (!is_range(va, size)) {
        return -EINVAL;
    }
    int error = 0;
    for (char *end = va + size; va < end && error == 0;) {
        unsigned char piece[PIECE];
        size_t count = (size_t)(end - va) / HAL_PAGE_SIZE;
        count = count < PIECE ? count : PIECE;
        change_lock();
        error = range_is_mapped(va, end) ? 0 : -ENOMEM;
        for (size_t i = 0; i < count && error == 0; ++i) {
            piece[i] = is_resident(va + i * HAL_PAGE_SIZE);
        }
        change_unlock();
        // The program's memory may be a file's, whose faults take the mutex.
        error = error != 0 ? error : hal_copy_safe(pages, piece, count);
        pages += count;
        va += count * HAL_PAGE_SIZE;
    }
    return error;
}

// ---- Remap ---------------------------------------------------------------

// The request that makes the part behind old_size, of area's kind.
static int growth_fill(struct request *growth, const struct area *area, char *va, size_t size)
{
    *growth = (struct request){.va = va,
                               .size = size,
                               .prot = area->prot,
                               .flags = area->flags,
                               .pager = area->pager,
                               .eager_size = size};
    if (area->pager != NULL) {
        growth->offset = area->offset + (uint64_t)(va - area->start);
        return 0;
    }
    growth->is_eager = area->has_pages && (area->flags & VM_LAZY) == 0;
    return growth->is_eager ? frame_list_fill(&growth->frames, size, NULL, 0) : 0;
}

// Moves the pages of [va, va + old_size) to target and maps the growth behind them. All or nothing.
static int pages_move(const struct area *area, char *target, const struct request *growth,
                      struct gather *gather)
{
    char *start = area->start, *end = area->end;
    size_t old_size = (size_t)(end - start);
    int error = area->has_pages ? pages_alias(start, end, target, area->prot, area_kind(area)) : 0;
    if (error != 0) {
        return error;
    }
    error = growth->is_eager ? pages_map(target + old_size, &growth->frames, growth->prot) : 0;
    if (error == 0 && area->has_pages) {
        error = pages_forget(start, end, gather);
    }
    if (error != 0 && area->has_pages) {
        int undo = pages_forget(target, target + old_size + growth->size, gather);
        ASSERT(undo == 0); // whole mappings of our own
    }
    return error;
}

static int remap_move(struct change *change, char **va, size_t old_size,
                      const struct request *growth)
{
    struct request wish = {.size = old_size + growth->size,
                           .flags = growth->flags & (VM_LAZY | VM_HUGE)};
    char *target = place_find(&wish);
    if (target == NULL) {
        return -ENOMEM;
    }
    char *start = *va, *end = start + old_size;
    bool is_lazy = (growth->flags & VM_LAZY) != 0;
    int error = is_lazy ? lazy_prepare(start, end, 0, false) : 0;
    error = error == 0 && is_lazy ? lazy_prepare(target, target + wish.size, growth->prot, true)
                                  : error;
    if (error != 0) {
        return error;
    }
    huge_cut(start, end, HUGE_CUT);
    range_isolate(start, end);
    struct area *area = area_at(start);
    if (is_lazy) {
        lazy_set(start, end, 0);
    }
    const bool is_closed = range_close(start, end);
    error = pages_move(area, target, growth, &change->gather);
    if (error == 0) {
        area_remove(area);
    }
    range_open(is_closed);
    if (error != 0) {
        if (is_lazy) {
            lazy_set(start, end, area->prot);
        }
        range_merge(change, start, end);
        return error;
    }
    area->start = target;
    area->end = target + wish.size;
    area->is_sparse = false;
    if (is_lazy) {
        lazy_adopt(area->start, area->end, area->prot);
    }
    change_bury(change, area_insert(area));
    change_mapped_add(growth->size);
    *va = target;
    return 0;
}

static int remap_grow(struct change *change, char **va, size_t old_size, size_t new_size,
                      bool may_move)
{
    struct area *area = area_at(*va);
    if (area == NULL || (size_t)(area->end - *va) < old_size) {
        return -EFAULT;
    }
    if (area->pager != NULL && !filemap_is(area)) {
        return -ENOMEM; // its pages were read when it was mapped
    }
    struct request growth;
    char *old_end = *va + old_size;
    bool fits = area->end == old_end && area_is_in_window(*va, new_size) &&
                area_first(old_end, *va + new_size) == NULL;
    if (!fits && !may_move) {
        return -ENOMEM;
    }
    growth =
        (struct request){.size = new_size - old_size,
                         .prot = area->prot,
                         .flags = area->flags & (VM_SHARED | VM_ADVISED_MASK | VM_POLICY_MASK)};
    if (!is_allowed(&growth)) {
        return -ENOMEM;
    }
    int error = growth_fill(&growth, area, old_end, new_size - old_size);
    if (error == 0 && area->pager == NULL && !growth.is_eager &&
        !is_promisable(growth.size / HAL_PAGE_SIZE)) {
        error = -ENOMEM;
    }
    if (error != 0) {
        return error;
    }
    bool is_sparse = area->is_sparse;
    const char *name = area->name;
    if (fits) {
        growth.flags |= VM_FIXED;
        error = request_map(change, &growth);
        struct area *added = error == 0 ? area_at(old_end) : NULL;
        if (added != NULL && added->start == old_end &&
            (added->is_sparse != is_sparse || added->name != name)) {
            added->is_sparse = is_sparse;
            added->name = name;
            change_bury(change, area_merge(added));
        }
    } else {
        error = remap_move(change, va, old_size, &growth);
    }
    if (growth.is_eager) {
        if (error == 0) {
            frame_list_done(&growth.frames);
        } else {
            frame_list_free(&growth.frames);
        }
    }
    return error;
}

// A file's pager is told what will be asked of it.
static int remap_prepare(const char *va, size_t new_size)
{
    change_lock();
    const struct area *area = area_at(va);
    struct vm_pager *pager = area != NULL && filemap_is(area) ? area->pager : NULL;
    uint64_t offset = 0;
    if (pager != NULL) {
        offset = area->offset + (uint64_t)(va - area->start);
        pager->get(pager);
    }
    change_unlock();
    int error = 0;
    if (pager != NULL) {
        error = pager->prepare != NULL ? pager->prepare(pager, offset, new_size) : 0;
        pager->put(pager);
    }
    return error;
}

int vm_remap(char **va, size_t old_size, size_t new_size, bool may_move)
{
    if (!is_range(*va, old_size) || !is_range(*va, new_size)) {
        return -EINVAL;
    }
    if (new_size < old_size) {
        return vm_unmap(*va + new_size, old_size - new_size);
    }
    struct change change;
    int error = new_size > old_size ? remap_prepare(*va, new_size) : 0;
    error = error != 0 ? error : change_begin(&change);
    if (error != 0) {
        return error;
    }
    if (new_size == old_size) {
        error = range_is_mapped(*va, *va + old_size) ? 0 : -EFAULT;
    } else {
        error = remap_grow(&change, va, old_size, new_size, may_move);
    }
    change_end(&change);
    return error;
}

// ---- The break, names, walks ---------------------------------------------

// Reserves the break's addresses; memory comes as it grows.
static void break_reserve(void)
{
    char *va = NULL;
    size_t size = space.window_size / BREAK_SHARE / LARGE_PAGE * LARGE_PAGE;
    size = size > BREAK_SIZE ? BREAK_SIZE : size;
    change_reserved_add(size);
    if (size == 0 || vm_map(&va, size, 0, 0, NULL, 0) != 0) {
        change_reserved_add(-size);
        return;
    }
    change_lock();
    bool is_first = space.break_start == NULL;
    if (is_first) {
        space.break_start = space.break_end = va;
        space.break_limit = va + size;
    }
    change_unlock();
    if (is_first) {
        vm_name_set(va, "[heap]");
    } else {
        int error = vm_unmap(va, size);
        (void)error; // without memory for this, addresses are lost and nothing else
        change_reserved_add(-size);
    }
}

static char *page_up(char *va)
{
    return va + (-(uintptr_t)va & (HAL_PAGE_SIZE - 1));
}

char *vm_brk(char *end)
{
    if (space.break_start == NULL) {
        break_reserve();
    }
    struct change change;
    if (change_begin(&change) != 0) {
        return space.break_end;
    }
    if (end >= space.break_start && end <= space.break_limit && space.break_start != NULL) {
        char *old_page = page_up(space.break_end), *page = page_up(end);
        int error = 0;
        if (page > old_page) {
            // Its protection counts as data.
            const struct request growth = {.size = (size_t)(page - old_page)};
            bool is_there = is_allowed(&growth) && is_promisable(growth.size / HAL_PAGE_SIZE);
            error =
                !is_there ? -ENOMEM : range_protect(&change, old_page, page, HAL_READ | HAL_WRITE);
        } else if (page < old_page) {
            error = range_discard(&change, page, old_page);
            error = error != 0 ? error : range_protect(&change, page, old_page, 0);
        }
        space.break_end = error == 0 ? end : space.break_end;
        change_reserved_add(error == 0 ? (size_t)(old_page - page) : 0);
    }
    char *result = space.break_end;
    change_end(&change);
    return result;
}

void vm_name_set(char *va, const char *name)
{
    change_lock();
    struct area *area = area_at(va);
    if (area != NULL && area->pager == NULL) {
        area->name = name;
    }
    change_unlock();
}

void vm_limit_set(size_t size, size_t data_size)
{
    change_lock();
    limit_set(size, data_size);
    change_unlock();
}

size_t vm_mapped_bytes(void)
{
    const intptr_t mapped = change_mapped_bytes();
    return mapped > 0 ? (size_t)mapped : 0;
}

// ---- Boot -----------------------------------------------------------------

static char *large_map(size_t size, size_t alignment)
{
    ASSERT(alignment == HAL_PAGE_SIZE);
    char *va = NULL;
    return vm_map(&va, size, HAL_READ | HAL_WRITE, 0, NULL, 0) == 0 ? va : NULL;
}

static void large_unmap(char *va, size_t size)
{
    int error = vm_unmap(va, size);
    (void)error; // no memory to cut the area: it stays mapped and is not used
}

static char *large_remap(char *va, size_t old_size, size_t new_size)
{
    return vm_remap(&va, old_size, new_size, true) == 0 ? va : NULL;
}

int vm_init(const struct hal_boot *boot)
{
    static const struct heap_large large = {large_map, large_unmap, large_remap};
    space.window_size = boot->va_size;
    space.eager_max = boot->eager_max;
    gather_init(boot);
    area_init(boot);
    grow_init(boot);
    int error = lazy_init(boot);
    if (error == 0) {
        heap_large_register(&large);
    }
    return error;
}
