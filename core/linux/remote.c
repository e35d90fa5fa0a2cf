// SPDX-License-Identifier: BSD-3-Clause
// remote.c: system calls on the memory of the process that they name (process_vm_readv(2),
// process_madvise(2)): there is this one. Programs read their own memory so where it may not be
// there.
#include <limits.h>
#include <sys/uio.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/range.h"
#include "core/linux/task.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"

// What is left of the caller's vectors, or of those of the process.
struct side {
    const struct iovec *user; // the next one
    size_t count;             // from there on
    char *at;                 // the one before: what is left of it
    size_t size;
};

// Looks at all vectors before any is used: *sum, up to what one call moves. Addresses beyond all
// that programs have are refused at once where they are the caller's.
static int vectors_look(const struct iovec *user, size_t count, bool is_callers, size_t *sum)
{
    *sum = 0;
    if (count > IOV_MAX) {
        return -EINVAL;
    }
    for (size_t i = 0; i < count; ++i) {
        struct iovec vector;
        if (user_read(&vector, user + i, sizeof vector) != 0) {
            return -EFAULT;
        }
        const uintptr_t top = MEMORY_ADDRESS_MAX + HAL_PAGE_SIZE;
        const uintptr_t start = (uintptr_t)vector.iov_base;
        if (vector.iov_len > SSIZE_MAX) {
            return -EINVAL;
        }
        if (is_callers && (start > top || vector.iov_len > top - start)) {
            return -EFAULT;
        }
        *sum = transfer_limit(*sum + vector.iov_len);
    }
    return 0;
}

// Whether anything is left, from side->at on. What another thread has made of the vectors meanwhile
// ends it.
static bool side_has_more(struct side *side)
{
    for (; side->size == 0 && side->count > 0; --side->count, ++side->user) {
        struct iovec vector;
        if (user_read(&vector, side->user, sizeof vector) != 0) {
            return false;
        }
        side->at = vector.iov_base;
        side->size = vector.iov_len;
    }
    return side->size > 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Of one page on either side.
static size_t step_size(const struct side *a, const struct side *b)
{
    size_t a_page = HAL_PAGE_SIZE - ((uintptr_t)a->at & (HAL_PAGE_SIZE - 1));
    size_t b_page = HAL_PAGE_SIZE - ((uintptr_t)b->at & (HAL_PAGE_SIZE - 1));
    return least(least(a->size, b->size), least(a_page, b_page));
}

static void side_step(struct side *side, size_t size)
{
    side->at += size;
    side->size -= size;
}

// As far as there is memory.
static long sides_copy(struct side *to, struct side *from, size_t size)
{
    size_t done = 0;
    while (done < size && side_has_more(to) && side_has_more(from)) {
        size_t step = least(size - done, step_size(to, from));
        if (hal_copy_safe(to->at, from->at, step) != 0) {
            return done > 0 ? (long)done : -EFAULT;
        }
        side_step(to, step);
        side_step(from, step);
        done += step;
    }
    return (long)done;
}

static int sides_check(int id, const struct side *local, const struct side *remote, size_t *size)
{
    size_t remote_size;
    int error = vectors_look(local->user, local->count, true, size);
    if (error != 0 || *size == 0) {
        return error;
    }
    error = vectors_look(remote->user, remote->count, false, &remote_size);
    *size = remote_size == 0 ? 0 : *size;
    return error != 0 || *size == 0 ? error : id <= 0 || task_thread(id) == NULL ? -ESRCH : 0;
}

static long copy(int id, struct side *local, struct side *remote, bool is_read, unsigned flags)
{
    size_t size = 0;
    int error = flags != 0 ? -EINVAL : sides_check(id, local, remote, &size);
    return error != 0 ? error
           : is_read  ? sides_copy(local, remote, size)
                      : sides_copy(remote, local, size);
}

long linux_process_vm_readv(int id, const struct iovec *local_user, size_t local_count,
                            const struct iovec *remote_user, size_t remote_count, unsigned flags)
{
    struct side local = {local_user, local_count, NULL, 0};
    struct side remote = {remote_user, remote_count, NULL, 0};
    return copy(id, &local, &remote, true, flags);
}

long linux_process_vm_writev(int id, const struct iovec *local_user, size_t local_count,
                             const struct iovec *remote_user, size_t remote_count, unsigned flags)
{
    struct side local = {local_user, local_count, NULL, 0};
    struct side remote = {remote_user, remote_count, NULL, 0};
    return copy(id, &local, &remote, false, flags);
}

// Processes are named by descriptors, of which pidfd_open makes none.
long linux_process_madvise(int fd, const struct iovec *user, size_t count, int advice,
                           unsigned flags)
{
    size_t sum;
    (void)fd, (void)advice;
    int error = flags != 0 ? -EINVAL : vectors_look(user, count, true, &sum);
    return error != 0 ? error : -EBADF;
}
