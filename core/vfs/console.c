// SPDX-License-Identifier: BSD-3-Clause
// console.c: the machine's console as a program's standard streams.
#include "core/vfs/console.h"

#include "core/sync/mutex.h"
#include "core/vfs/file.h"
#include "core/vfs/poll.h"
#include "hal/hal.h"

enum { PART_SIZE = 256 };

static struct mutex write_lock; // one write's bytes stay together

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
