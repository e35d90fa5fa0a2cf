// SPDX-License-Identifier: BSD-3-Clause
// hostfile.c: open files and directories behind a file-system device.
//
// Data goes straight between the far end and the caller's buffer where that is direct-map memory
// (core's own, and the small blocks of malloc). Other memory may move or vanish under a request, so
// it is reached through a buffer of ours.
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/slab.h"
#include "core/vfs/hostcache.h"
#include "core/vfs/hostfs.h"

enum { BOUNCE_SIZE = HEAP_SMALL_MAX, LISTING_SIZE = HEAP_SMALL_MAX, OPEN_SYNC = 04010000 };

static struct slab host_files = {.object_size = (sizeof(struct host_file) + 15) & ~(size_t)15};

static bool is_direct(const char *data, size_t size)
{
    return size > 0 && frame_is_direct(data) && frame_is_direct(data + size - 1);
}

// ---- Data ----

static int read_request(const struct host_file *host, uint64_t offset, char *data, size_t size,
                        uint32_t flags, size_t *done)
{
    struct fuse_io arguments = {
        .handle = host->handle, .offset = offset, .size = (uint32_t)size, .flags = flags};
    struct fs_call call = {.operation = FUSE_READ,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .data_out = data,
                           .data_out_size = size};
    int error = fs_call(host->device, &call);
    *done = call.data_out_done;
    return error;
}

static int write_request(const struct host_file *host, uint64_t offset, const char *data,
                         size_t size, size_t *done)
{
    struct fuse_io arguments = {.handle = host->handle, .offset = offset, .size = (uint32_t)size};
    struct fuse_write_answer result = {0};
    struct fs_call call = {.operation = FUSE_WRITE,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .data = data,
                           .data_size = size,
                           .result = &result,
                           .result_size = sizeof result};
    int error = fs_call(host->device, &call);
    host_data_changed();
    *done = error == 0 ? result.size : 0;
    return *done <= size ? error : -EIO;
}

static uint64_t offset_after(uint64_t offset, size_t done)
{
    return offset == FILE_OFFSET_NONE ? offset : offset + done;
}

int host_read(const struct host_file *host, uint64_t offset, char *data, size_t size,
              uint32_t flags, size_t *done)
{
    bool direct = is_direct(data, size);
    size_t max = direct ? fs_transfer_max(host->device) : BOUNCE_SIZE;
    max = max < size ? max : size;
    char *bounce = direct || size == 0 ? NULL : heap_alloc(max);
    if (!direct && size > 0 && bounce == NULL) {
        return -ENOMEM;
    }
    int error = 0;
    size_t part = max;
    size_t got = max;
    // Less than asked for is the end of the file, or all that is there now.
    for (; *done < size && got == part && error == 0; *done += error == 0 ? got : 0) {
        part = size - *done < max ? size - *done : max;
        error = read_request(host, offset_after(offset, *done), direct ? data + *done : bounce,
                             part, flags, &got);
        if (error == 0 && !direct) {
            error = hal_copy_safe(data + *done, bounce, got);
        }
    }
    heap_free(bounce);
    return *done > 0 ? 0 : error;
}

int host_write(const struct host_file *host, uint64_t offset, const char *data, size_t size,
               size_t *done)
{
    bool direct = is_direct(data, size);
    size_t max = direct ? fs_transfer_max(host->device) : BOUNCE_SIZE;
    max = max < size ? max : size;
    char *bounce = direct || size == 0 ? NULL : heap_alloc(max);
    if (!direct && size > 0 && bounce == NULL) {
        return -ENOMEM;
    }
    int error = 0;
    size_t part = max;
    size_t put = max;
    for (; *done < size && put == part && error == 0; *done += error == 0 ? put : 0) {
        part = size - *done < max ? size - *done : max;
        error = direct ? 0 : hal_copy_safe(bounce, data + *done, part);
        if (error == 0) {
            error = write_request(host, offset_after(offset, *done), direct ? data + *done : bounce,
                                  part, &put);
        }
    }
    heap_free(bounce);
    return *done > 0 ? 0 : error;
}

static int file_read_op(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    struct host_file *host = file->state;
    if (host_window_read(host, offset, data, size)) {
        *done = size;
        return 0;
    }
    int result;
    if (host_ahead_read(file, offset, data, size, done, &result)) {
        return result;
    }
    struct host_cache *cache = host_cache_find(host->device, host->node);
    const int error = host_cache_flush(cache);
    host_cache_put(cache);
    return error != 0 ? error : host_read(host, offset, data, size, 0, done);
}

static int data_write(const struct host_file *host, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    struct host_cache *cache = host_cache_find(host->device, host->node);
    const int error = cache == NULL ? host_write(host, offset, data, size, done)
                                    : host_cache_write(cache, host, offset, data, size, done);
    host_cache_put(cache);
    return error;
}

// The far end knows no appending: then it is a write where the file ends, one after the other.
static int data_append(const struct host_file *host, const char *data, size_t size, size_t *done)
{
    static struct mutex append_lock; // among us; who appends on the host at the same time may lose
    uint64_t end;
    mutex_lock(&append_lock);
    int error = host_file_size(host, &end);
    error = error != 0 ? error : data_write(host, end, data, size, done);
    mutex_unlock(&append_lock);
    return error;
}

static int file_write_op(struct file *file, uint64_t offset, const char *data, size_t size,
                         size_t *done)
{
    const struct host_file *host = file->state;
    if (offset == FILE_OFFSET_NONE && !fs_is_ours(host->device)) {
        return data_append(host, data, size, done);
    }
    return data_write(host, offset, data, size, done);
}

int host_file_size(const struct host_file *host, uint64_t *size)
{
    struct fuse_getattr arguments = {.flags = FUSE_GETATTR_HANDLE, .handle = host->handle};
    struct fuse_attributes_answer result;
    struct fs_call call = {.operation = FUSE_GETATTR,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    const int error = fs_call(host->device, &call);
    *size = error == 0 ? result.attributes.size : 0;
    return error;
}

static int truncate_request(const struct host_file *host, uint64_t size)
{
    struct fuse_setattr arguments = {
        .valid = FUSE_SET_SIZE | FUSE_SET_HANDLE, .handle = host->handle, .size = size};
    struct fuse_attributes_answer result;
    struct fs_call call = {.operation = FUSE_SETATTR,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    const int error = fs_call(host->device, &call);
    host_data_changed();
    return error;
}

int host_file_truncate(struct file *file, uint64_t size)
{
    const struct host_file *host = file->state;
    struct host_cache *cache = host_cache_find(host->device, host->node);
    host_cache_change_begin(cache);
    const int error = truncate_request(host, size);
    host_cache_change_end(cache, UINT64_MAX, error == 0 ? size : UINT64_MAX);
    host_cache_put(cache);
    host_window_truncated();
    return error;
}

int host_file_sync(struct file *file, bool data_only)
{
    const struct host_file *host = file->state;
    bool is_directory = vnode_is_directory(file->vnode);
    struct host_cache *cache = host_cache_find(host->device, host->node);
    const int error = host_cache_flush(cache);
    host_cache_put(cache);
    if (error != 0) {
        return error;
    }
    struct fuse_fsync arguments = {.handle = host->handle, .flags = data_only ? 1 : 0};
    struct fs_call call = {.operation = is_directory ? FUSE_FSYNCDIR : FUSE_FSYNC,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    const int result = fs_call(host->device, &call);
    return result == -ENOSYS ? 0 : result; // what is written is the host's already
}

int host_file_seek(const struct host_file *host, uint64_t offset, enum seek_from from,
                   uint64_t *result)
{
    struct fuse_lseek arguments = {.handle = host->handle, .offset = offset, .from = from};
    struct fuse_lseek_answer answer;
    struct fs_call call = {.operation = FUSE_LSEEK,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &answer,
                           .result_size = sizeof answer};
    int error = fs_call(host->device, &call);
    if (error == 0) {
        *result = answer.offset;
    }
    return error;
}

// Where the far end knows no holes, all is data.
static int file_find(struct file *file, uint64_t offset, enum seek_from what, uint64_t *result)
{
    const int error = host_file_seek(file->state, offset, what, result);
    if (error != -ENOSYS) {
        return error;
    }
    *result = offset;
    return what == SEEK_TO_DATA ? 0 : host_file_size(file->state, result);
}

static int allocate_request(const struct host_file *host, unsigned how, uint64_t offset,
                            uint64_t size)
{
    struct fuse_fallocate arguments = {
        .handle = host->handle, .offset = offset, .size = size, .how = how};
    struct fs_call call = {.operation = FUSE_FALLOCATE,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    const int error = fs_call(host->device, &call);
    host_data_changed();
    return error == -ENOSYS ? -EOPNOTSUPP : error;
}

static int file_allocate_op(struct file *file, unsigned how, uint64_t offset, uint64_t size)
{
    const struct host_file *host = file->state;
    struct host_cache *cache = host_cache_find(host->device, host->node);
    host_cache_change_begin(cache);
    const int error = allocate_request(host, how, offset, size);
    uint64_t now = UINT64_MAX;
    if (cache != NULL && host_file_size(host, &now) != 0) {
        now = UINT64_MAX;
    }
    host_cache_change_end(cache, offset, now);
    host_cache_put(cache);
    if ((how & ALLOCATE_COLLAPSE) != 0) {
        host_window_truncated();
    }
    return error;
}

// ---- Directories ----

// Shows the entries of one answer. False: no more are wanted. *position is after the last one
// shown.
static bool listing_show(char *text, size_t size, bool (*visit)(const struct dir_entry *, void *),
                         void *argument, uint64_t *position)
{
    size_t at = 0;
    while (size - at > sizeof(struct fuse_directory_entry)) {
        struct fuse_directory_entry header;
        memcpy(&header, text + at, sizeof header);
        size_t length = header.name_length;
        size_t whole = (sizeof header + length + 7) & ~(size_t)7;
        if (length == 0 || length > NAME_LENGTH_MAX || whole > size - at) {
            return false;
        }
        // The name needs its NUL: copied, since the next entry may begin right after it.
        char name[NAME_LENGTH_MAX + 1];
        memcpy(name, text + at + sizeof header, length);
        name[length] = 0;
        struct dir_entry entry = {header.inode, header.next, (uint8_t)header.type, name};
        if (!visit(&entry, argument)) {
            return false;
        }
        *position = header.next;
        at += whole;
    }
    return true;
}

static int directory_read(struct file *file, uint64_t position,
                          bool (*visit)(const struct dir_entry *, void *), void *argument)
{
    const struct host_file *host = file->state;
    char *text = heap_alloc(LISTING_SIZE);
    if (text == NULL) {
        return -ENOMEM;
    }
    int error = 0;
    bool goes_on = true;
    while (goes_on) {
        struct fuse_io arguments = {
            .handle = host->handle, .offset = position, .size = LISTING_SIZE};
        struct fs_call call = {.operation = FUSE_READDIR,
                               .node = host->node,
                               .arguments = &arguments,
                               .arguments_size = sizeof arguments,
                               .data_out = text,
                               .data_out_size = LISTING_SIZE};
        error = fs_call(host->device, &call);
        goes_on = error == 0 && call.data_out_done > 0 &&
                  listing_show(text, call.data_out_done, visit, argument, &position);
    }
    heap_free(text);
    return error;
}

// ---- Opening and closing ----

static void release_handle(const struct host_file *host, bool is_directory)
{
    struct fuse_release arguments = {.handle = host->handle};
    struct fs_call call = {.operation = is_directory ? FUSE_RELEASEDIR : FUSE_RELEASE,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    fs_send(host->device, &call); // close has no use for an error: the handle is gone in any case
}

void host_file_close(struct file *file)
{
    struct host_file *host = file->state;
    host_window_close(host);
    host_ahead_close(host);
    release_handle(host, vnode_is_directory(file->vnode));
    if (host->watch != NULL) {
        host_watch_close(host->watch);
    }
    slab_free(&host_files, host);
}

static const struct file_ops data_ops = {
    .read = file_read_op,
    .write = file_write_op,
    .truncate = host_file_truncate,
    .find = file_find,
    .allocate = file_allocate_op,
    .sync = host_file_sync,
    .pager = host_pager,
    .close = host_file_close,
};

static const struct file_ops directory_ops = {
    .read_directory = directory_read,
    .sync = host_file_sync,
    .close = host_file_close,
};

int host_file_attach(struct vnode *vnode, struct file *file, uint64_t handle)
{
    struct host_file *host = slab_alloc(&host_files);
    struct host_file on_failure = {
        .device = host_device_of(vnode), .node = host_node_of(vnode)->node, .handle = handle};
    if (host == NULL) {
        release_handle(&on_failure, vnode_is_directory(vnode));
        return -ENOMEM;
    }
    *host = on_failure; // with no chunk
    if (vnode_is_directory(vnode)) {
        file->ops = &directory_ops;
    } else if (vnode->type == MODE_FILE && vnode->mount->root != NULL) {
        file->ops = &data_ops;
    } else {
        int error = host_watch_new(&host->watch);
        if (error != 0) {
            release_handle(host, false);
            slab_free(&host_files, host);
            return error;
        }
        file->ops = &host_stream_ops;
        file->is_stream = true;
    }
    file->state = host;
    return 0;
}

static int open_request(struct vnode *vnode, uint32_t flags, uint64_t *handle)
{
    struct fs_device *device = host_device_of(vnode);
    struct fuse_open arguments = {
        .flags = flags & (OPEN_ACCESS | OPEN_TRUNCATE | OPEN_NONBLOCK | OPEN_SYNC)};
    struct fuse_open_answer result;
    struct fs_call call = {.operation = vnode_is_directory(vnode) ? FUSE_OPENDIR : FUSE_OPEN,
                           .node = host_node_of(vnode)->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    int error = fs_call(device, &call);
    if (error == 0 && (flags & OPEN_TRUNCATE) != 0 && !fs_truncates(device)) {
        const struct host_file host = {
            .device = device, .node = call.node, .handle = result.handle};
        error = truncate_request(&host, 0);
        if (error != 0) {
            release_handle(&host, false);
        }
    }
    *handle = result.handle;
    return error;
}

int host_open(struct vnode *vnode, struct file *file)
{
    uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed);
    if (vnode->type == MODE_SOCKET && vnode->mount->root != NULL) {
        return -ENXIO; // a standard stream may be one, which is open already
    }
    if (vnode->type != MODE_FILE && !vnode_is_directory(vnode) &&
        !fs_is_ours(host_device_of(vnode))) {
        return -ENXIO; // virtiofsd opens neither fifos nor devices, which would be the host's
    }
    const bool is_cut = (flags & OPEN_TRUNCATE) != 0;
    struct fs_device *device = host_device_of(vnode);
    uint64_t handle;
    struct host_cache *cache = is_cut ? host_cache_find(device, host_node_of(vnode)->node) : NULL;
    host_cache_change_begin(cache);
    int error = open_request(vnode, flags, &handle);
    host_cache_change_end(cache, UINT64_MAX, error == 0 ? 0 : UINT64_MAX);
    host_cache_put(cache);
    if (is_cut) {
        host_data_changed();
        host_window_truncated();
    }
    return error != 0 ? error : host_file_attach(vnode, file, handle);
}
