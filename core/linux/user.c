// SPDX-License-Identifier: BSD-3-Clause
// user.c: copies that answer -EFAULT where the caller's memory is not there.
#include "core/linux/user.h"

#include <stdint.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"

int user_read(void *target, const void *user, size_t size)
{
    return hal_copy_safe(target, user, size);
}

int user_write(void *user, const void *source, size_t size)
{
    return hal_copy_safe(user, source, size);
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
    int error = hal_copy_safe(&byte, first, 1);
    return error != 0 ? error : hal_copy_safe(&byte, first + size - 1, 1);
}

// Page by page, for the path may end right before a page that is not there. Nothing is read beyond
// its end: memory checkers would say so.
int user_read_path(char path[USER_PATH_MAX], const char *user)
{
    size_t done = 0;
    while (done < USER_PATH_MAX) {
        size_t left = HAL_PAGE_SIZE - ((uintptr_t)(user + done) & (HAL_PAGE_SIZE - 1));
        left = left < USER_PATH_MAX - done ? left : USER_PATH_MAX - done;
        int error = hal_copy_safe(path + done, user + done, 1);
        if (error != 0) {
            return error;
        }
        const char *end = memchr(user + done, 0, left);
        if (end != NULL) {
            memcpy(path + done, user + done, (size_t)(end - (user + done)) + 1);
            return 0;
        }
        memcpy(path + done, user + done, left);
        done += left;
    }
    return -ENAMETOOLONG;
}
