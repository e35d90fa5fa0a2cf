// SPDX-License-Identifier: BSD-3-Clause
// block.c: the driver of block devices (virtio 1.2, 5.2).
//
// A request is a header, data and a byte of status. Header and status lie in the request's own
// memory; the data is the caller's, in as many segments as a request has room for and the device
// takes. A queue for each CPU, as far as there are so many.
//
// What the device says of itself is checked once, when it is opened: what makes no sense is not
// believed, or makes it no device.
#include "core/dev/block.h"

#include "core/dev/blockcache.h"
#include "core/dev/device.h"
#include "core/dev/requestq.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"

enum {
    QUEUES_MAX = 4,
    SEGMENTS_MAX = REQUEST_PARTS - 2, // header and status
    TRANSFER_MAX = 1 << 20,           // of one segment
    BLOCK_SIZE_MAX = 4096,
    PHYSICAL_SHIFT_MAX = 11,
    DISCARD_AT = 32, // in a request's memory: the range that is discarded or zeroed
    STATUS_AT = 64,
    SERIAL_AT = 96,
};

_Static_assert(SERIAL_AT + BLOCK_SERIAL_SIZE <= REQUEST_MEMORY, "a request's memory");

// Features.
#define HAS_SEGMENT_SIZE (UINT64_C(1) << 1)
#define HAS_SEGMENT_COUNT (UINT64_C(1) << 2)
#define HAS_GEOMETRY (UINT64_C(1) << 4)
#define IS_READ_ONLY (UINT64_C(1) << 5)
#define HAS_BLOCK_SIZE (UINT64_C(1) << 6)
#define HAS_FLUSH (UINT64_C(1) << 9)
#define HAS_TOPOLOGY (UINT64_C(1) << 10)
#define HAS_QUEUES (UINT64_C(1) << 12)
#define HAS_DISCARD (UINT64_C(1) << 13)
#define HAS_ZEROES (UINT64_C(1) << 14)

#define FEATURES                                                                                   \
    (VIRTIO_VERSION_1 | HAS_SEGMENT_SIZE | HAS_SEGMENT_COUNT | HAS_GEOMETRY | IS_READ_ONLY |       \
     HAS_BLOCK_SIZE | HAS_FLUSH | HAS_TOPOLOGY | HAS_QUEUES | HAS_DISCARD | HAS_ZEROES)

struct block_config { // 5.2.4
    uint64_t sector_count;
    uint32_t segment_size, segment_count;
    uint16_t cylinders;
    uint8_t heads, sectors;
    uint32_t block_size;
    uint8_t physical_shift, alignment;
    uint16_t io_size_min;
    uint32_t io_size_best;
    uint8_t write_back, unused;
    uint16_t queue_count;
    uint32_t discard_sectors, discard_segments, discard_alignment;
    uint32_t zero_sectors, zero_segments;
};

_Static_assert(sizeof(struct block_config) == 56, "virtio 1.2, 5.2.4");

enum block_type {
    TYPE_READ = 0,
    TYPE_WRITE = 1,
    TYPE_FLUSH = 4,
    TYPE_SERIAL = 8,
    TYPE_DISCARD = 11,
    TYPE_ZEROES = 13,
};

enum { STATUS_OK, STATUS_ERROR, STATUS_UNSUPPORTED, STATUS_NONE = 0xff };

struct block_header { // 5.2.6
    uint32_t type, reserved;
    uint64_t sector;
};

struct block_range { // of TYPE_DISCARD and TYPE_ZEROES
    uint64_t sector;
    uint32_t sector_count, flags;
};

struct block_device {
    struct block_facts
        facts; // constant once it is open, as is what follows but size and is_written
    uint32_t index;
    uint32_t segment_size, segment_count; // of one request, at most
    uint32_t discard_sectors, zero_sectors;
    struct block_cache *cache;
    _Atomic uint64_t size;
    _Atomic bool is_written; // by us: it is flushed at the end
    struct requestq_set set;
    struct requestq queues[QUEUES_MAX];
};

static struct block_device *devices[BLOCK_DEVICES_MAX]; // written while the machine starts
static uint32_t device_count;

// ---- Requests ----

static struct virtq_part part_of(const char *data, size_t size, bool is_written)
{
    return (struct virtq_part){
        .address = frame_of(data), .size = (uint32_t)size, .is_written = is_written};
}

static int status_error(uint8_t status)
{
    switch (status) {
    case STATUS_OK:
        return 0;
    case STATUS_UNSUPPORTED:
        return -EOPNOTSUPP;
    default: // among them that it wrote none
        return -EIO;
    }
}

// Data is what goes with it: at most segment_size * segment_count bytes.
static int request_run(struct block_device *device, struct requestq *queue, struct request *request,
                       const struct block_header *header, char *data, size_t size)
{
    const bool is_input = header->type == TYPE_READ || header->type == TYPE_SERIAL;
    struct virtq_part parts[REQUEST_PARTS];
    size_t count = 0;
    memcpy(request->memory, header, sizeof *header);
    request->memory[STATUS_AT] = (char)STATUS_NONE;
    parts[count++] = part_of(request->memory, sizeof *header, false);
    for (size_t done = 0; done < size; ++count) {
        ASSERT(count <= device->segment_count);
        const size_t left = size - done;
        const size_t part = left < device->segment_size ? left : device->segment_size;
        parts[count] = part_of(data + done, part, is_input);
        done += part;
    }
    parts[count++] = part_of(request->memory + STATUS_AT, 1, true);
    uint32_t written; // not all devices say this right; the status they do
    const int error = requestq_run(queue, request, parts, count, &written);
    return error != 0 ? error : status_error((uint8_t)request->memory[STATUS_AT]);
}

static struct requestq *queue_pick(struct block_device *device)
{
    return &device->queues[thread_cpu_index() % device->set.count];
}

static int transfer(struct block_device *device, enum block_type type, uint64_t offset, char *data,
                    size_t size)
{
    ASSERT(offset % device->facts.block_size == 0 && size % device->facts.block_size == 0);
    const size_t step = (size_t)device->segment_size * device->segment_count;
    struct requestq *queue = queue_pick(device);
    struct request *request = requestq_take(queue);
    int error = 0;
    for (size_t done = 0; done < size && error == 0;) {
        const size_t part = size - done < step ? size - done : step;
        const struct block_header header = {.type = (uint32_t)type,
                                            .sector = (offset + done) / BLOCK_SECTOR};
        error = request_run(device, queue, request, &header, data + done, part);
        done += part;
    }
    requestq_put(queue, request);
    return error;
}

int block_read(struct block_device *device, uint64_t offset, char *data, size_t size)
{
    return transfer(device, TYPE_READ, offset, data, size);
}

int block_write(struct block_device *device, uint64_t offset, const char *data, size_t size)
{
    if (device->facts.is_read_only) {
        return -EPERM;
    }
    atomic_store(&device->is_written, true);
    return transfer(device, TYPE_WRITE, offset, (char *)(uintptr_t)data, size);
}

int block_flush(struct block_device *device)
{
    if (!device->facts.can_flush) {
        return 0;
    }
    struct requestq *queue = queue_pick(device);
    struct request *request = requestq_take(queue);
    const struct block_header header = {.type = TYPE_FLUSH};
    const int error = request_run(device, queue, request, &header, NULL, 0);
    requestq_put(queue, request);
    return error;
}

// In pieces of step sectors at most.
static int ranges_run(struct block_device *device, enum block_type type, uint64_t offset,
                      uint64_t size, uint32_t step)
{
    ASSERT(offset % device->facts.block_size == 0 && size % device->facts.block_size == 0);
    if (device->facts.is_read_only || step == 0) {
        return device->facts.is_read_only ? -EPERM : -EOPNOTSUPP;
    }
    atomic_store(&device->is_written, true);
    struct requestq *queue = queue_pick(device);
    struct request *request = requestq_take(queue);
    const struct block_header header = {.type = (uint32_t)type};
    uint64_t sector = offset / BLOCK_SECTOR, left = size / BLOCK_SECTOR;
    int error = 0;
    while (left > 0 && error == 0) {
        const struct block_range range = {.sector = sector,
                                          .sector_count = left < step ? (uint32_t)left : step};
        memcpy(request->memory + DISCARD_AT, &range, sizeof range);
        error = request_run(device, queue, request, &header, request->memory + DISCARD_AT,
                            sizeof range);
        sector += range.sector_count;
        left -= range.sector_count;
    }
    requestq_put(queue, request);
    return error;
}

int block_discard(struct block_device *device, uint64_t offset, uint64_t size)
{
    return ranges_run(device, TYPE_DISCARD, offset, size, device->discard_sectors);
}

int block_zero(struct block_device *device, uint64_t offset, uint64_t size)
{
    return ranges_run(device, TYPE_ZEROES, offset, size, device->zero_sectors);
}

// ---- Opening ----

static uint64_t size_read(const struct block_device *device)
{
    uint64_t sectors = 0;
    hal_dev_config(device->set.dev, offsetof(struct block_config, sector_count), &sectors,
                   sizeof sectors);
    const uint64_t blocks = device->facts.block_size / BLOCK_SECTOR;
    return sectors > INT64_MAX / BLOCK_SECTOR ? 0 : sectors / blocks * blocks * BLOCK_SECTOR;
}

static void device_interrupt(void *state, uint32_t queue)
{
    struct block_device *device = state;
    if (queue < device->set.count) {
        requestq_interrupt(&device->queues[queue]);
    } else if (queue == DEVICE_CONFIG) {
        atomic_store(&device->size, size_read(device)); // somebody has resized the disk
    }
}

static bool is_power_of_two(uint32_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

// What one request can carry: whole blocks, so that each piece of a transfer is a request.
static void limits_set(struct block_device *device, uint64_t features,
                       const struct block_config *config)
{
    const uint32_t block = device->facts.block_size;
    device->segment_size = TRANSFER_MAX;
    device->segment_count = SEGMENTS_MAX;
    if ((features & HAS_SEGMENT_SIZE) != 0 && config->segment_size / block != 0 &&
        config->segment_size < TRANSFER_MAX) {
        device->segment_size = config->segment_size / block * block;
    }
    if ((features & HAS_SEGMENT_COUNT) != 0 && config->segment_count == 1) {
        device->segment_count = 1;
    }
    const uint32_t blocks = block / BLOCK_SECTOR;
    device->discard_sectors = (features & HAS_DISCARD) == 0 || config->discard_segments == 0
                                  ? 0
                                  : config->discard_sectors / blocks * blocks;
    device->zero_sectors = (features & HAS_ZEROES) == 0 || config->zero_segments == 0
                               ? 0
                               : config->zero_sectors / blocks * blocks;
}

// -EINVAL: blocks of a size that is none.
static int facts_read(struct block_device *device, uint64_t features,
                      const struct block_config *config)
{
    struct block_facts *facts = &device->facts;
    facts->block_size = (features & HAS_BLOCK_SIZE) != 0 ? config->block_size : BLOCK_SECTOR;
    if (!is_power_of_two(facts->block_size) || facts->block_size < BLOCK_SECTOR ||
        facts->block_size > BLOCK_SIZE_MAX) {
        return -EINVAL;
    }
    limits_set(device, features, config);
    const bool has_topology =
        (features & HAS_TOPOLOGY) != 0 && config->physical_shift <= PHYSICAL_SHIFT_MAX;
    facts->physical_block_size = facts->block_size << (has_topology ? config->physical_shift : 0);
    if ((features & HAS_GEOMETRY) != 0) {
        facts->cylinders = config->cylinders;
        facts->heads = config->heads;
        facts->sectors = config->sectors;
    }
    facts->is_read_only = (features & IS_READ_ONLY) != 0;
    facts->can_flush = (features & HAS_FLUSH) != 0;
    facts->can_discard = device->discard_sectors != 0;
    facts->can_zero = device->zero_sectors != 0;
    return 0;
}

// Queue i is CPU i's, the rest share them.
static int queues_open(struct block_device *device, uint32_t wanted)
{
    uint32_t count = wanted < QUEUES_MAX ? wanted : QUEUES_MAX;
    count = count < sched_cpu_count() ? count : sched_cpu_count();
    int error = 0;
    for (uint32_t i = 0; i < count && error == 0; ++i) {
        error = requestq_open(&device->set, i);
    }
    return device->set.count > 0 ? 0 : error;
}

static int device_start(struct block_device *device, const struct hal_dev_info *info)
{
    uint64_t features = FEATURES;
    int error = hal_dev_open(info->dev, &features);
    if (error != 0 || (features & VIRTIO_VERSION_1) == 0) {
        return -ENODEV;
    }
    struct block_config config;
    hal_dev_config(info->dev, 0, &config, sizeof config);
    const bool has_queues = (features & HAS_QUEUES) != 0 && config.queue_count != 0;
    const uint32_t queue_count = has_queues ? config.queue_count : 1;
    error = facts_read(device, features, &config);
    error = error != 0 ? error
                       : queues_open(device, queue_count < info->queue_count ? queue_count
                                                                             : info->queue_count);
    error = error != 0 ? error : device_attach(info->dev, device_interrupt, device);
    return error != 0 ? error : hal_dev_go(info->dev);
}

// Devices need not have one.
static void serial_read(struct block_device *device)
{
    const struct block_header header = {.type = TYPE_SERIAL};
    struct request *request = requestq_take(&device->queues[0]);
    char *text = request->memory + SERIAL_AT;
    memset(text, 0, BLOCK_SERIAL_SIZE);
    if (request_run(device, &device->queues[0], request, &header, text, BLOCK_SERIAL_SIZE - 1) ==
        0) {
        memcpy(device->facts.serial, text, BLOCK_SERIAL_SIZE - 1);
    }
    requestq_put(&device->queues[0], request);
}

static void device_free(struct block_device *device)
{
    hal_dev_stop(device->set.dev);
    device_detach(device->set.dev);
    requestq_close(&device->set);
    heap_free(device);
}

static int device_open(const struct hal_dev_info *info, struct block_device **result)
{
    struct block_device *device = heap_alloc_zeroed(sizeof *device);
    if (device == NULL) {
        return -ENOMEM;
    }
    device->set = (struct requestq_set){.dev = info->dev, .queues = device->queues};
    device->facts.name = info->name;
    int error = device_start(device, info);
    if (error == 0) {
        atomic_store(&device->size, size_read(device));
        serial_read(device);
        error = block_cache_create(device, &device->cache);
    }
    if (error != 0) {
        device_free(device);
        return error;
    }
    *result = device;
    return 0;
}

static const char *error_text(int error)
{
    switch (error) {
    case -ENODEV:
        return "it refuses virtio 1.0";
    case -EINVAL:
        return "what it says of its blocks or queues makes no sense";
    case -ENOSPC:
        return "there is no interrupt left for it";
    default:
        return "there is not enough memory; try more";
    }
}

void block_devices_open(void)
{
    const struct hal_dev_info *info;
    for (size_t i = 0; (info = device_at(HAL_BLOCK, i)) != NULL; ++i) {
        struct block_device *device = NULL;
        if (device_count == BLOCK_DEVICES_MAX) {
            console_print("osv: more than %d disks; %s is left out\n", BLOCK_DEVICES_MAX,
                          info->name);
            continue;
        }
        const int error = device_open(info, &device);
        if (error != 0) {
            console_print("osv: the disk %s is left out: %s\n", info->name, error_text(error));
            continue;
        }
        device->index = device_count;
        devices[device_count++] = device;
    }
}

void block_devices_flush(void)
{
    for (uint32_t i = 0; i < device_count; ++i) {
        if (atomic_load(&devices[i]->is_written) && block_flush(devices[i]) != 0) {
            console_print("osv: the disk %s: the last writes may be lost\n",
                          devices[i]->facts.name);
        }
    }
}

void block_devices_end(void)
{
    block_devices_flush();
    for (uint32_t i = 0; i < device_count; ++i) {
        hal_dev_stop(devices[i]->set.dev);
    }
}

struct block_device *block_device_at(uint32_t index)
{
    return index < device_count ? devices[index] : NULL;
}

struct block_device *block_device_find(const char *name)
{
    for (uint32_t i = 0; i < device_count; ++i) {
        if (strcmp(devices[i]->facts.name, name) == 0) {
            return devices[i];
        }
    }
    return NULL;
}

const struct block_facts *block_device_facts(const struct block_device *device)
{
    return &device->facts;
}

uint32_t block_device_index(const struct block_device *device)
{
    return device->index;
}

uint64_t block_device_size(const struct block_device *device)
{
    return atomic_load(&device->size);
}

struct block_cache *block_device_cache(struct block_device *device)
{
    return device->cache;
}
