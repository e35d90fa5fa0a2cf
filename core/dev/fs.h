// SPDX-License-Identifier: BSD-3-Clause
// fs.h: the driver of file-system devices: FUSE requests over virtio-fs queues.
//
// Thread context, may block. Requests that the far end completes within the kick cost no switch;
// others sleep until the interrupt. No request holds a lock while it waits. A far end that is gone
// (a virtiofsd that has ended) makes every request fail with -EIO, after ten seconds.
#ifndef CORE_DEV_FS_H
#define CORE_DEV_FS_H

#include "core/dev/fuse.h"
#include "hal/hal.h"

struct fs_device;

// One request. The caller fills what the operation has, and zero for the rest. Arguments, names and
// results are copied; data is not: it must be direct-map memory (core/mem/frame.h) and stay until
// the call is over.
struct fs_call {
    uint32_t operation;
    uint64_t node;
    const void *arguments;
    size_t arguments_size;    // <= FS_ARGUMENTS_MAX
    const char *name, *name2; // sent with their NUL
    const char *data;
    size_t data_size;
    void *result;
    size_t result_size; // <= FS_RESULT_MAX; a shorter answer is -EIO
    char *data_out;
    size_t data_out_size;
    size_t data_out_done; // set by the call: how much of data_out was filled
};

enum { FS_ARGUMENTS_MAX = 96, FS_RESULT_MAX = 160, FS_NAME_MAX = 256 };

// Opens the device and agrees on the protocol. -EBUSY: it is open already. -ENODEV, -ENOMEM,
// -EPROTO.
HAL_MUST_CHECK int fs_device_open(const struct hal_dev_info *info, struct fs_device **device);

// 0, or the far end's negative errno, or -EIO when it breaks the rules.
HAL_MUST_CHECK int fs_call(struct fs_device *device, struct fs_call *call);

// The same for requests whose answer nobody wants, FORGET and RELEASE; data and data_out there are
// none. Does not wait for it where it can.
void fs_send(struct fs_device *device, struct fs_call *call);

// Whom the far end acts for, from the next request on.
void fs_owner_set(uint32_t uid, uint32_t gid);

// Starts a wait (FUSE_POLL with FUSE_POLL_WAIT) for events of an open handle; done(argument,
// events) is called once, by a thread of this driver: it may take locks and must not wait for long.
// -EAGAIN: no room for another wait now.
HAL_MUST_CHECK int fs_poll_start(struct fs_device *device, uint64_t handle, uint32_t events,
                                 void (*done)(void *argument, uint32_t events), void *argument);

// Files mapped into the device's shared memory (virtio 1.2, 5.11.6.4: DAX), in chunks. What is
// there is the far end's own cached page: coherent, and gone where the file is cut short, so it is
// read by hal_copy_safe. hal_map maps it like memory.
enum { FS_CHUNK_SIZE = 2 << 20 };

// Maps count chunks of an open file from offset on, a multiple of FS_CHUNK_SIZE, and answers the
// first one's number. The handle stays open until they are unmapped. -ENODEV: the device has no
// shared memory. -ENOSPC: too little of it is free. Else what the host says.
HAL_MUST_CHECK int fs_chunks_map(struct fs_device *device, uint64_t handle, uint64_t offset,
                                 uint32_t count, bool is_written, uint32_t *chunk);
void fs_chunks_unmap(struct fs_device *device, uint32_t chunk, uint32_t count);
const char *fs_chunk_address(const struct fs_device *device, uint32_t chunk);
bool fs_has_chunks(const struct fs_device *device);

// How many bytes a READ or WRITE may carry.
size_t fs_transfer_max(const struct fs_device *device);

// Whether OPEN with OPEN_TRUNCATE truncates, and whether the far end is hal-linux's: there a
// request is cheap, and a WRITE at offset UINT64_MAX appends.
bool fs_truncates(const struct fs_device *device);
bool fs_is_ours(const struct fs_device *device);

#endif
