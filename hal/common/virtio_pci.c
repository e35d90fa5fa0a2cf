// SPDX-License-Identifier: BSD-3-Clause
// virtio_pci.c: virtio devices behind PCI (virtio 1.2, 4.1), by their modern registers only.
//
// Capabilities say where in which memory of the device each area lies; an area outside of that
// memory, too small or badly aligned is none, and a device that lacks one is left out with a line
// that says why.
#include "virtio.h"

#include "error.h"
#include "string.h"

enum {
    VENDOR_VIRTIO = 0x1af4,
    ID_FIRST = 0x1000,
    ID_MODERN = 0x1040, // below: the kind is in the subsystem's number
    ID_LAST = 0x107f,
    CAPABILITY_SIZE = 16,
    CAPABILITY_KIND = 3,
    CAPABILITY_BAR = 4,
    CAPABILITY_OFFSET = 8,
    CAPABILITY_LENGTH = 12,
    CAPABILITY_STEP = 16, // of notifications
    CAPABILITY_LAST = 0x100 - CAPABILITY_SIZE,
    AREA_COMMON = 1,
    AREA_NOTIFY = 2,
    AREA_STATUS = 3, // of the interrupt's line; to read it is to acknowledge
    STATUS_SIZE = 1,
    LINE_NONE = 0xff,
    AREA_DEVICE = 4,
    COMMON_SIZE = 56,
    NOTIFY_SIZE_MIN = 2,
    AREA_SIZE_MAX = 1 << 20, // of what is mapped of an area
    MSIX_ENTRY_SIZE = 16,
};

static const struct virtio_place places[VIRTIO_REGISTERS] = {
    [VIRTIO_DEVICE_FEATURES_SELECT] = {0, 4},
    [VIRTIO_DEVICE_FEATURES] = {4, 4},
    [VIRTIO_DRIVER_FEATURES_SELECT] = {8, 4},
    [VIRTIO_DRIVER_FEATURES] = {12, 4},
    [VIRTIO_CONFIG_VECTOR] = {16, 2},
    [VIRTIO_QUEUE_COUNT] = {18, 2},
    [VIRTIO_STATUS] = {20, 1},
    [VIRTIO_GENERATION] = {21, 1},
    [VIRTIO_QUEUE_SELECT] = {22, 2},
    [VIRTIO_QUEUE_SIZE_MAX] = {24, 2}, // the same one, before it is written
    [VIRTIO_QUEUE_SIZE] = {24, 2},
    [VIRTIO_QUEUE_VECTOR] = {26, 2},
    [VIRTIO_QUEUE_ENABLE] = {28, 2},
    [VIRTIO_QUEUE_NOTIFY_OFFSET] = {30, 2},
    [VIRTIO_QUEUE_DESC] = {32, 4},
    [VIRTIO_QUEUE_AVAIL] = {40, 4},
    [VIRTIO_QUEUE_USED] = {48, 4},
};

struct area {
    uint32_t capability;
    uint32_t size;
    volatile char *memory;
};

// Maps size bytes at offset of a device's memory. NULL: it has not so much there.
static volatile char *memory_map(pci_address address, uint32_t bar, uint32_t offset, uint32_t size)
{
    struct hal_region region;
    if (!pci_bar_read(address, bar, &region) || offset > region.size ||
        size > region.size - offset) {
        return NULL;
    }
    return machine_device_map(region.start + offset, size);
}

// 0: the area is there. The first capability of a kind that can be used counts (4.1.4).
static int area_find(pci_address address, uint32_t kind, uint32_t size_min, struct area *area)
{
    uint32_t at = 0;
    for (;;) {
        const int error = pci_capability_find(address, PCI_CAPABILITY_VENDOR, at, &at);
        if (error != 0) {
            return error;
        }
        if (at > CAPABILITY_LAST || pci_config_read(address, at + CAPABILITY_KIND, 1) != kind) {
            continue;
        }
        const uint32_t offset = pci_config_read(address, at + CAPABILITY_OFFSET, 4);
        uint32_t size = pci_config_read(address, at + CAPABILITY_LENGTH, 4);
        size = size < AREA_SIZE_MAX ? size : AREA_SIZE_MAX;
        if (size < size_min || offset % 4 != 0) {
            continue;
        }
        const uint32_t bar = pci_config_read(address, at + CAPABILITY_BAR, 1);
        *area = (struct area){
            .capability = at, .size = size, .memory = memory_map(address, bar, offset, size)};
        if (area->memory != NULL) {
            return 0;
        }
    }
}

static int msix_map(struct hal_dev *dev, pci_address address)
{
    const int error = pci_msix_find(address, &dev->msix);
    if (error != 0) {
        return error;
    }
    struct pci_msix *msix = &dev->msix;
    msix->table = (volatile uint32_t *)memory_map(address, msix->bar, msix->offset,
                                                  msix->count * MSIX_ENTRY_SIZE);
    return msix->table != NULL ? 0 : -ERROR_IO;
}

// The line for a device that has no messages: QEMU's balloons have none.
static bool line_read(struct hal_dev *dev, pci_address address)
{
    struct area status;
    const uint32_t line = pci_config_read(address, PCI_LINE, 1);
    const bool has_line = pci_config_read(address, PCI_PIN, 1) != 0 && line != 0 &&
                          line != LINE_NONE &&
                          area_find(address, AREA_STATUS, STATUS_SIZE, &status) == 0;
    if (has_line) {
        dev->interrupt_status = status.memory;
        dev->line = (struct virtio_mmio_place){.line = line, .is_level = true};
    }
    return has_line;
}

static uint32_t notify_step(pci_address address, const struct area *notify)
{
    const uint32_t at = notify->capability + CAPABILITY_STEP;
    return at < 0x100 ? pci_config_read(address, at, 4) : 0;
}

// NULL: dev is complete; otherwise what it lacks.
static const char *device_read(struct hal_dev *dev, pci_address address)
{
    struct area common, notify, config;
    if (area_find(address, AREA_COMMON, COMMON_SIZE, &common) != 0 ||
        area_find(address, AREA_NOTIFY, NOTIFY_SIZE_MIN, &notify) != 0) {
        return pci_lacks_addresses(address)
                   ? "has no address for its registers: firmware gives them out, as on q35 and pc"
                   : "has no registers of virtio 1.0 where it says";
    }
    const int error = msix_map(dev, address);
    if (error == -ERROR_NODEV && !line_read(dev, address)) {
        return "has no MSI-X interrupts (QEMU: vectors=1 or more), and no line that firmware has "
               "connected";
    }
    if (error != 0 && error != -ERROR_NODEV) {
        return "has no MSI-X table where it says";
    }
    dev->places = places;
    dev->registers = common.memory;
    dev->notify = notify.memory;
    dev->notify_size = notify.size;
    dev->notify_width = NOTIFY_SIZE_MIN;
    dev->notify_step = notify_step(address, &notify);
    dev->queue_count = virtio_queue_count(dev);
    if (area_find(address, AREA_DEVICE, 1, &config) == 0) { // not every kind has one
        dev->config = config.memory;
        dev->config_size = config.size;
    }
    return NULL;
}

static void text_write(const char *text)
{
    hal_console_write(text, text_size(text));
}

static void device_refuse(pci_address address, const char *why)
{
    static const char digits[] = "0123456789abcdef";
    const char place[] = {digits[address >> 12],
                          digits[address >> 8 & 15],
                          ':',
                          digits[address >> 7 & 1],
                          digits[address >> 3 & 15],
                          '.',
                          digits[address & 7],
                          ' ',
                          0};
    text_write("osv: the virtio device at PCI ");
    text_write(place);
    text_write(why);
    text_write("; it is left out\n");
}

// 0: not virtio's.
static uint32_t kind_read(pci_address address)
{
    const uint32_t id = pci_config_read(address, PCI_DEVICE, 2);
    if (pci_config_read(address, PCI_VENDOR, 2) != VENDOR_VIRTIO || id < ID_FIRST || id > ID_LAST) {
        return 0;
    }
    return id >= ID_MODERN ? id - ID_MODERN : pci_config_read(address, PCI_SUBSYSTEM, 2);
}

static void function_visit(pci_address address, void *argument)
{
    struct virtio_found *found = argument;
    const uint32_t kind = kind_read(address);
    struct hal_dev *dev = kind == 0 ? NULL : virtio_slot(found);
    if (dev == NULL) {
        return;
    }
    pci_command_set(address, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    const char *lack = device_read(dev, address);
    if (lack != NULL) {
        device_refuse(address, lack);
        return;
    }
    if (dev->interrupt_status == NULL) {
        pci_msix_enable(&dev->msix);
    }
    virtio_add(found, kind);
}

void virtio_pci_find(struct virtio_found *found)
{
    pci_scan(function_visit, found);
}
