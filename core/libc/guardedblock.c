// SPDX-License-Identifier: BSD-3-Clause
// guardedblock.c: see guardedblock.h. Called with the mutex of watchedblock.c held.
#include "core/libc/guardedblock.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/libc/watchedblock.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/plain.h"
#include "core/vm/vm.h"

enum {
    PAGE = HAL_PAGE_SIZE,
    ZONE = 16,        // bytes of the pattern on both sides, at least
    MAPS_MAX = 12000, // a block is two mappings of a host's 65530
    FRAMES_SHARE = 4, // of memory, at most
    AROUND = 0xfd,
    FREED = 0xdd,
};

static size_t map_count, frame_count; // of blocks with pages of their own

static size_t round_up(size_t value, size_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static bool may_map(size_t pages)
{
    return map_count < MAPS_MAX && frame_count + pages < frame_total_count() / FRAMES_SHARE;
}

static void start_set(struct watched_block *block, char *start, size_t size)
{
    block->hidden_start = ~(uintptr_t)start;
    block->size = size;
}

// At the end of its pages, which the guard follows.
static int pages_make(struct watched_block *block, size_t size, size_t alignment)
{
    size_t room = round_up(ZONE + size + (alignment > ZONE ? alignment : ZONE), PAGE);
    if (!may_map(room / PAGE)) {
        return -ENOMEM;
    }
    char *map = NULL;
    int error = vm_map(&map, room + PAGE, 0, VM_LAZY, NULL, 0);
    if (error != 0) {
        return error;
    }
    error = vm_map(&map, room, HAL_READ | HAL_WRITE, VM_FIXED, NULL, 0);
    if (error != 0) {
        int again = vm_unmap(map, room + PAGE);
        (void)again; // without memory even for this, addresses are lost and nothing else
        return error;
    }
    uintptr_t end = (uintptr_t)map + room;
    char *start = (char *)((end - size) & ~(alignment - 1));
    block->map = map;
    block->map_size = room + PAGE;
    map_count++;
    frame_count += room / PAGE;
    start_set(block, start, size);
    memset(map, AROUND, (size_t)(start - map));
    memset(start + size, AROUND, end - (uintptr_t)start - size);
    return 0;
}

static int plain_make(struct watched_block *block, size_t size, size_t alignment, bool zeroed)
{
    char *plain = plain_alloc(2 * ZONE + alignment + size);
    if (plain == NULL) {
        return -ENOMEM;
    }
    char *start = (char *)round_up((uintptr_t)plain + ZONE, alignment);
    block->hidden_plain = ~(uintptr_t)plain;
    start_set(block, start, size);
    memset(start - ZONE, AROUND, ZONE);
    memset(start + size, AROUND, ZONE);
    if (zeroed) {
        memset(start, 0, size);
    }
    return 0;
}

int guarded_block_make(struct watched_block *block, size_t size, size_t alignment, bool zeroed)
{
    return pages_make(block, size, alignment) == 0 ? 0 : plain_make(block, size, alignment, zeroed);
}

static const char *other_than(int pattern, const char *from, const char *to)
{
    for (; from < to; ++from) {
        if (*from != (char)pattern) {
            return from;
        }
    }
    return NULL;
}

const char *guarded_block_damage(const struct watched_block *block)
{
    const char *start = watched_start(block), *end = start + block->size;
    bool has_map = block->map != NULL;
    const char *low = has_map ? block->map : start - ZONE;
    const char *high = has_map ? block->map + block->map_size - PAGE : end + ZONE;
    const char *below = other_than(AROUND, low, start);
    return below != NULL ? below : other_than(AROUND, end, high);
}

// Frames go, addresses stay.
void guarded_block_close(struct watched_block *block)
{
    if (block->map == NULL) {
        memset(watched_start(block), FREED, block->size);
        return;
    }
    char *map = block->map;
    size_t room = block->map_size - PAGE;
    if (vm_map(&map, room, 0, VM_FIXED | VM_LAZY, NULL, 0) == 0) {
        frame_count -= room / PAGE;
    } else {
        memset(watched_start(block), FREED, block->size);
    }
}

const char *guarded_block_late_write(const struct watched_block *block)
{
    const char *start = watched_start(block);
    return block->map != NULL ? NULL : other_than(FREED, start, start + block->size);
}

void guarded_block_release(struct watched_block *block)
{
    if (block->map == NULL) {
        memset(watched_start(block), 0, block->size); // no pointer is left in what is free
        plain_free((char *)~block->hidden_plain);
    } else if (vm_unmap(block->map, block->map_size) == 0) {
        map_count--;
    }
}

bool guarded_block_has(const struct watched_block *block, const char *address)
{
    return block->map != NULL && (size_t)(address - block->map) < block->map_size;
}
