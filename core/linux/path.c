// SPDX-License-Identifier: BSD-3-Clause
// path.c: system calls that take a path.
//
// A path is copied in first; a directory descriptor becomes the base that core/vfs starts a
// relative path at, NULL being the current directory.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <utime.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/vfs.h"

_Static_assert(MODE_TYPE == S_IFMT && MODE_DIRECTORY == S_IFDIR && MODE_FILE == S_IFREG, "mode");
_Static_assert(OPEN_DIRECTORY == O_DIRECTORY || O_DIRECTORY == 040000, "x86_64, aarch64");

// A base directory and a path from it.
struct place {
    struct file *base; // counted; NULL: the current directory
    char path[USER_PATH_MAX];
};

static int place_get(struct place *place, int fd, const char *user)
{
    place->base = NULL;
    int error = user_read_path(place->path, user);
    if (error == 0 && place->path[0] != '/' && fd != AT_FDCWD) {
        error = fd_get(fd, &place->base);
    }
    return error;
}

static long place_put(struct place *place, long result)
{
    if (place->base != NULL) {
        file_put(place->base);
    }
    return result;
}

// ---- Opening -------------------------------------------------------------

// Linux's flags on aarch64 differ in three places.
static uint32_t open_flags_of(int flags)
{
    uint32_t result = (uint32_t)flags & ~(uint32_t)(O_DIRECTORY | O_NOFOLLOW | O_DIRECT);
    result |= (flags & O_DIRECTORY) != 0 ? OPEN_DIRECTORY : 0;
    result |= (flags & O_NOFOLLOW) != 0 ? OPEN_NO_FOLLOW : 0;
    result |= (flags & O_DIRECT) != 0 ? OPEN_DIRECT : 0;
    return result;
}

static long open_at(int fd, const char *user, int flags, uint32_t mode)
{
    struct place place;
    struct file *file;
    int error = place_get(&place, fd, user);
    if (error == 0) {
        error = vfs_open(place.base, place.path, open_flags_of(flags), mode & 07777, &file);
    }
    if (place_put(&place, error) != 0) {
        return error;
    }
    int result = fd_install(file, 0, (flags & O_CLOEXEC) != 0);
    if (result < 0) {
        file_put(file);
    }
    return result;
}

long linux_openat(int fd, const char *path, int flags, uint32_t mode)
{
    return open_at(fd, path, flags, mode);
}

long linux_open(const char *path, int flags, uint32_t mode)
{
    return open_at(AT_FDCWD, path, flags, mode);
}

long linux_creat(const char *path, uint32_t mode)
{
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

// ---- Status --------------------------------------------------------------

static struct timespec timespec_of(struct file_time time)
{
    return (struct timespec){.tv_sec = time.seconds, .tv_nsec = time.nanoseconds};
}

static int status_write(struct stat *user, const struct file_status *status)
{
    struct stat result;
    memset(&result, 0, sizeof result);
    result.st_dev = status->device;
    result.st_ino = status->inode;
    result.st_nlink = (nlink_t)status->link_count;
    result.st_mode = status->mode;
    result.st_uid = status->uid;
    result.st_gid = status->gid;
    result.st_rdev = status->special_device;
    result.st_size = (off_t)status->size;
    result.st_blksize = (blksize_t)status->block_size;
    result.st_blocks = (blkcnt_t)status->block_count;
    result.st_atim = timespec_of(status->accessed);
    result.st_mtim = timespec_of(status->modified);
    result.st_ctim = timespec_of(status->changed);
    return user_write(user, &result, sizeof result);
}

static int status_of_fd(int fd, struct file_status *status)
{
    struct file *file;
    int error = fd_get(fd, &file);
    if (error == 0) {
        error = file_status(file, status);
        file_put(file);
    }
    return error;
}

static int status_of(int fd, const char *path, int flags, struct file_status *status)
{
    enum { STATX_SYNC = 0x6000 }; // both of these bits at once mean nothing
    const int known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | STATX_SYNC;
    struct place place;
    if ((flags & ~known) != 0 || (flags & STATX_SYNC) == STATX_SYNC) {
        return -EINVAL;
    }
    int error = place_get(&place, fd, path);
    if (error == 0 && place.path[0] == 0 && (flags & AT_EMPTY_PATH) != 0) {
        return fd == AT_FDCWD ? vfs_status(NULL, ".", 0, status) : status_of_fd(fd, status);
    }
    if (error == 0) {
        unsigned how = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? VFS_NO_FOLLOW : 0;
        error = vfs_status(place.base, place.path, how, status);
    }
    return (int)place_put(&place, error);
}

long linux_newfstatat(int fd, const char *path, struct stat *result, int flags)
{
    struct file_status status;
    int error = status_of(fd, path, flags, &status);
    return error != 0 ? error : status_write(result, &status);
}

long linux_stat(const char *path, struct stat *result)
{
    return linux_newfstatat(AT_FDCWD, path, result, 0);
}

long linux_lstat(const char *path, struct stat *result)
{
    return linux_newfstatat(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}

long linux_fstat(int fd, struct stat *result)
{
    struct file_status status;
    int error = status_of_fd(fd, &status);
    return error != 0 ? error : status_write(result, &status);
}

static uint32_t device_major(uint64_t device)
{
    return (uint32_t)((device >> 8 & 0xfff) | (device >> 32 & ~0xfffu));
}

static uint32_t device_minor(uint64_t device)
{
    return (uint32_t)((device & 0xff) | (device >> 12 & ~0xffu));
}

// Linux include/uapi/linux/stat.h
struct statx_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t reserved;
};

struct statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t link_count, uid, gid;
    uint16_t mode, spare;
    uint64_t inode, size, block_count, attributes_mask;
    struct statx_time accessed, born, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t mount_id, spares[13];
};

_Static_assert(sizeof(struct statx) == 256, "struct statx");

enum { STATX_BASIC = 0x7ff };

#define STATX_RESERVED 0x80000000u

static struct statx_time statx_time_of(struct file_time time)
{
    return (struct statx_time){.seconds = time.seconds, .nanoseconds = time.nanoseconds};
}

long linux_statx(int fd, const char *path, int flags, unsigned mask, struct statx *result)
{
    struct file_status status;
    struct statx x;
    if ((mask & STATX_RESERVED) != 0) {
        return -EINVAL;
    }
    int error = status_of(fd, path, flags, &status);
    if (error != 0) {
        return error;
    }
    memset(&x, 0, sizeof x);
    x.mask = STATX_BASIC;
    x.block_size = (uint32_t)status.block_size;
    x.link_count = (uint32_t)status.link_count;
    x.uid = status.uid;
    x.gid = status.gid;
    x.mode = (uint16_t)status.mode;
    x.inode = status.inode;
    x.size = status.size;
    x.block_count = status.block_count;
    x.accessed = statx_time_of(status.accessed);
    x.modified = statx_time_of(status.modified);
    x.changed = statx_time_of(status.changed);
    x.special_major = device_major(status.special_device);
    x.special_minor = device_minor(status.special_device);
    x.device_major = device_major(status.device);
    x.device_minor = device_minor(status.device);
    return user_write(result, &x, sizeof x);
}

static int file_system_write(struct statfs *user, const struct file_system_status *status)
{
    struct statfs result;
    memset(&result, 0, sizeof result);
    result.f_type = status->type;
    result.f_bsize = status->block_size;
    result.f_frsize = status->block_size;
    result.f_blocks = status->block_count;
    result.f_bfree = status->block_free;
    result.f_bavail = status->block_available;
    result.f_files = status->file_count;
    result.f_ffree = status->file_free;
    result.f_namelen = status->name_max;
    return user_write(user, &result, sizeof result);
}

long linux_statfs(const char *path, struct statfs *result)
{
    struct place place;
    struct file_system_status status;
    int error = place_get(&place, AT_FDCWD, path);
    if (error == 0) {
        error = vfs_file_system_status(NULL, place.path, &status);
    }
    return error != 0 ? error : file_system_write(result, &status);
}

long linux_fstatfs(int fd, struct statfs *result)
{
    struct file *file;
    struct file_system_status status;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = vfs_file_system_status(file, "", &status);
    file_put(file);
    return error != 0 ? error : file_system_write(result, &status);
}

long linux_faccessat2(int fd, const char *path, int mode, int flags)
{
    struct place place;
    if ((mode & ~7) != 0 || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) {
        return -EINVAL;
    }
    int error = place_get(&place, fd, path);
    if (error == 0) {
        unsigned how = ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? VFS_NO_FOLLOW : 0) |
                       ((flags & AT_EMPTY_PATH) != 0 ? VFS_EMPTY_PATH : 0);
        error = vfs_access(place.base, place.path, (unsigned)mode, how);
    }
    return place_put(&place, error);
}

long linux_faccessat(int fd, const char *path, int mode)
{
    return linux_faccessat2(fd, path, mode, 0);
}

long linux_access(const char *path, int mode)
{
    return linux_faccessat2(AT_FDCWD, path, mode, 0);
}

// ---- Names ---------------------------------------------------------------

long linux_mkdirat(int fd, const char *path, uint32_t mode)
{
    struct place place;
    int error = place_get(&place, fd, path);
    return place_put(&place,
                     error != 0 ? error : vfs_make_directory(place.base, place.path, mode & 07777));
}

long linux_mkdir(const char *path, uint32_t mode)
{
    return linux_mkdirat(AT_FDCWD, path, mode);
}

// The number is Linux's new_encode_dev: as st_rdev, in 32 bits.
long linux_mknodat(int fd, const char *path, uint32_t mode, unsigned device)
{
    struct place place;
    int error = place_get(&place, fd, path);
    return place_put(&place,
                     error != 0 ? error : vfs_make_node(place.base, place.path, mode, device));
}

long linux_mknod(const char *path, uint32_t mode, unsigned device)
{
    return linux_mknodat(AT_FDCWD, path, mode, device);
}

long linux_unlinkat(int fd, const char *path, int flags)
{
    struct place place;
    unsigned how = (flags & AT_REMOVEDIR) != 0 ? VFS_REMOVE_DIRECTORY : 0;
    if ((flags & ~AT_REMOVEDIR) != 0) {
        return -EINVAL;
    }
    int error = place_get(&place, fd, path);
    return place_put(&place, error != 0 ? error : vfs_remove(place.base, place.path, how));
}

long linux_unlink(const char *path)
{
    return linux_unlinkat(AT_FDCWD, path, 0);
}

long linux_rmdir(const char *path)
{
    return linux_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

typedef int two_path_function(struct file *from_base, const char *from, struct file *to_base,
                              const char *to, unsigned flags);

static long two_paths(two_path_function *function, int from_fd, const char *from, int to_fd,
                      const char *to, unsigned flags)
{
    struct place *places = heap_alloc(2 * sizeof(struct place)); // 8 KiB: too much for a stack
    if (places == NULL) {
        return -ENOMEM;
    }
    places[1].base = NULL;
    long error = place_get(&places[0], from_fd, from);
    if (error == 0 && (error = place_get(&places[1], to_fd, to)) == 0) {
        error = function(places[0].base, places[0].path, places[1].base, places[1].path, flags);
    }
    (void)place_put(&places[0], 0);
    (void)place_put(&places[1], 0);
    heap_free(places);
    return error;
}

long linux_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    unsigned how = ((flags & 1) != 0 ? VFS_NO_REPLACE : 0) | ((flags & 2) != 0 ? VFS_EXCHANGE : 0);
    bool is_wrong = (flags & ~3u) != 0 || flags == 3;
    return is_wrong ? -EINVAL : two_paths(vfs_rename, from_fd, from, to_fd, to, how);
}

long linux_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return linux_renameat2(from_fd, from, to_fd, to, 0);
}

long linux_rename(const char *from, const char *to)
{
    return linux_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

long linux_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    unsigned how = ((flags & AT_SYMLINK_FOLLOW) != 0 ? 0 : VFS_NO_FOLLOW) |
                   ((flags & AT_EMPTY_PATH) != 0 ? VFS_EMPTY_PATH : 0);
    if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) {
        return -EINVAL;
    }
    return two_paths(vfs_link, from_fd, from, to_fd, to, how);
}

long linux_link(const char *from, const char *to)
{
    return linux_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int symlink_function(struct file *from_base, const char *from, struct file *to_base,
                            const char *to, unsigned flags)
{
    (void)from_base;
    (void)flags;
    return vfs_symlink(from, to_base, to);
}

long linux_symlinkat(const char *text, int fd, const char *path)
{
    return two_paths(symlink_function, AT_FDCWD, text, fd, path, 0);
}

long linux_symlink(const char *text, const char *path)
{
    return linux_symlinkat(text, AT_FDCWD, path);
}

long linux_readlinkat(int fd, const char *path, char *text, size_t size)
{
    struct place place;
    size_t length = 0;
    if ((long)size <= 0) {
        return -EINVAL;
    }
    int error = place_get(&place, fd, path);
    if (error == 0 && (error = user_check(text, size)) == 0) {
        error = vfs_read_link(place.base, place.path, text, size, &length);
    }
    return place_put(&place, error != 0 ? error : (long)length);
}

long linux_readlink(const char *path, char *text, size_t size)
{
    return linux_readlinkat(AT_FDCWD, path, text, size);
}

// ---- Attributes ----------------------------------------------------------

// A file that is open for more than its name.
static int open_file_get(int fd, struct file **file)
{
    int error = fd_get(fd, file);
    if (error == 0 && (atomic_load(&(*file)->flags) & OPEN_PATH) != 0) {
        file_put(*file);
        error = -EBADF;
    }
    return error;
}

long linux_truncate(const char *path, int64_t size)
{
    struct place place;
    int error = size < 0 ? -EINVAL : place_get(&place, AT_FDCWD, path);
    return transfer_result(error != 0 ? error : vfs_truncate(place.path, (uint64_t)size), 0);
}

long linux_fchmodat(int fd, const char *path, uint32_t mode)
{
    struct place place;
    int error = place_get(&place, fd, path);
    return place_put(&place,
                     error != 0 ? error : vfs_change_mode(place.base, place.path, mode & 07777, 0));
}

long linux_chmod(const char *path, uint32_t mode)
{
    return linux_fchmodat(AT_FDCWD, path, mode);
}

long linux_fchmod(int fd, uint32_t mode)
{
    struct file *file;
    int error = open_file_get(fd, &file);
    if (error == 0) {
        error = vfs_change_mode(file, "", mode & 07777, VFS_EMPTY_PATH);
        file_put(file);
    }
    return error;
}

long linux_fchownat(int fd, const char *path, uint32_t uid, uint32_t gid, int flags)
{
    struct place place;
    unsigned how = ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? VFS_NO_FOLLOW : 0) |
                   ((flags & AT_EMPTY_PATH) != 0 ? VFS_EMPTY_PATH : 0);
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) {
        return -EINVAL;
    }
    int error = place_get(&place, fd, path);
    return place_put(&place,
                     error != 0 ? error : vfs_change_owner(place.base, place.path, uid, gid, how));
}

long linux_chown(const char *path, uint32_t uid, uint32_t gid)
{
    return linux_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long linux_lchown(const char *path, uint32_t uid, uint32_t gid)
{
    return linux_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long linux_fchown(int fd, uint32_t uid, uint32_t gid)
{
    struct file *file;
    int error = open_file_get(fd, &file);
    if (error == 0) {
        error = vfs_change_owner(file, "", uid, gid, VFS_EMPTY_PATH);
        file_put(file);
    }
    return error;
}

static int times_read(struct file_time times[2], const struct timespec *user)
{
    struct timespec spec[2];
    int error = user_read(spec, user, sizeof spec);
    for (int i = 0; error == 0 && i < 2; ++i) {
        times[i] = (struct file_time){spec[i].tv_sec,
                                      (uint32_t)spec[i].tv_nsec}; // UTIME_NOW, UTIME_OMIT too
        bool is_valid = spec[i].tv_nsec == UTIME_NOW || spec[i].tv_nsec == UTIME_OMIT ||
                        (spec[i].tv_nsec >= 0 && spec[i].tv_nsec < 1000000000);
        error = is_valid ? 0 : -EINVAL;
    }
    return error;
}

long linux_utimensat(int fd, const char *path, const struct timespec *user, int flags)
{
    struct place place = {0};
    struct file_time times[2];
    unsigned how = ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? VFS_NO_FOLLOW : 0) |
                   ((flags & AT_EMPTY_PATH) != 0 ? VFS_EMPTY_PATH : 0);
    int error = user == NULL ? 0 : times_read(times, user);
    if (error == 0 && user != NULL && times[0].nanoseconds == UTIME_OMIT &&
        times[1].nanoseconds == UTIME_OMIT) {
        return 0;
    }
    if (error == 0 && (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) {
        error = -EINVAL;
    }
    if (error == 0 && path == NULL && fd != AT_FDCWD) {
        how |= VFS_EMPTY_PATH;
        error = fd_get(fd, &place.base);
    } else if (error == 0) {
        error = place_get(&place, fd, path);
    }
    if (error == 0) {
        error = vfs_change_times(place.base, place.path, user == NULL ? NULL : times, how);
    }
    return place_put(&place, error);
}

// ---- Directories ---------------------------------------------------------

long linux_chdir(const char *path)
{
    struct place place;
    int error = place_get(&place, AT_FDCWD, path);
    return error != 0 ? error : vfs_change_directory(NULL, place.path);
}

long linux_fchdir(int fd)
{
    struct file *file;
    int error = fd_get(fd, &file);
    if (error == 0) {
        error = vfs_change_directory(file, ".");
        file_put(file);
    }
    return error;
}

long linux_getcwd(char *text, size_t size)
{
    char path[USER_PATH_MAX];
    size_t length = 0;
    int error = vfs_current_directory(path, size < sizeof path ? size : sizeof path, &length);
    if (error == 0) {
        error = user_write(text, path, length);
    }
    return error != 0 ? error : (long)length;
}

struct entry_sink {
    char *data;
    size_t size, used;
    int error;
};

// struct linux_dirent64: inode, offset, record length, type, name.
static bool entry_write(const struct dir_entry *entry, void *argument)
{
    struct entry_sink *sink = argument;
    size_t name_size = strlen(entry->name) + 1;
    size_t record = (offsetof(struct dirent, d_name) + name_size + 7) & ~(size_t)7;
    struct dirent head;
    if (record > sink->size - sink->used) {
        sink->error = sink->used == 0 ? -EINVAL : 0;
        return false;
    }
    memset(&head, 0, offsetof(struct dirent, d_name));
    head.d_ino = entry->inode;
    head.d_off = (off_t)entry->next;
    head.d_reclen = (unsigned short)record;
    head.d_type = entry->type;
    char *to = sink->data + sink->used;
    sink->error = user_write(to, &head, offsetof(struct dirent, d_name));
    if (sink->error == 0) {
        sink->error = user_write(to + offsetof(struct dirent, d_name), entry->name, name_size);
    }
    sink->used += sink->error == 0 ? record : 0;
    return sink->error == 0;
}

long linux_getdents64(int fd, void *data, size_t size)
{
    struct file *file;
    struct entry_sink sink = {.data = data, .size = size};
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = file_read_directory(file, entry_write, &sink);
    file_put(file);
    if (error == 0) {
        error = sink.error;
    }
    return sink.used > 0 ? (long)sink.used : error;
}

long linux_umask(uint32_t mask)
{
    uint32_t old = vfs_umask();
    vfs_umask_set(mask & 0777);
    return old;
}
