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

#include "percpu.h"
#include "trap.h"

enum { VECTORS = VECTOR_KICK - VECTOR_DEVICE, MESSAGE_ID_SHIFT = 12, MESSAGE_ID_MAX = 254 };

#define MESSAGE_BASE UINT64_C(0xfee00000) // Intel SDM vol. 3, 11.11.1

struct owner {
    struct hal_dev *dev;
    uint32_t queue;
};

static struct owner owners[VECTORS];
static _Atomic uint32_t taken_count; // may go beyond VECTORS

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

// Fixed delivery, edge-triggered, to the one CPU; to the first where its number does not fit in a
// message.
void machine_interrupt_message(uint32_t number, uint32_t cpu, struct pci_message *message)
{
    uint32_t id = percpu_of(cpu)->apic_id;
    id = id <= MESSAGE_ID_MAX ? id : percpu_of(0)->apic_id;
    *message = (struct pci_message){.address = MESSAGE_BASE | (uint64_t)id << MESSAGE_ID_SHIFT,
                                    .data = number};
}

void interrupt_deliver(uint32_t vector, struct hal_frame *frame)
{
    const struct owner *owner = &owners[vector - VECTOR_DEVICE];
    crash_unless(owner->dev != NULL, "interrupt of no device");
    upcall_dev(owner->dev, owner->queue, frame);
}
