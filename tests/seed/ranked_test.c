// SPDX-License-Identifier: BSD-3-Clause
// ranked_test.c: two that push, one of which pops, under every schedule with at most four
// preemptions; and the ring, which is under its owner's lock.
#include "core/sync/ranked.h"

#include <string.h>

#include "core/lib/list.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { OF_EACH = 3, COUNT = 2 * OF_EACH };

static struct ranked_queue queue;
static struct ranked waiters[COUNT]; // the first half is pushed by the one that pops
static unsigned pushed_count;        // of the other half: surely there
static unsigned popped[COUNT], popped_count;

static void reset(void)
{
    static const uint8_t ranks[COUNT] = {0, 7, 0, 0, 9, 0};
    memset(&queue, 0, sizeof queue);
    for (unsigned i = 0; i < COUNT; ++i) {
        waiters[i] = (struct ranked){.rank = ranks[i]};
    }
    pushed_count = popped_count = 0;
    seed_threads_reset();
}

static void push_half(void)
{
    for (unsigned i = 0; i < OF_EACH; ++i) {
        ranked_push(&queue, &waiters[OF_EACH + i]);
        __atomic_store_n(&pushed_count, i + 1, __ATOMIC_SEQ_CST);
    }
}

static bool is_popped(unsigned index)
{
    for (unsigned i = 0; i < popped_count; ++i) {
        if (popped[i] == index) {
            return true;
        }
    }
    return false;
}

// Nobody who was there passed over for one of less rank, or for one of the same that came later.
static void pop(void)
{
    unsigned there = OF_EACH + __atomic_load_n(&pushed_count, __ATOMIC_SEQ_CST);
    unsigned index = (unsigned)(ranked_pop(&queue) - waiters);
    for (unsigned i = 0; i < there; ++i) {
        seed_check(is_popped(i) || waiters[i].rank <= waiters[index].rank, "one of rank is passed");
        bool comes_before = i / OF_EACH == index / OF_EACH && i < index;
        seed_check(is_popped(i) || waiters[i].rank != waiters[index].rank || !comes_before,
                   "one that came before is passed");
    }
    seed_check(!is_popped(index), "one is there twice");
    popped[popped_count++] = index;
}

static void push_and_pop(void)
{
    for (unsigned i = 0; i < OF_EACH; ++i) {
        ranked_push(&queue, &waiters[i]);
    }
    for (unsigned i = 0; i < OF_EACH; ++i) {
        pop();
    }
}

static void check(void)
{
    while (popped_count < COUNT) {
        seed_check(!ranked_is_empty(&queue), "one is lost");
        popped[popped_count++] = (unsigned)(ranked_pop(&queue) - waiters);
    }
    seed_check(ranked_is_empty(&queue), "one too many");
}

// ---- The ring: what it holds is written as ranks, with a letter for each -----------------------

static void ring_is(const char *names, const uint8_t *ranks, const char *wanted)
{
    static struct ranked_node nodes[8];
    struct list *first = NULL;
    for (unsigned i = 0; names[i] != '\0'; ++i) {
        nodes[i] = (struct ranked_node){.rank = ranks[i]};
        first = ranked_ring_add(first, &nodes[i]);
    }
    struct list *node = first;
    for (unsigned i = 0; wanted[i] != '\0'; ++i, node = node->next) {
        const struct ranked_node *one = container_of(node, struct ranked_node, list);
        seed_check(names[one - nodes] == wanted[i], "the ring is in another order");
    }
    seed_check(node == first, "the ring is longer");
}

static void rings(void)
{
    ring_is("abc", (const uint8_t[]){0, 0, 0}, "abc");
    ring_is("abc", (const uint8_t[]){0, 0, 5}, "cab");
    ring_is("abcdef", (const uint8_t[]){5, 0, 5, 9, 5, 0}, "dacebf");
    ring_is("abcd", (const uint8_t[]){9, 5, 7, 1}, "acbd");
    ring_is("abcd", (const uint8_t[]){3, 3, 3, 3}, "abcd");
}

static void nothing(void)
{
}

static const char *const marks[] = {"ranked: one of rank may pass those who came before", NULL};

static const struct seed_test tests[] = {
    {
        .name = "ranked queue",
        .reset = reset,
        .bodies = {push_and_pop, push_half},
        .check = check,
        .marks = marks,
    },
    {
        .name = "ranked ring",
        .reset = seed_threads_reset,
        .bodies = {rings, nothing},
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
