// SPDX-License-Identifier: BSD-3-Clause
// console.c: the driver of console devices (virtio 1.2, 5.3).
//
// Without the feature of many ports there is one, with a queue for each direction. Each has one
// buffer, half of a frame, which is the device's during the exchange.
#include "core/dev/console.h"

#include "core/dev/device.h"
#include "core/dev/exchange.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"

enum { QUEUE_INPUT, QUEUE_OUTPUT, RING_SIZE = 16 };

struct console_device {
    struct exchange input, output;
    struct mutex lock;              // guards output_data
    char *input_data, *output_data; // CONSOLE_PART_MAX bytes each, in one frame
};

_Static_assert(2 * CONSOLE_PART_MAX <= HAL_PAGE_SIZE, "one frame");

static void queue_interrupt(void *state, uint32_t queue)
{
    struct console_device *device = state;
    if (queue == QUEUE_INPUT) {
        exchange_interrupt(&device->input);
    } else if (queue == QUEUE_OUTPUT) {
        exchange_interrupt(&device->output);
    }
}

static int device_start(struct console_device *device, const struct hal_dev_info *info)
{
    uint64_t features = VIRTIO_VERSION_1;
    int error = hal_dev_open(info->dev, &features);
    if (error == 0 && (features & VIRTIO_VERSION_1) == 0) {
        error = -ENODEV;
    }
    error = error != 0 ? error : exchange_open(&device->input, info->dev, QUEUE_INPUT, RING_SIZE);
    error = error != 0 ? error : exchange_open(&device->output, info->dev, QUEUE_OUTPUT, RING_SIZE);
    error = error != 0 ? error : device_attach(info->dev, queue_interrupt, device);
    return error != 0 ? error : hal_dev_go(info->dev);
}

int console_device_open(const struct hal_dev_info *info, struct console_device **result)
{
    struct console_device *device = heap_alloc_zeroed(sizeof *device);
    hal_phys frame;
    if (device == NULL || frame_alloc(1, 0, &frame) != 0) {
        heap_free(device);
        return -ENOMEM;
    }
    device->input_data = frame_address(frame);
    device->output_data = device->input_data + CONSOLE_PART_MAX;
    int error = device_start(device, info);
    if (error != 0) {
        hal_dev_stop(info->dev);
        device_detach(info->dev);
        exchange_close(&device->input);
        exchange_close(&device->output);
        frame_free(frame, 1);
        heap_free(device);
        return error;
    }
    *result = device;
    return 0;
}

int console_device_write(struct console_device *device, const char *data, size_t size)
{
    int error = 0;
    mutex_lock(&device->lock);
    while (size > 0 && error == 0) {
        const size_t length = size < CONSOLE_PART_MAX ? size : CONSOLE_PART_MAX;
        const struct virtq_part part = {.address = frame_of(device->output_data),
                                        .size = (uint32_t)length};
        uint32_t written;
        memcpy(device->output_data, data, length);
        error = exchange_run(&device->output, &part, 1, &written);
        data += length;
        size -= length;
    }
    mutex_unlock(&device->lock);
    return error;
}

int console_device_read(struct console_device *device, char data[CONSOLE_PART_MAX], size_t *size)
{
    const struct virtq_part part = {
        .address = frame_of(device->input_data), .size = CONSOLE_PART_MAX, .is_written = true};
    uint32_t written = 0;
    const int error = exchange_run(&device->input, &part, 1, &written);
    if (error == 0) {
        memcpy(data, device->input_data, written);
        *size = written;
    }
    return error;
}
