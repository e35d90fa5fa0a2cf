// SPDX-License-Identifier: BSD-3-Clause
// fs_request.h: one FUSE request at the far end, as fs.c (the table of files, the start), fs_name.c
// (names and attributes) and fs_data.c (open files) share it. The wire format is Linux's own
// header.
//
// Everything here runs in guest context or on a worker: raw system calls only.
#ifndef HAL_LINUX_DEV_FS_REQUEST_H
#define HAL_LINUX_DEV_FS_REQUEST_H

#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal-linux/dev/device.h"

enum {
    FS_QUEUES = 4, // one for urgent requests, two, and one for waits
    FS_REQUEST_SIZE = 8192, // header, arguments, names: the longest is SYMLINK's
    FS_SCRATCH_SIZE = 16384,
    FS_WRITE_MAX = 1048576,
    FS_PATH_SIZE = 12,
};

#define SHARED_SIZE (16ul << 30) // the window that files are mapped into

// What a descriptor of this process is to the guest.
enum fs_kind {
    FS_NODE = 1,    // a name for a file: O_PATH
    FS_HANDLE = 2,  // an open file or directory
    FS_SPECIAL = 4, // no regular file, no directory: may have to be waited for
    FS_STREAM = 8,  // a standard stream: ours before and after
};

struct fs_host { // state of a device
    uint32_t id; // in the table of files
    int root;    // O_PATH; -1: the streams
    bool read_only;
    _Alignas(8) char request[FS_QUEUES][FS_REQUEST_SIZE]; // of the chain that a queue serves
    char scratch[FS_QUEUES][FS_SCRATCH_SIZE];
};

struct fs_request {
    struct device_chain *chain;
    struct fs_host *host;
    struct fuse_in_header *header;
    char *body;       // arguments and names; NUL-terminated
    size_t body_size; // without that NUL
    char *scratch;    // FS_SCRATCH_SIZE bytes; not for deferred work
};

// As core has it: FUSE_POLL_WAITS_NEXT of core/dev/fuse.h.
enum { FS_POLL_WAITS_NEXT = 2 };

// ---- fs.c: answers. Each ends the request. ----
void fs_answer(struct device_chain *chain, int error, const void *result, size_t size);
void fs_answer_data(struct device_chain *chain, size_t size); // data is in the parts already
static inline void fs_fail(const struct fs_request *request, long error)
{
    fs_answer(request->chain, (int)error, NULL, 0);
}

// ---- fs.c: files. A negative answer is -errno. ----
int fs_node_fd(const struct fs_request *request, uint64_t node, uint32_t *kind);
int fs_handle_fd(const struct fs_request *request, uint64_t handle, uint32_t *kind);
// Enters a new descriptor into the table, or closes it. 0 or -ENFILE.
int fs_fd_enter(const struct fs_request *request, int fd, uint32_t kind);
void fs_fd_close(int fd);
uint64_t fs_node_of(int fd);
// A link that leads to what fd names, also where that is O_PATH: its name in the directory
// fs_links.
extern int fs_links;
void fs_fd_path(int fd, char path[FS_PATH_SIZE]);

// device_chain_defer.
void fs_defer(struct device_chain *chain, void (*function)(struct device_chain *));

// ---- fs_stream.c: requests about the standard streams --------------------------------

// note[3] of a chain: 0, or what the machine is to know of the answer.
enum { FS_IS_LATE = 1, FS_IS_CUT = 2 };

// True: the answer is known from a recording; the request ends so.
bool fs_stream_serve(struct fs_request *request);
// The answer of a chain with note[3]: what comes behind its header, already in the parts.
void fs_stream_note(const struct device_chain *chain, int error, size_t size);
// Which events there are on fd. waits: who asks waits for them if they are not there.
uint32_t fs_events_now(int fd, uint32_t kind, uint32_t events, bool waits);
// How many of size bytes a stream takes or gives at once.
size_t fs_stream_part(struct device_chain *chain, size_t size);

// The parts after the first skip bytes; skip must be where one begins. False: it is not.
bool fs_parts_after(const struct iovec *parts, uint32_t count, size_t skip,
                    const struct iovec **rest, uint32_t *rest_count);

// ---- fs_name.c ----
void fs_lookup(struct fs_request *request);
void fs_forget(struct fs_request *request);
void fs_getattr(struct fs_request *request);
void fs_setattr(struct fs_request *request);
void fs_readlink(struct fs_request *request);
void fs_symlink(struct fs_request *request);
void fs_mknod(struct fs_request *request);
void fs_mkdir(struct fs_request *request);
void fs_unlink(struct fs_request *request);
void fs_rmdir(struct fs_request *request);
void fs_rename(struct fs_request *request);
void fs_link(struct fs_request *request);
void fs_create(struct fs_request *request);
void fs_access(struct fs_request *request);
void fs_statfs(struct fs_request *request);

// ---- fs_data.c ----
void fs_open(struct fs_request *request);
void fs_opendir(struct fs_request *request);
void fs_release(struct fs_request *request);
void fs_read(struct fs_request *request);
void fs_write(struct fs_request *request);
void fs_readdir(struct fs_request *request);
void fs_fsync(struct fs_request *request);
void fs_fallocate(struct fs_request *request);
void fs_syncfs(struct fs_request *request);
void fs_lseek(struct fs_request *request);
void fs_ioctl(struct fs_request *request);
void fs_poll(struct fs_request *request);
void fs_map(struct fs_request *request);
void fs_unmap(struct fs_request *request);

#endif
