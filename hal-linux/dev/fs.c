// SPDX-License-Identifier: BSD-3-Clause
// fs.c: the far end of file-system devices: FUSE requests served from a directory of the host, or
// from the standard streams.
//
// A node is an O_PATH descriptor, a handle an open one; their names on the wire are the
// descriptor's number. One table for the process says what each descriptor is and whose, one word
// each, so vCPUs need no lock: the host's kernel hands out the numbers. A device reaches no
// descriptor that its table entry does not give it. Names are single components, opened without
// following links, so nothing leads out of the directory; links are read and resolved by core.
#include "hal-linux/dev/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "hal-linux/dev/fs_request.h"
#include "hal-linux/machine.h"
#include "hal-linux/syscall.h"

enum {
    FD_MAX = 1 << 20, // descriptors that the table has room for
    KIND_BITS = 4,
    NODE_BASE = 2, // node = descriptor + NODE_BASE; 1 is the root
    PROTOCOL_MINOR = 31,
    APPENDS = 1 << 31, // in INIT's flags2: a WRITE at the greatest offset appends
};

// By descriptor: id << KIND_BITS | enum fs_kind; 0: not the guest's.
static _Atomic uint32_t *files;
static uint32_t file_count;       // length of files
static _Atomic uint32_t file_end; // no entry from here on was ever set
static uint32_t host_count;
int fs_links; // /proc/self/fd

// ---- Answers ----

void fs_answer(struct device_chain *chain, int error, const void *result, size_t size)
{
    const struct iovec *out = &chain->parts[chain->in_count];
    size = error == 0 ? size : 0;
    struct fuse_out_header header = {.len = (uint32_t)(sizeof header + size), .error = error};
    header.unique = chain->note[0];
    size_t written = device_scatter(out, chain->out_count, 0, &header, sizeof header);
    if (size > 0) {
        size = device_scatter(out, chain->out_count, sizeof header, result, size);
        written += size;
    }
    if (chain->note[3] != 0) {
        fs_stream_note(chain, error, size);
    }
    device_chain_done(chain, (uint32_t)written);
}

void fs_answer_data(struct device_chain *chain, size_t size)
{
    const struct iovec *out = &chain->parts[chain->in_count];
    struct fuse_out_header header = {.len = (uint32_t)(sizeof header + size)};
    header.unique = chain->note[0];
    size_t written = device_scatter(out, chain->out_count, 0, &header, sizeof header);
    if (chain->note[3] != 0) {
        fs_stream_note(chain, 0, size);
    }
    device_chain_done(chain, (uint32_t)(written + size));
}

void fs_defer(struct device_chain *chain, void (*function)(struct device_chain *))
{
    if (chain->note[3] != 0) {
        chain->note[3] |= FS_IS_LATE;
    }
    device_chain_defer(chain, function);
}

bool fs_parts_after(const struct iovec *parts, uint32_t count, size_t skip,
                    const struct iovec **rest, uint32_t *rest_count)
{
    uint32_t i = 0;
    while (i < count && skip > 0 && parts[i].iov_len <= skip) {
        skip -= parts[i++].iov_len;
    }
    *rest = &parts[i];
    *rest_count = count - i;
    return skip == 0;
}

// ---- Files ----

static int fd_check(const struct fs_request *request, uint64_t fd, uint32_t wanted, uint32_t *kind)
{
    if (fd >= file_count) {
        return -EBADF;
    }
    uint32_t entry = atomic_load(&files[fd]);
    if (entry >> KIND_BITS != request->host->id || (entry & wanted) == 0) {
        return -EBADF;
    }
    *kind = entry & ((1 << KIND_BITS) - 1);
    return (int)fd;
}

int fs_node_fd(const struct fs_request *request, uint64_t node, uint32_t *kind)
{
    if (node == FUSE_ROOT_ID) {
        *kind = FS_NODE;
        return request->host->root >= 0 ? request->host->root : -EBADF;
    }
    return node < NODE_BASE ? -EBADF : fd_check(request, node - NODE_BASE, FS_NODE, kind);
}

int fs_handle_fd(const struct fs_request *request, uint64_t handle, uint32_t *kind)
{
    return fd_check(request, handle, FS_HANDLE, kind);
}

static void file_end_raise(uint32_t end)
{
    uint32_t old = atomic_load(&file_end);
    while (old < end && !atomic_compare_exchange_weak(&file_end, &old, end)) {
    }
}

int fs_fd_enter(const struct fs_request *request, int fd, uint32_t kind)
{
    if ((uint32_t)fd >= file_count) {
        syscall3(SYS_close, fd, 0, 0);
        return -ENFILE;
    }
    file_end_raise((uint32_t)fd + 1);
    atomic_store(&files[fd], request->host->id << KIND_BITS | kind);
    return 0;
}

void fs_fd_close(int fd)
{
    if ((atomic_load(&files[fd]) & FS_STREAM) == 0) {
        machine_directory_close(fd);
        atomic_store(&files[fd], 0); // before the number can be somebody else's
        syscall3(SYS_close, fd, 0, 0);
    }
}

uint64_t fs_node_of(int fd)
{
    return (uint64_t)fd + NODE_BASE;
}

void fs_fd_path(int fd, char path[FS_PATH_SIZE])
{
    char digits[FS_PATH_SIZE];
    size_t count = 0;
    size_t length = 0;
    do {
        digits[count++] = (char)('0' + fd % 10);
        fd /= 10;
    } while (fd > 0);
    while (count > 0) {
        path[length++] = digits[--count];
    }
    path[length] = 0;
}

// ---- Serving ----

static void protocol_agree(struct fs_request *request)
{
    struct fuse_init_out result = {.major = FUSE_KERNEL_VERSION,
                                   .minor = PROTOCOL_MINOR,
                                   .flags = FUSE_ATOMIC_O_TRUNC | FUSE_MAX_PAGES,
                                   .max_write = FS_WRITE_MAX,
                                   .max_pages = FS_WRITE_MAX / HAL_PAGE_SIZE,
                                   .time_gran = 1,
                                   .flags2 = APPENDS};
    const struct fuse_init_in *wanted = (const struct fuse_init_in *)request->body;
    if (request->body_size < 16 || wanted->major != FUSE_KERNEL_VERSION) {
        fs_fail(request, -EPROTO);
        return;
    }
    fs_answer(request->chain, 0, &result, sizeof result);
}

static void destroy(struct fs_request *request)
{
    fs_answer(request->chain, 0, NULL, 0);
}

struct operation {
    void (*serve)(struct fs_request *request);
    uint16_t arguments_size; // what the body has at least
    bool has_data;           // data follows the arguments: they alone are gathered
    bool changes;            // refused where the device is read-only
};

static const struct operation operations[] = {
    [FUSE_LOOKUP] = {fs_lookup, 0, false, false},
    [FUSE_FORGET] = {fs_forget, sizeof(struct fuse_forget_in), false, false},
    [FUSE_GETATTR] = {fs_getattr, sizeof(struct fuse_getattr_in), false, false},
    [FUSE_SETATTR] = {fs_setattr, sizeof(struct fuse_setattr_in), false, true},
    [FUSE_READLINK] = {fs_readlink, 0, false, false},
    [FUSE_SYMLINK] = {fs_symlink, 0, false, true},
    [FUSE_MKNOD] = {fs_mknod, sizeof(struct fuse_mknod_in), false, true},
    [FUSE_MKDIR] = {fs_mkdir, sizeof(struct fuse_mkdir_in), false, true},
    [FUSE_UNLINK] = {fs_unlink, 0, false, true},
    [FUSE_RMDIR] = {fs_rmdir, 0, false, true},
    [FUSE_RENAME2] = {fs_rename, sizeof(struct fuse_rename2_in), false, true},
    [FUSE_LINK] = {fs_link, sizeof(struct fuse_link_in), false, true},
    [FUSE_OPEN] = {fs_open, sizeof(struct fuse_open_in), false, false},
    [FUSE_OPENDIR] = {fs_opendir, sizeof(struct fuse_open_in), false, false},
    [FUSE_CREATE] = {fs_create, sizeof(struct fuse_create_in), false, true},
    [FUSE_READ] = {fs_read, sizeof(struct fuse_read_in), false, false},
    [FUSE_WRITE] = {fs_write, sizeof(struct fuse_write_in), true, false},
    [FUSE_READDIR] = {fs_readdir, sizeof(struct fuse_read_in), false, false},
    [FUSE_STATFS] = {fs_statfs, 0, false, false},
    [FUSE_RELEASE] = {fs_release, sizeof(struct fuse_release_in), false, false},
    [FUSE_RELEASEDIR] = {fs_release, sizeof(struct fuse_release_in), false, false},
    [FUSE_FSYNC] = {fs_fsync, sizeof(struct fuse_fsync_in), false, false},
    [FUSE_FSYNCDIR] = {fs_fsync, sizeof(struct fuse_fsync_in), false, false},
    [FUSE_ACCESS] = {fs_access, sizeof(struct fuse_access_in), false, false},
    [FUSE_LSEEK] = {fs_lseek, sizeof(struct fuse_lseek_in), false, false},
    [FUSE_IOCTL] = {fs_ioctl, sizeof(struct fuse_ioctl_in), true, false},
    [FUSE_FALLOCATE] = {fs_fallocate, sizeof(struct fuse_fallocate_in), false, true},
    [FUSE_SYNCFS] = {fs_syncfs, sizeof(struct fuse_syncfs_in), false, false},
    [FUSE_TMPFILE] = {fs_create, sizeof(struct fuse_create_in), false, true},
    [FUSE_SETUPMAPPING] = {fs_map, sizeof(struct fuse_setupmapping_in), false, false},
    [FUSE_REMOVEMAPPING] = {fs_unmap, sizeof(struct fuse_removemapping_in), false, false},
    [FUSE_POLL] = {fs_poll, sizeof(struct fuse_poll_in), false, false},
    [FUSE_INIT] = {protocol_agree, 0, false, false},
    [FUSE_DESTROY] = {destroy, 0, false, false},
};

static const struct operation *operation_of(uint32_t opcode)
{
    const struct operation *operation =
        opcode < sizeof operations / sizeof operations[0] ? &operations[opcode] : NULL;
    return operation != NULL && operation->serve != NULL ? operation : NULL;
}

// What starts, and what gives back, never fails.
static bool may_fail(uint32_t opcode)
{
    return opcode != FUSE_INIT && opcode != FUSE_DESTROY && opcode != FUSE_FORGET &&
           opcode != FUSE_RELEASE && opcode != FUSE_RELEASEDIR && opcode != FUSE_REMOVEMAPPING;
}

static void serve_now(struct device_chain *chain)
{
    struct fs_host *host = chain->state;
    char *buffer = host->request[chain->queue];
    struct fuse_in_header *header = (struct fuse_in_header *)buffer;
    size_t size = device_gather(chain->parts, chain->in_count, 0, buffer, sizeof *header);
    if (size < sizeof *header) {
        device_chain_done(chain, 0);
        return;
    }
    chain->note[0] = header->unique;
    chain->note[3] = 0;
    const struct operation *operation = operation_of(header->opcode);
    size_t max = operation != NULL && operation->has_data ? operation->arguments_size
                                                          : FS_REQUEST_SIZE - sizeof *header - 1;
    struct fs_request request = {.chain = chain,
                                 .host = host,
                                 .header = header,
                                 .body = buffer + sizeof *header,
                                 .scratch = host->scratch[chain->queue]};
    request.body_size =
        device_gather(chain->parts, chain->in_count, sizeof *header, request.body, max);
    request.body[request.body_size] = 0;
    if (operation == NULL) {
        fs_fail(&request, -ENOSYS);
    } else if (request.body_size < operation->arguments_size) {
        fs_fail(&request, -EINVAL);
    } else if (operation->changes && host->read_only) {
        fs_fail(&request, -EROFS);
    } else if (may_fail(header->opcode) && machine_is_failing(SEED_FAULT_IO)) {
        fs_fail(&request, -EIO);
    } else if (host->root >= 0 || !fs_stream_serve(&request)) {
        machine_act_as(header->uid, header->gid);
        operation->serve(&request);
    }
}

static void serve(struct device_chain *chain)
{
    if (machine_is_late()) {
        device_chain_defer(chain, serve_now);
    } else {
        serve_now(chain);
    }
}

// The driver starts anew: what it had open is closed.
static void reset(void *state, uint64_t features)
{
    struct fs_host *host = state;
    (void)features;
    uint32_t end = atomic_load(&file_end);
    for (uint32_t fd = 0; fd < end; ++fd) {
        uint32_t entry = atomic_load(&files[fd]);
        if (entry >> KIND_BITS == host->id) {
            fs_fd_close((int)fd);
        }
    }
}

static const struct device_ops fs_ops = {
    .queue_count = FS_QUEUES,
    .config_size = 40, // struct virtio_fs_config
    .shared_size = SHARED_SIZE,
    .serve = serve,
    .reset = reset,
};

// ---- Start ----

static long memory_new(size_t size)
{
    return syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

// A standard stream that is closed stays so for the guest, but none of our own files may take its
// number: something that cannot be read takes it. The stream's lookup (fs_name.c) knows it by
// O_PATH.
static void streams_keep(void)
{
    for (int fd = 0; fd <= 2; ++fd) {
        if (syscall3(SYS_fcntl, fd, F_GETFD, 0) == -EBADF) {
            syscall4(SYS_openat, AT_FDCWD, (long)"/", O_PATH | O_CLOEXEC, 0); // the lowest free
        }
    }
}

// Each open file of the guest takes two descriptors, each node in use one: as many as we may have.
static int table_init(void)
{
    if (files != NULL) {
        return 0;
    }
    streams_keep();
    struct rlimit limit;
    long error = syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit);
    if (error == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < FD_MAX ? limit.rlim_max : FD_MAX;
        error = syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, (long)&limit, 0);
    }
    if (error != 0) {
        return (int)error;
    }
    file_count = limit.rlim_cur < FD_MAX ? (uint32_t)limit.rlim_cur : FD_MAX;
    long memory = memory_new(file_count * sizeof *files);
    if (memory < 0 && memory > -4096) {
        return (int)memory;
    }
    files = (_Atomic uint32_t *)memory;
    long links =
        syscall4(SYS_openat, AT_FDCWD, (long)"/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    fs_links = (int)links;
    return links < 0 ? (int)links : 0;
}

static int host_add(const char *name, int root, bool read_only, struct fs_host **result)
{
    struct {
        char tag[36];
        uint32_t request_queues;
    } config = {.request_queues = FS_QUEUES - 1};
    for (size_t i = 0; i < sizeof config.tag && name[i] != 0; ++i) {
        config.tag[i] = name[i];
    }
    int error = table_init();
    if (error != 0) {
        return error;
    }
    long memory = memory_new(sizeof(struct fs_host));
    if (memory < 0 && memory > -4096) {
        return (int)memory;
    }
    struct fs_host *host = (struct fs_host *)memory;
    host->id = ++host_count;
    host->root = root;
    host->read_only = read_only;
    *result = host;
    return device_add(HAL_FS, name, &fs_ops, host, &config);
}

int fs_add_directory(const char *name, const char *path, bool read_only)
{
    struct fs_host *host;
    int error = table_init(); // before anything takes the number of a stream that is closed
    if (error != 0) {
        return error;
    }
    long root = syscall4(SYS_openat, AT_FDCWD, (long)path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (root < 0) {
        return (int)root;
    }
    error = host_add(name, (int)root, read_only, &host);
    if (error != 0) {
        syscall3(SYS_close, root, 0, 0);
    }
    return error;
}

// A write to a pipe that nobody reads is an error to be answered, not the end of this process.
static long pipe_signal_ignore(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {.handler = SIG_IGN}; // the kernel's struct sigaction
    return syscall4(SYS_rt_sigaction, SIGPIPE, (long)&action, 0, sizeof action.mask);
}

int fs_add_streams(const char *name)
{
    struct fs_host *host;
    long error = pipe_signal_ignore();
    syscall3(SYS_umask, 0, 0, 0); // core has applied the program's own to each mode that we get
    return error != 0 ? (int)error : host_add(name, -1, false, &host);
}
