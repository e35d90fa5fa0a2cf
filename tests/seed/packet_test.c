// SPDX-License-Identifier: BSD-3-Clause
// packet_test.c: bytes that a queue and packets share, under every schedule of two threads: what a
// packet has does not change before it is freed, and memory is given back once, by the last.
#include "core/dev/packet.h"

#include <string.h>

#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/net/send_queue.h"
#include "seed.h"
#include "seed_main.h"

enum { BLOCKS = 24, BLOCK = 2048, WRITES = 3, SIZE = 600 };

static char memory[BLOCKS][BLOCK] __attribute__((aligned(16)));
static _Atomic int is_used[BLOCKS]; // each is taken once
static unsigned next_block;
static char text[WRITES][SIZE];
static struct send_queue queue;
static _Atomic(struct packet *) sent[WRITES];

// ---- What stands in for other rooms --------------------------------------------------

void *heap_alloc(size_t size)
{
    seed_check(size <= BLOCK && next_block < BLOCKS, "not of this test");
    atomic_store_explicit(&is_used[next_block], 1, memory_order_relaxed);
    return memory[next_block++];
}

void heap_free(void *block)
{
    const size_t index = (size_t)((char *)block - memory[0]) / BLOCK;
    const int was = atomic_fetch_sub_explicit(&is_used[index], 1, memory_order_relaxed);
    seed_check(was == 1, "freed twice");
    ((char *)block)[BLOCK - 1] = 1;
}

int frame_alloc(size_t count, unsigned flags, hal_phys *start)
{
    (void)count, (void)flags, (void)start;
    seed_fail("not of this test");
}

void frame_free(hal_phys start, size_t count)
{
    (void)start, (void)count;
    seed_fail("not of this test");
}

hal_phys frame_of(const void *memory_of_frame)
{
    (void)memory_of_frame;
    seed_fail("not of this test");
}

int hal_copy_safe(void *to, const void *from, size_t size)
{
    ((char *)to)[0] = ((char *)to)[size - 1] = *(const char *)from; // what is looked at
    return 0;
}

// ---- One writes, one reads -----------------------------------------------------------

static void reset(void)
{
    next_block = 0;
    queue = (struct send_queue){.start = 0};
    for (unsigned i = 0; i < BLOCKS; ++i) {
        is_used[i] = 0;
    }
    for (unsigned i = 0; i < WRITES; ++i) {
        sent[i] = NULL;
    }
}

static void write_all(void)
{
    for (unsigned i = 0; i < WRITES; ++i) {
        seed_check(send_queue_put(&queue, text[i], SIZE) == 0, "it is not written");
        atomic_store(&sent[i], send_queue_packet(&queue, queue.start, SIZE));
        send_queue_acknowledged(&queue, queue.start + SIZE);
    }
    send_queue_end(&queue);
}

static void look_at(unsigned index)
{
    struct packet *packet = atomic_exchange(&sent[index], NULL);
    if (packet == NULL) {
        return;
    }
    const struct packet *part = packet->more;
    const struct packet *last = part->more == NULL ? part : part->more;
    seed_check(part->data[0] == (char)('a' + index), "its bytes have changed");
    seed_check(last->data[last->size - 1] == (char)('a' + index), "its last byte has changed");
    packet_free(packet);
}

static void read_all(void)
{
    for (unsigned i = 0; i < WRITES; ++i) {
        look_at(i);
    }
}

static void check(void)
{
    read_all();
    for (unsigned i = 0; i < BLOCKS; ++i) {
        seed_check(is_used[i] == 0, "memory is not given back");
    }
}

static const struct seed_test tests[] = {
    {.name = "packet, written and read",
     .reset = reset,
     .bodies = {write_all, read_all},
     .check = check,
     .preemption_max = 3},
};

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < WRITES; ++i) {
        memset(text[i], (int)('a' + i), SIZE);
    }
    return seed_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
