// SPDX-License-Identifier: BSD-3-Clause
// mapping.c: the calls on mappings where musl's functions look at arguments themselves, and say
// other things of wrong ones than the kernel, or do not hand all of them on.
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "core/libc/export.h"
#include "core/linux/syscall.h"

static long answer(long result)
{
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

EXPORT(void *, mmap, void *va, size_t size, int protection, int flags, int fd, off_t offset)
{
    return (void *)answer(
        linux_dispatch(SYS_mmap, (long)va, (long)size, protection, flags, fd, offset));
}

EXPORT(void *, mmap64, void *va, size_t size, int protection, int flags, int fd, off_t offset)
{
    return glibc_mmap(va, size, protection, flags, fd, offset);
}

EXPORT(int, munmap, void *va, size_t size)
{
    return (int)answer(linux_dispatch(SYS_munmap, (long)va, (long)size, 0, 0, 0, 0));
}

EXPORT(void *, mremap, void *va, size_t old_size, size_t new_size, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    void *target = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) != 0 ? va_arg(rest, void *) : NULL;
    va_end(rest);
    return (void *)answer(linux_dispatch(SYS_mremap, (long)va, (long)old_size, (long)new_size,
                                         flags, (long)target, 0));
}
