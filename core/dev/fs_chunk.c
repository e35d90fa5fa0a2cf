// SPDX-License-Identifier: BSD-3-Clause
// fs_chunk.c: pieces of files in a device's shared memory (virtio 1.2, 5.11.6.4;
// FUSE_SETUPMAPPING).
//
// A bit for each chunk says that it is taken. Whoever sets it owns the chunk until fs_chunks_unmap.
// The first fit is taken: programs map few files at a time, and neighbours in the window are one
// mapping to the host.
#include "core/lib/errno.h"

#include "core/dev/fs_device.h"
#include "core/mem/frame.h"

static bool is_taken(const struct fs_device *device, uint32_t chunk)
{
    return (device->chunks[chunk / 64] >> chunk % 64 & 1) != 0;
}

static void taken_set(struct fs_device *device, uint32_t chunk, uint32_t count, bool taken)
{
    for (uint32_t i = chunk; i < chunk + count; ++i) {
        uint64_t bit = (uint64_t)1 << i % 64;
        device->chunks[i / 64] =
            taken ? device->chunks[i / 64] | bit : device->chunks[i / 64] & ~bit;
    }
}

static int chunks_take(struct fs_device *device, uint32_t count, uint32_t *chunk)
{
    mutex_lock(&device->chunk_lock);
    uint32_t start = device->chunk_first, end = start;
    while (end < device->chunk_count && end - start < count) {
        start = is_taken(device, end) ? end + 1 : start;
        ++end;
    }
    bool is_found = end - start == count;
    if (is_found) {
        taken_set(device, start, count, true);
        device->chunk_first = start == device->chunk_first ? end : device->chunk_first;
        *chunk = start;
    }
    mutex_unlock(&device->chunk_lock);
    return is_found ? 0 : -ENOSPC;
}

static void chunks_put(struct fs_device *device, uint32_t chunk, uint32_t count)
{
    mutex_lock(&device->chunk_lock);
    taken_set(device, chunk, count, false);
    device->chunk_first = chunk < device->chunk_first ? chunk : device->chunk_first;
    mutex_unlock(&device->chunk_lock);
}

void fs_chunks_init(struct fs_device *device, const struct hal_dev_info *info)
{
    size_t count = info->shared.size / FS_CHUNK_SIZE;
    device->chunk_count = (uint32_t)(count < FS_CHUNKS_MAX ? count : FS_CHUNKS_MAX);
    device->window = count == 0 ? NULL : frame_direct_base() + info->shared.start;
}

bool fs_has_chunks(const struct fs_device *device)
{
    return device->chunk_count > 0;
}

int fs_chunks_map(struct fs_device *device, uint64_t handle, uint64_t offset, uint32_t count,
                  bool is_written, uint32_t *chunk)
{
    if (device->chunk_count == 0) {
        return -ENODEV;
    }
    int error = chunks_take(device, count, chunk);
    if (error != 0) {
        return error;
    }
    struct fuse_map arguments = {.handle = handle,
                                 .offset = offset,
                                 .size = (uint64_t)count * FS_CHUNK_SIZE,
                                 .flags = FUSE_MAP_READ | (is_written ? FUSE_MAP_WRITE : 0),
                                 .window_offset = (uint64_t)*chunk * FS_CHUNK_SIZE};
    struct fs_call call = {.operation = FUSE_SETUPMAPPING,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    error = fs_call(device, &call);
    if (error != 0) {
        chunks_put(device, *chunk, count);
    }
    return error;
}

// Where the device keeps the mapping in spite of us, the chunks are not used again.
void fs_chunks_unmap(struct fs_device *device, uint32_t chunk, uint32_t count)
{
    struct fuse_unmap arguments = {.count = 1,
                                   .window_offset = (uint64_t)chunk * FS_CHUNK_SIZE,
                                   .size = (uint64_t)count * FS_CHUNK_SIZE};
    struct fs_call call = {.operation = FUSE_REMOVEMAPPING,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    if (fs_call(device, &call) == 0) {
        chunks_put(device, chunk, count);
    }
}

const char *fs_chunk_address(const struct fs_device *device, uint32_t chunk)
{
    return device->window + (size_t)chunk * FS_CHUNK_SIZE;
}
