// SPDX-License-Identifier: BSD-3-Clause
// device.c: the machine's devices, and the way of an interrupt to the driver.
//
// Invariant: a slot's dev is published last and withdrawn first, so that upcall_dev, which takes no
// lock, finds whole slots.
#include "core/dev/device.h"

#include <stdatomic.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/sched/sched.h"
#include "core/sync/mutex.h"
#include "hal/upcall.h"

_Static_assert((int)DEVICE_CONFIG == (int)HAL_DEV_CONFIG, "as the machine says it");

struct attachment {
    _Atomic(struct hal_dev *) dev;
    void (*interrupt)(void *state, uint32_t queue);
    void *state;
    uint32_t queue_count;
};

static const struct hal_boot *machine;
static struct mutex attach_lock; // guards changes of attachments
static struct attachment attachments[DEVICE_COUNT_MAX];

void device_init(const struct hal_boot *boot)
{
    machine = boot;
}

const struct hal_dev_info *device_find(enum hal_dev_kind kind, const char *name)
{
    for (size_t i = 0; machine != NULL && i < machine->dev_count; ++i) {
        const struct hal_dev_info *info = &machine->devs[i];
        if (info->kind == kind && (name == NULL || strcmp(info->name, name) == 0)) {
            return info;
        }
    }
    return NULL;
}

const struct hal_dev_info *device_at(enum hal_dev_kind kind, size_t index)
{
    for (size_t i = 0; machine != NULL && i < machine->dev_count; ++i) {
        if (machine->devs[i].kind == kind && index-- == 0) {
            return &machine->devs[i];
        }
    }
    return NULL;
}

static struct attachment *attachment_find(struct hal_dev *dev)
{
    for (size_t i = 0; i < DEVICE_COUNT_MAX; ++i) {
        // Acquire pairs with the release in device_attach.
        if (atomic_load_explicit(&attachments[i].dev, memory_order_acquire) == dev) {
            return &attachments[i];
        }
    }
    return NULL;
}

bool device_is_attached(struct hal_dev *dev)
{
    return attachment_find(dev) != NULL;
}

static uint32_t queue_count(const struct hal_dev *dev)
{
    for (size_t i = 0; machine != NULL && i < machine->dev_count; ++i) {
        if (machine->devs[i].dev == dev) {
            return machine->devs[i].queue_count;
        }
    }
    return 0;
}

int device_attach(struct hal_dev *dev, void (*interrupt)(void *state, uint32_t queue), void *state)
{
    mutex_lock(&attach_lock);
    struct attachment *free = attachment_find(NULL);
    if (free != NULL) {
        free->interrupt = interrupt;
        free->state = state;
        free->queue_count = queue_count(dev);
        atomic_store_explicit(&free->dev, dev, memory_order_release);
    }
    mutex_unlock(&attach_lock);
    return free != NULL ? 0 : -ENOSPC;
}

void device_detach(struct hal_dev *dev)
{
    mutex_lock(&attach_lock);
    struct attachment *attachment = attachment_find(dev);
    if (attachment != NULL) {
        atomic_store_explicit(&attachment->dev, NULL, memory_order_release);
    }
    mutex_unlock(&attach_lock);
}

void upcall_dev(struct hal_dev *dev, uint32_t queue, struct hal_frame *frame)
{
    struct attachment *attachment = attachment_find(dev);
    if (attachment != NULL && (queue == HAL_DEV_ALL || queue == HAL_DEV_QUEUES)) {
        for (uint32_t i = 0; i < attachment->queue_count; ++i) {
            attachment->interrupt(attachment->state, i);
        }
        if (queue == HAL_DEV_ALL) {
            attachment->interrupt(attachment->state, HAL_DEV_CONFIG);
        }
    } else if (attachment != NULL) {
        attachment->interrupt(attachment->state, queue);
    }
    sched_interrupt_end(frame);
}
