// SPDX-License-Identifier: BSD-3-Clause
// size_class.c: see size_class.h.
#include "core/mem/size_class.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/mem/heap.h"

enum {
    CHAIN_BYTES = 128 << 10, // what a full chain holds, within the next two
    CHAIN_MIN = 4,
    CHAIN_MAX = 256,
    LOSS_SHARE = 128, // a span loses at most this part at its end, if any such span does
};

struct size_class size_classes[CLASS_MAX];

static _Atomic uint32_t class_count; // that are there
static _Atomic bool is_learning;     // somebody adds one

static uint32_t span_loss(const struct size_class *class, uint32_t pages)
{
    return pages * HAL_PAGE_SIZE - span_blocks(class, pages) * class->size;
}

// The shortest span that loses little, or the one that loses least.
static uint32_t span_choose(const struct size_class *class)
{
    uint32_t best = 0, least = (class->size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    for (uint32_t pages = least; pages <= SPAN_PAGES_MAX; ++pages) {
        uint32_t loss = span_loss(class, pages);
        if (loss * LOSS_SHARE <= pages * HAL_PAGE_SIZE) {
            return pages;
        }
        if (best == 0 || loss * best < span_loss(class, best) * pages) {
            best = pages;
        }
    }
    return best;
}

static void class_init(struct size_class *class, uint32_t size)
{
    uint32_t count = CHAIN_BYTES / size;
    class->chain_count = count > CHAIN_MAX ? CHAIN_MAX : count < CHAIN_MIN ? CHAIN_MIN : count;
    class->size = size;
    class->span_pages = span_choose(class);
    ASSERT(class->span_pages > 0);
}

uint32_t size_class_count(void)
{
    // Acquire pairs with size_class_learn.
    return atomic_load_explicit(&class_count, memory_order_acquire);
}

bool size_class_learn(uint32_t size, uint32_t *class_index)
{
    if (atomic_exchange_explicit(&is_learning, true, memory_order_acquire)) {
        return false;
    }
    uint32_t count = atomic_load_explicit(&class_count, memory_order_relaxed);
    bool is_new = count < CLASS_MAX;
    for (uint32_t i = CLASS_COUNT; i < count; ++i) {
        is_new &= size_classes[i].size != size;
    }
    if (is_new) {
        class_init(&size_classes[count], size);
        *class_index = count;
        atomic_store_explicit(&class_count, count + 1, memory_order_release);
    }
    atomic_store_explicit(&is_learning, false, memory_order_release);
    return is_new;
}

void size_class_init(void)
{
    uint32_t index = 0;
    for (uint32_t size = 16; size <= 128; size += 16) {
        class_init(&size_classes[index++], size);
    }
    for (uint32_t base = 128; base < HEAP_SMALL_MAX; base *= 2) {
        for (uint32_t eighth = 9; eighth <= 16; ++eighth) {
            class_init(&size_classes[index++], base / 8 * eighth);
        }
    }
    ASSERT(index == CLASS_COUNT);
    atomic_store(&class_count, index);
}
