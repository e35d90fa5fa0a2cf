// SPDX-License-Identifier: BSD-3-Clause
// net.c: the driver of network devices (virtio 1.2, 5.1): what is agreed upon with the device, and
// the commands that it takes. Packets are net_pair.c's: each CPU has a pair of queues, as far as
// there are so many, and what a CPU sends goes by its own.
#include "core/dev/net.h"

#include "core/dev/device.h"
#include "core/dev/exchange.h"
#include "core/dev/net_pair.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"

#define FEATURE_CHECKSUM (UINT64_C(1) << 0)
#define FEATURE_MTU (UINT64_C(1) << 3)
#define FEATURE_ADDRESS (UINT64_C(1) << 5)
#define FEATURE_GUEST_TCP4 (UINT64_C(1) << 7)
#define FEATURE_GUEST_TCP6 (UINT64_C(1) << 8)
#define FEATURE_GUEST_FRAGMENTS (UINT64_C(1) << 10) // of datagrams, which come as one
#define FEATURE_TCP4 (UINT64_C(1) << 11)
#define FEATURE_TCP6 (UINT64_C(1) << 12)
#define FEATURE_FRAGMENTS (UINT64_C(1) << 14) // and are sent as one, over both
#define FEATURE_MERGED_BUFFERS (UINT64_C(1) << 15)
#define FEATURE_STATUS (UINT64_C(1) << 16)
#define FEATURE_CONTROL (UINT64_C(1) << 17)
#define FEATURE_ANNOUNCE (UINT64_C(1) << 21)
#define FEATURE_PAIRS (UINT64_C(1) << 22)
#define FEATURE_UDP (UINT64_C(1) << 56)       // of datagrams, over both
#define FEATURE_SPREADING (UINT64_C(1) << 60) // receive-side scaling

#define FEATURES_WANTED                                                                            \
    (VIRTIO_VERSION_1 | VIRTIO_EVENT_INDEX | FEATURE_CHECKSUM | NET_FEATURE_GUEST_CHECKSUM |       \
     FEATURE_MTU | FEATURE_ADDRESS | FEATURE_GUEST_TCP4 | FEATURE_GUEST_TCP6 | FEATURE_TCP4 |      \
     FEATURE_TCP6 | FEATURE_UDP | FEATURE_FRAGMENTS | FEATURE_GUEST_FRAGMENTS |                    \
     FEATURE_MERGED_BUFFERS | FEATURE_STATUS | FEATURE_CONTROL | FEATURE_ANNOUNCE |                \
     FEATURES_SEVERAL)
#define FEATURES_MERGED (FEATURE_GUEST_TCP4 | FEATURE_GUEST_TCP6)  // of segments in a row
#define FEATURES_LARGE (FEATURES_MERGED | FEATURE_GUEST_FRAGMENTS) // packets that fit no buffer
#define FEATURES_SEVERAL (FEATURE_PAIRS | FEATURE_SPREADING)       // pairs
#define FEATURES_COMMANDED (FEATURE_ANNOUNCE | FEATURES_SEVERAL)

enum {
    CONTROL_RING_SIZE = 4,
    FRAME_HEADERS = 26, // of Ethernet and virtio
    CONFIG_ADDRESS = 0,
    CONFIG_STATUS = 6,
    CONFIG_PAIRS = 8,
    CONFIG_MTU = 10,
    CONFIG_HASHES = 20,
    STATUS_LINK_UP = 1,
    STATUS_ANNOUNCE = 2,
    SPREADING_TABLE = 128, // entries, and
    SPREADING_KEY = 40,    // bytes that every device takes
};

enum net_command { // virtio 1.2, 5.1.6.5: class and command
    COMMAND_ANNOUNCED = 3 << 8 | 0,
    COMMAND_PAIRS = 4 << 8 | 0,
    COMMAND_SPREADING = 4 << 8 | 1,
};

enum net_hashes { // what a hash is made of: addresses, and ports
    HASH_V4 = 1,
    HASH_V4_TCP = 2,
    HASH_V4_UDP = 4,
    HASH_V6 = 8,
    HASH_V6_TCP = 16,
    HASH_V6_UDP = 32,
};

struct spreading { // virtio 1.2, 5.1.6.5.7
    uint32_t hashes;
    uint16_t table_mask, unknown; // where goes what has no hash
    uint16_t table[SPREADING_TABLE];
    uint16_t send_count;
    uint8_t key_size, key[SPREADING_KEY];
};

_Static_assert(offsetof(struct spreading, key) == 267, "virtio 1.2, 5.1.6.5.7");

struct net_device {
    struct hal_dev *dev;
    uint64_t features;
    uint8_t address[NET_ADDRESS_SIZE];
    uint32_t mtu;
    struct net_device_user user;
    struct net_pair *pairs;
    uint32_t opened_count, pair_count; // that have memory, and that the device uses
    uint32_t pairs_max;                // that it has
    struct exchange control;           // with FEATURE_CONTROL
};

// ---- Commands --------------------------------------------------------------------

// With size bytes of value. -ENOMEM; -EIO: the device has not done it.
static int command_run(struct net_device *device, enum net_command command, const void *value,
                       uint32_t size)
{
    enum { HEAD = 2 };
    struct message {
        uint8_t answer, kind, command;
        uint8_t value[];
    } *message = heap_alloc(sizeof *message + size);
    uint32_t written;
    if (message == NULL) {
        return -ENOMEM;
    }
    message->answer = UINT8_MAX;
    message->kind = (uint8_t)(command >> 8);
    message->command = (uint8_t)command;
    memcpy(message->value, value, size);
    const struct virtq_part parts[] = {
        {.address = frame_of(&message->kind), .size = HEAD + size},
        {.address = frame_of(&message->answer), .size = 1, .is_written = true},
    };
    int error = exchange_run(&device->control, parts, 2, &written);
    error = error == 0 && message->answer != 0 ? -EIO : error;
    heap_free(message);
    return error;
}

// Which pair a flow comes by a hash says, whose key nobody can know.
static int flows_spread(struct net_device *device)
{
    struct spreading spreading = {.table_mask = SPREADING_TABLE - 1,
                                  .send_count = (uint16_t)device->pair_count,
                                  .key_size = SPREADING_KEY};
    hal_dev_config(device->dev, CONFIG_HASHES, &spreading.hashes, sizeof spreading.hashes);
    spreading.hashes &= HASH_V4 | HASH_V4_TCP | HASH_V4_UDP | HASH_V6 | HASH_V6_TCP | HASH_V6_UDP;
    for (uint32_t i = 0; i < SPREADING_TABLE; ++i) {
        spreading.table[i] = (uint16_t)(i % device->pair_count);
    }
    hal_entropy(spreading.key, sizeof spreading.key);
    for (uint32_t i = 0; i < device->pair_count; ++i) {
        atomic_store(&device->pairs[i].spread_count, device->pair_count);
    }
    return command_run(device, COMMAND_SPREADING, &spreading,
                       offsetof(struct spreading, key) + SPREADING_KEY);
}

// Without a hash a device learns it from what is sent.
static int pairs_use(struct net_device *device)
{
    const uint16_t count = (uint16_t)device->pair_count;
    if (count == 1) {
        return 0;
    }
    return (device->features & FEATURE_SPREADING) != 0
               ? flows_spread(device)
               : command_run(device, COMMAND_PAIRS, &count, sizeof count);
}

static void queue_interrupt(void *state, uint32_t queue)
{
    struct net_device *device = state;
    if (queue == DEVICE_CONFIG) {
        device->user.changed(device->user.state);
    } else if (queue / 2 < device->opened_count) {
        net_pair_interrupt(&device->pairs[queue / 2], queue);
    } else if (queue == 2 * device->pairs_max) {
        exchange_interrupt(&device->control);
    }
}

int net_device_send(struct net_device *device, struct packet *packet)
{
    return net_pair_send(&device->pairs[thread_cpu_index() % device->pair_count], packet);
}

void net_device_flush(struct net_device *device)
{
    for (uint32_t i = 0; i < device->pair_count; ++i) { // the caller may have moved between them
        net_pair_flush(&device->pairs[i]);
    }
}

bool net_device_has_sent(struct net_device *device)
{
    bool has_sent = true;
    for (uint32_t i = 0; i < device->pair_count; ++i) {
        has_sent = net_pair_has_sent(&device->pairs[i]) && has_sent;
    }
    return has_sent;
}

// ---- Opening and closing -------------------------------------------------------

static uint16_t pairs_max(const struct net_device *device)
{
    uint16_t pairs = 1;
    if ((device->features & FEATURES_SEVERAL) != 0) {
        hal_dev_config(device->dev, CONFIG_PAIRS, &pairs, sizeof pairs);
    }
    return pairs;
}

// What the device says of itself.
static int facts_read(struct net_device *device)
{
    uint16_t mtu = NET_MTU_DEFAULT;
    if ((device->features & FEATURE_MTU) != 0) {
        hal_dev_config(device->dev, CONFIG_MTU, &mtu, sizeof mtu);
    }
    device->mtu = mtu;
    device->pairs_max = pairs_max(device);
    // Without merged buffers each packet has to fit one.
    const uint32_t most =
        (device->features & FEATURE_MERGED_BUFFERS) != 0 ? UINT16_MAX : PACKET_ROOM - FRAME_HEADERS;
    if (device->mtu < NET_MTU_MIN || device->mtu > most || device->pairs_max == 0) {
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
static int features_agree(struct net_device *device, const struct hal_dev_info *info)
{
    device->features = FEATURES_WANTED;
    int error = hal_dev_open(device->dev, &device->features);
    uint64_t without = (device->features & FEATURE_MERGED_BUFFERS) == 0 ? FEATURES_LARGE : 0;
    without |= (device->features & FEATURE_CONTROL) == 0 ? FEATURES_COMMANDED : 0;
    // The control queue is behind all pairs.
    without |= error == 0 && 2u * pairs_max(device) >= info->queue_count ? FEATURES_SEVERAL : 0;
    if (error == 0 && (device->features & without) != 0) {
        device->features &= ~without;
        error = hal_dev_open(device->dev, &device->features);
    }
    return error == 0 && (device->features & VIRTIO_VERSION_1) == 0 ? -ENODEV : error;
}

static int pair_open(struct net_device *device, const char *name)
{
    struct net_pair *pair = &device->pairs[device->opened_count];
    pair->dev = device->dev;
    pair->user = &device->user;
    pair->features = device->features;
    pair->index = device->opened_count++;
    const int error = net_pair_open(pair, name);
    device->pair_count += error == 0;
    return error;
}

// One pair there must be. Where there is no memory or no interrupt for more, these will do; but
// what the device knows of the last one has to stay.
static int queues_open(struct net_device *device, const char *name)
{
    const uint32_t cpus = sched_cpu_count();
    const uint32_t wanted = device->pairs_max < cpus ? device->pairs_max : cpus;
    const uint32_t count = wanted < NET_PAIRS_MAX ? wanted : NET_PAIRS_MAX;
    device->pairs = heap_alloc_zeroed(count * sizeof *device->pairs);
    if (device->pairs == NULL) {
        return -ENOMEM;
    }
    int error = pair_open(device, name);
    if (error == 0 && (device->features & FEATURE_CONTROL) != 0) {
        error =
            exchange_open(&device->control, device->dev, 2 * device->pairs_max, CONTROL_RING_SIZE);
    }
    for (uint32_t i = 1; i < count && error == 0; ++i) {
        if (pair_open(device, name) != 0) {
            break;
        }
    }
    return error;
}

static int device_start(struct net_device *device, const struct hal_dev_info *info)
{
    int error = features_agree(device, info);
    error = error != 0 ? error : facts_read(device);
    error = error != 0 ? error : queues_open(device, info->name);
    error = error != 0 ? error : device_attach(device->dev, queue_interrupt, device);
    error = error != 0 ? error : hal_dev_go(device->dev);
    if (error != 0) {
        return error;
    }
    for (uint32_t i = 0; i < device->pair_count; ++i) {
        net_pair_start(&device->pairs[i]);
    }
    if (pairs_use(device) != 0) {
        device->pair_count = 1; // the others stay idle
    }
    return 0;
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
    const int error = device_start(device, info);
    if (error != 0) {
        net_device_close(device);
        return error;
    }
    *result = device;
    return 0;
}

void net_device_close(struct net_device *device)
{
    hal_dev_stop(device->dev);
    device_detach(device->dev);
    // Each has been on its CPU once more then, where no interrupt is under way.
    for (uint32_t i = 0; i < device->opened_count; ++i) {
        net_pair_stop(&device->pairs[i]);
    }
    for (uint32_t i = 0; i < device->opened_count; ++i) {
        net_pair_free(&device->pairs[i]);
    }
    exchange_close(&device->control);
    if (device->pairs != NULL) {
        heap_free(device->pairs);
    }
    heap_free(device);
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
    const int error = command_run(device, COMMAND_ANNOUNCED, "", 0);
    (void)error; // the device asks again
}

unsigned net_device_offloads(const struct net_device *device)
{
    return ((device->features & FEATURE_CHECKSUM) != 0 ? NET_CHECKSUMS : 0u) |
           ((device->features & FEATURE_TCP4) != 0 ? NET_SEGMENTS_V4 : 0u) |
           ((device->features & FEATURE_TCP6) != 0 ? NET_SEGMENTS_V6 : 0u) |
           ((device->features & FEATURE_UDP) != 0 ? NET_SEGMENTS_UDP : 0u) |
           ((device->features & FEATURE_FRAGMENTS) != 0 ? NET_FRAGMENTS : 0u) |
           ((device->features & FEATURES_MERGED) == FEATURES_MERGED ? NET_MERGES : 0u);
}

struct net_counts net_device_counts(const struct net_device *device)
{
    uint64_t counts[NET_PAIR_COUNTS] = {0};
    for (uint32_t pair = 0; pair < device->opened_count; ++pair) {
        for (size_t i = 0; i < NET_PAIR_COUNTS; ++i) {
            counts[i] += atomic_load_explicit(&device->pairs[pair].counts[i], memory_order_relaxed);
        }
    }
    return (struct net_counts){
        .received = counts[NET_PAIR_RECEIVED],
        .received_bytes = counts[NET_PAIR_RECEIVED_BYTES],
        .sent = counts[NET_PAIR_SENT],
        .sent_bytes = counts[NET_PAIR_SENT_BYTES],
        .dropped = counts[NET_PAIR_DROPPED],
        .damaged = counts[NET_PAIR_DAMAGED],
    };
}
