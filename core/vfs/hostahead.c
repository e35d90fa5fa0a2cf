// SPDX-License-Identifier: BSD-3-Clause
// hostahead.c: reading ahead in files of read-only mounts whose far end is another process.
//
// There a request costs two switches of the host, so that a program that reads by the line pays for
// each. What a request brings beyond what was asked for, and where it has met the file's end, is
// kept with the open file, as long as the far end lets names be kept, but for a second at most, and
// no longer than until the program writes to any of the host's files: that might be the same by
// another mount.
#include "core/lib/errno.h"
#include "core/mem/heap.h"
#include "core/vfs/hostfs.h"

enum { AHEAD_SIZE = HEAP_SMALL_MAX, READ_MAX = AHEAD_SIZE / 2 };

static _Atomic uint64_t data_changes;

void host_data_changed(void)
{
    atomic_fetch_add(&data_changes, 1);
}

// For how long what is read now holds; 0: it is not kept.
static hal_ns span_of(const struct file *file)
{
    static const hal_ns max_ns = 1000000000;
    struct mount *mount = file->vnode->mount;
    const struct host_mount *own = mount->state;
    if (!mount->read_only || fs_is_ours(own->device)) {
        return 0;
    }
    const hal_ns valid = atomic_load_explicit(&own->valid_ns, memory_order_relaxed);
    return valid < max_ns ? valid : max_ns;
}

// What is kept from now on: nothing yet.
static void ahead_start(struct host_ahead *ahead, hal_ns span)
{
    ahead->size = 0;
    ahead->end = UINT64_MAX;
    ahead->until = hal_clock_ns() + span;
    ahead->changes = atomic_load(&data_changes);
}

static bool is_over(const struct host_ahead *ahead)
{
    return ahead->changes != atomic_load(&data_changes) || hal_clock_ns() >= ahead->until;
}

static int ahead_fill(struct host_file *host, uint64_t offset, hal_ns span)
{
    struct host_ahead *ahead = &host->ahead;
    ahead_start(ahead, span);
    if (ahead->data == NULL) {
        ahead->data = heap_alloc(AHEAD_SIZE);
    }
    if (ahead->data == NULL) {
        return -ENOMEM;
    }
    size_t got = 0;
    const int error = host_read(host, offset, ahead->data, AHEAD_SIZE, 0, &got);
    ahead->offset = offset;
    ahead->size = error == 0 ? got : 0;
    ahead->end = error == 0 && got < AHEAD_SIZE ? offset + got : UINT64_MAX;
    return error;
}

static int small_read(struct host_file *host, uint64_t offset, char *data, size_t size, hal_ns span,
                      size_t *done)
{
    struct host_ahead *ahead = &host->ahead;
    int error = 0;
    while (*done < size && error == 0) {
        const uint64_t at = offset + *done;
        const bool is_here = at >= ahead->offset && at - ahead->offset < ahead->size;
        if (is_over(ahead) || (!is_here && at < ahead->end)) {
            error = ahead_fill(host, at, span);
            if (error != 0 || ahead->size == 0) {
                break;
            }
        } else if (!is_here) {
            break; // the end
        }
        const size_t start = (size_t)(at - ahead->offset);
        const size_t left = ahead->size - start;
        const size_t part = size - *done < left ? size - *done : left;
        error = hal_copy_safe(data + *done, ahead->data + start, part);
        *done += error == 0 ? part : 0;
    }
    return *done > 0 ? 0 : error;
}

// Only where the file ends is kept.
static int large_read(struct host_file *host, uint64_t offset, char *data, size_t size, hal_ns span,
                      size_t *done)
{
    struct host_ahead *ahead = &host->ahead;
    if (!is_over(ahead) && offset >= ahead->end) {
        return 0;
    }
    ahead_start(ahead, span);
    const int error = host_read(host, offset, data, size, 0, done);
    if (error == 0 && *done < size) {
        ahead->end = offset + *done;
    }
    return error;
}

bool host_ahead_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done,
                     int *error)
{
    struct host_file *host = file->state;
    const hal_ns span = span_of(file);
    if (span == 0) {
        return false;
    }
    mutex_lock(&host->ahead.lock);
    *error = size <= READ_MAX ? small_read(host, offset, data, size, span, done)
                              : large_read(host, offset, data, size, span, done);
    mutex_unlock(&host->ahead.lock);
    return true;
}

void host_ahead_close(struct host_file *host)
{
    heap_free(host->ahead.data);
}
