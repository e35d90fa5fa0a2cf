// SPDX-License-Identifier: BSD-3-Clause
// user.c: copies that answer -EFAULT where the caller's memory is not there.
//
// task->is_copying tells the fault path that hal_copy_safe is at work and that a fault it cannot
// resolve is an answer, not a crash.
#include "core/linux/user.h"

#include <stdint.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/task.h"

static int copy(void *target, const void *source, size_t size)
{
    struct task *task = task_self();
    task->is_copying = true;
    __asm__ volatile("" ::: "memory"); // the fault path runs on this thread
    int error = hal_copy_safe(target, source, size);
    __asm__ volatile("" ::: "memory");
    task->is_copying = false;
    return error;
}

int user_read(void *target, const void *user, size_t size)
{
    return copy(target, user, size);
}

int user_write(void *user, const void *source, size_t size)
{
    return copy(user, source, size);
}

int user_check(const void *user, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *first = user;
    char byte;
    if ((uintptr_t)first + size < size) {
        return -EFAULT;
    }
    int error = copy(&byte, first, 1);
    return error != 0 ? error : copy(&byte, first + size - 1, 1);
}

// Page by page, for the path may end right before a page that is not there.
int user_read_path(char path[USER_PATH_MAX], const char *user)
{
    size_t done = 0;
    while (done < USER_PATH_MAX) {
        size_t step = HAL_PAGE_SIZE - ((uintptr_t)(user + done) & (HAL_PAGE_SIZE - 1));
        step = step < 256 ? step : 256;
        step = step < USER_PATH_MAX - done ? step : USER_PATH_MAX - done;
        int error = copy(path + done, user + done, step);
        if (error != 0) {
            return error;
        }
        if (memchr(path + done, 0, step) != NULL) {
            return 0;
        }
        done += step;
    }
    return -ENAMETOOLONG;
}
