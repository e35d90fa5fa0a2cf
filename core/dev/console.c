// SPDX-License-Identifier: BSD-3-Clause
// console.c: the driver of console devices (virtio 1.2, 5.3).
//
// A port has a queue for each direction, and one buffer for each, which is the device's during the
// exchange. A device with one port has that, without a name. One with many tells of them by
// messages when it has heard that we listen; a thread takes these. It keeps so many buffers with
// the device that no message is ever dropped for want of one: about a boot's worth of them fits
// twice.
//
// Invariant: what the far end sent before it closed a port is in the ring before the message of
// that comes; so the input has ended when, after the message, the ring is empty.
#include "core/dev/console.h"

#include <stdatomic.h>

#include "core/dev/device.h"
#include "core/dev/exchange.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/waitqueue.h"

enum {
    PORT_MAX = 4, // ports beyond these have no queues of ours
    NAME_SIZE = 32,
    RING_SIZE = 16,
    CONTROL_QUEUE = 2, // and the next; those of port 0 come before, the others' after them
    CONTROL_RING_SIZE = 32,
    CONTROL_BUFFER_SIZE = 128,
    CONFIG_PORT_COUNT = 4,
    // Events of control messages.
    EVENT_DEVICE_READY = 0,
    EVENT_PORT_ADD = 1,
    EVENT_PORT_READY = 3,
    EVENT_CONSOLE_PORT = 4,
    EVENT_PORT_OPEN = 6,
    EVENT_PORT_NAME = 7,
};

#define FEATURE_MANY_PORTS (UINT64_C(1) << 1)
#define FIND_WAIT_NS UINT64_C(5000000000)

struct control_message {
    uint32_t port;
    uint16_t event;
    uint16_t value;
};

_Static_assert(CONTROL_RING_SIZE *CONTROL_BUFFER_SIZE == HAL_PAGE_SIZE, "one frame");

struct console_port {
    struct console_device *device;
    uint32_t number;
    struct exchange input, output;
    struct mutex lock;              // guards output_data
    char *input_data, *output_data; // CONSOLE_PART_MAX bytes each; NULL: nobody has asked for it
    atomic_bool has_ended;          // the far end has closed it
    // Guarded by device->lock.
    char name[NAME_SIZE];
    bool is_console, was_open;
};

struct console_device {
    struct hal_dev *dev;
    struct console_port ports[PORT_MAX];
    uint32_t port_count; // at most PORT_MAX
    bool has_many_ports;
    struct exchange told, said;  // control messages to us, and from us
    char *told_data, *said_data; // a frame each
    struct mutex lock, said_lock;
    struct waitqueue news; // a port has become what somebody may wait for
};

static void queue_interrupt(void *state, uint32_t queue)
{
    struct console_device *device = state;
    if (queue == CONTROL_QUEUE || queue == CONTROL_QUEUE + 1) {
        exchange_interrupt(queue == CONTROL_QUEUE ? &device->told : &device->said);
        return;
    }
    const uint32_t port = queue < CONTROL_QUEUE ? 0 : queue / 2 - 1;
    if (port < device->port_count) {
        exchange_interrupt(queue % 2 == 0 ? &device->ports[port].input
                                          : &device->ports[port].output);
    }
}

// ---- Control messages ----------------------------------------------------------------

static int say(struct console_device *device, uint32_t port, uint16_t event)
{
    const struct control_message message = {.port = port, .event = event, .value = 1};
    const struct virtq_part part = {.address = frame_of(device->said_data), .size = sizeof message};
    uint32_t written;
    mutex_lock(&device->said_lock);
    memcpy(device->said_data, &message, sizeof message);
    const int error = exchange_run(&device->said, &part, 1, &written);
    mutex_unlock(&device->said_lock);
    return error;
}

static int told_offer(struct console_device *device, char *buffer)
{
    const struct virtq_part part = {
        .address = frame_of(buffer), .size = CONTROL_BUFFER_SIZE, .is_written = true};
    return virtq_add(&device->told.ring, &part, 1, buffer);
}

// Of size bytes at buffer, and the device's work: each field is looked at once, in a copy.
static int hear(struct console_device *device, const char *buffer, uint32_t size)
{
    struct control_message message;
    if (size < sizeof message) {
        return 0;
    }
    memcpy(&message, buffer, sizeof message);
    if (message.port >= device->port_count) {
        return 0;
    }
    struct console_port *port = &device->ports[message.port];
    if (message.event == EVENT_PORT_ADD) {
        return say(device, message.port, EVENT_PORT_READY);
    }
    mutex_lock(&device->lock);
    if (message.event == EVENT_CONSOLE_PORT) {
        port->is_console = true;
    } else if (message.event == EVENT_PORT_NAME) {
        size -= sizeof message;
        size = size < NAME_SIZE ? size : NAME_SIZE - 1; // a name that long is nobody's
        memcpy(port->name, buffer + sizeof message, size);
        port->name[size] = 0;
    } else if (message.event == EVENT_PORT_OPEN && message.value != 0) {
        port->was_open = true;
    } else if (message.event == EVENT_PORT_OPEN && port->was_open) {
        atomic_store(&port->has_ended, true);
        exchange_interrupt(&port->input);
    }
    waitqueue_wake_all(&device->news);
    mutex_unlock(&device->lock);
    return 0;
}

// Until the device breaks the rules: then no port of a new name is found, and none ends.
static void control_thread(void *argument)
{
    struct console_device *device = argument;
    void *buffer;
    uint32_t size;
    int error = say(device, 0, EVENT_DEVICE_READY);
    while (error == 0 && exchange_wait(&device->told, NULL, &buffer, &size) == 1) {
        error = hear(device, buffer, size);
        error = error != 0 ? error : told_offer(device, buffer);
        hal_dev_kick(device->dev, CONTROL_QUEUE);
    }
}

static int control_start(struct console_device *device)
{
    struct thread *thread;
    const struct thread_config config = {.name = "console ports", .detached = true};
    int error = 0;
    for (size_t i = 0; i < CONTROL_RING_SIZE && error == 0; ++i) {
        error = told_offer(device, device->told_data + i * CONTROL_BUFFER_SIZE);
    }
    error = error != 0 ? error : thread_create(&thread, &config, control_thread, device);
    if (error == 0) {
        hal_dev_kick(device->dev, CONTROL_QUEUE);
        thread_start(thread);
    }
    return error;
}

// ---- Opening ---------------------------------------------------------------------------

static int data_make(char **data)
{
    hal_phys frame;
    const int error = frame_alloc(1, 0, &frame);
    *data = error == 0 ? frame_address(frame) : NULL;
    return error;
}

static void data_free(char *data)
{
    if (data != NULL) {
        frame_free(frame_of(data), 1);
    }
}

static int port_open(struct console_device *device, uint32_t number)
{
    struct console_port *port = &device->ports[number];
    const uint32_t queue = number == 0 ? 0 : 2 * number + CONTROL_QUEUE;
    port->device = device;
    port->number = number;
    const int error = exchange_open(&port->input, device->dev, queue, RING_SIZE);
    return error != 0 ? error : exchange_open(&port->output, device->dev, queue + 1, RING_SIZE);
}

static int control_open(struct console_device *device)
{
    hal_dev_config(device->dev, CONFIG_PORT_COUNT, &device->port_count, sizeof device->port_count);
    device->port_count = device->port_count < PORT_MAX ? device->port_count : PORT_MAX;
    int error = data_make(&device->told_data);
    error = error != 0 ? error : data_make(&device->said_data);
    error = error != 0
                ? error
                : exchange_open(&device->told, device->dev, CONTROL_QUEUE, CONTROL_RING_SIZE);
    return error != 0 ? error
                      : exchange_open(&device->said, device->dev, CONTROL_QUEUE + 1, RING_SIZE);
}

static int device_start(struct console_device *device, uint64_t features)
{
    int error = hal_dev_open(device->dev, &features);
    if (error == 0 && (features & VIRTIO_VERSION_1) == 0) {
        error = -ENODEV;
    }
    device->has_many_ports = (features & FEATURE_MANY_PORTS) != 0;
    device->port_count = 1;
    error = error != 0 || !device->has_many_ports ? error : control_open(device);
    for (uint32_t i = 0; i < device->port_count && error == 0; ++i) {
        error = port_open(device, i);
    }
    error = error != 0 ? error : device_attach(device->dev, queue_interrupt, device);
    error = error != 0 ? error : hal_dev_go(device->dev);
    return error != 0 || !device->has_many_ports ? error : control_start(device);
}

static void device_end(struct console_device *device)
{
    hal_dev_stop(device->dev);
    device_detach(device->dev);
    exchange_close(&device->told);
    exchange_close(&device->said);
    data_free(device->told_data);
    data_free(device->said_data);
    for (uint32_t i = 0; i < PORT_MAX; ++i) {
        exchange_close(&device->ports[i].input);
        exchange_close(&device->ports[i].output);
    }
    struct hal_dev *dev = device->dev;
    memset(device, 0, sizeof *device);
    device->dev = dev;
}

int console_device_open(const struct hal_dev_info *info, struct console_device **result)
{
    struct console_device *device = heap_alloc_zeroed(sizeof *device);
    if (device == NULL) {
        return -ENOMEM;
    }
    device->dev = info->dev;
    int error = device_start(device, VIRTIO_VERSION_1 | FEATURE_MANY_PORTS);
    if (error == -EINVAL) { // it has no interrupts for so many queues, say
        device_end(device);
        error = device_start(device, VIRTIO_VERSION_1);
    }
    if (error == 0) {
        *result = device;
        return 0;
    }
    device_end(device);
    heap_free(device);
    return error;
}

// ---- Ports -----------------------------------------------------------------------------

static struct console_port *port_find_locked(struct console_device *device, const char *name)
{
    if (!device->has_many_ports || device->ports[0].is_console) {
        return &device->ports[0];
    }
    for (uint32_t i = 0; i < device->port_count; ++i) {
        if (strcmp(device->ports[i].name, name) == 0) {
            return &device->ports[i];
        }
    }
    return NULL;
}

// Is told of twice where two streams are one port.
static int port_start(struct console_port *port)
{
    int error = port->input_data != NULL ? 0 : data_make(&port->input_data);
    error = error != 0 || port->output_data != NULL ? error : data_make(&port->output_data);
    return error != 0 || !port->device->has_many_ports
               ? error
               : say(port->device, port->number, EVENT_PORT_OPEN);
}

int console_port_find(struct console_device *device, const char *name, struct console_port **port)
{
    const hal_ns deadline = hal_clock_ns() + FIND_WAIT_NS;
    bool has_time = true;
    mutex_lock(&device->lock);
    while ((*port = port_find_locked(device, name)) == NULL && has_time) {
        has_time =
            waitqueue_wait_until(&device->news, &device->lock, deadline, false) != WAIT_TIMED_OUT;
    }
    mutex_unlock(&device->lock);
    return *port == NULL ? -ENODEV : port_start(*port);
}

int console_port_write(struct console_port *port, const char *data, size_t size)
{
    int error = 0;
    mutex_lock(&port->lock);
    while (size > 0 && error == 0) {
        const size_t length = size < CONSOLE_PART_MAX ? size : CONSOLE_PART_MAX;
        const struct virtq_part part = {.address = frame_of(port->output_data),
                                        .size = (uint32_t)length};
        uint32_t written;
        error = hal_copy_safe(port->output_data, data, length);
        error = error != 0 ? error : exchange_run(&port->output, &part, 1, &written);
        data += length;
        size -= length;
    }
    mutex_unlock(&port->lock);
    return error;
}

// After the end the buffer stays with the device.
int console_port_read(struct console_port *port, char data[CONSOLE_PART_MAX], size_t *size)
{
    const struct virtq_part part = {
        .address = frame_of(port->input_data), .size = CONSOLE_PART_MAX, .is_written = true};
    uint32_t written = 0;
    void *token;
    int result = virtq_add(&port->input.ring, &part, 1, port);
    if (result == 0) {
        hal_dev_kick(port->input.dev, port->input.index);
        result = exchange_wait(&port->input, &port->has_ended, &token, &written);
    }
    if (result < 0) {
        return result;
    }
    memcpy(data, port->input_data, written);
    *size = written;
    return 0;
}
