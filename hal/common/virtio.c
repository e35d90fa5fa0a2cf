// SPDX-License-Identifier: BSD-3-Clause
// virtio.c: hal.h's device functions upon a virtio device's registers (virtio 1.2, 3.1 and 4).
//
// core opens, attaches queues, lets go and stops, in this order and from one thread; kicks come
// from anywhere.
#include "virtio.h"

#include <stdatomic.h>

#include "hal/upcall.h"

#include "error.h"
#include "register.h"
#include "string.h"

enum {
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_FAILED = 128,
    RESET_POLLS = 1000000,
    CONFIG_TRIES = 1000,
    ID_NET = 1,
    ID_BLOCK = 2,
    ID_CONSOLE = 3,
    ID_ENTROPY = 4,
    ID_BALLOON = 5,
    ID_FS = 26,
    FS_TAG_SIZE = 36,
};

// ---- Registers -----------------------------------------------------------------

uint32_t virtio_read(const struct hal_dev *dev, enum virtio_register which)
{
    const struct virtio_place *place = &dev->places[which];
    return register_read(dev->registers + place->offset, place->size);
}

void virtio_write(const struct hal_dev *dev, enum virtio_register which, uint32_t value)
{
    const struct virtio_place *place = &dev->places[which];
    register_write(dev->registers + place->offset, place->size, value);
}

static void address_write(const struct hal_dev *dev, enum virtio_register which, hal_phys address)
{
    volatile uint32_t *halves = (volatile uint32_t *)(dev->registers + dev->places[which].offset);
    halves[0] = (uint32_t)address;
    halves[1] = (uint32_t)(address >> 32);
}

// ---- Interrupts ------------------------------------------------------------------

static int number_take(struct hal_dev *dev, uint32_t queue, struct virtio_interrupt *interrupt)
{
    int error = 0;
    if (!interrupt->is_taken) {
        error = machine_interrupt_take(dev, queue, &interrupt->number);
        interrupt->is_taken = error == 0;
    }
    return error;
}

// Entry of the table gets the interrupt's message.
static int entry_set(struct hal_dev *dev, uint32_t entry, uint32_t queue,
                     struct virtio_interrupt *interrupt, uint32_t cpu)
{
    const int error = number_take(dev, queue, interrupt);
    if (error == 0) {
        struct pci_message message;
        machine_interrupt_message(interrupt->number, cpu, &message);
        pci_msix_set(&dev->msix, entry, &message);
    }
    return error;
}

// The next entry is the queue's; where there are too few, the last one is everybody's who comes,
// and of whose it was.
static int entry_take(struct hal_dev *dev, uint32_t queue, struct virtio_interrupt *interrupt,
                      uint32_t cpu, uint32_t *entry)
{
    if (dev->entry_count < dev->msix.count) {
        *entry = dev->entry_count;
        const int error = entry_set(dev, *entry, queue, interrupt, cpu);
        dev->entry_count += error == 0;
        return error;
    }
    *entry = dev->msix.count - 1;
    if (dev->is_shared) {
        return 0;
    }
    const int error = entry_set(dev, *entry, HAL_DEV_ALL, &dev->shared_interrupt, cpu);
    dev->is_shared = error == 0;
    return error;
}

// A device that has no room for it says so by another entry than the one that was written.
static int message_attach(struct hal_dev *dev, uint32_t queue, struct virtio_interrupt *interrupt,
                          uint32_t cpu, enum virtio_register vector)
{
    uint32_t entry;
    const int error = entry_take(dev, queue, interrupt, cpu, &entry);
    if (error != 0) {
        return error;
    }
    virtio_write(dev, vector, entry);
    return virtio_read(dev, vector) == entry ? 0 : -ERROR_INVAL;
}

// One line for the whole device, which goes to the CPU of the first queue.
static int line_attach(struct hal_dev *dev, uint32_t cpu)
{
    if (dev->is_shared) {
        return 0;
    }
    int error = number_take(dev, HAL_DEV_ALL, &dev->shared_interrupt);
    error =
        error != 0 ? error : machine_line_connect(&dev->line, dev->shared_interrupt.number, cpu);
    dev->is_shared = error == 0;
    return error;
}

static int interrupt_attach(struct hal_dev *dev, uint32_t queue, struct virtio_interrupt *interrupt,
                            uint32_t cpu, enum virtio_register vector)
{
    return dev->interrupt_status != NULL ? line_attach(dev, cpu)
                                         : message_attach(dev, queue, interrupt, cpu, vector);
}

// A device with one line says why it asks, so that its configuration need not be read, which is an
// exit of the machine for each field.
uint32_t virtio_acknowledge(const struct hal_dev *dev, uint32_t queue)
{
    enum { CONFIG_CHANGED = 2 }; // virtio 1.2, 4.1.4.5
    uint32_t causes = CONFIG_CHANGED;
    if (dev->interrupt_status != NULL && dev->interrupt_acknowledge != NULL) {
        causes = register_read(dev->interrupt_status, 4);
        register_write(dev->interrupt_acknowledge, 4, causes);
    } else if (dev->interrupt_status != NULL) {
        causes = register_read(dev->interrupt_status, 1);
    }
    return (causes & CONFIG_CHANGED) != 0 ? queue : HAL_DEV_QUEUES;
}

// ---- Opening -------------------------------------------------------------------

// The device has stopped when the register reads as 0. One that never does is not used again.
static bool reset(struct hal_dev *dev)
{
    virtio_write(dev, VIRTIO_STATUS, 0);
    for (uint32_t i = 0; i < RESET_POLLS && virtio_read(dev, VIRTIO_STATUS) != 0; ++i) {
        hal_cpu_relax();
    }
    for (uint32_t i = 0; i < dev->queue_count; ++i) {
        dev->queues[i].is_attached = false;
    }
    dev->entry_count = 0;
    dev->is_shared = false;
    return virtio_read(dev, VIRTIO_STATUS) == 0;
}

static uint64_t features_read(const struct hal_dev *dev)
{
    virtio_write(dev, VIRTIO_DEVICE_FEATURES_SELECT, 0);
    const uint64_t low = virtio_read(dev, VIRTIO_DEVICE_FEATURES);
    virtio_write(dev, VIRTIO_DEVICE_FEATURES_SELECT, 1);
    return low | (uint64_t)virtio_read(dev, VIRTIO_DEVICE_FEATURES) << 32;
}

static void features_write(const struct hal_dev *dev, uint64_t features)
{
    virtio_write(dev, VIRTIO_DRIVER_FEATURES_SELECT, 0);
    virtio_write(dev, VIRTIO_DRIVER_FEATURES, (uint32_t)features);
    virtio_write(dev, VIRTIO_DRIVER_FEATURES_SELECT, 1);
    virtio_write(dev, VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

static void status_add(const struct hal_dev *dev, uint32_t bits)
{
    virtio_write(dev, VIRTIO_STATUS, virtio_read(dev, VIRTIO_STATUS) | bits);
}

int hal_dev_open(struct hal_dev *dev, uint64_t *features)
{
    if (!reset(dev)) {
        return -ERROR_NODEV;
    }
    status_add(dev, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    *features &= features_read(dev);
    features_write(dev, *features);
    status_add(dev, STATUS_FEATURES_OK);
    if ((virtio_read(dev, VIRTIO_STATUS) & STATUS_FEATURES_OK) == 0) {
        status_add(dev, STATUS_FAILED);
        return -ERROR_NODEV;
    }
    dev->queue_count = virtio_queue_count(dev);
    dev->info->queue_count = dev->queue_count;
    return 0;
}

// ---- Queues --------------------------------------------------------------------

// Without a register for it queues are asked for one by one: the first that has no room for a ring
// is none.
uint32_t virtio_queue_count(const struct hal_dev *dev)
{
    uint32_t count = 0;
    if (dev->places[VIRTIO_QUEUE_COUNT].size != 0) {
        count = virtio_read(dev, VIRTIO_QUEUE_COUNT);
        return count < VIRTIO_QUEUES_MAX ? count : VIRTIO_QUEUES_MAX;
    }
    for (; count < VIRTIO_QUEUES_MAX; ++count) {
        virtio_write(dev, VIRTIO_QUEUE_SELECT, count);
        if (virtio_read(dev, VIRTIO_QUEUE_SIZE_MAX) == 0) {
            break;
        }
    }
    return count;
}

// Where the selected queue is notified. NULL: outside of the device.
static volatile char *notify_place(const struct hal_dev *dev)
{
    const bool has_offset = dev->places[VIRTIO_QUEUE_NOTIFY_OFFSET].size != 0;
    const uint64_t offset =
        has_offset ? (uint64_t)virtio_read(dev, VIRTIO_QUEUE_NOTIFY_OFFSET) * dev->notify_step : 0;
    return offset + dev->notify_width <= dev->notify_size ? dev->notify + offset : NULL;
}

int hal_dev_queue(struct hal_dev *dev, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    if (index >= dev->queue_count || dev->queues[index].is_attached) {
        return -ERROR_INVAL;
    }
    virtio_write(dev, VIRTIO_QUEUE_SELECT, index);
    if (virtio_read(dev, VIRTIO_QUEUE_SIZE_MAX) < ring->size) {
        return -ERROR_INVAL;
    }
    struct virtio_queue *queue = &dev->queues[index];
    queue->notify = notify_place(dev);
    if (queue->notify == NULL) {
        return -ERROR_INVAL;
    }
    const int error = interrupt_attach(dev, index, &queue->interrupt, cpu, VIRTIO_QUEUE_VECTOR);
    if (error != 0) {
        return error;
    }
    virtio_write(dev, VIRTIO_QUEUE_SIZE, ring->size);
    address_write(dev, VIRTIO_QUEUE_DESC, ring->desc);
    address_write(dev, VIRTIO_QUEUE_AVAIL, ring->avail);
    address_write(dev, VIRTIO_QUEUE_USED, ring->used);
    virtio_write(dev, VIRTIO_QUEUE_ENABLE, 1);
    queue->is_attached = true;
    return 0;
}

// Queues come first: QEMU's console devices have two entries.
int hal_dev_go(struct hal_dev *dev)
{
    if (dev->is_shared || dev->entry_count < dev->msix.count) {
        const int error =
            interrupt_attach(dev, HAL_DEV_CONFIG, &dev->config_interrupt, 0, VIRTIO_CONFIG_VECTOR);
        if (error != 0) {
            return error;
        }
    }
    status_add(dev, STATUS_DRIVER_OK);
    return 0;
}

void hal_dev_stop(struct hal_dev *dev)
{
    (void)reset(dev);
}

void hal_dev_kick(struct hal_dev *dev, uint32_t index)
{
    // The ring is in memory of another kind than the register.
    atomic_thread_fence(memory_order_seq_cst);
    register_write(dev->queues[index].notify, dev->notify_width, index);
}

// ---- Configuration ---------------------------------------------------------------

// Fields are naturally aligned and read in one access (virtio 1.2, 4.1.3.1), so a run is read by
// the widest accesses that its place allows.
static uint32_t access_size(uint32_t offset, size_t left)
{
    if (offset % 4 == 0 && left >= 4) {
        return 4;
    }
    return offset % 2 == 0 && left >= 2 ? 2 : 1;
}

static void config_read(const struct hal_dev *dev, uint32_t offset, char *out, size_t size)
{
    for (uint32_t done = 0; done < size;) {
        const uint32_t part = access_size(offset + done, size - done);
        const uint32_t value = register_read(dev->config + offset + done, part);
        memcpy(out + done, &value, part);
        done += part;
    }
}

static bool config_has(const struct hal_dev *dev, uint32_t offset, size_t size)
{
    return size <= dev->config_size && offset <= dev->config_size - size;
}

// What lies behind the device's own fields reads as 0.
void hal_dev_config(struct hal_dev *dev, uint32_t offset, void *out, size_t size)
{
    memset(out, 0, size);
    if (!config_has(dev, offset, size)) {
        return;
    }
    uint32_t before = virtio_read(dev, VIRTIO_GENERATION);
    for (uint32_t i = 0; i < CONFIG_TRIES; ++i) {
        config_read(dev, offset, out, size);
        const uint32_t after = virtio_read(dev, VIRTIO_GENERATION);
        if (before == after) {
            return;
        }
        before = after;
    }
}

void hal_dev_config_write(struct hal_dev *dev, uint32_t offset, const void *in, size_t size)
{
    if (!config_has(dev, offset, size)) {
        return;
    }
    for (uint32_t done = 0; done < size;) {
        const uint32_t part = access_size(offset + done, size - done);
        uint32_t value = 0;
        memcpy(&value, (const char *)in + done, part);
        register_write(dev->config + offset + done, part, value);
        done += part;
    }
}

// ---- Finding -------------------------------------------------------------------

struct hal_dev *virtio_slot(struct virtio_found *found)
{
    if (found->count == VIRTIO_DEVICES_MAX) {
        return NULL;
    }
    struct hal_dev *dev = &found->devices[found->count];
    memset(dev, 0, sizeof *dev);
    return dev;
}

struct kind {
    uint32_t id;
    enum hal_dev_kind kind;
    const char *prefix; // a letter or a digit follows
    char first;
};

static const struct kind kinds[] = {
    {ID_NET, HAL_NET, "eth", '0'},
    {ID_BLOCK, HAL_BLOCK, "vd", 'a'},
    {ID_CONSOLE, HAL_CONSOLE, "hvc", '0'},
    {ID_ENTROPY, HAL_ENTROPY, "rng", '0'},
    {ID_BALLOON, HAL_BALLOON, "balloon", '0'},
    {ID_FS, HAL_FS, "", 0},
};

static const struct kind *kind_find(uint32_t id)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
        if (kinds[i].id == id) {
            return &kinds[i];
        }
    }
    return NULL;
}

static void name_set(const struct virtio_found *found, struct hal_dev *dev, const struct kind *kind)
{
    if (kind->kind == HAL_FS) {
        hal_dev_config(dev, 0, dev->name, FS_TAG_SIZE); // not always ended by a NUL; name is longer
        return;
    }
    uint8_t number = 0;
    for (size_t i = 0; i < found->count; ++i) {
        number += found->infos[i].kind == kind->kind;
    }
    const size_t size = text_size(kind->prefix);
    memcpy(dev->name, kind->prefix, size);
    dev->name[size] = (char)(kind->first + number);
}

void virtio_add(struct virtio_found *found, uint32_t id)
{
    const struct kind *kind = kind_find(id);
    struct hal_dev *dev = &found->devices[found->count];
    if (kind == NULL) {
        return;
    }
    name_set(found, dev, kind);
    dev->info = &found->infos[found->count++];
    *dev->info = (struct hal_dev_info){
        .dev = dev, .kind = kind->kind, .queue_count = dev->queue_count, .name = dev->name};
}
