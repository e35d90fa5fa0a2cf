// SPDX-License-Identifier: BSD-3-Clause
// race.c: which accesses are ordered.
//
// known[level][actor] says up to which access of each other actor everything comes before what this
// one does now. An actor's own entry is set when it releases.
//
// Invariant: of the accesses to some bytes that could race with a later one, the cells hold at
// least RACE_CELLS, or all. A cell is given up for another access when whoever comes after that one
// comes after both, and races with that one if with both.
#include "hal-linux/seed/race.h"

#include "hal-linux/seed/race_memory.h"

enum { NUMBER_SHIFT = 16, CPU_SHIFT = 8, PLACE_SHIFT = 13, CONTEXT_SHIFT = 3, KINDS = 7 };

_Static_assert(RACE_CONTEXTS <= 1 << (PLACE_SHIFT - CONTEXT_SHIFT), "packing of a cell");

#define ADDRESS_END (1ul << 47)

static struct clock known[RACE_LEVELS][RACE_CONTEXTS];
static struct clock fenced[RACE_LEVELS][RACE_CONTEXTS]; // known at the last release fence
static struct clock seen[RACE_LEVELS][RACE_CONTEXTS];   // for the next acquire fence
static uint64_t number;
static bool
    has_application; // an access of an application's was seen: before, contexts do not matter
static bool is_full;

_Static_assert(RACE_CPUS <= RACE_CONTEXTS, "known");

int race_init(void)
{
    return race_memory_init();
}

uint64_t race_number(void)
{
    return number;
}

static uint32_t actor_at(struct race_actor by, int level)
{
    return level == RACE_BY_CPU ? by.cpu : by.context;
}

static int levels(void)
{
    return has_application ? RACE_LEVELS : RACE_BY_CONTEXT;
}

// ---- Cells ---------------------------------------------------------------------

// when: number, vCPU, which of the 8 bytes. what: place, context, kind.
static struct race_cell cell_make(const struct race_access *access, uint8_t bytes)
{
    return (struct race_cell){.when = access->number << NUMBER_SHIFT |
                                      (uint64_t)access->by.cpu << CPU_SHIFT | bytes,
                              .what = (uint64_t)access->place << PLACE_SHIFT |
                                      (uint64_t)access->by.context << CONTEXT_SHIFT | access->kind};
}

static struct race_access cell_read(struct race_cell cell, uintptr_t granule)
{
    uint8_t bytes = (uint8_t)cell.when;
    uint32_t first = (uint32_t)__builtin_ctz(bytes);
    return (struct race_access){
        .number = cell.when >> NUMBER_SHIFT,
        .place = (const void *)(cell.what >> PLACE_SHIFT),
        .by = {.cpu = cell.when >> CPU_SHIFT & (RACE_CPUS - 1),
               .context = cell.what >> CONTEXT_SHIFT & (RACE_CONTEXTS - 1)},
        .address = granule + first,
        .size = (uint32_t)__builtin_popcount(bytes),
        .kind = cell.what & KINDS,
    };
}

static bool is_ordered(struct race_cell cell, struct race_actor by, int level)
{
    uint32_t actor = level == RACE_BY_CPU ? cell.when >> CPU_SHIFT & (RACE_CPUS - 1)
                                          : cell.what >> CONTEXT_SHIFT & (RACE_CONTEXTS - 1);
    uint32_t self = actor_at(by, level);
    return actor == self || cell.when >> NUMBER_SHIFT <= clock_get(&known[level][self], actor);
}

// Of two accesses that are not ordered: whether that is a race.
static bool is_conflict(unsigned a, unsigned b)
{
    return ((a | b) & RACE_WRITES) != 0 && (a & b & RACE_ATOMIC) == 0;
}

// Whether what races with an access of the kind `before` races with one of the kind `after` in its
// place.
static bool is_stronger(unsigned after, unsigned before)
{
    return (after & RACE_WRITES) >= (before & RACE_WRITES) &&
           (after & RACE_ATOMIC) <= (before & RACE_ATOMIC) &&
           (after & RACE_APPLICATION) >= (before & RACE_APPLICATION);
}

static void granule_access(struct race_cell *cells, const struct race_access *access, uint8_t bytes)
{
    struct race_cell *place = NULL;
    struct race_cell racing = {0};
    for (int i = 0; i < RACE_CELLS; ++i) {
        struct race_cell cell = cells[i];
        if (cell.when == 0) {
            place = place == NULL ? &cells[i] : place;
            break;
        }
        unsigned kind = cell.what & KINDS;
        if ((cell.when & bytes) == 0) {
            continue;
        }
        bool by_cpu = is_ordered(cell, access->by, RACE_BY_CPU);
        bool by_context = !has_application || is_ordered(cell, access->by, RACE_BY_CONTEXT);
        bool is_application = (kind & access->kind & RACE_APPLICATION) != 0;
        if (!(is_application ? by_context : by_cpu) && is_conflict(kind, access->kind)) {
            racing = cell;
        }
        if (place == NULL && by_cpu && by_context && (uint8_t)(cell.when & ~bytes) == 0 &&
            is_stronger(access->kind, kind)) {
            place = &cells[i];
        }
    }
    place = place == NULL ? &cells[access->number % RACE_CELLS] : place;
    *place = cell_make(access, bytes);
    if (racing.when != 0) {
        struct race_access first = cell_read(racing, access->address & -(uintptr_t)RACE_GRANULE);
        race_found(&first, access);
    }
}

static struct race_page *page_of(uintptr_t address)
{
    struct race_page *page = is_full || address >= ADDRESS_END ? NULL : race_page_of(address);
    if (page == NULL && !is_full && address < ADDRESS_END) {
        is_full = true;
        race_full();
    }
    return page;
}

void race_access(struct race_actor by, uintptr_t address, size_t size, unsigned kind,
                 const void *place)
{
    struct race_access access = {++number, place, by, address, 0, kind};
    has_application = has_application || (kind & RACE_APPLICATION) != 0;
    for (uintptr_t end = address + size; access.address < end; access.address += access.size) {
        uint32_t offset = access.address % RACE_GRANULE;
        size_t left = end - access.address;
        access.size = left < RACE_GRANULE - offset ? (uint32_t)left : RACE_GRANULE - offset;
        struct race_page *page = page_of(access.address);
        if (page == NULL) {
            return;
        }
        uint8_t bytes = (uint8_t)(((1u << access.size) - 1) << offset);
        granule_access(page->cells[access.address % RACE_PAGE / RACE_GRANULE], &access, bytes);
    }
}

// ---- Atomic variables ------------------------------------------------------------

static bool acquires(int order)
{
    return order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
}

static bool releases(int order)
{
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

// bytes 0: what is released without an access.
static void sync_acquire(struct race_actor by, uint32_t first, uint8_t bytes, int order)
{
    for (struct race_sync *sync = race_sync_at(first); sync != NULL;
         sync = race_sync_at(sync->next)) {
        uint32_t released = ((1u << sync->size) - 1) << sync->offset;
        if ((released & bytes) == 0 && (released | bytes) != 0) {
            continue;
        }
        for (int level = 0; level < levels(); ++level) {
            struct clock *to = acquires(order) ? known[level] : seen[level];
            clock_join(&to[actor_at(by, level)], &sync->clocks[level]);
        }
    }
}

// A store begins anew what its readers learn; a change adds to it (release sequences, C11 5.1.2.4).
static void sync_release(struct race_actor by, uint32_t *first, uint8_t offset, uint8_t size,
                         bool is_store, int order)
{
    bool has_fenced = fenced[RACE_BY_CPU][by.cpu].count != 0;
    bool has_any = releases(order) || has_fenced;
    if (!has_any && (!is_store || *first == 0)) {
        return;
    }
    struct race_sync *sync = race_sync_make(first, offset, size);
    if (sync == NULL) {
        is_full = true;
        race_full();
        return;
    }
    for (int level = 0; level < levels(); ++level) {
        uint32_t actor = actor_at(by, level);
        if (is_store) {
            clock_clear(&sync->clocks[level]);
        }
        if (releases(order)) {
            clock_set(&known[level][actor], actor, number);
        }
        clock_join(&sync->clocks[level], &(releases(order) ? known : fenced)[level][actor]);
    }
}

void race_atomic(struct race_actor by, uintptr_t address, size_t size, unsigned kind, bool reads,
                 int order, const void *place)
{
    race_access(by, address, size, kind | RACE_ATOMIC, place);
    for (uintptr_t end = address + size; address < end;) {
        uint8_t offset = address % RACE_GRANULE;
        uint8_t part = (uint8_t)(end - address < RACE_GRANULE ? end - address : RACE_GRANULE);
        struct race_page *page = page_of(address);
        if (page == NULL) {
            return;
        }
        uint32_t *first = &page->syncs[address % RACE_PAGE / RACE_GRANULE];
        if (reads) {
            sync_acquire(by, *first, (uint8_t)(((1u << part) - 1) << offset), order);
        }
        if (kind & RACE_WRITES) {
            sync_release(by, first, offset, part, !reads, order);
        }
        address += part;
    }
}

void race_release(struct race_actor by, uintptr_t address)
{
    struct race_page *page = page_of(address);
    if (page != NULL) {
        sync_release(by, &page->syncs[address % RACE_PAGE / RACE_GRANULE], address % RACE_GRANULE,
                     0, true, __ATOMIC_RELEASE);
    }
}

void race_acquire(struct race_actor by, uintptr_t address)
{
    struct race_page *page = page_of(address);
    if (page != NULL) {
        sync_acquire(by, page->syncs[address % RACE_PAGE / RACE_GRANULE], 0, __ATOMIC_ACQUIRE);
    }
}

void race_fence(struct race_actor by, int order)
{
    for (int level = 0; level < levels(); ++level) {
        uint32_t actor = actor_at(by, level);
        if (acquires(order)) {
            clock_join(&known[level][actor], &seen[level][actor]);
        }
        if (releases(order)) {
            clock_set(&known[level][actor], actor, number);
            clock_clear(&fenced[level][actor]);
            clock_join(&fenced[level][actor], &known[level][actor]);
        }
    }
}

void race_cpu_begin(struct race_actor by, uint32_t cpu)
{
    clock_set(&known[RACE_BY_CPU][by.cpu], by.cpu, number);
    clock_join(&known[RACE_BY_CPU][cpu], &known[RACE_BY_CPU][by.cpu]);
}

void race_forget(uintptr_t address, size_t size)
{
    race_memory_forget(address, size);
}
