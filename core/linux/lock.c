// SPDX-License-Identifier: BSD-3-Clause
// lock.c: the system calls that lock files: flock and fcntl's, on core/vfs/lock.h.
#include "core/vfs/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/process.h"
#include "core/linux/user.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/file.h"

static bool may(struct file *file, uint32_t forbidden)
{
    return (atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_ACCESS) != forbidden;
}

long linux_flock(int fd, int operation)
{
    static const enum lock_type types[] = {
        [LOCK_SH] = LOCK_READ, [LOCK_EX] = LOCK_WRITE, [LOCK_UN] = LOCK_NONE};
    int kind = operation & ~LOCK_NB;
    struct file *file;
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN) {
        error = -EINVAL;
    } else if ((atomic_load(&file->flags) & OPEN_PATH) != 0) {
        error = -EBADF;
    } else {
        struct lock lock = {.kind = LOCK_WHOLE, .type = types[kind], .last = LOCK_LAST};
        error = lock_set(file, &lock, (operation & LOCK_NB) == 0);
    }
    file_put(file);
    return error;
}

static int base_of(struct file *file, int whence, int64_t *base)
{
    uint64_t place = 0;
    struct file_status status;
    int error = 0;
    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        error = file_seek(file, 0, SEEK_FROM_CURRENT, &place);
        error = error == -ESPIPE ? 0 : error;
        break;
    case SEEK_END:
        error = file_status(file, &status);
        place = status.size;
        break;
    default:
        error = -EINVAL;
        break;
    }
    *base = (int64_t)place;
    return error;
}

// A length of 0 reaches to the end of all files, a negative one lies before the start.
static int range_read(struct file *file, const struct flock *user, struct lock *lock)
{
    int64_t base, start, last;
    int error = base_of(file, user->l_whence, &base);
    if (error != 0) {
        return error;
    }
    if (__builtin_add_overflow(base, user->l_start, &start)) {
        return -EOVERFLOW;
    }
    if (start < 0) {
        return -EINVAL;
    }
    if (user->l_len > 0) {
        if (__builtin_add_overflow(start, user->l_len - 1, &last)) {
            return -EOVERFLOW;
        }
    } else if (user->l_len < 0) {
        last = start - 1;
        start += user->l_len;
        if (start < 0) {
            return -EINVAL;
        }
    } else {
        last = LOCK_LAST;
    }
    lock->start = start;
    lock->last = last;
    return 0;
}

static int type_read(int type, enum lock_type *result)
{
    static const enum lock_type types[] = {
        [F_RDLCK] = LOCK_READ, [F_WRLCK] = LOCK_WRITE, [F_UNLCK] = LOCK_NONE};
    if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK) {
        return -EINVAL;
    }
    *result = types[type];
    return 0;
}

static bool is_of_file(int command)
{
    return command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

static int lock_read(struct file *file, int command, const struct flock *user, struct lock *lock)
{
    int error = range_read(file, user, lock);
    error = error != 0 ? error : type_read(user->l_type, &lock->type);
    lock->kind = is_of_file(command) ? LOCK_OF_FILE : LOCK_OF_PROCESS;
    return error;
}

static long query(struct file *file, int command, struct flock *user)
{
    struct flock result;
    struct lock lock;
    int error = user_read(&result, user, sizeof result);
    if (error == 0 && (result.l_type == F_UNLCK || (is_of_file(command) && result.l_pid != 0))) {
        error = -EINVAL;
    }
    error = error != 0 ? error : lock_read(file, command, &result, &lock);
    error = error != 0 ? error : lock_find(file, &lock);
    if (error != 0) {
        return error;
    }
    if (lock.type == LOCK_NONE) {
        result.l_type = F_UNLCK;
    } else {
        result.l_type = lock.type == LOCK_READ ? F_RDLCK : F_WRLCK;
        result.l_whence = SEEK_SET;
        result.l_start = lock.start;
        result.l_len = lock.last == LOCK_LAST ? 0 : lock.last - lock.start + 1;
        result.l_pid = lock.kind == LOCK_OF_PROCESS ? PROCESS_ID : -1;
    }
    return user_write(user, &result, sizeof result);
}

// Somebody may have closed the descriptor while the call waited, and given up the process's locks
// before this one was there.
static int still_open_check(int fd, struct file *file, struct lock *lock)
{
    struct file *now = NULL;
    if (fd_get(fd, &now) == 0) {
        file_put(now);
    }
    if (now == file) {
        return 0;
    }
    lock->type = LOCK_NONE;
    int error = lock_set(file, lock, false);
    return error == -ENOLCK ? error : -EBADF;
}

static long set(struct file *file, int fd, int command, const struct flock *user)
{
    struct flock wanted;
    struct lock lock;
    int error = user_read(&wanted, user, sizeof wanted);
    error = error != 0 ? error : lock_read(file, command, &wanted, &lock);
    if (error != 0) {
        return error;
    }
    if ((lock.type == LOCK_READ && !may(file, OPEN_WRITE_ONLY)) ||
        (lock.type == LOCK_WRITE && !may(file, OPEN_READ_ONLY))) {
        return -EBADF;
    }
    if (is_of_file(command) && wanted.l_pid != 0) {
        return -EINVAL;
    }
    error = lock_set(file, &lock, command == F_SETLKW || command == F_OFD_SETLKW);
    if (error == 0 && lock.kind == LOCK_OF_PROCESS && lock.type != LOCK_NONE) {
        error = still_open_check(fd, file, &lock);
    }
    return error;
}

long lock_control(struct file *file, int fd, int command, struct flock *user)
{
    return command == F_GETLK || command == F_OFD_GETLK ? query(file, command, user)
                                                        : set(file, fd, command, user);
}
