// SPDX-License-Identifier: BSD-3-Clause
// fs_name.c: the far end of a file system: names and attributes.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "hal-linux/dev/fs_request.h"
#include "hal-linux/machine.h"
#include "hal-linux/syscall.h"

// ---- Names ----

static size_t length_of(const char *text)
{
    size_t length = 0;
    while (text[length] != 0) {
        ++length;
    }
    return length;
}

// A name that can be looked up without leaving the directory.
static bool is_component(const char *name)
{
    if (name[0] == 0 || (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)))) {
        return false;
    }
    while (*name != 0 && *name != '/') {
        ++name;
    }
    return *name == 0;
}

// The NUL-terminated text at offset of the body; NULL: there is none. *next is after it.
static const char *text_at(const struct fs_request *request, size_t offset, size_t *next)
{
    if (offset >= request->body_size) {
        return NULL;
    }
    const char *text = request->body + offset;
    *next = offset + length_of(text) + 1;
    return *next <= request->body_size ? text : NULL;
}

// The directory and the name of a request; the directory's descriptor or -errno.
static int place_of(const struct fs_request *request, size_t offset, const char **name)
{
    size_t next;
    uint32_t kind;
    *name = text_at(request, offset, &next);
    if (*name == NULL || !is_component(*name)) {
        return -EINVAL;
    }
    return fs_node_fd(request, request->header->nodeid, &kind);
}

// ---- Attributes ----

static void attributes_fill(const struct stat *from, struct fuse_attr *to)
{
    *to = (struct fuse_attr){
        .ino = from->st_ino,
        .size = (uint64_t)from->st_size,
        .blocks = (uint64_t)from->st_blocks,
        .atime = (uint64_t)from->st_atim.tv_sec,
        .mtime = (uint64_t)from->st_mtim.tv_sec,
        .ctime = (uint64_t)from->st_ctim.tv_sec,
        .atimensec = (uint32_t)from->st_atim.tv_nsec,
        .mtimensec = (uint32_t)from->st_mtim.tv_nsec,
        .ctimensec = (uint32_t)from->st_ctim.tv_nsec,
        .mode = from->st_mode,
        .nlink = (uint32_t)from->st_nlink,
        .uid = from->st_uid,
        .gid = from->st_gid,
        .rdev = (uint32_t)from->st_rdev,
        .blksize = (uint32_t)from->st_blksize,
    };
}

// No descriptor below 3 is anything but a standard stream (fs.c).
static long status_of(int fd, struct stat *status)
{
    long error = syscall3(SYS_fstat, fd, (long)status, 0); // also where fd is O_PATH (Linux 3.6)
    if (error == 0) {
        machine_status(status, fd <= 2);
    }
    return error;
}

static bool is_special(uint32_t mode)
{
    return !S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode);
}

// How long the guest may keep what it was told: where it can change nothing itself a second, as is
// usual for FUSE; else not at all.
static uint64_t seconds_kept(const struct fs_request *request)
{
    return request->host->read_only ? 1 : 0;
}

// The table takes fd, of whatever kind it proves to be, or it is closed.
static long node_enter(const struct fs_request *request, int fd, struct fuse_entry_out *entry)
{
    struct stat status;
    long error = status_of(fd, &status);
    if (error != 0) {
        syscall3(SYS_close, fd, 0, 0);
        return error;
    }
    uint64_t valid = seconds_kept(request);
    *entry = (struct fuse_entry_out){
        .nodeid = fs_node_of(fd), .entry_valid = valid, .attr_valid = valid};
    attributes_fill(&status, &entry->attr);
    return fs_fd_enter(request, fd, FS_NODE | (is_special(status.st_mode) ? FS_SPECIAL : 0));
}

static long node_open(const struct fs_request *request, int directory, const char *name,
                      struct fuse_entry_out *entry)
{
    long fd = syscall4(SYS_openat, directory, (long)name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    return fd < 0 ? fd : node_enter(request, (int)fd, entry);
}

// Ends a request that made something: with its entry, or the error of the making.
static void entry_answer(const struct fs_request *request, long error, int directory,
                         const char *name)
{
    struct fuse_entry_out entry;
    if (error == 0) {
        error = node_open(request, directory, name, &entry);
    }
    fs_answer(request->chain, (int)error, &entry, sizeof entry);
}

// The standard streams are nodes of a root without a directory.
static void stream_lookup(const struct fs_request *request, const char *name)
{
    struct fuse_entry_out entry = {0};
    struct stat status;
    if (name == NULL || name[0] < '0' || name[0] > '2' || name[1] != 0) {
        fs_fail(request, -ENOENT);
        return;
    }
    int fd = name[0] - '0';
    long flags = syscall3(SYS_fcntl, fd, F_GETFL, 0);
    if (flags < 0 || (flags & O_PATH) != 0 || status_of(fd, &status) != 0) {
        fs_fail(request, -ENOENT); // closed
        return;
    }
    uint32_t special = S_ISREG(status.st_mode) ? 0 : FS_SPECIAL;
    entry.nodeid = fs_node_of(fd);
    attributes_fill(&status, &entry.attr);
    long error = fs_fd_enter(request, fd, FS_NODE | FS_HANDLE | FS_STREAM | special);
    fs_answer(request->chain, (int)error, &entry, sizeof entry);
}

void fs_lookup(struct fs_request *request)
{
    const char *name;
    int directory = place_of(request, 0, &name);
    if (request->host->root < 0) {
        stream_lookup(request, name);
        return;
    }
    struct fuse_entry_out entry = {.entry_valid = seconds_kept(request)};
    long error = directory < 0 ? directory : node_open(request, directory, name, &entry);
    if (error == -ENOENT && entry.entry_valid > 0) {
        error = 0; // an entry without a node: so it is for that time
    }
    fs_answer(request->chain, (int)error, &entry, sizeof entry);
}

void fs_forget(struct fs_request *request)
{
    uint32_t kind;
    int fd = fs_node_fd(request, request->header->nodeid, &kind);
    if (fd >= 0 && request->header->nodeid != FUSE_ROOT_ID) {
        fs_fd_close(fd); // each lookup made a node of its own
    }
    device_chain_done(request->chain, 0);
}

static void attributes_answer(const struct fs_request *request, int fd)
{
    struct stat status;
    struct fuse_attr_out result = {0};
    long error = status_of(fd, &status);
    if (error == 0) {
        attributes_fill(&status, &result.attr);
    }
    fs_answer(request->chain, (int)error, &result, sizeof result);
}

void fs_getattr(struct fs_request *request)
{
    uint32_t kind;
    if (request->host->root < 0 && request->header->nodeid == FUSE_ROOT_ID) {
        struct fuse_attr_out result = {.attr = {.ino = 1, .mode = S_IFDIR | 0555, .nlink = 2}};
        fs_answer(request->chain, 0, &result, sizeof result);
        return;
    }
    int fd = fs_node_fd(request, request->header->nodeid, &kind);
    if (fd < 0) {
        fs_fail(request, fd);
        return;
    }
    attributes_answer(request, fd);
}

static struct timespec time_of(const struct fuse_setattr_in *change, bool is_access)
{
    uint32_t exact = is_access ? FATTR_ATIME : FATTR_MTIME;
    uint32_t now = is_access ? FATTR_ATIME_NOW : FATTR_MTIME_NOW;
    struct timespec time = {.tv_nsec = UTIME_OMIT};
    if ((change->valid & now) != 0) {
        time.tv_nsec = UTIME_NOW;
    } else if ((change->valid & exact) != 0) {
        time.tv_sec = (long)(is_access ? change->atime : change->mtime);
        time.tv_nsec = is_access ? change->atimensec : change->mtimensec;
    }
    return time;
}

static long size_set(const struct fs_request *request, const struct fuse_setattr_in *change,
                     const char *path)
{
    uint32_t kind;
    if ((change->valid & FATTR_FH) == 0) {
        long own = syscall4(SYS_openat, fs_links, (long)path, O_WRONLY | O_NOCTTY | O_CLOEXEC, 0);
        long error = own < 0 ? own : syscall3(SYS_ftruncate, own, (long)change->size, 0);
        if (own >= 0) {
            syscall3(SYS_close, own, 0, 0);
        }
        return error;
    }
    int fd = fs_handle_fd(request, change->fh, &kind);
    return fd < 0 ? fd : syscall3(SYS_ftruncate, fd, (long)change->size, 0);
}

static long attributes_set(const struct fs_request *request, int fd,
                           const struct fuse_setattr_in *change)
{
    char path[FS_PATH_SIZE];
    fs_fd_path(fd, path);
    uint32_t valid = change->valid;
    long error = 0;
    if ((valid & FATTR_MODE) != 0) {
        error = syscall3(SYS_fchmodat, fs_links, (long)path, change->mode & 07777);
    }
    if (error == 0 && (valid & (FATTR_UID | FATTR_GID)) != 0) {
        long uid = (valid & FATTR_UID) != 0 ? (long)change->uid : -1;
        long gid = (valid & FATTR_GID) != 0 ? (long)change->gid : -1;
        error = syscall6(SYS_fchownat, fd, (long)"", uid, gid, AT_EMPTY_PATH, 0);
    }
    if (error == 0 && (valid & FATTR_SIZE) != 0) {
        error = size_set(request, change, path);
    }
    if (error == 0 && (valid & (FATTR_ATIME | FATTR_MTIME)) != 0) {
        struct timespec times[2] = {time_of(change, true), time_of(change, false)};
        error = syscall4(SYS_utimensat, fs_links, (long)path, (long)times, 0);
    }
    return error;
}

void fs_setattr(struct fs_request *request)
{
    const struct fuse_setattr_in *change = (const struct fuse_setattr_in *)request->body;
    uint32_t kind;
    int fd = fs_node_fd(request, request->header->nodeid, &kind);
    long error = fd < 0 ? fd : attributes_set(request, fd, change);
    if (error != 0) {
        fs_fail(request, error);
        return;
    }
    attributes_answer(request, fd);
}

void fs_readlink(struct fs_request *request)
{
    uint32_t kind;
    int fd = fs_node_fd(request, request->header->nodeid, &kind);
    if (fd < 0) {
        fs_fail(request, fd);
        return;
    }
    char path[FS_PATH_SIZE];
    fs_fd_path(fd, path);
    bool is_stream = (kind & FS_STREAM) != 0;
    long length = syscall4(SYS_readlinkat, is_stream ? fs_links : fd, (long)(is_stream ? path : ""),
                           (long)request->scratch, 4096);
    if (length < 0) {
        fs_fail(request, length);
        return;
    }
    size_t size = (size_t)length;
    if (is_stream) {
        machine_stream_name(request->scratch, &size);
    }
    fs_answer(request->chain, 0, request->scratch, size);
}

// By the descriptor where the host can (Linux 5.8), since that needs no look at /proc.
static long access_of(int fd, uint32_t mode)
{
    char path[FS_PATH_SIZE];
    long error = syscall4(SYS_faccessat2, fd, (long)"", mode, AT_EMPTY_PATH);
    if (error != -ENOSYS) {
        return error;
    }
    fs_fd_path(fd, path);
    return syscall3(SYS_faccessat, fs_links, (long)path, mode);
}

void fs_access(struct fs_request *request)
{
    const struct fuse_access_in *arguments = (const struct fuse_access_in *)request->body;
    uint32_t kind;
    int fd = fs_node_fd(request, request->header->nodeid, &kind);
    fs_fail(request, fd < 0 ? fd : access_of(fd, arguments->mask & 7));
}

void fs_statfs(struct fs_request *request)
{
    uint32_t kind;
    struct statfs status;
    int fd = fs_node_fd(request, request->header->nodeid, &kind);
    long error = fd < 0 ? fd : syscall3(SYS_fstatfs, fd, (long)&status, 0);
    machine_fs_status(&status);
    if (error != 0) {
        fs_fail(request, error);
        return;
    }
    struct fuse_statfs_out result = {.st = {
                                         .blocks = status.f_blocks,
                                         .bfree = status.f_bfree,
                                         .bavail = status.f_bavail,
                                         .files = status.f_files,
                                         .ffree = status.f_ffree,
                                         .bsize = (uint32_t)status.f_bsize,
                                         .namelen = (uint32_t)status.f_namelen,
                                         .frsize = (uint32_t)status.f_frsize,
                                     }};
    fs_answer(request->chain, 0, &result, sizeof result);
}

// ---- Making and removing ----

void fs_symlink(struct fs_request *request)
{
    const char *name;
    int directory = place_of(request, 0, &name);
    size_t next = 0;
    const char *text = directory < 0 ? NULL : text_at(request, length_of(name) + 1, &next);
    long error = directory < 0 ? directory : text == NULL ? -EINVAL : 0;
    if (error == 0) {
        error = syscall3(SYS_symlinkat, (long)text, directory, (long)name);
    }
    entry_answer(request, error, directory, name);
}

void fs_mknod(struct fs_request *request)
{
    const struct fuse_mknod_in *arguments = (const struct fuse_mknod_in *)request->body;
    const char *name;
    long error = place_of(request, sizeof *arguments, &name);
    int directory = (int)error;
    if (error >= 0) {
        error = syscall4(SYS_mknodat, directory, (long)name, arguments->mode, arguments->rdev);
    }
    entry_answer(request, error, directory, name);
}

void fs_mkdir(struct fs_request *request)
{
    const struct fuse_mkdir_in *arguments = (const struct fuse_mkdir_in *)request->body;
    const char *name;
    long error = place_of(request, sizeof *arguments, &name);
    int directory = (int)error;
    if (error >= 0) {
        error = syscall3(SYS_mkdirat, directory, (long)name, arguments->mode & 07777);
    }
    entry_answer(request, error, directory, name);
}

static void remove_name(struct fs_request *request, int flags)
{
    const char *name;
    int directory = place_of(request, 0, &name);
    fs_fail(request,
            directory < 0 ? directory : syscall3(SYS_unlinkat, directory, (long)name, flags));
}

void fs_unlink(struct fs_request *request)
{
    remove_name(request, 0);
}

void fs_rmdir(struct fs_request *request)
{
    remove_name(request, AT_REMOVEDIR);
}

void fs_rename(struct fs_request *request)
{
    const struct fuse_rename2_in *arguments = (const struct fuse_rename2_in *)request->body;
    const char *name;
    size_t next = 0;
    uint32_t kind;
    int directory = place_of(request, sizeof *arguments, &name);
    const char *to_name =
        directory < 0 ? NULL : text_at(request, sizeof *arguments + length_of(name) + 1, &next);
    int to_directory = fs_node_fd(request, arguments->newdir, &kind);
    long error = directory < 0 ? directory : to_directory < 0 ? to_directory : 0;
    if (error == 0 && (to_name == NULL || !is_component(to_name))) {
        error = -EINVAL;
    }
    if (error == 0) {
        error = syscall6(SYS_renameat2, directory, (long)name, to_directory, (long)to_name,
                         arguments->flags, 0);
    }
    fs_fail(request, error);
}

void fs_link(struct fs_request *request)
{
    const struct fuse_link_in *arguments = (const struct fuse_link_in *)request->body;
    char path[FS_PATH_SIZE];
    const char *name;
    uint32_t kind;
    int directory = place_of(request, sizeof *arguments, &name);
    int old = fs_node_fd(request, arguments->oldnodeid, &kind);
    long error = directory < 0 ? directory : old < 0 ? old : 0;
    if (error == 0) {
        fs_fd_path(old, path);
        error =
            syscall6(SYS_linkat, fs_links, (long)path, directory, (long)name, AT_SYMLINK_FOLLOW, 0);
    }
    entry_answer(request, error, directory, name);
}

void fs_create(struct fs_request *request)
{
    const struct fuse_create_in *arguments = (const struct fuse_create_in *)request->body;
    struct {
        struct fuse_entry_out entry;
        struct fuse_open_out open;
    } result = {0};
    const char *name = ".";
    bool is_temporary = request->header->opcode == FUSE_TMPFILE;
    uint32_t kind;
    int directory = is_temporary ? fs_node_fd(request, request->header->nodeid, &kind)
                                 : place_of(request, sizeof *arguments, &name);
    if (directory < 0) {
        fs_fail(request, directory);
        return;
    }
    int flags = (int)(arguments->flags & O_ACCMODE) | O_NOCTTY | O_CLOEXEC;
    if (is_temporary) {
        flags |= O_TMPFILE | (int)(arguments->flags & O_EXCL);
    } else {
        flags |= O_CREAT | O_EXCL | O_NOFOLLOW;
    }
    long fd = syscall4(SYS_openat, directory, (long)name, flags, arguments->mode & 07777);
    if (fd < 0) {
        fs_fail(request, fd);
        return;
    }
    long error = fs_fd_enter(request, (int)fd, FS_HANDLE);
    if (error == 0) {
        result.open.fh = (uint64_t)fd;
        // By way of the handle: the name may be somebody else's by now.
        char path[FS_PATH_SIZE];
        fs_fd_path((int)fd, path);
        long node = syscall4(SYS_openat, fs_links, (long)path, O_PATH | O_CLOEXEC, 0);
        error = node < 0 ? node : node_enter(request, (int)node, &result.entry);
        if (error != 0) {
            fs_fd_close((int)fd);
        }
    }
    fs_answer(request->chain, (int)error, &result, sizeof result);
}
