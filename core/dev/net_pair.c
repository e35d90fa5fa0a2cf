// SPDX-License-Identifier: BSD-3-Clause
// net_pair.c: see net_pair.h.
//
// The ring of received packets belongs to the pair's CPU with interrupts off: to the queue's
// interrupt, and, when more packets come than one interrupt should take, to a thread that stays
// there and can be preempted between its rounds. It is always full of buffers: a packet is only
// given away once there is another buffer in its place. An interrupt that all queues share comes
// to one CPU, which only calls the thread. The ring of packets to be sent has a lock; what the
// device has sent is taken back by the next that send.
#include "core/dev/net_pair.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/sched/thread.h"

enum {
    RING_SIZE = VIRTQ_SIZE,
    ETHERNET_HEADER = 14,
    COPIED_MAX = 512, // bytes of a frame that is copied
};

enum net_header_flags { HEADER_NEEDS_CHECKSUM = 1, HEADER_CHECKSUM_IS_RIGHT = 2 };
enum net_segmentation {
    SEGMENTS_NONE = 0,
    SEGMENTS_TCP4 = 1,
    SEGMENTS_FRAGMENTS = 3, // of UDP, over both
    SEGMENTS_TCP6 = 4,
    SEGMENTS_UDP = 5, // of both versions
};

// virtio 1.2, 5.1.6.
struct net_header {
    uint8_t flags, segmentation;
    uint16_t header_size, segment_size;
    uint16_t checksum_start, checksum_offset;
    uint16_t buffer_count;
};

_Static_assert(sizeof(struct net_header) == 12, "virtio 1.2, 5.1.6");

static void count_add(struct net_pair *pair, enum net_pair_count which, uint64_t more)
{
    _Atomic uint64_t *count = &pair->counts[which];
    const uint64_t old = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, old + more, memory_order_relaxed);
}

static uint32_t receive_queue(const struct net_pair *pair) // and the next one is its other
{
    return 2 * pair->index;
}

// ---- Receiving -----------------------------------------------------------------

// A buffer for the device: header and frame, in one part's whole room.
static void buffer_give(struct net_pair *pair, struct packet *packet)
{
    packet_reset(packet, 0);
    const struct virtq_part part = {
        .address = frame_of(packet->data), .size = PACKET_ROOM, .is_written = true};
    const int error = virtq_add(&pair->receive_ring, &part, 1, packet);
    ASSERT(error != -ENOSPC); // there are as many buffers as entries
    if (error != 0) {
        packet_free(packet);
    }
}

// Gives the device as many buffers as packet has parts: new ones, or, where there is no memory,
// these.
static bool buffers_replace(struct net_pair *pair, struct packet *packet)
{
    struct packet *fresh = NULL;
    bool there_are = true;
    for (const struct packet *part = packet; part != NULL && there_are; part = part->more) {
        struct packet *other = packet_alloc();
        there_are = other != NULL;
        if (there_are) {
            other->more = fresh;
            fresh = other;
        }
    }
    struct packet *given = there_are ? fresh : packet;
    if (!there_are) {
        packet_free(fresh);
    }
    while (given != NULL) {
        struct packet *more = given->more;
        buffer_give(pair, given);
        given = more;
    }
    return there_are;
}

// A copy, and the device has its buffer again. NULL: no memory.
static struct packet *packet_copied(struct net_pair *pair, struct packet *packet)
{
    struct packet *copy = packet_alloc_block(packet->size);
    if (copy != NULL) {
        memcpy(copy->data, packet->data, packet->size);
        copy->size = packet->size;
        copy->is_trusted = packet->is_trusted;
    }
    buffer_give(pair, packet);
    return copy;
}

// The packet, once the device has as many buffers as before. NULL: no memory.
static struct packet *packet_keep(struct net_pair *pair, struct packet *packet)
{
    if (packet->more == NULL && packet->size <= COPIED_MAX) {
        return packet_copied(pair, packet);
    }
    return buffers_replace(pair, packet) ? packet : NULL;
}

// The next buffer that the device has filled. False: there is none, or the device is broken.
static bool buffer_take(struct net_pair *pair, struct packet **packet)
{
    void *token;
    uint32_t written;
    if (virtq_collect(&pair->receive_ring, &token, &written) != 1) {
        return false;
    }
    *packet = token;
    (*packet)->size = written;
    return true;
}

// The buffers of one packet, its header taken off. False: there is none. NULL: a damaged one, whose
// buffers the device has again.
static bool packet_take(struct net_pair *pair, struct packet **result)
{
    struct net_header header = {.buffer_count = 1};
    struct packet *packet;
    *result = NULL;
    if (!buffer_take(pair, &packet)) {
        return false;
    }
    if (packet->size >= sizeof header) {
        memcpy(&header, packet->data, sizeof header);
    }
    // The device publishes all buffers of a packet at once (5.1.6.4).
    struct packet **end = &packet->more;
    for (uint32_t i = 1; i < header.buffer_count && buffer_take(pair, end); ++i) {
        end = &(*end)->more;
    }
    if (packet->size < sizeof header + ETHERNET_HEADER) {
        count_add(pair, NET_PAIR_DAMAGED, 1);
        while (packet != NULL) {
            struct packet *more = packet->more;
            buffer_give(pair, packet);
            packet = more;
        }
        return true;
    }
    packet->data += sizeof header;
    packet->size -= (uint32_t)sizeof header;
    // Where the sum is yet to be put in the packet comes from a neighbour of this machine's on the
    // same host, and has not been on any wire.
    packet->is_trusted = (pair->features & NET_FEATURE_GUEST_CHECKSUM) != 0 &&
                         (header.flags & (HEADER_NEEDS_CHECKSUM | HEADER_CHECKSUM_IS_RIGHT)) != 0;
    *result = packet;
    return true;
}

// Receives one. False: there was none.
static bool receive_one(struct net_pair *pair)
{
    struct packet *packet;
    if (!packet_take(pair, &packet)) {
        return false;
    }
    const uint64_t bytes = packet_size(packet);
    if (packet != NULL && (packet = packet_keep(pair, packet)) == NULL) {
        count_add(pair, NET_PAIR_DROPPED, 1);
    } else if (packet != NULL) {
        count_add(pair, NET_PAIR_RECEIVED, 1);
        count_add(pair, NET_PAIR_RECEIVED_BYTES, bytes);
    }
    pair->user->receive(pair->user->state, packet);
    return true;
}

static void room_tell(struct net_pair *pair)
{
    const uint32_t count = atomic_load_explicit(&pair->spread_count, memory_order_relaxed);
    hal_dev_kick(pair->dev, receive_queue(pair));
    for (uint32_t i = 0; i < count; ++i) {
        if (i != pair->index) {
            hal_dev_kick(pair->dev, 2 * i);
        }
    }
}

// Receives, at most a ring full. True: nothing is left, and the next one interrupts. On the pair's
// CPU, interrupts off.
static bool receive_round(struct net_pair *pair)
{
    uint32_t count = 0;
    bool is_empty = false;
    virtq_interrupts_set(&pair->receive_ring, false);
    while (count < RING_SIZE && !is_empty) {
        if (receive_one(pair)) {
            ++count;
            continue;
        }
        // What came before the device could see that it is to interrupt is here now.
        virtq_interrupts_set(&pair->receive_ring, true);
        is_empty = !receive_one(pair);
        if (!is_empty) {
            virtq_interrupts_set(&pair->receive_ring, false);
            ++count;
        }
    }
    if (count > 0 && pair->user->receive_end != NULL) {
        pair->user->receive_end(pair->user->state);
    }
    if (count > 0 && virtq_kick_wanted(&pair->receive_ring)) {
        room_tell(pair);
    }
    return is_empty;
}

static void poller_run(void *argument)
{
    struct net_pair *pair = argument;
    while (!atomic_load(&pair->is_closing)) {
        if (!atomic_load(&pair->is_polling) && !atomic_load(&pair->is_called)) {
            thread_park();
            continue;
        }
        const uintptr_t state = hal_irq_save();
        atomic_store(&pair->is_called, false); // before the look
        if (receive_round(pair)) {
            atomic_store(&pair->is_polling, false);
        }
        hal_irq_restore(state);
    }
}

static void receive_interrupt(struct net_pair *pair)
{
    if (thread_cpu_index() != pair->index) {
        atomic_store(&pair->is_called, true);
        thread_wake(pair->poller);
    } else if (!atomic_load(&pair->is_polling) && !receive_round(pair)) {
        atomic_store(&pair->is_polling, true);
        thread_wake(pair->poller);
    }
}

void net_pair_interrupt(struct net_pair *pair, uint32_t queue)
{
    if (queue == receive_queue(pair)) {
        receive_interrupt(pair);
        return;
    }
    struct thread *sender = atomic_load(&pair->sender);
    if (sender != NULL) { // thread memory is type-stable
        thread_wake(sender);
    }
}

// ---- Sending -------------------------------------------------------------------

// Frees what has been sent. -EIO.
static int sent_collect(struct net_pair *pair)
{
    void *token;
    uint32_t written;
    int result;
    while ((result = virtq_collect(&pair->send_ring, &token, &written)) == 1) {
        packet_free(token);
    }
    return result;
}

// Whether anything was freed: how often the ring has moved.
static bool has_collected(const struct net_pair *pair, uint16_t before)
{
    return pair->send_ring.used_index != before;
}

// With the lock held.
static void send_kick(struct net_pair *pair)
{
    atomic_store_explicit(&pair->is_held, false, memory_order_relaxed);
    if (virtq_kick_wanted(&pair->send_ring)) {
        hal_dev_kick(pair->dev, receive_queue(pair) + 1);
    }
}

// Until the ring has room for the parts, whatever else it is.
static int parts_add(struct net_pair *pair, const struct virtq_part *parts, size_t count,
                     struct packet *packet)
{
    int error = sent_collect(pair);
    error = error != 0 ? error : virtq_add(&pair->send_ring, parts, count, packet);
    if (error != -ENOSPC) {
        return error;
    }
    send_kick(pair); // of what it is full of
    struct thread *self = thread_self();
    atomic_store(&pair->sender, self);
    thread_wait_note(self, THREAD_WAIT_DEVICE, pair);
    for (;;) {
        const uint16_t before = pair->send_ring.used_index;
        virtq_interrupts_set_late(&pair->send_ring);
        error = sent_collect(pair);
        error = error != 0 ? error : virtq_add(&pair->send_ring, parts, count, packet);
        if (error != -ENOSPC) {
            break;
        }
        if (!has_collected(pair, before)) {
            thread_park();
        }
    }
    thread_wait_note(self, THREAD_WAIT_NONE, NULL);
    virtq_interrupts_set(&pair->send_ring, false);
    atomic_store(&pair->sender, NULL);
    return error;
}

// In front of the packet: what the device is to do about it.
static void header_push(struct packet *packet)
{
    enum { KIND = 12, KIND_V6 = 0x86dd, TCP_LENGTH = 12, UDP_HEADER = 8, UDP_CHECKSUM = 6 };
    struct net_header header = {0};
    if (packet->checksum_place != 0) {
        header.flags = HEADER_NEEDS_CHECKSUM;
        header.checksum_start = packet->transport;
        header.checksum_offset = packet->checksum_place;
    }
    if (packet->segment_size != 0 && packet->checksum_place == UDP_CHECKSUM) {
        header.segmentation = packet->is_fragmented ? SEGMENTS_FRAGMENTS : SEGMENTS_UDP;
        header.segment_size = packet->segment_size;
        header.header_size = packet->transport + UDP_HEADER;
    } else if (packet->segment_size != 0) {
        const uint8_t *bytes = (const uint8_t *)packet->data;
        const bool is_v6 = (bytes[KIND] << 8 | bytes[KIND + 1]) == KIND_V6;
        const uint32_t words = bytes[packet->transport + TCP_LENGTH] >> 4;
        header.segmentation = is_v6 ? SEGMENTS_TCP6 : SEGMENTS_TCP4;
        header.segment_size = packet->segment_size;
        header.header_size = (uint16_t)(packet->transport + words * sizeof(uint32_t));
    }
    ASSERT(packet_headroom(packet) >= sizeof header);
    packet->data -= sizeof header;
    packet->size += (uint32_t)sizeof header;
    memcpy(packet->data, &header, sizeof header);
}

int net_pair_send(struct net_pair *pair, struct packet *packet)
{
    struct virtq_part parts[NET_PARTS_MAX];
    size_t count = 0;
    uint64_t bytes = 0;
    const bool has_more = packet->has_more;
    header_push(packet);
    for (const struct packet *part = packet; part != NULL; part = part->more) {
        if (count == NET_PARTS_MAX) {
            packet_free(packet);
            return -EMSGSIZE;
        }
        parts[count++] = (struct virtq_part){.address = frame_of(part->data), .size = part->size};
        bytes += part->size;
    }
    mutex_lock(&pair->send_lock);
    const int error = parts_add(pair, parts, count, packet);
    if (error == 0) {
        count_add(pair, NET_PAIR_SENT, 1);
        count_add(pair, NET_PAIR_SENT_BYTES, bytes - sizeof(struct net_header));
        if (has_more) {
            atomic_store(&pair->is_held, true); // pairs with net_pair_flush of who is told of it
        } else {
            send_kick(pair);
        }
    } else {
        hal_dev_stop(pair->dev); // so that it reads nothing that is freed now
        packet_free(packet);
    }
    mutex_unlock(&pair->send_lock);
    return error;
}

void net_pair_flush(struct net_pair *pair)
{
    if (atomic_load(&pair->is_held)) {
        mutex_lock(&pair->send_lock);
        send_kick(pair);
        mutex_unlock(&pair->send_lock);
    }
}

bool net_pair_has_sent(struct net_pair *pair)
{
    mutex_lock(&pair->send_lock);
    const bool is_broken = sent_collect(pair) != 0;
    const struct virtq *ring = &pair->send_ring;
    const bool is_empty = ring->used_index == ring->available_index;
    mutex_unlock(&pair->send_lock);
    return is_broken || is_empty;
}

// ---- Beginning and end ---------------------------------------------------------

static int ring_init(struct net_pair *pair, struct virtq *ring)
{
    const int error = virtq_init(ring, RING_SIZE);
    if (error == 0 && (pair->features & VIRTIO_EVENT_INDEX) != 0) {
        virtq_events_use(ring);
    }
    return error;
}

static int rings_open(struct net_pair *pair)
{
    const uint32_t queue = receive_queue(pair);
    int error = ring_init(pair, &pair->receive_ring);
    error = error != 0 ? error : ring_init(pair, &pair->send_ring);
    for (uint32_t i = 0; i < RING_SIZE && error == 0; ++i) {
        struct packet *packet = packet_alloc();
        error = packet == NULL ? -ENOMEM : 0;
        if (error == 0) {
            buffer_give(pair, packet);
        }
    }
    error = error != 0 ? error
                       : hal_dev_queue(pair->dev, queue, &pair->receive_ring.place, pair->index);
    return error != 0 ? error
                      : hal_dev_queue(pair->dev, queue + 1, &pair->send_ring.place, pair->index);
}

int net_pair_open(struct net_pair *pair, const char *name)
{
    const struct hal_cpu_set own = {.words[0] = UINT64_C(1) << pair->index};
    const struct thread_schedule fair = {.policy = THREAD_FAIR}; // programs run, whatever comes
    const struct thread_config config = {.name = name, .affinity = &own, .schedule = &fair};
    const int error = thread_create(&pair->poller, &config, poller_run, pair);
    return error != 0 ? error : rings_open(pair);
}

void net_pair_start(struct net_pair *pair)
{
    hal_dev_kick(pair->dev, receive_queue(pair));
    // The ring is used on its CPU from here on, and does not interrupt yet.
    atomic_store(&pair->is_polling, true);
    pair->is_started = true;
    thread_start(pair->poller);
}

void net_pair_stop(struct net_pair *pair)
{
    if (pair->is_started) {
        atomic_store(&pair->is_closing, true);
        thread_wake(pair->poller);
        (void)thread_join(pair->poller, UINT64_MAX);
    } else if (pair->poller != NULL) {
        thread_discard(pair->poller);
    }
}

static void ring_free(struct virtq *ring)
{
    if (ring->ring == NULL) {
        return;
    }
    for (size_t i = 0; i < RING_SIZE; ++i) {
        if (ring->chain_length[i] != 0) {
            packet_free(ring->token[i]);
        }
    }
    virtq_free(ring);
}

void net_pair_free(struct net_pair *pair)
{
    ring_free(&pair->receive_ring);
    ring_free(&pair->send_ring);
}
