// SPDX-License-Identifier: BSD-3-Clause
// size_class.c: see size_class.h.
#include "core/mem/size_class.h"

#include "core/lib/assert.h"
#include "core/mem/heap.h"

enum {
    CHAIN_BYTES = 128 << 10, // what a full chain holds, within the next two
    CHAIN_MIN = 4,
    CHAIN_MAX = 256,
    SPAN_ORDER_MAX = 4, // a span has at most 16 pages
    LOSS_SHARE = 16,    // and loses less than a 16th at its end, if any such span does
};

struct size_class size_classes[CLASS_COUNT];

static void span_choose(struct size_class *class, uint32_t order)
{
    class->span_pages = 1u << order;
    class->span_blocks = (class->span_pages * HAL_PAGE_SIZE) / class->size;
    uint32_t used = class->span_blocks * class->size;
    class->used_pages = (used + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
}

// What is lost at the end of a span, in 1024ths.
static uint32_t span_loss(const struct size_class *class)
{
    uint32_t bytes = class->used_pages * HAL_PAGE_SIZE;
    return class->span_blocks == 0 ? 1024
                                   : (bytes - class->span_blocks * class->size) * 1024 / bytes;
}

static void class_init(struct size_class *class, uint32_t size)
{
    uint32_t count = CHAIN_BYTES / size;
    class->chain_count = count > CHAIN_MAX ? CHAIN_MAX : count < CHAIN_MIN ? CHAIN_MIN : count;
    class->size = size;
    uint32_t best = 0, best_loss = UINT32_MAX;
    for (uint32_t order = 0; order <= SPAN_ORDER_MAX && best_loss > 1024 / LOSS_SHARE; ++order) {
        span_choose(class, order);
        if (span_loss(class) < best_loss) {
            best = order;
            best_loss = span_loss(class);
        }
    }
    span_choose(class, best);
    ASSERT(class->span_blocks > 0);
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
}
