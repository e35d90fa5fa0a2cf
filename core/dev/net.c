// SPDX-License-Identifier: BSD-3-Clause
// net.c: the driver of network devices (virtio 1.2, 5.1).
//
// The ring of received packets belongs to CPU 0 with interrupts off: to the queue's interrupt, and,
// when more packets come than one interrupt should take, to a thread that stays there and can be
// preempted between its rounds. It is always full of buffers: a packet is only given away once
// there is another buffer in its place. The ring of packets to be sent has a lock; what the device
// has sent is taken back by the next that send.
#include "core/dev/net.h"

#include "core/dev/device.h"
#include "core/dev/exchange.h"
#include "core/dev/virtq.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"

#define FEATURE_CHECKSUM (UINT64_C(1) << 0)
#define FEATURE_GUEST_CHECKSUM (UINT64_C(1) << 1)
#define FEATURE_MTU (UINT64_C(1) << 3)
#define FEATURE_ADDRESS (UINT64_C(1) << 5)
#define FEATURE_GUEST_TCP4 (UINT64_C(1) << 7)
#define FEATURE_GUEST_TCP6 (UINT64_C(1) << 8)
#define FEATURE_TCP4 (UINT64_C(1) << 11)
#define FEATURE_TCP6 (UINT64_C(1) << 12)
#define FEATURE_MERGED_BUFFERS (UINT64_C(1) << 15)
#define FEATURE_STATUS (UINT64_C(1) << 16)
#define FEATURE_CONTROL (UINT64_C(1) << 17)
#define FEATURE_ANNOUNCE (UINT64_C(1) << 21)

#define FEATURES_WANTED                                                                            \
    (VIRTIO_VERSION_1 | VIRTIO_EVENT_INDEX | FEATURE_CHECKSUM | FEATURE_GUEST_CHECKSUM |           \
     FEATURE_MTU | FEATURE_ADDRESS | FEATURE_GUEST_TCP4 | FEATURE_GUEST_TCP6 | FEATURE_TCP4 |      \
     FEATURE_TCP6 | FEATURE_MERGED_BUFFERS | FEATURE_STATUS | FEATURE_CONTROL | FEATURE_ANNOUNCE)
#define FEATURES_LARGE (FEATURE_GUEST_TCP4 | FEATURE_GUEST_TCP6) // packets that fit no buffer

enum {
    QUEUE_RECEIVE,
    QUEUE_SEND,
    QUEUE_CONTROL,
    RING_SIZE = VIRTQ_SIZE,
    CONTROL_RING_SIZE = 4,
    ETHERNET_HEADER = 14,
    CONFIG_ADDRESS = 0,
    CONFIG_STATUS = 6,
    CONFIG_MTU = 10,
    STATUS_LINK_UP = 1,
    STATUS_ANNOUNCE = 2,
    CONTROL_ANNOUNCE = 3, // a class of commands
    ANNOUNCE_DONE = 0,    // of it
    COPIED_MAX = 512,     // bytes of a frame that is copied
};

enum net_header_flags { HEADER_NEEDS_CHECKSUM = 1, HEADER_CHECKSUM_IS_RIGHT = 2 };
enum net_segmentation { SEGMENTS_NONE = 0, SEGMENTS_TCP4 = 1, SEGMENTS_TCP6 = 4 };

// virtio 1.2, 5.1.6.
struct net_header {
    uint8_t flags, segmentation;
    uint16_t header_size, segment_size;
    uint16_t checksum_start, checksum_offset;
    uint16_t buffer_count;
};

_Static_assert(sizeof(struct net_header) == 12, "virtio 1.2, 5.1.6");

enum count {
    COUNT_RECEIVED,
    COUNT_RECEIVED_BYTES,
    COUNT_SENT,
    COUNT_SENT_BYTES,
    COUNT_DROPPED,
    COUNT_DAMAGED,
    COUNTS
};

struct net_device {
    struct hal_dev *dev;
    uint64_t features;
    uint8_t address[NET_ADDRESS_SIZE];
    uint32_t mtu;
    struct net_device_user user;
    struct exchange control;

    struct virtq receive_ring; // CPU 0's, interrupts off
    struct thread *poller;     // receives what the interrupt leaves
    _Atomic bool is_polling, is_closing;

    struct mutex send_lock;
    struct virtq send_ring;
    _Atomic(struct thread *) sender; // waits for room in the ring

    _Atomic uint64_t counts[COUNTS]; // each is written by one at a time: whoever has the ring
};

static void count_add(struct net_device *device, enum count which, uint64_t more)
{
    _Atomic uint64_t *count = &device->counts[which];
    const uint64_t old = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, old + more, memory_order_relaxed);
}

// ---- Receiving -----------------------------------------------------------------

// A buffer for the device: header and frame, in one part's whole room.
static void buffer_give(struct net_device *device, struct packet *packet)
{
    packet_reset(packet, 0);
    const struct virtq_part part = {
        .address = frame_of(packet->data), .size = PACKET_ROOM, .is_written = true};
    const int error = virtq_add(&device->receive_ring, &part, 1, packet);
    ASSERT(error != -ENOSPC); // there are as many buffers as entries
    if (error != 0) {
        packet_free(packet);
    }
}

// Gives the device as many buffers as packet has parts: new ones, or, where there is no memory,
// these.
static bool buffers_replace(struct net_device *device, struct packet *packet)
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
        buffer_give(device, given);
        given = more;
    }
    return there_are;
}

// A copy, and the device has its buffer again. NULL: no memory.
static struct packet *packet_copied(struct net_device *device, struct packet *packet)
{
    struct packet *copy = packet_alloc_block(packet->size);
    if (copy != NULL) {
        memcpy(copy->data, packet->data, packet->size);
        copy->size = packet->size;
        copy->is_trusted = packet->is_trusted;
    }
    buffer_give(device, packet);
    return copy;
}

// The packet, once the device has as many buffers as before. NULL: no memory.
static struct packet *packet_keep(struct net_device *device, struct packet *packet)
{
    if (packet->more == NULL && packet->size <= COPIED_MAX) {
        return packet_copied(device, packet);
    }
    return buffers_replace(device, packet) ? packet : NULL;
}

// The next buffer that the device has filled. False: there is none, or the device is broken.
static bool buffer_take(struct net_device *device, struct packet **packet)
{
    void *token;
    uint32_t written;
    if (virtq_collect(&device->receive_ring, &token, &written) != 1) {
        return false;
    }
    *packet = token;
    (*packet)->size = written;
    return true;
}

// The buffers of one packet, its header taken off. False: there is none. NULL: a damaged one, whose
// buffers the device has again.
static bool packet_take(struct net_device *device, struct packet **result)
{
    struct net_header header = {.buffer_count = 1};
    struct packet *packet;
    *result = NULL;
    if (!buffer_take(device, &packet)) {
        return false;
    }
    if (packet->size >= sizeof header) {
        memcpy(&header, packet->data, sizeof header);
    }
    // The device publishes all buffers of a packet at once (5.1.6.4).
    struct packet **end = &packet->more;
    for (uint32_t i = 1; i < header.buffer_count && buffer_take(device, end); ++i) {
        end = &(*end)->more;
    }
    if (packet->size < sizeof header + ETHERNET_HEADER) {
        count_add(device, COUNT_DAMAGED, 1);
        while (packet != NULL) {
            struct packet *more = packet->more;
            buffer_give(device, packet);
            packet = more;
        }
        return true;
    }
    packet->data += sizeof header;
    packet->size -= (uint32_t)sizeof header;
    // Where the sum is yet to be put in the packet comes from a neighbour of this machine's on the
    // same host, and has not been on any wire.
    packet->is_trusted = (device->features & FEATURE_GUEST_CHECKSUM) != 0 &&
                         (header.flags & (HEADER_NEEDS_CHECKSUM | HEADER_CHECKSUM_IS_RIGHT)) != 0;
    *result = packet;
    return true;
}

// Receives one. False: there was none.
static bool receive_one(struct net_device *device)
{
    struct packet *packet;
    if (!packet_take(device, &packet)) {
        return false;
    }
    const uint64_t bytes = packet_size(packet);
    if (packet != NULL && (packet = packet_keep(device, packet)) == NULL) {
        count_add(device, COUNT_DROPPED, 1);
    } else if (packet != NULL) {
        count_add(device, COUNT_RECEIVED, 1);
        count_add(device, COUNT_RECEIVED_BYTES, bytes);
    }
    device->user.receive(device->user.state, packet);
    return true;
}

// Receives, at most a ring full. True: nothing is left, and the next one interrupts. Here,
// interrupts off, on CPU 0.
static bool receive_round(struct net_device *device)
{
    uint32_t count = 0;
    bool is_empty = false;
    virtq_interrupts_set(&device->receive_ring, false);
    while (count < RING_SIZE && !is_empty) {
        if (receive_one(device)) {
            ++count;
            continue;
        }
        // What came before the device could see that it is to interrupt is here now.
        virtq_interrupts_set(&device->receive_ring, true);
        is_empty = !receive_one(device);
        if (!is_empty) {
            virtq_interrupts_set(&device->receive_ring, false);
            ++count;
        }
    }
    if (count > 0 && virtq_kick_wanted(&device->receive_ring)) {
        hal_dev_kick(device->dev, QUEUE_RECEIVE);
    }
    return is_empty;
}

static void poller_run(void *argument)
{
    struct net_device *device = argument;
    while (!atomic_load(&device->is_closing)) {
        if (!atomic_load(&device->is_polling)) {
            thread_park();
            continue;
        }
        const uintptr_t state = hal_irq_save();
        if (receive_round(device)) {
            atomic_store(&device->is_polling, false);
        }
        hal_irq_restore(state);
    }
    // Here, on the CPU of the interrupts, none is under way.
    hal_dev_stop(device->dev);
    device_detach(device->dev);
}

static void queue_interrupt(void *state, uint32_t queue)
{
    struct net_device *device = state;
    if (queue == QUEUE_RECEIVE) {
        if (!atomic_load(&device->is_polling) && !receive_round(device)) {
            atomic_store(&device->is_polling, true);
            thread_wake(device->poller);
        }
    } else if (queue == QUEUE_SEND) {
        struct thread *sender = atomic_load(&device->sender);
        if (sender != NULL) { // thread memory is type-stable
            thread_wake(sender);
        }
    } else if (queue == QUEUE_CONTROL) {
        exchange_interrupt(&device->control);
    } else if (queue == DEVICE_CONFIG) {
        device->user.changed(device->user.state);
    }
}

// ---- Sending -------------------------------------------------------------------

// Frees what has been sent. -EIO.
static int sent_collect(struct net_device *device)
{
    void *token;
    uint32_t written;
    int result;
    while ((result = virtq_collect(&device->send_ring, &token, &written)) == 1) {
        packet_free(token);
    }
    return result;
}

// Whether anything was freed: how often the ring has moved.
static bool has_collected(const struct net_device *device, uint16_t before)
{
    return device->send_ring.used_index != before;
}

// Until the ring has room for the parts, whatever else it is.
static int parts_add(struct net_device *device, const struct virtq_part *parts, size_t count,
                     struct packet *packet)
{
    int error = sent_collect(device);
    error = error != 0 ? error : virtq_add(&device->send_ring, parts, count, packet);
    if (error != -ENOSPC) {
        return error;
    }
    struct thread *self = thread_self();
    atomic_store(&device->sender, self);
    thread_wait_note(self, THREAD_WAIT_DEVICE, device);
    for (;;) {
        const uint16_t before = device->send_ring.used_index;
        virtq_interrupts_set_late(&device->send_ring);
        error = sent_collect(device);
        error = error != 0 ? error : virtq_add(&device->send_ring, parts, count, packet);
        if (error != -ENOSPC) {
            break;
        }
        if (!has_collected(device, before)) {
            thread_park();
        }
    }
    thread_wait_note(self, THREAD_WAIT_NONE, NULL);
    virtq_interrupts_set(&device->send_ring, false);
    atomic_store(&device->sender, NULL);
    return error;
}

// In front of the packet: what the device is to do about it.
static void header_push(struct packet *packet)
{
    enum { KIND = 12, KIND_V6 = 0x86dd, TCP_LENGTH = 12 };
    struct net_header header = {0};
    if (packet->checksum_place != 0) {
        header.flags = HEADER_NEEDS_CHECKSUM;
        header.checksum_start = packet->transport;
        header.checksum_offset = packet->checksum_place;
    }
    if (packet->segment_size != 0) {
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

int net_device_send(struct net_device *device, struct packet *packet)
{
    struct virtq_part parts[NET_PARTS_MAX];
    size_t count = 0;
    uint64_t bytes = 0;
    header_push(packet);
    for (const struct packet *part = packet; part != NULL; part = part->more) {
        if (count == NET_PARTS_MAX) {
            packet_free(packet);
            return -EMSGSIZE;
        }
        parts[count++] = (struct virtq_part){.address = frame_of(part->data), .size = part->size};
        bytes += part->size;
    }
    mutex_lock(&device->send_lock);
    const int error = parts_add(device, parts, count, packet);
    if (error == 0) {
        count_add(device, COUNT_SENT, 1);
        count_add(device, COUNT_SENT_BYTES, bytes - sizeof(struct net_header));
        if (virtq_kick_wanted(&device->send_ring)) {
            hal_dev_kick(device->dev, QUEUE_SEND);
        }
    } else {
        hal_dev_stop(device->dev); // so that it reads nothing that is freed now
        packet_free(packet);
    }
    mutex_unlock(&device->send_lock);
    return error;
}

// ---- Opening and closing -------------------------------------------------------

static int ring_init(struct net_device *device, struct virtq *ring)
{
    const int error = virtq_init(ring, RING_SIZE);
    if (error == 0 && (device->features & VIRTIO_EVENT_INDEX) != 0) {
        virtq_events_use(ring);
    }
    return error;
}

static int rings_open(struct net_device *device)
{
    int error = ring_init(device, &device->receive_ring);
    error = error != 0 ? error : ring_init(device, &device->send_ring);
    error = error != 0 ? error
                       : hal_dev_queue(device->dev, QUEUE_RECEIVE, &device->receive_ring.place, 0);
    error =
        error != 0 ? error : hal_dev_queue(device->dev, QUEUE_SEND, &device->send_ring.place, 0);
    if (error == 0 && (device->features & FEATURE_CONTROL) != 0) {
        error = exchange_open(&device->control, device->dev, QUEUE_CONTROL, CONTROL_RING_SIZE);
    }
    for (uint32_t i = 0; i < RING_SIZE && error == 0; ++i) {
        struct packet *packet = packet_alloc();
        error = packet == NULL ? -ENOMEM : 0;
        if (error == 0) {
            buffer_give(device, packet);
        }
    }
    return error;
}

// What the device says of itself.
static int facts_read(struct net_device *device)
{
    device->mtu = NET_MTU_DEFAULT;
    if ((device->features & FEATURE_MTU) != 0) {
        uint16_t mtu;
        hal_dev_config(device->dev, CONFIG_MTU, &mtu, sizeof mtu);
        device->mtu = mtu;
    }
    // Without merged buffers each packet has to fit one.
    const uint32_t most = (device->features & FEATURE_MERGED_BUFFERS) != 0
                              ? UINT16_MAX
                              : PACKET_ROOM - sizeof(struct net_header) - ETHERNET_HEADER;
    if (device->mtu < NET_MTU_MIN || device->mtu > most) {
        return -ENODEV;
    }
    if ((device->features & FEATURE_ADDRESS) != 0) {
        hal_dev_config(device->dev, CONFIG_ADDRESS, device->address, sizeof device->address);
    } else {
        hal_entropy(device->address, sizeof device->address);
        // Locally administered, one station's (IEEE 802, 8.4).
        device->address[0] = (uint8_t)((device->address[0] & ~1) | 2);
    }
    return 0;
}

// Agrees upon features. -ENODEV.
static int features_agree(struct net_device *device)
{
    device->features = FEATURES_WANTED;
    int error = hal_dev_open(device->dev, &device->features);
    if (error == 0 && (device->features & FEATURES_LARGE) != 0 &&
        (device->features & FEATURE_MERGED_BUFFERS) == 0) {
        device->features &= ~FEATURES_LARGE;
        error = hal_dev_open(device->dev, &device->features);
    }
    if ((device->features & FEATURE_CONTROL) == 0) {
        device->features &= ~FEATURE_ANNOUNCE; // a device's mistake
    }
    return error == 0 && (device->features & VIRTIO_VERSION_1) == 0 ? -ENODEV : error;
}

static int device_start(struct net_device *device)
{
    int error = features_agree(device);
    error = error != 0 ? error : facts_read(device);
    error = error != 0 ? error : rings_open(device);
    error = error != 0 ? error : device_attach(device->dev, queue_interrupt, device);
    error = error != 0 ? error : hal_dev_go(device->dev);
    if (error == 0) {
        hal_dev_kick(device->dev, QUEUE_RECEIVE);
        // The ring is used on CPU 0 from here on, and does not interrupt yet.
        atomic_store(&device->is_polling, true);
        thread_start(device->poller);
    }
    return error;
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

static void device_free(struct net_device *device)
{
    ring_free(&device->receive_ring);
    ring_free(&device->send_ring);
    exchange_close(&device->control);
    heap_free(device);
}

int net_device_open(const struct hal_dev_info *info, const struct net_device_user *user,
                    struct net_device **result)
{
    struct net_device *device = heap_alloc_zeroed(sizeof *device);
    if (device == NULL) {
        return -ENOMEM;
    }
    device->dev = info->dev;
    device->user = *user;
    const struct hal_cpu_set first = {.words = {1}};
    const struct thread_schedule fair = {.policy =
                                             THREAD_FAIR}; // programs run, too, whatever comes
    const struct thread_config config = {.name = info->name, .affinity = &first, .schedule = &fair};
    int error = thread_create(&device->poller, &config, poller_run, device);
    if (error != 0) {
        heap_free(device);
        return error;
    }
    error = device_start(device);
    if (error != 0) {
        thread_discard(device->poller);
        hal_dev_stop(device->dev);
        device_detach(device->dev);
        device_free(device);
        return error;
    }
    *result = device;
    return 0;
}

void net_device_close(struct net_device *device)
{
    atomic_store(&device->is_closing, true);
    thread_wake(device->poller);
    (void)thread_join(device->poller, UINT64_MAX);
    device_free(device);
}

// ---- What it is ----------------------------------------------------------------

const uint8_t *net_device_address(const struct net_device *device)
{
    return device->address;
}

uint32_t net_device_mtu(const struct net_device *device)
{
    return device->mtu;
}

static uint16_t status_of(const struct net_device *device)
{
    uint16_t status = STATUS_LINK_UP;
    if ((device->features & FEATURE_STATUS) != 0) {
        hal_dev_config(device->dev, CONFIG_STATUS, &status, sizeof status);
    }
    return status;
}

bool net_device_has_link(const struct net_device *device)
{
    return (status_of(device) & STATUS_LINK_UP) != 0;
}

bool net_device_wants_announcement(const struct net_device *device)
{
    return (device->features & FEATURE_ANNOUNCE) != 0 && (status_of(device) & STATUS_ANNOUNCE) != 0;
}

void net_device_announced(struct net_device *device)
{
    struct control { // virtio 1.2, 5.1.6.5
        uint8_t kind, command, answer;
    } *control = heap_alloc(sizeof *control);
    uint32_t written;
    if (control == NULL) {
        return; // the device asks again
    }
    *control = (struct control){CONTROL_ANNOUNCE, ANNOUNCE_DONE, 0};
    const struct virtq_part parts[] = {
        {.address = frame_of(&control->kind), .size = 2},
        {.address = frame_of(&control->answer), .size = 1, .is_written = true},
    };
    const int error = exchange_run(&device->control, parts, 2, &written);
    (void)error; // nothing more can be done about it
    heap_free(control);
}

unsigned net_device_offloads(const struct net_device *device)
{
    return ((device->features & FEATURE_CHECKSUM) != 0 ? NET_CHECKSUMS : 0u) |
           ((device->features & FEATURE_TCP4) != 0 ? NET_SEGMENTS_V4 : 0u) |
           ((device->features & FEATURE_TCP6) != 0 ? NET_SEGMENTS_V6 : 0u);
}

struct net_counts net_device_counts(const struct net_device *device)
{
    uint64_t counts[COUNTS];
    for (size_t i = 0; i < COUNTS; ++i) {
        counts[i] = atomic_load_explicit(&device->counts[i], memory_order_relaxed);
    }
    return (struct net_counts){
        .received = counts[COUNT_RECEIVED],
        .received_bytes = counts[COUNT_RECEIVED_BYTES],
        .sent = counts[COUNT_SENT],
        .sent_bytes = counts[COUNT_SENT_BYTES],
        .dropped = counts[COUNT_DROPPED],
        .damaged = counts[COUNT_DAMAGED],
    };
}
