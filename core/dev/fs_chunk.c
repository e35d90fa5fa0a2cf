// SPDX-License-Identifier: BSD-3-Clause
// fs_chunk.c: pieces of files in a device's shared memory (virtio 1.2, 5.11.6.4;
// FUSE_SETUPMAPPING).
//
// A bit for each chunk says that it is taken. Whoever sets it owns the chunk until fs_chunk_unmap.
#include "core/lib/errno.h"

#include "core/dev/fs_device.h"
#include "core/mem/frame.h"

static int chunk_take(struct fs_device *device, uint32_t *chunk)
{
    for (uint32_t word = 0; word * 64 < device->chunk_count; ++word) {
        uint64_t taken = atomic_load(&device->chunks[word]);
        while (taken != UINT64_MAX) {
            uint32_t bit = (uint32_t)__builtin_ctzll(~taken);
            if (word * 64 + bit >= device->chunk_count) {
                break;
            }
            if (atomic_compare_exchange_weak(&device->chunks[word], &taken,
                                             taken | (uint64_t)1 << bit)) {
                *chunk = word * 64 + bit;
                return 0;
            }
        }
    }
    return -ENOSPC;
}

static void chunk_put(struct fs_device *device, uint32_t chunk)
{
    atomic_fetch_and(&device->chunks[chunk / 64], ~((uint64_t)1 << (chunk % 64)));
}

void fs_chunks_init(struct fs_device *device, const struct hal_dev_info *info)
{
    size_t count = info->shared.size / FS_CHUNK_SIZE;
    device->chunk_count = (uint32_t)(count < FS_CHUNKS_MAX ? count : FS_CHUNKS_MAX);
    device->window = count == 0 ? NULL : frame_direct_base() + info->shared.start;
}

int fs_chunk_map(struct fs_device *device, uint64_t handle, uint64_t offset, uint32_t *chunk)
{
    if (device->chunk_count == 0) {
        return -ENODEV;
    }
    int error = chunk_take(device, chunk);
    if (error != 0) {
        return error;
    }
    struct fuse_map arguments = {.handle = handle,
                                 .offset = offset,
                                 .size = FS_CHUNK_SIZE,
                                 .flags = FUSE_MAP_READ,
                                 .window_offset = (uint64_t)*chunk * FS_CHUNK_SIZE};
    struct fs_call call = {.operation = FUSE_SETUPMAPPING,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    error = fs_call(device, &call);
    if (error != 0) {
        chunk_put(device, *chunk);
    }
    return error;
}

// Where the device keeps the mapping in spite of us, the chunk is not used again.
void fs_chunk_unmap(struct fs_device *device, uint32_t chunk)
{
    struct fuse_unmap arguments = {
        .count = 1, .window_offset = (uint64_t)chunk * FS_CHUNK_SIZE, .size = FS_CHUNK_SIZE};
    struct fs_call call = {.operation = FUSE_REMOVEMAPPING,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    if (fs_call(device, &call) == 0) {
        chunk_put(device, chunk);
    }
}

const char *fs_chunk_address(const struct fs_device *device, uint32_t chunk)
{
    return device->window + (size_t)chunk * FS_CHUNK_SIZE;
}
