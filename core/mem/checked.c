// SPDX-License-Identifier: BSD-3-Clause
// checked.c: blocks between red zones, and a quarantine of freed ones.
//
// A checker knows for each byte whether it may be used. So that it can tell one block from its
// neighbour, each checked block lies inside a plain one, with a head and a closed red zone before
// it, and closed bytes behind it. So that it can tell a late use of a freed block from the use of
// the next one there, freed blocks wait until others of QUARANTINE_SIZE bytes have been freed on
// this CPU.
//
// All of them lie in the direct map, which is always readable: what is freed can be looked at,
// whatever it is.
//
// Invariant: plain memory is open to the checker, and so are heads. Blocks in the quarantine are
// closed and belong to their CPU, interrupts off.
#include "core/mem/checked.h"

#include "core/lib/assert.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/percpu.h"
#include "core/mem/plain.h"
#include "core/mem/unit.h"

enum {
    RED_ZONE = 16,
    QUARANTINE_SIZE = 8 << 20, // per CPU, or a 64th of the memory
    HEAD_CORE = 0x636f7265,
    HEAD_PROGRAM = 0x70726f67,
};

struct checked_head {
    struct checked_head *next; // in the quarantine
    void *plain;               // the block that it lies in
    size_t size;
    uintptr_t mark; // HEAD_CORE or HEAD_PROGRAM, and where it is; 0: freed
    char red_zone[RED_ZONE];
};

_Static_assert(sizeof(struct checked_head) % HEAP_ALIGNMENT == 0, "keeps the block aligned");

struct quarantine {
    _Alignas(64) struct checked_head *oldest;
    struct checked_head *newest;
    size_t size;
};

static struct quarantine *quarantines;
static size_t quarantine_size;

static uintptr_t mark_of(const struct checked_head *head, enum heap_owner owner)
{
    return (uintptr_t)head ^ (owner == HEAP_OF_CORE ? HEAD_CORE : HEAD_PROGRAM);
}

// NULL: not a block.
static struct checked_head *head_of(const void *block, enum heap_owner *owner)
{
    struct checked_head *head = (struct checked_head *)(uintptr_t)block - 1;
    if (!unit_is_direct(block) || !unit_is_direct(head) || (uintptr_t)block % HEAP_ALIGNMENT != 0 ||
        !hal_check_is_valid(head, offsetof(struct checked_head, red_zone))) {
        return NULL;
    }
    *owner = head->mark == mark_of(head, HEAP_OF_CORE) ? HEAP_OF_CORE : HEAP_OF_PROGRAM;
    return head->mark == mark_of(head, *owner) ? head : NULL;
}

// ---- The quarantine ------------------------------------------------------

static void plain_return(struct checked_head *head)
{
    void *plain = head->plain;
    hal_check_set(HAL_CHECK_VALID, plain, plain_size(plain));
    plain_free(plain);
}

// The oldest block while there are more than size bytes; NULL: there are not.
static struct checked_head *quarantine_take(size_t size)
{
    uintptr_t irq = hal_irq_save();
    struct quarantine *mine = &quarantines[percpu_index()];
    struct checked_head *head = mine->size > size ? mine->oldest : NULL;
    if (head != NULL) {
        mine->oldest = head->next;
        mine->size -= plain_size(head->plain);
    }
    hal_irq_restore(irq);
    return head;
}

static void quarantine_put(struct checked_head *head)
{
    head->next = NULL;
    uintptr_t irq = hal_irq_save();
    struct quarantine *mine = &quarantines[percpu_index()];
    if (mine->oldest == NULL) {
        mine->oldest = head;
    } else {
        mine->newest->next = head;
    }
    mine->newest = head;
    mine->size += plain_size(head->plain);
    hal_irq_restore(irq);
}

static bool quarantine_shrink(size_t size)
{
    bool found = false;
    struct checked_head *head;
    while ((head = quarantine_take(size)) != NULL) {
        plain_return(head);
        found = true;
    }
    return found;
}

// ---- Blocks --------------------------------------------------------------

// Closes what is around a block, and says what the block is.
static void block_tell(char *block, size_t size, bool zeroed, enum heap_owner owner)
{
    struct checked_head *head = (struct checked_head *)(void *)block - 1;
    char *plain = head->plain;
    char *end = plain + plain_size(plain);
    hal_check_set(HAL_CHECK_CLOSED, plain, (size_t)((char *)head - plain));
    hal_check_set(HAL_CHECK_CLOSED, head->red_zone, RED_ZONE);
    hal_check_set(HAL_CHECK_CLOSED, block + size, (size_t)(end - block) - size);
    if (owner == HEAP_OF_PROGRAM) {
        hal_check_set(zeroed ? HAL_CHECK_CLEARED : HAL_CHECK_ALLOCATED, block, size);
    } else if (!zeroed) {
        hal_check_set(HAL_CHECK_FRESH, block, size);
    }
}

void *checked_alloc(size_t size, size_t alignment, bool zeroed, enum heap_owner owner)
{
    if (size > SIZE_MAX / 4 || alignment > SIZE_MAX / 4) {
        return NULL;
    }
    size_t slack = alignment > HEAP_ALIGNMENT ? alignment : 0;
    size_t whole = sizeof(struct checked_head) + slack + size + RED_ZONE;
    char *plain = plain_alloc(whole);
    if (plain == NULL && quarantine_shrink(0)) {
        plain = plain_alloc(whole);
    }
    if (plain == NULL) {
        return NULL;
    }
    char *block = plain + sizeof(struct checked_head);
    block += slack == 0 ? 0 : -(uintptr_t)block & (alignment - 1);
    struct checked_head *head = (struct checked_head *)(void *)block - 1;
    *head = (struct checked_head){.plain = plain, .size = size, .mark = mark_of(head, owner)};
    if (zeroed) {
        memset(block, 0, size);
    }
    block_tell(block, size, zeroed, owner);
    return block;
}

void checked_free(void *block)
{
    enum heap_owner owner;
    struct checked_head *head = head_of(block, &owner);
    bool is_closed = head != NULL && owner == HEAP_OF_CORE;
    hal_check_set(is_closed ? HAL_CHECK_CLOSED : HAL_CHECK_FREED, block,
                  head == NULL ? 0 : head->size);
    if (head == NULL) {
        return;
    }
    head->mark = 0;
    quarantine_put(head);
    quarantine_shrink(quarantine_size);
}

// Always to another place: who goes on with the old one is found.
void *checked_realloc(void *block, size_t size)
{
    enum heap_owner owner;
    const struct checked_head *head = head_of(block, &owner);
    void *moved = head == NULL ? NULL : checked_alloc(size, HEAP_ALIGNMENT, false, owner);
    if (moved != NULL) {
        memcpy(moved, block, head->size < size ? head->size : size);
    }
    if (moved != NULL || head == NULL) {
        checked_free(block);
    }
    return moved;
}

size_t checked_size(const void *block)
{
    enum heap_owner owner;
    const struct checked_head *head = head_of(block, &owner);
    return head == NULL ? 0 : head->size;
}

void checked_init(uint32_t cpu_count)
{
    hal_phys start;
    size_t size = cpu_count * sizeof(struct quarantine);
    int error = frame_alloc((size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE, FRAME_ZERO, &start);
    ASSERT(error == 0);
    quarantines = (struct quarantine *)(void *)frame_address(start);
    size_t share = frame_total_count() / 64 / cpu_count * HAL_PAGE_SIZE;
    quarantine_size = share < QUARANTINE_SIZE ? share : QUARANTINE_SIZE;
}
