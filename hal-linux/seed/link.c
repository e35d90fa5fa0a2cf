// SPDX-License-Identifier: BSD-3-Clause
// link.c: a network device on a simulated network: the seed decides, in virtual time, what becomes
// of each frame. What passes comes back from a mirror (mirror.h), after all of the way.
//
// Frames under way lie in slots, and in a heap by the time when they are due; of two that are due
// at once the one that was sent first. All of it happens between two points of the machine.
#include <errno.h>
#include <linux/virtio_net.h>
#include <stddef.h>

#include "hal-linux/dev/capture.h"
#include "hal-linux/dev/device.h"
#include "hal-linux/seed/mirror.h"
#include "hal-linux/seed/seed.h"

enum {
    RECEIVE,
    SEND,
    QUEUES,
    HEADER = sizeof(struct virtio_net_hdr_mrg_rxbuf),
    ETHERNET = 14,
    FRAME_MAX = ETHERNET + SEED_NETWORK_MTU_MAX,
    SLOT_MAX = 4096,
    STREAM = 40,             // of the seed's
    WIRE_NS = 1000,          // that the shortest way takes
    OVERTAKEN_NS = 10000000, // how much later than others a frame may be that these overtake
};

static struct slot { // a frame under way
    hal_ns due;
    uint64_t order;
    size_t size;
    uint8_t frame[FRAME_MAX];
} slots[SLOT_MAX];

static uint32_t heap[SLOT_MAX], heap_size; // of slots; behind these are the free ones
static const struct seed_network *network;
static struct random chances;
static hal_ns line_free_at; // when the last frame that waits for its turn is sent
static uint64_t order_next;
static struct device_chain *buffers[DEVICE_RING_MAX]; // for what comes
static uint32_t buffers_given, buffers_taken;

uint64_t link_counts[LINK_FATES];
bool link_is_there;

static void count(enum link_fate fate)
{
    ++link_counts[fate];
    point_note(fate);
}

static bool happens(uint64_t chance)
{
    return chance != 0 && random_next(&chances) >> 32 < chance;
}

static hal_ns draw(hal_ns most)
{
    return most == 0 ? 0 : random_below(&chances, most + 1);
}

// ---- The heap ---------------------------------------------------------------------------

static bool is_before(uint32_t a, uint32_t b)
{
    const struct slot *left = &slots[heap[a]], *right = &slots[heap[b]];
    return left->due != right->due ? left->due < right->due : left->order < right->order;
}

static void heap_swap(uint32_t a, uint32_t b)
{
    const uint32_t kept = heap[a];
    heap[a] = heap[b];
    heap[b] = kept;
}

// The slot behind the last, which is filled, is under way.
static void heap_add(void)
{
    for (uint32_t at = heap_size++; at > 0 && is_before(at, (at - 1) / 2); at = (at - 1) / 2) {
        heap_swap(at, (at - 1) / 2);
    }
}

// The first slot is free, and stays as it is until the next is filled.
static struct slot *heap_take(void)
{
    struct slot *first = &slots[heap[0]];
    heap_swap(0, --heap_size);
    for (uint32_t at = 0;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_size; ++child) {
            least = is_before(child, least) ? child : least;
        }
        if (least == at) {
            return first;
        }
        heap_swap(at, least);
        at = least;
    }
}

// ---- Sending ----------------------------------------------------------------------------

static void frame_note(const struct iovec *parts, uint32_t part_count, size_t skip)
{
    if (network->capture != 0) {
        capture_frame_at(network->capture, SEED_START_S * 1000000000ul + point_now, parts,
                         part_count, skip, device_size(parts, part_count));
    }
}

static bool is_cut(void)
{
    for (uint32_t i = 0; i < network->cut_count; ++i) {
        if (network->cuts[i].from <= point_now && point_now < network->cuts[i].until) {
            return true;
        }
    }
    return false;
}

// How long the line takes for so many bytes: at most 2^30 of them, at 10^10 bits per second at
// most.
static hal_ns line_span(uint64_t size)
{
    const uint64_t second = 1000000000, bits = size * 8;
    return bits / network->rate * second + bits % network->rate * second / network->rate;
}

// When the line has sent so many bytes more. False: too many wait already.
static bool line_take(size_t size, hal_ns *sent)
{
    *sent = point_now;
    if (network->rate == 0) {
        return true;
    }
    const hal_ns begin = line_free_at > point_now ? line_free_at : point_now;
    const hal_ns end = begin + line_span(size) + 1;
    if (begin > point_now && end - point_now > line_span(network->queue)) {
        return false;
    }
    *sent = line_free_at = end;
    return true;
}

// The frame in the free slot goes its way.
static void frame_go(size_t size)
{
    hal_ns sent;
    if (heap_size == SLOT_MAX || !line_take(size, &sent)) {
        count(LINK_NO_ROOM);
        return;
    }
    struct slot *slot = &slots[heap[heap_size]];
    slot->order = order_next++;
    slot->size = size;
    slot->due = sent + WIRE_NS + network->delay + draw(network->jitter);
    slot->due += happens(network->reorder) ? draw(OVERTAKEN_NS) : 0;
    if (happens(network->corrupt)) {
        count(LINK_CORRUPTED);
        const uint64_t bit = random_below(&chances, size * 8);
        slot->frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    heap_add();
    point_next = slot->due < point_next ? slot->due : point_next;
}

static void frame_send(const struct device_chain *chain, size_t size)
{
    count(LINK_SENT);
    if (size > ETHERNET + (size_t)network->mtu) {
        count(LINK_TOO_LONG);
        return;
    }
    if (is_cut()) {
        count(LINK_CUT);
        return;
    }
    if (happens(network->loss)) {
        count(LINK_LOST);
        return;
    }
    const bool is_twice = happens(network->duplicate);
    if (is_twice) {
        count(LINK_DUPLICATED);
    }
    for (int i = 0; i <= is_twice; ++i) {
        if (heap_size < SLOT_MAX) {
            struct slot *slot = &slots[heap[heap_size]];
            (void)device_gather(chain->parts, chain->in_count, HEADER, slot->frame, size);
        }
        frame_go(size);
    }
}

static void send_serve(struct device_chain *chain)
{
    const size_t size = device_size(chain->parts, chain->in_count);
    if (size >= HEADER + ETHERNET) {
        frame_note(chain->parts, chain->in_count, HEADER);
        frame_send(chain, size - HEADER);
    }
    device_chain_done(chain, 0);
}

// ---- Receiving --------------------------------------------------------------------------

static void frame_receive(const struct slot *slot, size_t size)
{
    static const struct virtio_net_hdr_mrg_rxbuf header = {.num_buffers = 1};
    struct device_chain *chain = NULL;
    if (buffers_given != buffers_taken) {
        chain = buffers[buffers_taken++ % DEVICE_RING_MAX];
    }
    if (chain == NULL || device_size(chain->parts, chain->out_count) < HEADER + size) {
        count(LINK_NO_BUFFER);
        if (chain != NULL) {
            device_chain_done(chain, 0);
        }
        return;
    }
    count(LINK_RECEIVED);
    (void)device_scatter(chain->parts, chain->out_count, 0, &header, HEADER);
    (void)device_scatter(chain->parts, chain->out_count, HEADER, slot->frame, size);
    device_chain_done(chain, (uint32_t)(HEADER + size));
}

hal_ns link_due(void)
{
    return heap_size == 0 ? UINT64_MAX : slots[heap[0]].due;
}

void link_run_due(void)
{
    while (link_due() <= point_now) {
        struct slot *slot = heap_take();
        const size_t size = mirror_turn(slot->frame, slot->size);
        if (size == 0) {
            count(LINK_UNANSWERED);
            continue;
        }
        const struct iovec part = {slot->frame, size};
        frame_note(&part, 1, 0);
        frame_receive(slot, size);
    }
}

// ---- The device -------------------------------------------------------------------------

static void link_serve(struct device_chain *chain)
{
    if (chain->queue == SEND) {
        send_serve(chain);
    } else {
        buffers[buffers_given++ % DEVICE_RING_MAX] = chain;
    }
}

void link_init(const struct seed_options *options)
{
    chances = random_stream(options->seed, STREAM);
}

int machine_network_add(const char *name, const struct seed_network *wanted)
{
    static const struct device_ops ops = {
        .features = 1ul << VIRTIO_NET_F_MAC | 1ul << VIRTIO_NET_F_MTU,
        .queue_count = QUEUES,
        .config_size = offsetof(struct virtio_net_config, mtu) + sizeof(uint16_t),
        .serve = link_serve,
    };
    static const struct virtio_net_config config_start = {.mac = {2, 0, 0, 0, 0, 1}};
    struct virtio_net_config config = config_start;
    if (link_is_there) {
        return -ENOSPC;
    }
    config.mtu = wanted->mtu;
    network = wanted;
    link_is_there = true;
    for (uint32_t i = 0; i < SLOT_MAX; ++i) {
        heap[i] = i;
    }
    return device_add(HAL_NET, name, &ops, NULL, &config);
}
