// SPDX-License-Identifier: BSD-3-Clause
// io.c: system calls on descriptors: reading, writing, positions, flags, pipes.
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/signal.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/file.h"

_Static_assert(OPEN_CREATE == O_CREAT && OPEN_EXCLUSIVE == O_EXCL && OPEN_TRUNCATE == O_TRUNC,
               "open flags");
_Static_assert(OPEN_APPEND == O_APPEND && OPEN_NONBLOCK == O_NONBLOCK && OPEN_PATH == O_PATH,
               "open flags");
_Static_assert(OPEN_CLOSE_ON_EXEC == O_CLOEXEC && OPEN_NO_TTY == O_NOCTTY, "open flags");
_Static_assert(sizeof(struct io_vector) == sizeof(struct iovec), "iovec");

enum { SIZE_MAX_ONCE = 0x7ffff000 }; // MAX_RW_COUNT of Linux

enum direction { READING, WRITING };

static size_t size_limit(size_t size)
{
    return size < SIZE_MAX_ONCE ? size : SIZE_MAX_ONCE;
}

// What a call on a file answers, and SIGPIPE where one is due.
static long finish(struct file *file, int error, size_t done)
{
    file_put(file);
    if (error == -EPIPE && done == 0) {
        struct linux_signal_info info = signal_info_user(SIGNAL_PIPE);
        (void)signal_send_thread(0, &info); // runs on the way out
    }
    return done > 0 ? (long)done : error;
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

long linux_read(int fd, char *data, size_t size)
{
    struct file *file;
    size_t done = 0;
    size = size_limit(size);
    int error = begin(fd, &file, data, size);
    if (error != 0) {
        return error;
    }
    error = file_read(file, data, size, &done);
    return finish(file, error, done);
}

long linux_write(int fd, const char *data, size_t size)
{
    struct file *file;
    size_t done = 0;
    size = size_limit(size);
    int error = begin(fd, &file, data, size);
    if (error != 0) {
        return error;
    }
    error = file_write(file, data, size, &done);
    return finish(file, error, done);
}

long linux_pread64(int fd, char *data, size_t size, int64_t offset)
{
    struct file *file;
    size_t done = 0;
    size = size_limit(size);
    int error = offset < 0 ? -EINVAL : begin(fd, &file, data, size);
    if (error != 0) {
        return error;
    }
    error = file_read_at(file, (uint64_t)offset, data, size, &done);
    return finish(file, error, done);
}

long linux_pwrite64(int fd, const char *data, size_t size, int64_t offset)
{
    struct file *file;
    size_t done = 0;
    size = size_limit(size);
    int error = offset < 0 ? -EINVAL : begin(fd, &file, data, size);
    if (error != 0) {
        return error;
    }
    error = file_write_at(file, (uint64_t)offset, data, size, &done);
    return finish(file, error, done);
}

// ---- Vectors -------------------------------------------------------------

enum { VECTOR_FEW = 16 };

struct vectors {
    struct io_vector few[VECTOR_FEW];
    struct io_vector *all; // few, or from the heap
    size_t count;
};

static void vectors_free(struct vectors *vectors)
{
    if (vectors->all != vectors->few) {
        heap_free(vectors->all);
    }
}

static int vectors_check(const struct vectors *vectors)
{
    size_t sum = 0;
    for (size_t i = 0; i < vectors->count; ++i) {
        if (vectors->all[i].size > SSIZE_MAX - sum) {
            return -EINVAL;
        }
        sum += vectors->all[i].size;
        int error = user_check(vectors->all[i].data, vectors->all[i].size);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int vectors_read(struct vectors *vectors, const struct iovec *user, int count)
{
    if (count < 0 || count > IOV_MAX) {
        return -EINVAL;
    }
    vectors->count = (size_t)count;
    vectors->all = vectors->few;
    if (count > VECTOR_FEW) {
        vectors->all = heap_alloc(vectors->count * sizeof(struct io_vector));
        if (vectors->all == NULL) {
            return -ENOMEM;
        }
    }
    int error = user_read(vectors->all, user, vectors->count * sizeof(struct io_vector));
    if (error == 0) {
        error = vectors_check(vectors);
    }
    if (error != 0) {
        vectors_free(vectors);
    }
    return error;
}

// offset -1: the file's own.
static int vectors_move(struct file *file, const struct vectors *vectors, int64_t offset,
                        enum direction direction, size_t *done)
{
    if (offset == -1) {
        return direction == READING ? file_read_vector(file, vectors->all, vectors->count, done)
                                    : file_write_vector(file, vectors->all, vectors->count, done);
    }
    for (size_t i = 0; i < vectors->count; ++i) {
        const struct io_vector *v = &vectors->all[i];
        size_t step = 0;
        uint64_t place = (uint64_t)offset + *done;
        int error = direction == READING ? file_read_at(file, place, v->data, v->size, &step)
                                         : file_write_at(file, place, v->data, v->size, &step);
        *done += step;
        if (error != 0 || step < v->size) {
            return error;
        }
    }
    return 0;
}

static long vector_call(int fd, const struct iovec *user, int count, int64_t offset,
                        enum direction direction)
{
    struct file *file;
    struct vectors vectors;
    size_t done = 0;
    if (offset < -1) {
        return -EINVAL;
    }
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = vectors_read(&vectors, user, count);
    if (error == 0) {
        error = vectors_move(file, &vectors, offset, direction, &done);
        vectors_free(&vectors);
    }
    return finish(file, error, done);
}

long linux_readv(int fd, const struct iovec *vectors, int count)
{
    return vector_call(fd, vectors, count, -1, READING);
}

long linux_writev(int fd, const struct iovec *vectors, int count)
{
    return vector_call(fd, vectors, count, -1, WRITING);
}

long linux_preadv(int fd, const struct iovec *vectors, int count, int64_t offset)
{
    return offset < 0 ? -EINVAL : vector_call(fd, vectors, count, offset, READING);
}

long linux_pwritev(int fd, const struct iovec *vectors, int count, int64_t offset)
{
    return offset < 0 ? -EINVAL : vector_call(fd, vectors, count, offset, WRITING);
}

long linux_preadv2(int fd, const struct iovec *vectors, int count, int64_t offset, long high,
                   int flags)
{
    (void)high;
    return flags != 0 ? -EOPNOTSUPP : vector_call(fd, vectors, count, offset, READING);
}

long linux_pwritev2(int fd, const struct iovec *vectors, int count, int64_t offset, long high,
                    int flags)
{
    (void)high;
    return flags != 0 ? -EOPNOTSUPP : vector_call(fd, vectors, count, offset, WRITING);
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
    error = from < SEEK_FROM_START || from > SEEK_FROM_END
                ? -EINVAL
                : file_seek(file, offset, (enum seek_from)from, &result);
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
    file_put(file);
    return error;
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

// Advice may be ignored; a bad descriptor may not.
long linux_fadvise64(int fd, int64_t offset, int64_t size, int advice)
{
    struct file *file;
    (void)offset;
    (void)size;
    if (advice < 0 || advice > 5) {
        return -EINVAL;
    }
    int error = fd_get(fd, &file);
    if (error == 0) {
        file_put(file);
    }
    return error;
}

static int file_extend(struct file *file, uint64_t end)
{
    struct file_status status;
    int error = file_status(file, &status);
    if (error == 0 && status.size < end) {
        error = file_truncate(file, end);
    }
    return error;
}

long linux_fallocate(int fd, int mode, int64_t offset, int64_t size)
{
    struct file *file;
    if (offset < 0 || size <= 0) {
        return -EINVAL;
    }
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = mode != 0 ? -EOPNOTSUPP : file_extend(file, (uint64_t)offset + (uint64_t)size);
    file_put(file);
    return error;
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
    default:
        error = file_control(file, request, argument);
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
    enum { CLOSE_ON_EXEC = 4 };
    if (first > last || (flags & ~(unsigned)CLOSE_ON_EXEC) != 0) {
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

static long status_flags_set(struct file *file, uint32_t flags)
{
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
    enum { LARGE_FILE = 0100000 };
    if ((atomic_load(&file->flags) & OPEN_PATH) != 0 && !is_for_descriptor(command)) {
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
        return (long)(atomic_load(&file->flags) & (OPEN_ACCESS | OPEN_APPEND | OPEN_NONBLOCK)) |
               LARGE_FILE;
    case F_SETFL:
        return status_flags_set(file, (uint32_t)argument);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return lock_control(file, fd, command, (struct flock *)argument);
    case F_GETPIPE_SZ:
        return file->is_stream ? 65536 : -EBADF;
    default:
        return -EINVAL;
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

enum { COPY_STEP = 65536 };

static int copy_step(struct file *out, struct file *in, char *data, size_t size, int64_t *offset,
                     size_t *moved)
{
    size_t got = 0;
    size_t put = 0;
    size = size < COPY_STEP ? size : COPY_STEP;
    int error = offset != NULL ? file_read_at(in, (uint64_t)*offset, data, size, &got)
                               : file_read(in, data, size, &got);
    if (error == 0 && got > 0) {
        error = file_write(out, data, got, &put);
    }
    if (offset != NULL) {
        *offset += (int64_t)put;
    }
    *moved = put;
    return error;
}

static long copy_all(struct file *out, struct file *in, int64_t *offset, size_t size)
{
    char *data = heap_alloc(COPY_STEP);
    size_t done = 0;
    int error = data == NULL ? -ENOMEM : 0;
    size_t moved = 1;
    while (error == 0 && moved > 0 && done < size) {
        error = copy_step(out, in, data, size - done, offset, &moved);
        done += moved;
    }
    heap_free(data);
    return done > 0 ? (long)done : error;
}

long linux_sendfile(int out_fd, int in_fd, int64_t *user_offset, size_t size)
{
    struct file *out;
    struct file *in;
    int64_t offset = 0;
    int error = user_offset == NULL ? 0 : user_read(&offset, user_offset, sizeof offset);
    if (error != 0 || (error = fd_get(out_fd, &out)) != 0) {
        return error;
    }
    error = fd_get(in_fd, &in);
    if (error != 0) {
        file_put(out);
        return error;
    }
    long result = copy_all(out, in, user_offset == NULL ? NULL : &offset, size_limit(size));
    file_put(in);
    file_put(out);
    if (user_offset != NULL && result > 0 && user_write(user_offset, &offset, sizeof offset) != 0) {
        return -EFAULT;
    }
    return result;
}
