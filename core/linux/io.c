// SPDX-License-Identifier: BSD-3-Clause
// io.c: system calls on descriptors: reading, writing, positions, flags, pipes.
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/owner.h"
#include "core/linux/process.h"
#include "core/linux/signal.h"
#include "core/linux/socketcalls.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/file.h"
#include "core/vfs/memfile.h"
#include "core/vfs/pipe.h"
#include "core/vfs/vfs.h"
#include "core/vfs/vnode.h"

_Static_assert(OPEN_CREATE == O_CREAT && OPEN_EXCLUSIVE == O_EXCL && OPEN_TRUNCATE == O_TRUNC,
               "open flags");
_Static_assert(OPEN_APPEND == O_APPEND && OPEN_NONBLOCK == O_NONBLOCK && OPEN_PATH == O_PATH,
               "open flags");
_Static_assert((OPEN_TEMPORARY | O_DIRECTORY) == O_TMPFILE, "open flags");
_Static_assert(OPEN_DATA_SYNC == O_DSYNC && OPEN_ASYNC == O_ASYNC, "open flags");
_Static_assert(OPEN_CLOSE_ON_EXEC == O_CLOEXEC && OPEN_NO_TTY == O_NOCTTY, "open flags");

// Runs on the way out.
static void signal_self(int signal)
{
    struct linux_signal_info info = signal_info_user(signal);
    (void)signal_send_thread(0, &info);
}

long transfer_failed(int error)
{
    if (error == -EPIPE) {
        signal_self(SIGNAL_PIPE);
    } else if (error == -EFBIG && process_limit(RLIMIT_FSIZE) != RLIM_INFINITY) {
        signal_self(SIGNAL_FILE_SIZE);
    }
    return error;
}

bool breaks_silently(const struct file *file)
{
    const struct socket_calls *calls = socket_calls_of(file);
    return calls != NULL && calls->breaks_silently(file);
}

long transfer_end(struct file *file, int error, size_t done)
{
    const bool is_silent = error == -EPIPE && breaks_silently(file);
    file_put(file);
    return is_silent && done == 0 ? error : transfer_result(error, done);
}

// Files touch the buffer by safe copies as far as they fill or use it: it may be promised longer
// than it is.
static int begin(int fd, struct file **file, const void *data, size_t size)
{
    int error = fd_get(fd, file);
    if (error == 0 && (uintptr_t)data + size < size) {
        file_put(*file);
        error = -EFAULT;
    }
    return error;
}

// What may be borrowed, is: with a buffer that wraps, the error is found on the longer way.
static struct file *borrow(int fd, const void *data, size_t size)
{
    return (uintptr_t)data + size < size ? NULL : fd_borrow(fd);
}

long linux_read(int fd, char *data, size_t size)
{
    size_t done = 0;
    size = transfer_limit(size);
    struct file *file = borrow(fd, data, size);
    if (file != NULL) {
        int error = file->ops->read_borrowed(file, data, size, &done);
        return transfer_result(error, done);
    }
    int error = begin(fd, &file, data, size);
    if (error != 0) {
        return error;
    }
    error = file_read(file, data, size, &done);
    return transfer_end(file, error, done);
}

long linux_write(int fd, const char *data, size_t size)
{
    size_t done = 0;
    size = transfer_limit(size);
    struct file *file = borrow(fd, data, size);
    if (file != NULL) {
        int error = file->ops->write_borrowed(file, data, size, &done);
        return transfer_result(error, done);
    }
    int error = begin(fd, &file, data, size);
    if (error != 0) {
        return error;
    }
    error = file_write(file, data, size, &done);
    return transfer_end(file, error, done);
}

long linux_pread64(int fd, char *data, size_t size, int64_t offset)
{
    struct file *file;
    size_t done = 0;
    size = transfer_limit(size);
    int error = offset < 0 ? -EINVAL : begin(fd, &file, data, size);
    if (error != 0) {
        return error;
    }
    error = file_read_at(file, (uint64_t)offset, data, size, &done);
    return transfer_end(file, error, done);
}

long linux_pwrite64(int fd, const char *data, size_t size, int64_t offset)
{
    struct file *file;
    size_t done = 0;
    size = transfer_limit(size);
    int error = offset < 0 ? -EINVAL : begin(fd, &file, data, size);
    if (error != 0) {
        return error;
    }
    error = file_write_at(file, (uint64_t)offset, data, size, &done);
    return transfer_end(file, error, done);
}

// ---- Positions and whole files -------------------------------------------

long linux_lseek(int fd, int64_t offset, int from)
{
    struct file *file;
    uint64_t result = 0;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    if (from >= SEEK_FROM_START && from <= SEEK_TO_HOLE) {
        error = file_seek(file, offset, (enum seek_from)from, &result);
    } else {
        error = (atomic_load(&file->flags) & OPEN_PATH) != 0 ? -EBADF : -EINVAL;
    }
    file_put(file);
    return error != 0 ? error : (long)result;
}

long linux_ftruncate(int fd, int64_t size)
{
    struct file *file;
    int error = size < 0 ? -EINVAL : fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = file_truncate(file, (uint64_t)size);
    return transfer_end(file, error, 0);
}

static long sync_call(int fd, bool data_only)
{
    struct file *file;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = file_sync(file, data_only);
    file_put(file);
    return error;
}

long linux_fsync(int fd)
{
    return sync_call(fd, false);
}

long linux_fdatasync(int fd)
{
    return sync_call(fd, true);
}

static bool is_path_only(const struct file *file)
{
    return (atomic_load(&file->flags) & OPEN_PATH) != 0;
}

static bool is_regular(const struct file *file)
{
    return file->vnode != NULL && file->vnode->type == MODE_FILE;
}

// Advice may be ignored; what makes none may not.
long linux_fadvise64(int fd, int64_t offset, int64_t size, int advice)
{
    struct file *file;
    (void)offset;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    if (is_path_only(file)) {
        error = -EBADF;
    } else if (file->vnode == NULL || file->vnode->type == MODE_FIFO) {
        error = -ESPIPE;
    } else if (size < 0 || advice < 0 || advice > 5) {
        error = -EINVAL;
    }
    file_put(file);
    return error;
}

long linux_readahead(int fd, int64_t offset, size_t size)
{
    struct file *file;
    (void)offset;
    (void)size;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    uint32_t flags = atomic_load(&file->flags);
    if ((flags & OPEN_ACCESS) == OPEN_WRITE_ONLY || (flags & OPEN_PATH) != 0) {
        error = -EBADF;
    } else if (!is_regular(file)) {
        error = -EINVAL;
    }
    file_put(file);
    return error;
}

// The whole file is synced where a part is to be waited for.
long linux_sync_file_range(int fd, int64_t offset, int64_t size, unsigned flags)
{
    enum { WAIT_BEFORE = 1, WRITE = 2, WAIT_AFTER = 4, ALL = 7 };
    struct file *file;
    int64_t end;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    if (is_path_only(file)) {
        error = -EBADF;
    } else if ((flags & ~(unsigned)ALL) != 0 || offset < 0 || size < 0 ||
               __builtin_add_overflow(offset, size, &end)) {
        error = -EINVAL;
    } else if (!is_regular(file) && (file->vnode == NULL || !vnode_is_directory(file->vnode))) {
        error = -ESPIPE;
    } else if ((flags & (WAIT_BEFORE | WAIT_AFTER)) != 0) {
        error = file_sync(file, true);
    }
    file_put(file);
    return error;
}

long linux_syncfs(int fd)
{
    struct file *file;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = is_path_only(file) ? -EBADF : vfs_sync(file);
    file_put(file);
    return error;
}

long linux_sync(void)
{
    return vfs_sync(NULL);
}

long linux_fallocate(int fd, int mode, int64_t offset, int64_t size)
{
    struct file *file;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = file_allocate(file, (unsigned)mode, (uint64_t)offset, (uint64_t)size);
    return transfer_end(file, error, 0);
}

// How much of a regular file is left to read.
static int left_write(struct file *file, int *user)
{
    struct file_status status;
    uint64_t place = 0;
    int error = file_status(file, &status);
    error = error != 0 ? error : file_seek(file, 0, SEEK_FROM_CURRENT, &place);
    if (error != 0) {
        return error;
    }
    int64_t left = (int64_t)status.size - (int64_t)place;
    int count = left > INT_MAX ? INT_MAX : left < 0 ? 0 : (int)left;
    return user_write(user, &count, sizeof count);
}

static int tells_change(struct file *file, int fd, bool tells)
{
    const bool told = (atomic_load(&file->flags) & OPEN_ASYNC) != 0;
    return tells == told ? 0 : owner_tells_set(file, fd, tells);
}

long linux_ioctl(int fd, unsigned long request, void *argument)
{
    struct file *file;
    int on = 0;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    switch (request) {
    case FIOCLEX:
    case FIONCLEX:
        error = fd_flag_set(fd, request == FIOCLEX);
        break;
    case FIONBIO:
        error = user_read(&on, argument, sizeof on);
        if (error == 0 && on != 0) {
            atomic_fetch_or(&file->flags, OPEN_NONBLOCK);
        } else if (error == 0) {
            atomic_fetch_and(&file->flags, ~(uint32_t)OPEN_NONBLOCK);
        }
        break;
    case FIOASYNC:
        error = user_read(&on, argument, sizeof on);
        error = error == 0 ? tells_change(file, fd, on != 0) : error;
        break;
    default:
        error = file_control(file, request, argument);
        if (error == -ENOTTY && request == FIONREAD && is_regular(file)) {
            error = left_write(file, argument);
        } else if (error == -ENOTTY && socket_calls_of(file) != NULL) {
            error = owner_ioctl(file, request, argument);
            error = error == -ENOTTY ? interface_control(file, request, argument) : error;
        }
        break;
    }
    file_put(file);
    return error;
}

// ---- Descriptors ---------------------------------------------------------

long linux_close(int fd)
{
    return fd_close(fd);
}

long linux_close_range(unsigned first, unsigned last, unsigned flags)
{
    enum { UNSHARE = 2, CLOSE_ON_EXEC = 4 }; // there is nobody to share with
    if (first > last || (flags & ~(unsigned)(UNSHARE | CLOSE_ON_EXEC)) != 0) {
        return -EINVAL;
    }
    for (unsigned fd = first; fd <= last && fd < FD_MAX; ++fd) {
        (void)((flags & CLOSE_ON_EXEC) != 0 ? fd_flag_set((int)fd, true) : fd_close((int)fd));
    }
    return 0;
}

static long duplicate(int fd, int lowest, bool close_on_exec)
{
    struct file *file;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    int result = fd_install(file, lowest, close_on_exec);
    if (result < 0) {
        file_put(file);
    }
    return result;
}

long linux_dup(int fd)
{
    return duplicate(fd, 0, false);
}

long linux_dup3(int fd, int target, int flags)
{
    struct file *file;
    if (fd == target || (flags & ~O_CLOEXEC) != 0) {
        return -EINVAL;
    }
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    int result = fd_install_at(target, file, (flags & O_CLOEXEC) != 0);
    if (result < 0) {
        file_put(file);
    }
    return result;
}

long linux_dup2(int fd, int target)
{
    struct file *file;
    if (fd != target) {
        return linux_dup3(fd, target, 0);
    }
    int error = fd_get(fd, &file);
    if (error == 0) {
        file_put(file);
    }
    return error != 0 ? error : fd;
}

// What open(2) was asked for, but for what it did at once. Large files are everybody's.
static long status_flags_get(const struct file *file)
{
    enum { LARGE_FILE = 0100000 };
    const uint32_t done =
        OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_NO_TTY | OPEN_TRUNCATE | OPEN_CLOSE_ON_EXEC;
    uint32_t flags = atomic_load(&file->flags);
    uint32_t result =
        flags & ~(done | OPEN_DIRECTORY | OPEN_NO_FOLLOW | OPEN_TEMPORARY | OPEN_DIRECT);
    result |= (flags & OPEN_DIRECTORY) != 0 ? O_DIRECTORY : 0;
    result |= (flags & OPEN_NO_FOLLOW) != 0 ? O_NOFOLLOW : 0;
    result |= (flags & OPEN_TEMPORARY) != 0 ? O_TMPFILE : 0;
    result |= (flags & OPEN_DIRECT) != 0 ? O_DIRECT : 0;
    return (long)(file->vnode != NULL && !is_path_only(file) ? result | LARGE_FILE : result);
}

static long status_flags_set(struct file *file, int fd, uint32_t flags)
{
    const int error = owner_tells_set(file, fd, (flags & OPEN_ASYNC) != 0);
    if (error != 0 && error != -ENOTTY) {
        return error;
    }
    const uint32_t settable = OPEN_APPEND | OPEN_NONBLOCK;
    uint32_t old = atomic_load(&file->flags);
    while (
        !atomic_compare_exchange_weak(&file->flags, &old, (old & ~settable) | (flags & settable))) {
    }
    return 0;
}

// What a file that was opened with O_PATH allows.
static bool is_for_descriptor(int command)
{
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC || command == F_GETFD ||
           command == F_SETFD || command == F_GETFL;
}

static long control(struct file *file, int fd, int command, long argument)
{
    if (is_path_only(file) && !is_for_descriptor(command)) {
        return -EBADF;
    }
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return argument < 0 || argument >= FD_MAX
                   ? -EINVAL
                   : duplicate(fd, (int)argument, command == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return fd_flag_get(fd);
    case F_SETFD:
        return fd_flag_set(fd, (argument & FD_CLOEXEC) != 0);
    case F_GETFL:
        return status_flags_get(file);
    case F_SETFL:
        return status_flags_set(file, fd, (uint32_t)argument);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return lock_control(file, fd, command, (struct flock *)argument);
    case F_GETPIPE_SZ:
        return file_is_pipe(file) ? pipe_size(file) : -EBADF;
    case F_SETPIPE_SZ:
        return file_is_pipe(file) ? pipe_size_set(file, (size_t)argument) : -EBADF;
    case F_ADD_SEALS:
        return memfile_seals_add(file, (uint32_t)argument);
    case F_GET_SEALS: {
        uint32_t seals;
        int error = memfile_seals(file, &seals);
        return error != 0 ? error : (long)seals;
    }
    default:
        return owner_control(file, command, argument);
    }
}

long linux_fcntl(int fd, int command, long argument)
{
    struct file *file;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    long result = control(file, fd, command, argument);
    file_put(file);
    return result;
}

static int pair_install(struct file *files[2], bool close_on_exec, int fds[2])
{
    fds[0] = fd_install(files[0], 0, close_on_exec);
    if (fds[0] < 0) {
        file_put(files[0]);
        file_put(files[1]);
        return fds[0];
    }
    fds[1] = fd_install(files[1], 0, close_on_exec);
    if (fds[1] < 0) {
        file_put(files[1]);
        (void)fd_close(fds[0]);
        return fds[1];
    }
    return 0;
}

long linux_pipe2(int *user, int flags)
{
    struct file *files[2];
    int fds[2];
    if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0) {
        return -EINVAL;
    }
    int error = pipe_create(&files[0], &files[1], (uint32_t)flags & OPEN_NONBLOCK);
    if (error == 0) {
        error = pair_install(files, (flags & O_CLOEXEC) != 0, fds);
    }
    if (error == 0 && (error = user_write(user, fds, sizeof fds)) != 0) {
        (void)fd_close(fds[0]);
        (void)fd_close(fds[1]);
    }
    return error;
}

long linux_pipe(int *user)
{
    return linux_pipe2(user, 0);
}

long linux_eventfd2(unsigned value, int flags)
{
    enum { IS_SEMAPHORE = 1 };
    struct file *file;
    if ((flags & ~(O_CLOEXEC | O_NONBLOCK | IS_SEMAPHORE)) != 0) {
        return -EINVAL;
    }
    int error =
        eventfd_create(&file, value, (flags & IS_SEMAPHORE) != 0, (uint32_t)flags & OPEN_NONBLOCK);
    if (error != 0) {
        return error;
    }
    int fd = fd_install(file, 0, (flags & O_CLOEXEC) != 0);
    if (fd < 0) {
        file_put(file);
    }
    return fd;
}
