// SPDX-License-Identifier: BSD-3-Clause
// console.c: the machine's console, and a console device's ports, as a program's standard streams.
//
// What a port has for us a thread puts into a pipe, so that whoever reads waits, polls and is
// interrupted as at any other. Output is the far end's when a write returns: nothing is lost when
// the machine ends. To the program it looks like a pipe, too.
#include "core/vfs/console.h"

#include "core/dev/console.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/vfs/file.h"
#include "core/vfs/poll.h"
#include "core/vfs/vnode.h"
#include "hal/hal.h"

enum { PART_SIZE = 256, STREAM_DEVICE = 14 };

static struct mutex write_lock; // one write's bytes to the machine's console stay together

static int console_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)file;
    (void)offset;
    (void)data;
    (void)size;
    *done = 0;
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
        if (error == 0) {
            hal_console_write(part, length);
            *done += length;
        }
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

// ---- Streams ----

static int stream_write(struct file *file, uint64_t offset, const char *data, size_t size,
                        size_t *done)
{
    if (file->state == NULL) {
        return console_write(file, offset, data, size, done);
    }
    const int error = console_port_write(file->state, data, size);
    *done = error == 0 ? size : 0;
    return error;
}

static unsigned stream_poll(struct file *file, struct poll_entry *entry)
{
    (void)file;
    (void)entry;
    return POLL_OUT_ANY;
}

static int stream_status(struct file *file, struct file_status *status)
{
    *status = (struct file_status){
        .device = STREAM_DEVICE,
        .inode = file->state == NULL ? 2 : 1,
        .link_count = 1,
        .block_size = 4096,
        .mode = MODE_FIFO | 0600,
        .uid = vnode_owner_uid,
        .gid = vnode_owner_gid,
    };
    return 0;
}

static const struct file_ops stream_ops = {
    .write = stream_write, .poll = stream_poll, .status = stream_status};

int console_stream(struct console_port *port, struct file **file)
{
    const int error = file_create(file, &stream_ops, OPEN_WRITE_ONLY, port);
    if (error == 0) {
        (*file)->is_stream = true;
    }
    return error;
}

struct input {
    struct console_port *port;
    struct file *pipe;
    char part[CONSOLE_PART_MAX];
};

// Until the far end has closed the port, or breaks the rules.
static void input_thread(void *argument)
{
    struct input *input = argument;
    size_t size, done;
    while (console_port_read(input->port, input->part, &size) == 0 && size > 0) {
        (void)file_write(input->pipe, input->part, size, &done); // where nobody reads it is lost
    }
    file_put(input->pipe);
    heap_free(input);
}

int console_input(struct console_port *port, struct file **file)
{
    struct thread *thread;
    const struct thread_config config = {.name = "console", .detached = true};
    struct input *input = heap_alloc(sizeof *input);
    if (input == NULL) {
        return -ENOMEM;
    }
    input->port = port;
    int error = pipe_create(file, &input->pipe, 0);
    if (error == 0) {
        error = thread_create(&thread, &config, input_thread, input);
        if (error == 0) {
            thread_start(thread);
            return 0;
        }
        file_put(input->pipe);
        file_put(*file);
    }
    heap_free(input);
    return error;
}
