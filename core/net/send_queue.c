// SPDX-License-Identifier: BSD-3-Clause
// send_queue.c: see send_queue.h. Chunks of memory follow each other without gaps; what is lent is
// one of its own. What is appended
// lies behind all that packets have of a chunk, so nobody sees it change; a chunk begins anew when
// nothing of it is needed and no packet has a part of it.
#include "core/net/send_queue.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"

enum {
    BLOCK_MIN = 1024,
    BLOCK_MAX = HEAP_SMALL_MAX,
    COPIED_MAX = 512, // bytes of a packet: fewer cost less to copy than to share
};

struct send_chunk {
    struct packet_buffer buffer; // the queue is one that has it
    struct send_chunk *next;
    uint64_t start; // in the stream
    uint32_t used, room;
    char *data;
    struct packet_buffer *lender; // whose data it is; NULL: its own, behind it
};

_Static_assert((int)SEND_LEND_MIN >= (int)BLOCK_MIN, "of those none stays to be filled again");

static void chunk_release(struct packet_buffer *buffer)
{
    struct send_chunk *chunk = container_of(buffer, struct send_chunk, buffer);
    if (chunk->lender != NULL) {
        packet_buffer_put(chunk->lender);
    }
    heap_free(chunk);
}

// The more there is, the larger.
static uint32_t room_for(const struct send_queue *queue, uint32_t size)
{
    const uint32_t wanted = size > queue->used ? size : queue->used;
    uint32_t block = BLOCK_MIN;
    while (block < BLOCK_MAX && block - sizeof(struct send_chunk) < wanted) {
        block *= 2;
    }
    return block - (uint32_t)sizeof(struct send_chunk);
}

static void chunk_append(struct send_queue *queue, struct send_chunk *chunk, uint32_t room)
{
    chunk->buffer = (struct packet_buffer){.reference_count = 1, .release = chunk_release};
    chunk->next = NULL;
    chunk->start = queue->start + queue->used;
    chunk->room = room;
    if (queue->first == NULL) {
        queue->first = chunk;
    } else {
        queue->last->next = chunk;
    }
    queue->last = chunk;
    queue->taken += room;
}

static bool chunk_make(struct send_queue *queue, uint32_t size)
{
    const uint32_t room = room_for(queue, size);
    struct send_chunk *chunk = heap_alloc(sizeof *chunk + room);
    if (chunk != NULL) {
        chunk->used = 0;
        chunk->data = (char *)(chunk + 1);
        chunk->lender = NULL;
        chunk_append(queue, chunk, room);
    }
    return chunk != NULL;
}

static void first_remove(struct send_queue *queue)
{
    struct send_chunk *chunk = queue->first;
    queue->first = chunk->next;
    queue->taken -= chunk->room;
    packet_buffer_put(&chunk->buffer);
}

// What is left of the last one, or of a new one. 0: no memory.
static uint32_t room_get(struct send_queue *queue, uint32_t size)
{
    struct send_chunk *last = queue->first == NULL ? NULL : queue->last;
    if (last != NULL && queue->used == 0 && packet_buffer_is_mine(&last->buffer)) {
        last->used = 0;
        last->start = queue->start;
    }
    if ((last == NULL || last->used == last->room) && !chunk_make(queue, size)) {
        return 0;
    }
    return queue->last->room - queue->last->used;
}

int send_queue_put(struct send_queue *queue, const char *user, uint32_t size)
{
    while (size > 0) {
        const uint32_t room = room_get(queue, size);
        const uint32_t part = size < room ? size : room;
        if (part == 0) {
            return -ENOMEM;
        }
        const int error = hal_copy_safe(queue->last->data + queue->last->used, user, part);
        if (error != 0) {
            return error;
        }
        queue->last->used += part;
        queue->used += part;
        user += part;
        size -= part;
    }
    return 0;
}

int send_queue_lend(struct send_queue *queue, char *data, uint32_t size,
                    struct packet_buffer *buffer)
{
    struct send_chunk *chunk = heap_alloc(sizeof *chunk);
    ASSERT(size >= SEND_LEND_MIN);
    if (chunk == NULL) {
        return -ENOMEM;
    }
    chunk->used = size;
    chunk->data = data;
    chunk->lender = buffer;
    packet_buffer_get(buffer);
    chunk_append(queue, chunk, size);
    queue->used += size;
    return 0;
}

// A small chunk stays for what is written next.
void send_queue_acknowledged(struct send_queue *queue, uint64_t place)
{
    ASSERT(place >= queue->start && place - queue->start <= queue->used);
    queue->used -= (uint32_t)(place - queue->start);
    queue->start = place;
    while (queue->first != NULL && queue->first->start + queue->first->used <= place &&
           (queue->first != queue->last ||
            queue->first->room > BLOCK_MIN - sizeof(struct send_chunk))) {
        first_remove(queue);
    }
}

// ---- Packets -----------------------------------------------------------------------

// With what there is of the piece of a chunk behind place. NULL: no memory.
static struct packet *piece_share(struct send_chunk *chunk, uint64_t place, uint32_t size)
{
    const uint32_t skip = (uint32_t)(place - chunk->start);
    const uint32_t left = chunk->used - skip;
    return packet_alloc_shared(&chunk->buffer, chunk->data + skip, size < left ? size : left);
}

static struct send_chunk *chunk_at(const struct send_queue *queue, uint64_t place)
{
    struct send_chunk *chunk = queue->first;
    while (place - chunk->start >= chunk->used) {
        chunk = chunk->next;
    }
    return chunk;
}

static bool pieces_add(const struct send_queue *queue, struct packet *packet, uint64_t place,
                       uint32_t size)
{
    struct packet *last = packet;
    for (struct send_chunk *chunk = chunk_at(queue, place); size > 0; chunk = chunk->next) {
        last->more = piece_share(chunk, place, size);
        last = last->more;
        if (last == NULL) {
            return false;
        }
        place += last->size;
        size -= last->size;
    }
    return true;
}

static void pieces_copy(const struct send_queue *queue, struct packet *packet, uint64_t place,
                        uint32_t size)
{
    for (const struct send_chunk *chunk = chunk_at(queue, place); size > 0; chunk = chunk->next) {
        const uint32_t skip = (uint32_t)(place - chunk->start);
        const uint32_t part = size < chunk->used - skip ? size : chunk->used - skip;
        memcpy(packet->data + packet->size, chunk->data + skip, part);
        packet->size += part;
        place += part;
        size -= part;
    }
}

struct packet *send_queue_packet(const struct send_queue *queue, uint64_t place, uint32_t size)
{
    const bool is_copied = size <= COPIED_MAX;
    struct packet *packet = packet_alloc_block(is_copied ? size : 0);
    ASSERT(size == 0 || (place >= queue->start && place + size <= queue->start + queue->used));
    if (packet == NULL || size == 0) {
        return packet;
    }
    if (is_copied) {
        pieces_copy(queue, packet, place, size);
    } else if (!pieces_add(queue, packet, place, size)) {
        packet_free(packet);
        return NULL;
    }
    return packet;
}

void send_queue_end(struct send_queue *queue)
{
    while (queue->first != NULL) {
        first_remove(queue);
    }
    *queue = (struct send_queue){.start = queue->start + queue->used};
}
