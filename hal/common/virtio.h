// SPDX-License-Identifier: BSD-3-Clause
// virtio.h: hal.h's devices for machines that have virtio devices (virtio 1.2, 4.1 and 4.2).
//
// A device is a set of registers, whose places and widths are what PCI and MMIO differ in, an area
// of configuration, and places to write to for a notification. virtio_pci.c and virtio_mmio.c
// find devices and fill in struct hal_dev, virtio.c does the rest. Features are core's matter.
//
// Nothing that a device says is believed: what lies outside of its memory makes it no device.
#ifndef HAL_COMMON_VIRTIO_H
#define HAL_COMMON_VIRTIO_H

#include "hal/hal.h"

#include "pci.h"

enum { VIRTIO_DEVICES_MAX = 32, VIRTIO_QUEUES_MAX = 64, VIRTIO_NAME_SIZE = 40 };

enum virtio_register {
    VIRTIO_DEVICE_FEATURES_SELECT,
    VIRTIO_DEVICE_FEATURES,
    VIRTIO_DRIVER_FEATURES_SELECT,
    VIRTIO_DRIVER_FEATURES,
    VIRTIO_STATUS,
    VIRTIO_GENERATION,
    VIRTIO_QUEUE_COUNT,   // of PCI
    VIRTIO_CONFIG_VECTOR, // these three of MSI-X and PCI
    VIRTIO_QUEUE_VECTOR,
    VIRTIO_QUEUE_NOTIFY_OFFSET,
    VIRTIO_QUEUE_SELECT,
    VIRTIO_QUEUE_SIZE_MAX,
    VIRTIO_QUEUE_SIZE,
    VIRTIO_QUEUE_ENABLE,
    VIRTIO_QUEUE_DESC, // each of these three is followed by its upper half
    VIRTIO_QUEUE_AVAIL,
    VIRTIO_QUEUE_USED,
    VIRTIO_REGISTERS
};

struct virtio_place {
    uint16_t offset, size; // size 0: this transport has no such register
};

struct virtio_interrupt {
    uint32_t number; // the machine's, taken once and kept
    bool is_taken;
};

struct virtio_queue {
    struct virtio_interrupt interrupt;
    volatile char *notify;
    bool is_attached;
};

struct virtio_mmio_place { // a set of registers, and the line of interrupt controllers that it
                           // drives
    hal_phys start;
    uint32_t size;
    uint32_t line;
    bool is_level, is_low;
};

// Written while the machine boots and by hal_dev_open, hal_dev_queue and hal_dev_stop; read by any
// CPU afterwards.
struct hal_dev {
    const struct virtio_place *places; // VIRTIO_REGISTERS of them
    volatile char *registers;
    volatile char *config;
    uint32_t config_size;
    volatile char *notify; // queue q is notified at notify + its offset * notify_step
    uint32_t notify_size, notify_step, notify_width;
    struct hal_dev_info *info;
    uint32_t queue_count;
    struct virtio_interrupt config_interrupt, shared_interrupt;
    struct virtio_queue queues[VIRTIO_QUEUES_MAX];
    struct pci_msix msix; // of PCI
    uint32_t entry_count; // of msix in use since the device was opened
    bool is_shared;       // its last entry, or its line, is all queues', and the configuration's
    volatile char *interrupt_status;      // NULL: it sends messages
    volatile char *interrupt_acknowledge; // NULL: to read the status is enough
    struct virtio_mmio_place line;        // where it sends none
    char name[VIRTIO_NAME_SIZE];
};

// ---- What the machine supplies -----------------------------------------------

// Where device memory can be touched from now on; pages may be asked for again. While the machine
// boots. NULL: the machine cannot reach there.
char *machine_device_map(hal_phys start, size_t size);

// A number for upcall_dev(dev, queue), for ever. -ENOSPC: there is none left.
HAL_MUST_CHECK int machine_interrupt_take(struct hal_dev *dev, uint32_t queue, uint32_t *number);

// What to write where for that interrupt to come to cpu.
void machine_interrupt_message(uint32_t number, uint32_t cpu, struct pci_message *message);

// From now on the line of place raises that interrupt on cpu. -EINVAL: there is no such line, or it
// is another interrupt's.
HAL_MUST_CHECK int machine_line_connect(const struct virtio_mmio_place *place, uint32_t number,
                                        uint32_t cpu);

// ---- What it gets ----------------------------------------------------------------

struct virtio_found {
    struct hal_dev devices[VIRTIO_DEVICES_MAX];
    struct hal_dev_info infos[VIRTIO_DEVICES_MAX];
    size_t count;
};

// An interrupt of dev has come that is queue's, as upcall_dev names them: before its controller is
// told. Answers what the upcall is to say: the same, or that the configuration has not changed.
uint32_t virtio_acknowledge(const struct hal_dev *dev, uint32_t queue);

// All virtio devices behind PCI. Once, while the machine boots; what cannot be used is said on the
// console and left out.
void virtio_pci_find(struct virtio_found *found);

// ---- For the files that find devices ------------------------------------------

// A slot to be filled in. NULL: all are in use.
struct hal_dev *virtio_slot(struct virtio_found *found);

// The slot that was filled in last is a device of virtio's kind id from now on, unless no driver
// wants that kind.
void virtio_add(struct virtio_found *found, uint32_t id);

// How many it has, as long as features stay as they are.
uint32_t virtio_queue_count(const struct hal_dev *dev);

uint32_t virtio_read(const struct hal_dev *dev, enum virtio_register which);
void virtio_write(const struct hal_dev *dev, enum virtio_register which, uint32_t value);

#endif
