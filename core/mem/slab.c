// SPDX-License-Identifier: BSD-3-Clause
// slab.c: objects with the link of the free stack before them, so that a free object keeps its
// contents.
#include "core/mem/slab.h"

#include "core/lib/assert.h"
#include "core/mem/heap.h"
#include "core/mem/plain.h"

struct slab_head {
    struct stack_node free;
    struct slab *slab; // whose it is
};

_Static_assert(sizeof(struct slab_head) == HEAP_ALIGNMENT, "keeps the object aligned");

void *slab_alloc(struct slab *slab)
{
    struct stack_node *node = stack_pop(&slab->free);
    if (node != NULL) {
        return (struct slab_head *)(void *)node + 1;
    }
    ASSERT(slab->object_size > 0 && slab->object_size % HEAP_ALIGNMENT == 0);
    ASSERT(slab->object_size + sizeof(struct slab_head) <= HEAP_SMALL_MAX);
    struct slab_head *head = plain_alloc_zeroed(slab->object_size + sizeof *head);
    if (head == NULL) {
        return NULL;
    }
    head->slab = slab;
    return head + 1;
}

void slab_free(struct slab *slab, void *object)
{
    struct slab_head *head = (struct slab_head *)object - 1;
    ASSERT(head->slab == slab);
    stack_push(&slab->free, &head->free);
}
