// SPDX-License-Identifier: BSD-3-Clause
// interrupt.c: devices' interrupts: each has a vector of its own, the same on every CPU
// (hal/common/virtio.h).
//
// Invariant: an entry is written before its vector's number is given out, and never again.
#include "interrupt.h"

#include <stdatomic.h>

#include "hal/common/crash.h"
#include "hal/common/error.h"
#include "hal/common/virtio.h"
#include "hal/upcall.h"

#include "apic.h"
#include "io_apic.h"
#include "percpu.h"
#include "trap.h"

enum {
    LINES = 256,
    VECTORS = VECTOR_KICK - VECTOR_DEVICE,
    MESSAGE_ID_SHIFT = 12,
    MESSAGE_ID_MAX = 254
};

#define MESSAGE_BASE UINT64_C(0xfee00000) // Intel SDM vol. 3, 11.11.1

struct owner {
    struct hal_dev *dev;
    uint32_t queue;
};

static struct owner owners[VECTORS];
static _Atomic uint32_t taken_count; // may go beyond VECTORS
static uint8_t line_vectors[LINES];  // 0: the line is free

int machine_interrupt_take(struct hal_dev *dev, uint32_t queue, uint32_t *number)
{
    const uint32_t index = atomic_fetch_add(&taken_count, 1);
    if (index >= VECTORS) {
        atomic_store(&taken_count, VECTORS);
        return -ERROR_NOSPC;
    }
    owners[index] = (struct owner){.dev = dev, .queue = queue};
    *number = VECTOR_DEVICE + index;
    return 0;
}

// The CPU's number for messages and lines; the first CPU's where it has too many digits.
static uint32_t target_of(uint32_t cpu)
{
    const uint32_t id = percpu_of(cpu)->apic_id;
    return id <= MESSAGE_ID_MAX ? id : percpu_of(0)->apic_id;
}

// Fixed delivery, edge-triggered, to the one CPU.
void machine_interrupt_message(uint32_t number, uint32_t cpu, struct pci_message *message)
{
    *message = (struct pci_message){
        .address = MESSAGE_BASE | (uint64_t)target_of(cpu) << MESSAGE_ID_SHIFT, .data = number};
}

int machine_line_connect(const struct virtio_mmio_place *place, uint32_t number, uint32_t cpu)
{
    const struct io_apic_route route = {.vector = number,
                                        .target = target_of(cpu),
                                        .is_level = place->is_level,
                                        .is_low = place->is_low};
    if (place->line >= LINES ||
        (line_vectors[place->line] != 0 && line_vectors[place->line] != number) ||
        !io_apic_route(place->line, &route)) {
        return -ERROR_INVAL;
    }
    line_vectors[place->line] = (uint8_t)number;
    return 0;
}

void interrupt_deliver(uint32_t vector, struct hal_frame *frame)
{
    const struct owner *owner = &owners[vector - VECTOR_DEVICE];
    crash_unless(owner->dev != NULL, "interrupt of no device");
    // Its line is down when the controller looks at it again.
    const uint32_t queue = virtio_acknowledge(owner->dev, owner->queue);
    apic_end();
    upcall_dev(owner->dev, queue, frame);
}
