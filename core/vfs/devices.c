// SPDX-License-Identifier: BSD-3-Clause
// devices.c: null, zero, full, random, urandom, tty and console.
#include "core/vfs/devices.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/vfs/console.h"
#include "core/vfs/file.h"
#include "core/vfs/poll.h"
#include "core/vfs/vnode.h"
#include "core/vfs/zeros.h"
#include "core/sync/waitqueue.h"
#include "hal/hal.h"

static int null_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)file;
    (void)offset;
    (void)data;
    (void)size;
    *done = 0;
    return 0;
}

static int null_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    (void)file;
    (void)offset;
    (void)data;
    *done = size;
    return 0;
}

static int null_seek(struct file *file, int64_t offset, enum seek_from from, uint64_t *result)
{
    (void)file;
    (void)offset;
    (void)from;
    *result = 0;
    return 0;
}

static int zero_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)file;
    (void)offset;
    while (*done < size) {
        size_t part = size - *done < sizeof vfs_zeros ? size - *done : sizeof vfs_zeros;
        int error = hal_copy_safe(data + *done, vfs_zeros, part);
        if (error != 0) {
            return *done > 0 ? 0 : error;
        }
        *done += part;
    }
    return 0;
}

static int full_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    (void)file;
    (void)offset;
    (void)data;
    (void)done;
    return size == 0 ? 0 : -ENOSPC;
}

static int random_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)file;
    (void)offset;
    char bytes[256];
    int error = 0;
    while (*done < size && error == 0 && !(*done > 0 && wait_is_interrupted())) {
        size_t part = size - *done < sizeof bytes ? size - *done : sizeof bytes;
        hal_entropy(bytes, part);
        error = hal_copy_safe(data + *done, bytes, part);
        *done += error == 0 ? part : 0;
    }
    memset(bytes, 0, sizeof bytes);
    return *done > 0 ? 0 : error;
}

static int device_sync(struct file *file, bool data_only)
{
    (void)file;
    (void)data_only;
    return -EINVAL;
}

// Its mappings are anonymous memory.
static int zero_pager(struct file *file, struct vm_pager **pager)
{
    (void)file;
    *pager = NULL;
    return 0;
}

static const struct file_ops null_ops = {
    .read = null_read, .write = null_write, .seek = null_seek, .sync = device_sync};
static const struct file_ops zero_ops = {.read = zero_read,
                                         .write = null_write,
                                         .seek = null_seek,
                                         .sync = device_sync,
                                         .pager = zero_pager};
static const struct file_ops full_ops = {
    .read = zero_read, .write = full_write, .seek = null_seek, .sync = device_sync};
static const struct file_ops random_ops = {
    .read = random_read, .write = null_write, .seek = null_seek, .sync = device_sync};

// ---- The terminal: everything goes on to the stream ----

static struct file *terminal; // set once while the machine starts; counted

static int terminal_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)file;
    return terminal->ops->read(terminal, offset, data, size, done);
}

static int terminal_write(struct file *file, uint64_t offset, const char *data, size_t size,
                          size_t *done)
{
    (void)file;
    return terminal->ops->write(terminal, offset, data, size, done);
}

static unsigned terminal_poll(struct file *file, struct poll_entry *entry)
{
    (void)file;
    return terminal->ops->poll(terminal, entry);
}

static int terminal_control(struct file *file, unsigned long request, void *argument)
{
    (void)file;
    return file_control(terminal, request, argument);
}

static const struct file_ops terminal_ops = {
    .read = terminal_read,
    .write = terminal_write,
    .poll = terminal_poll,
    .control = terminal_control,
};

void device_terminal_set(struct file *stream)
{
    file_get(stream);
    terminal = stream;
}

struct device_kind {
    uint64_t number;
    const struct file_ops *ops;
};

static const uint64_t console_number = DEVICE_NUMBER(5, 1);

static const struct device_kind kinds[] = {
    {DEVICE_NUMBER(1, 3), &null_ops},     {DEVICE_NUMBER(1, 5), &zero_ops},
    {DEVICE_NUMBER(1, 7), &full_ops},     {DEVICE_NUMBER(1, 8), &random_ops},
    {DEVICE_NUMBER(1, 9), &random_ops},   {DEVICE_NUMBER(5, 0), &terminal_ops},
    {DEVICE_NUMBER(5, 1), &terminal_ops},
};

int device_node_open(uint64_t number, struct file *file)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
        if (kinds[i].number != number) {
            continue;
        }
        if (number == console_number && terminal == NULL) {
            console_open(file);
            return 0;
        }
        if (kinds[i].ops == &terminal_ops && terminal == NULL) {
            return -ENXIO;
        }
        file->ops = kinds[i].ops;
        file->is_stream = true;
        return 0;
    }
    return -ENXIO;
}
