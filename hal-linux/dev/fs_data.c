// SPDX-License-Identifier: BSD-3-Clause
// fs_data.c: the far end of a file system: open files.
//
// In guest context nothing blocks. Regular files answer at once. What may have to be waited for is
// asked first (poll with no timeout): where nothing can be done READ and WRITE answer -EAGAIN, and
// the driver waits by POLL, which a worker does. A worker consumes nothing, so a wait that nobody
// is interested in any more does no harm.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "hal-linux/dev/fs_request.h"
#include "hal-linux/machine.h"
#include "hal-linux/memory.h"
#include "hal-linux/syscall.h"

enum {
    PIPE_ATOMIC = 4096, // what a pipe that is ready for writing takes without blocking
    IOCTL_DATA_MAX = 64,
    OPEN_ALLOWED = O_ACCMODE | O_TRUNC | O_NONBLOCK | O_SYNC,
    TERMIOS2_SET_DRAINED =
        0x402c542c, // TCSETSW2, TCSETSF2; the header's macros lack their structure
    TERMIOS2_SET_FLUSHED = 0x402c542d,
};

#define OFFSET_NONE UINT64_MAX // the file's own

// ---- Opening and closing ----

static void answer_opened(const struct fs_request *request, long fd, uint32_t kind)
{
    struct fuse_open_out result = {.fh = (uint64_t)fd};
    long error = fd < 0 ? fd : fs_fd_enter(request, (int)fd, kind);
    fs_answer(request->chain, (int)error, &result, sizeof result);
}

// A stream is open already: the question is only whether it allows what is wanted.
static void stream_open(const struct fs_request *request, int fd, uint32_t flags)
{
    struct fuse_open_out result = {.fh = (uint64_t)fd};
    long status = syscall3(SYS_fcntl, fd, F_GETFL, 0);
    uint32_t access = (uint32_t)status & O_ACCMODE;
    bool allowed = status >= 0 && (access == O_RDWR || access == (flags & O_ACCMODE));
    fs_answer(request->chain, allowed ? 0 : -EACCES, &result, sizeof result);
}

// Opening a fifo waits for the other side.
static void special_open_deferred(struct device_chain *chain)
{
    char path[FS_PATH_SIZE];
    struct fs_request request = {.chain = chain, .host = chain->state};
    fs_fd_path((int)chain->note[1], path);
    long fd;
    do {
        fd = syscall4(SYS_openat, fs_links, (long)path, (long)chain->note[2], 0);
    } while (fd == -EINTR);
    answer_opened(&request, fd, FS_HANDLE | FS_SPECIAL);
}

void fs_open(struct fs_request *request)
{
    const struct fuse_open_in *arguments = (const struct fuse_open_in *)request->body;
    uint32_t kind;
    int node = fs_node_fd(request, request->header->nodeid, &kind);
    if (node < 0) {
        fs_fail(request, node);
        return;
    }
    uint32_t flags = arguments->flags & OPEN_ALLOWED;
    if ((kind & FS_STREAM) != 0) {
        stream_open(request, node, flags);
        return;
    }
    bool changes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
    bool is_special = (kind & FS_SPECIAL) != 0;
    if (changes && request->host->read_only && !is_special) {
        fs_fail(request, -EROFS);
        return;
    }
    flags |= O_CLOEXEC | O_NOCTTY;
    if (is_special) {
        request->chain->note[1] = (uint64_t)node;
        request->chain->note[2] = flags;
        fs_defer(request->chain, special_open_deferred);
        return;
    }
    char path[FS_PATH_SIZE];
    fs_fd_path(node, path);
    answer_opened(request, syscall4(SYS_openat, fs_links, (long)path, flags, 0), FS_HANDLE);
}

void fs_opendir(struct fs_request *request)
{
    uint32_t kind;
    int node = fs_node_fd(request, request->header->nodeid, &kind);
    if (node < 0) {
        fs_fail(request, node);
        return;
    }
    long fd = syscall4(SYS_openat, node, (long)".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    answer_opened(request, fd, FS_HANDLE);
}

void fs_release(struct fs_request *request)
{
    const struct fuse_release_in *arguments = (const struct fuse_release_in *)request->body;
    uint32_t kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    if (fd >= 0) {
        fs_fd_close(fd);
    }
    fs_fail(request, fd < 0 ? fd : 0);
}

// ---- Data ----

// As many of the parts as size covers, the last one shortened. It is our own copy of the ring's.
static uint32_t parts_cut(struct iovec *parts, uint32_t count, size_t size)
{
    uint32_t i = 0;
    for (; i < count && size > 0; ++i) {
        parts[i].iov_len = parts[i].iov_len < size ? parts[i].iov_len : size;
        size -= parts[i].iov_len;
    }
    return i;
}

// One part, the common case, costs the host less without a vector.
static long read_once(int fd, uint64_t offset, const struct iovec *data, uint32_t count)
{
    if (offset == OFFSET_NONE) {
        return syscall3(SYS_readv, fd, (long)data, count);
    }
    if (count == 1) {
        return syscall4(SYS_pread64, fd, (long)data->iov_base, (long)data->iov_len, (long)offset);
    }
    return syscall4(SYS_preadv, fd, (long)data, count, (long)offset);
}

void fs_read(struct fs_request *request)
{
    const struct fuse_read_in *arguments = (const struct fuse_read_in *)request->body;
    struct device_chain *chain = request->chain;
    const struct iovec *data;
    uint32_t count, kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    if (fd < 0) {
        fs_fail(request, fd);
        return;
    }
    if (!fs_parts_after(&chain->parts[chain->in_count], chain->out_count,
                        sizeof(struct fuse_out_header), &data, &count)) {
        fs_fail(request, -EINVAL);
        return;
    }
    // With a place given it is no stream, or the host says so at once.
    bool has_place = arguments->offset != OFFSET_NONE;
    bool is_stream = (kind & FS_SPECIAL) != 0 && !has_place;
    bool waits = (arguments->flags & O_NONBLOCK) == 0;
    if (is_stream && fs_events_now(fd, kind, POLLIN, waits) == 0) {
        fs_fail(request, -EAGAIN);
        return;
    }
    size_t size = is_stream ? fs_stream_part(chain, arguments->size) : arguments->size;
    uint32_t used = parts_cut((struct iovec *)data, count, size);
    long done;
    do {
        done = read_once(fd, arguments->offset, data, used);
    } while (done == -EINTR);
    if (is_stream && (kind & FS_STREAM) != 0) {
        machine_stream_taken((uint32_t)fd);
    }
    if (done < 0) {
        fs_fail(request, done);
    } else {
        fs_answer_data(chain, (size_t)done);
    }
}

static long write_once(int fd, uint32_t kind, uint64_t offset, const struct iovec *data,
                       uint32_t count)
{
    long done;
    do {
        if ((kind & (FS_SPECIAL | FS_STREAM)) != 0 && offset == OFFSET_NONE) {
            done = syscall3(SYS_writev, fd, (long)data, count);
        } else if (offset == OFFSET_NONE) {
            done = syscall6(SYS_pwritev2, fd, (long)data, count, -1, -1, RWF_APPEND);
        } else if (count == 1) {
            done =
                syscall4(SYS_pwrite64, fd, (long)data->iov_base, (long)data->iov_len, (long)offset);
        } else {
            done = syscall4(SYS_pwritev, fd, (long)data, count, (long)offset);
        }
    } while (done == -EINTR);
    return done;
}

// Writes as long as the file says that it can take more, never more at once than cannot block.
static long write_pieces(int fd, uint32_t kind, const struct iovec *data, uint32_t count)
{
    long total = 0;
    for (uint32_t i = 0; i < count; ++i) {
        const char *at = data[i].iov_base;
        size_t left = data[i].iov_len;
        while (left > 0) {
            if (fs_events_now(fd, kind, POLLOUT, true) == 0) {
                return total > 0 ? total : -EAGAIN;
            }
            long done =
                syscall3(SYS_write, fd, (long)at, (long)(left < PIPE_ATOMIC ? left : PIPE_ATOMIC));
            if (done < 0 && done != -EINTR) {
                return total > 0 ? total : done;
            }
            done = done < 0 ? 0 : done;
            at += done;
            left -= (size_t)done;
            total += done;
        }
    }
    return total;
}

void fs_write(struct fs_request *request)
{
    const struct fuse_write_in *arguments = (const struct fuse_write_in *)request->body;
    struct device_chain *chain = request->chain;
    const struct iovec *data;
    uint32_t count, kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    if (fd < 0) {
        fs_fail(request, fd);
        return;
    }
    if (!fs_parts_after(chain->parts, chain->in_count,
                        sizeof(struct fuse_in_header) + sizeof *arguments, &data, &count)) {
        fs_fail(request, -EINVAL);
        return;
    }
    bool is_stream = (kind & FS_SPECIAL) != 0 && arguments->offset == OFFSET_NONE;
    bool is_atomic = arguments->size <= PIPE_ATOMIC;
    size_t size =
        is_stream && !is_atomic ? fs_stream_part(chain, arguments->size) : arguments->size;
    uint32_t used = parts_cut((struct iovec *)data, count, size);
    long done = is_stream ? write_pieces(fd, kind, data, used)
                          : write_once(fd, kind, arguments->offset, data, used);
    struct fuse_write_out result = {.size = (uint32_t)done};
    fs_answer(chain, done < 0 ? (int)done : 0, &result, sizeof result);
}

static void fsync_deferred(struct device_chain *chain)
{
    long number = (long)chain->note[2];
    fs_answer(chain, (int)syscall3(number, (long)chain->note[1], 0, 0), NULL, 0);
}

// Waits for a disk: not here.
void fs_fsync(struct fs_request *request)
{
    const struct fuse_fsync_in *arguments = (const struct fuse_fsync_in *)request->body;
    uint32_t kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    if (fd < 0) {
        fs_fail(request, fd);
        return;
    }
    request->chain->note[1] = (uint64_t)fd;
    request->chain->note[2] = (arguments->fsync_flags & 1) != 0 ? SYS_fdatasync : SYS_fsync;
    fs_defer(request->chain, fsync_deferred);
}

void fs_fallocate(struct fs_request *request)
{
    const struct fuse_fallocate_in *arguments = (const struct fuse_fallocate_in *)request->body;
    uint32_t kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    long error = fd;
    if (fd >= 0) {
        do {
            error = syscall4(SYS_fallocate, fd, arguments->mode, (long)arguments->offset,
                             (long)arguments->length);
        } while (error == -EINTR);
    }
    fs_fail(request, error);
}

static void syncfs_deferred(struct device_chain *chain)
{
    int fd = (int)chain->note[1];
    long error = syscall3(SYS_syncfs, fd, 0, 0);
    syscall3(SYS_close, fd, 0, 0);
    fs_answer(chain, (int)error, NULL, 0);
}

// The node's file system; what stands for it must be open for more than its name.
void fs_syncfs(struct fs_request *request)
{
    char path[FS_PATH_SIZE];
    uint32_t kind;
    int node = fs_node_fd(request, request->header->nodeid, &kind);
    if (node < 0) {
        fs_fail(request, node);
        return;
    }
    fs_fd_path(node, path);
    long fd =
        syscall4(SYS_openat, fs_links, (long)path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    if (fd < 0) {
        fs_fail(request, fd);
        return;
    }
    request->chain->note[1] = (uint64_t)fd;
    fs_defer(request->chain, syncfs_deferred);
}

void fs_lseek(struct fs_request *request)
{
    const struct fuse_lseek_in *arguments = (const struct fuse_lseek_in *)request->body;
    uint32_t kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    long offset = fd < 0 ? fd : syscall3(SYS_lseek, fd, (long)arguments->offset, arguments->whence);
    struct fuse_lseek_out result = {.offset = (uint64_t)offset};
    fs_answer(request->chain, offset < 0 ? (int)offset : 0, &result, sizeof result);
}

// ---- The window: files mapped for the driver ----

static bool is_in_window(uint64_t offset, uint64_t size)
{
    return offset % MEMORY_SHARED_UNIT == 0 && size % HAL_PAGE_SIZE == 0 && size != 0 &&
           offset < SHARED_SIZE && size <= SHARED_SIZE - offset;
}

// The host's page cache itself: what anybody writes to the file is seen. Of the handle's
// descriptor more views are made (memory.c): it is to be closed after the mapping has gone.
void fs_map(struct fs_request *request)
{
    const struct fuse_setupmapping_in *arguments =
        (const struct fuse_setupmapping_in *)request->body;
    uint32_t kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    if (fd < 0 || (kind & FS_SPECIAL) != 0 || !is_in_window(arguments->moffset, arguments->len) ||
        arguments->foffset % HAL_PAGE_SIZE != 0) {
        fs_fail(request, fd < 0 ? fd : -EINVAL);
        return;
    }
    bool is_written = (arguments->flags & FUSE_SETUPMAPPING_FLAG_WRITE) != 0;
    char *at = device_shared(request->chain->dev) + arguments->moffset;
    long result = syscall6(SYS_mmap, (long)at, (long)arguments->len,
                           PROT_READ | (is_written ? PROT_WRITE : 0), MAP_SHARED | MAP_FIXED, fd,
                           (long)arguments->foffset);
    bool is_mapped = result >= 0 || result < -4095;
    if (is_mapped) {
        memory_shared_set(at, arguments->len, fd, arguments->foffset);
    }
    fs_fail(request, is_mapped ? 0 : result);
}

void fs_unmap(struct fs_request *request)
{
    const struct fuse_removemapping_in *arguments =
        (const struct fuse_removemapping_in *)request->body;
    const struct fuse_removemapping_one *one =
        (const struct fuse_removemapping_one *)(arguments + 1);
    if (request->body_size < sizeof *arguments + sizeof *one || arguments->count != 1 ||
        !is_in_window(one->moffset, one->len)) {
        fs_fail(request, -EINVAL);
        return;
    }
    char *at = device_shared(request->chain->dev) + one->moffset;
    memory_shared_set(at, one->len, -1, 0);
    long result = syscall6(SYS_mmap, (long)at, (long)one->len, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    fs_fail(request, result < 0 && result > -4096 ? result : 0);
}

// ---- Directories ----

// Rewrites one entry. The answer is its size; 0: it does not fit.
static size_t entry_convert(const struct machine_entry *entry, char *to, size_t room)
{
    size_t length = 0;
    while (entry->name[length] != 0) {
        ++length;
    }
    size_t whole = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + length);
    if (whole > room) {
        return 0;
    }
    struct fuse_dirent *out = (struct fuse_dirent *)to;
    out->ino = machine_inode(entry->inode);
    out->off = (uint64_t)entry->next;
    out->namelen = (uint32_t)length;
    out->type = entry->type;
    for (size_t i = 0; i < whole - FUSE_NAME_OFFSET; ++i) {
        out->name[i] = i < length ? entry->name[i] : 0;
    }
    return whole;
}

void fs_readdir(struct fs_request *request)
{
    enum { HALF = FS_SCRATCH_SIZE / 2 };
    const struct fuse_read_in *arguments = (const struct fuse_read_in *)request->body;
    uint32_t kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    long got = fd < 0 ? fd : machine_directory_read(fd, arguments->offset, request->scratch, HALF);
    if (got < 0) {
        fs_fail(request, got);
        return;
    }
    char *out = request->scratch + HALF;
    size_t room = arguments->size < HALF ? arguments->size : HALF;
    size_t used = 0;
    for (long at = 0; at < got;) {
        const struct machine_entry *entry = (const struct machine_entry *)(request->scratch + at);
        size_t whole = entry_convert(entry, out + used, room - used);
        if (whole == 0) {
            break; // the driver asks on after the last one it got
        }
        used += whole;
        at += entry->size;
    }
    bool too_small = got > 0 && used == 0;
    fs_answer(request->chain, too_small ? -EINVAL : 0, out, used);
}

// ---- Terminals ----

static bool waits_for_output(uint32_t request)
{
    return request == TCSETSW || request == TCSETSF || request == TCSBRK || request == TCSBRKP ||
           request == TERMIOS2_SET_DRAINED || request == TERMIOS2_SET_FLUSHED;
}

static void control(struct device_chain *chain, int fd, const struct fuse_ioctl_in *arguments)
{
    struct {
        struct fuse_ioctl_out header;
        char data[IOCTL_DATA_MAX];
    } result = {0};
    char data[IOCTL_DATA_MAX] = {0};
    if (arguments->in_size > sizeof data || arguments->out_size > sizeof data) {
        fs_answer(chain, -EINVAL, NULL, 0);
        return;
    }
    device_gather(chain->parts, chain->in_count, sizeof(struct fuse_in_header) + sizeof *arguments,
                  data, arguments->in_size);
    bool has_data = arguments->in_size > 0 || arguments->out_size > 0;
    long answer =
        syscall3(SYS_ioctl, fd, arguments->cmd, has_data ? (long)data : (long)arguments->arg);
    if (answer < 0) {
        fs_answer(chain, (int)answer, NULL, 0);
        return;
    }
    result.header.result = (int32_t)answer;
    for (uint32_t i = 0; i < arguments->out_size; ++i) {
        result.data[i] = data[i];
    }
    fs_answer(chain, 0, &result, sizeof result.header + arguments->out_size);
}

static void control_deferred(struct device_chain *chain)
{
    struct fuse_ioctl_in arguments;
    device_gather(chain->parts, chain->in_count, sizeof(struct fuse_in_header), &arguments,
                  sizeof arguments);
    control(chain, (int)chain->note[1], &arguments);
}

void fs_ioctl(struct fs_request *request)
{
    const struct fuse_ioctl_in *arguments = (const struct fuse_ioctl_in *)request->body;
    uint32_t kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    if (fd < 0) {
        fs_fail(request, fd);
    } else if (waits_for_output(arguments->cmd)) {
        request->chain->note[1] = (uint64_t)fd;
        fs_defer(request->chain, control_deferred);
    } else {
        control(request->chain, fd, arguments);
    }
}

// ---- Waiting ----

static void poll_deferred(struct device_chain *chain)
{
    struct pollfd item = {.fd = (int)chain->note[1], .events = (short)chain->note[2]};
    long ready;
    do {
        ready = syscall3(SYS_poll, (long)&item, 1, -1);
    } while (ready == -EINTR);
    struct fuse_poll_out result = {.revents = (uint32_t)(unsigned short)item.revents};
    if (chain->note[3] != 0) {
        machine_stream_arrived((uint32_t)item.fd, result.revents);
        result.revents = machine_stream_events(result.revents);
    }
    fs_answer(chain, ready < 0 ? (int)ready : 0, &result, sizeof result);
}

void fs_poll(struct fs_request *request)
{
    const struct fuse_poll_in *arguments = (const struct fuse_poll_in *)request->body;
    uint32_t kind;
    int fd = fs_handle_fd(request, arguments->fh, &kind);
    if (fd < 0) {
        fs_fail(request, fd);
        return;
    }
    bool is_wait = (arguments->flags & FUSE_POLL_SCHEDULE_NOTIFY) != 0;
    bool waits = is_wait || (arguments->flags & FS_POLL_WAITS_NEXT) != 0;
    struct fuse_poll_out result = {.revents = fs_events_now(fd, kind, arguments->events, waits)};
    if (result.revents == 0 && is_wait) {
        request->chain->note[1] = (uint64_t)fd;
        request->chain->note[2] = arguments->events;
        fs_defer(request->chain, poll_deferred);
        return;
    }
    fs_answer(request->chain, 0, &result, sizeof result);
}
