// SPDX-License-Identifier: BSD-3-Clause
// console.c: the machine's console as a program's standard streams.
//
// A thread brings what a device has for us and puts it into a pipe, so that whoever reads waits,
// polls and is interrupted as at any other.
#include "core/vfs/console.h"

#include "core/dev/console.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/vfs/file.h"
#include "core/vfs/poll.h"
#include "hal/hal.h"

enum { PART_SIZE = 256 };

static struct mutex write_lock;       // one write's bytes stay together
static struct console_device *device; // set while the machine starts; NULL: hal_console_write

static int console_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)file;
    (void)offset;
    (void)data;
    (void)size;
    *done = 0;
    return 0;
}

static int part_write(const char *part, size_t length)
{
    if (device != NULL) {
        return console_device_write(device, part, length);
    }
    hal_console_write(part, length);
    return 0;
}

static int console_write(struct file *file, uint64_t offset, const char *data, size_t size,
                         size_t *done)
{
    (void)file;
    (void)offset;
    char part[PART_SIZE];
    int error = 0;
    mutex_lock(&write_lock);
    while (*done < size && error == 0) {
        const size_t length = size - *done < sizeof part ? size - *done : sizeof part;
        error = hal_copy_safe(part, data + *done, length);
        error = error != 0 ? error : part_write(part, length);
        *done += error == 0 ? length : 0;
    }
    mutex_unlock(&write_lock);
    return *done > 0 ? 0 : error;
}

// Nothing here ever waits.
static unsigned console_poll(struct file *file, struct poll_entry *entry)
{
    (void)file;
    (void)entry;
    return POLL_IN_ANY | POLL_OUT_ANY;
}

static const struct file_ops console_ops = {
    .read = console_read, .write = console_write, .poll = console_poll};

void console_open(struct file *file)
{
    file->ops = &console_ops;
    file->is_stream = true;
}

void console_device_set(struct console_device *used)
{
    device = used;
}

// Until the device breaks the rules: then the input ends.
static void input_thread(void *argument)
{
    struct file *pipe = argument;
    static char part[CONSOLE_PART_MAX];
    size_t size, done;
    while (console_device_read(device, part, &size) == 0) {
        (void)file_write(pipe, part, size, &done); // where nobody reads any more it is lost
    }
    file_put(pipe);
}

int console_input(struct file **file)
{
    struct file *pipe;
    struct thread *thread;
    const struct thread_config config = {.name = "console", .detached = true};
    int error = pipe_create(file, &pipe, 0);
    if (error != 0) {
        return error;
    }
    error = thread_create(&thread, &config, input_thread, pipe);
    if (error != 0) {
        file_put(pipe);
        file_put(*file);
        return error;
    }
    thread_start(thread);
    return 0;
}
