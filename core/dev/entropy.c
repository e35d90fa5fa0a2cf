// SPDX-License-Identifier: BSD-3-Clause
// entropy.c: the driver of entropy devices (virtio 1.2, 5.4).
//
// One queue, one buffer: the device fills it and says how much of it, which is at least a byte.
#include "core/dev/entropy.h"

#include "core/dev/device.h"
#include "core/dev/exchange.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"

enum { RING_SIZE = 8, BUFFER_SIZE = 256 };

struct entropy_device {
    struct exchange exchange;
    struct mutex lock; // guards buffer
    char *buffer;      // a frame
};

static void queue_interrupt(void *state, uint32_t queue)
{
    struct entropy_device *device = state;
    if (queue == 0) {
        exchange_interrupt(&device->exchange);
    }
}

static int device_start(struct entropy_device *device, const struct hal_dev_info *info)
{
    uint64_t features = VIRTIO_VERSION_1;
    int error = hal_dev_open(info->dev, &features);
    if (error == 0 && (features & VIRTIO_VERSION_1) == 0) {
        error = -ENODEV;
    }
    error = error != 0 ? error : exchange_open(&device->exchange, info->dev, 0, RING_SIZE);
    error = error != 0 ? error : device_attach(info->dev, queue_interrupt, device);
    return error != 0 ? error : hal_dev_go(info->dev);
}

int entropy_device_open(const struct hal_dev_info *info, struct entropy_device **result)
{
    struct entropy_device *device = heap_alloc_zeroed(sizeof *device);
    hal_phys frame;
    if (device == NULL || frame_alloc(1, 0, &frame) != 0) {
        heap_free(device);
        return -ENOMEM;
    }
    device->buffer = frame_address(frame);
    int error = device_start(device, info);
    if (error != 0) {
        hal_dev_stop(info->dev);
        device_detach(info->dev);
        exchange_close(&device->exchange);
        frame_free(frame, 1);
        heap_free(device);
        return error;
    }
    *result = device;
    return 0;
}

int entropy_device_read(struct entropy_device *device, char *data, size_t size)
{
    int error = 0;
    mutex_lock(&device->lock);
    while (size > 0 && error == 0) {
        const struct virtq_part part = {.address = frame_of(device->buffer),
                                        .size = size < BUFFER_SIZE ? (uint32_t)size : BUFFER_SIZE,
                                        .is_written = true};
        uint32_t written = 0;
        error = exchange_run(&device->exchange, &part, 1, &written);
        if (error == 0 && written == 0) {
            error = -EIO;
        }
        if (error == 0) {
            memcpy(data, device->buffer, written);
            data += written;
            size -= written;
        }
    }
    memset(device->buffer, 0, BUFFER_SIZE);
    mutex_unlock(&device->lock);
    return error;
}
