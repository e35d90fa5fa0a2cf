// SPDX-License-Identifier: BSD-3-Clause
// names.c: names of glibc that musl lacks, where the function itself is there under another name or
// is one line.
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "core/libc/export.h"
#include "core/linux/syscall.h"
#include "hal/hal.h"

static long answer(long result)
{
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

EXPORT(int, fcntl64, int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fcntl(fd, command, argument);
}

EXPORT(int, __fcntl, int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fcntl(fd, command, argument);
}

// musl cuts a name that does not fit and says nothing.
EXPORT(int, gethostname, char *name, size_t size)
{
    struct utsname system;
    if (uname(&system) != 0) {
        return -1;
    }
    size_t length = strlen(system.nodename) + 1;
    memcpy(name, system.nodename, length < size ? length : size);
    if (length > size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

EXPORT(size_t, __mbrlen, const char *text, size_t size, mbstate_t *state)
{
    return mbrlen(text, size, state);
}

EXPORT(const char *, gnu_get_libc_version, void)
{
    return "2.36";
}

EXPORT(const char *, gnu_get_libc_release, void)
{
    return "stable";
}

EXPORT(unsigned long, __getauxval, unsigned long type)
{
    return getauxval(type);
}

EXPORT(unsigned, arc4random, void)
{
    unsigned value;
    hal_entropy(&value, sizeof value);
    return value;
}

EXPORT(void, arc4random_buf, void *bytes, size_t size)
{
    hal_entropy(bytes, size);
}

// Every value below bound is as likely as any other: values of the incomplete last round are thrown
// away.
EXPORT(unsigned, arc4random_uniform, unsigned bound)
{
    if (bound < 2) {
        return 0;
    }
    unsigned first = -bound % bound;
    unsigned value;
    do {
        value = glibc_arc4random();
    } while (value < first);
    return value % bound;
}

// musl's rounds the address; glibc's leaves that to the caller.
EXPORT(int, mprotect, void *va, size_t size, int protection)
{
    return (int)answer(linux_dispatch(SYS_mprotect, (long)va, (long)size, protection, 0, 0, 0));
}

EXPORT(int, statx, int fd, const char *path, int flags, unsigned mask, void *result)
{
    return (int)answer(linux_dispatch(SYS_statx, fd, (long)path, flags, mask, (long)result, 0));
}

EXPORT(int, close_range, unsigned first, unsigned last, int flags)
{
    return (int)answer(linux_dispatch(436, first, last, flags, 0, 0, 0));
}

EXPORT(void, closefrom, int first)
{
    glibc_close_range(first < 0 ? 0 : (unsigned)first, ~0u, 0);
}

EXPORT(int, renameat2, int old_fd, const char *old_path, int new_fd, const char *new_path,
       unsigned flags)
{
    return (int)answer(
        linux_dispatch(SYS_renameat2, old_fd, (long)old_path, new_fd, (long)new_path, flags, 0));
}

EXPORT(int, gettid, void)
{
    return (int)linux_dispatch(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

EXPORT(int, tgkill, int process, int thread, int signal)
{
    return (int)answer(linux_dispatch(SYS_tgkill, process, thread, signal, 0, 0, 0));
}

// The stat family of programs built before glibc 2.33: version 1 (x86_64) or 0 (aarch64) is struct
// stat.
EXPORT(int, __xstat, int version, const char *path, struct stat *result)
{
    return stat(path, result);
}

EXPORT(int, __fxstat, int version, int fd, struct stat *result)
{
    return fstat(fd, result);
}

EXPORT(int, __lxstat, int version, const char *path, struct stat *result)
{
    return lstat(path, result);
}

EXPORT(int, __fxstatat, int version, int fd, const char *path, struct stat *result, int flags)
{
    return fstatat(fd, path, result, flags);
}

EXPORT(int, __xstat64, int version, const char *path, struct stat *result)
{
    return stat(path, result);
}

EXPORT(int, __fxstat64, int version, int fd, struct stat *result)
{
    return fstat(fd, result);
}

EXPORT(int, __lxstat64, int version, const char *path, struct stat *result)
{
    return lstat(path, result);
}

EXPORT(int, __fxstatat64, int version, int fd, const char *path, struct stat *result, int flags)
{
    return fstatat(fd, path, result, flags);
}

EXPORT(int, __xmknod, int version, const char *path, mode_t mode, dev_t *device)
{
    return mknod(path, mode, *device);
}

EXPORT(int, __xmknodat, int version, int fd, const char *path, mode_t mode, dev_t *device)
{
    return mknodat(fd, path, mode, *device);
}

EXPORT(unsigned, gnu_dev_major, dev_t device)
{
    return major(device);
}

EXPORT(unsigned, gnu_dev_minor, dev_t device)
{
    return minor(device);
}

EXPORT(dev_t, gnu_dev_makedev, unsigned major_number, unsigned minor_number)
{
    return makedev(major_number, minor_number);
}

// Does not write into path, unlike POSIX's (__xpg_basename).
EXPORT(char *, basename, const char *path)
{
    const char *slash = strrchr(path, '/');
    return (char *)(uintptr_t)(slash == NULL ? path : slash + 1);
}

EXPORT(char *, canonicalize_file_name, const char *path)
{
    return realpath(path, NULL);
}

EXPORT(void *, rawmemchr, const void *bytes, int value)
{
    return memchr(bytes, value, SIZE_MAX - (uintptr_t)bytes);
}

EXPORT(void *, __rawmemchr, const void *bytes, int value)
{
    return glibc_rawmemchr(bytes, value);
}

EXPORT(void *, __mempcpy, void *target, const void *source, size_t size)
{
    return (char *)memcpy(target, source, size) + size;
}

EXPORT(char *, __strtok_r, char *text, const char *delimiters, char **rest)
{
    return strtok_r(text, delimiters, rest);
}

EXPORT(void, __bzero, void *target, size_t size)
{
    memset(target, 0, size);
}

EXPORT(char *, __strndup, const char *text, size_t size)
{
    return strndup(text, size);
}

EXPORT(char *, __secure_getenv, const char *name)
{
    return secure_getenv(name);
}

EXPORT(int, __libc_current_sigrtmin, void)
{
    return 34;
}

EXPORT(int, __libc_current_sigrtmax, void)
{
    return 64;
}

EXPORT(wchar_t *, wcschrnul, const wchar_t *text, wchar_t c)
{
    while (*text != c && *text != 0) {
        ++text;
    }
    return (wchar_t *)(uintptr_t)text;
}

EXPORT(wchar_t *, wmempcpy, wchar_t *target, const wchar_t *source, size_t count)
{
    return wmemcpy(target, source, count) + count;
}

EXPORT(int, fcloseall, void)
{
    return fflush(NULL);
}

EXPORT(char *, tmpnam_r, char *name)
{
    return name == NULL ? NULL : tmpnam(name);
}

EXPORT(int, dysize, int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;
}

EXPORT(struct cmsghdr *, __cmsg_nxthdr, struct msghdr *message, struct cmsghdr *header)
{
    char *end = (char *)message->msg_control + message->msg_controllen;
    if (header->cmsg_len < sizeof *header || header->cmsg_len > (size_t)(end - (char *)header)) {
        return NULL;
    }
    struct cmsghdr *next =
        (struct cmsghdr *)(void *)((char *)header + CMSG_ALIGN(header->cmsg_len));
    if ((char *)(next + 1) > end || CMSG_ALIGN(next->cmsg_len) > (size_t)(end - (char *)next)) {
        return NULL;
    }
    return next;
}

EXPORT(int, rpmatch, const char *response)
{
    return *response == 'y' || *response == 'Y' ? 1 : *response == 'n' || *response == 'N' ? 0 : -1;
}

// NaN payloads, for libm.so.6: it passes what stands in the parentheses of nan(...).
EXPORT(double, __strtod_nan, const char *text, char **end, char end_character)
{
    return __builtin_nan("");
}

EXPORT(float, __strtof_nan, const char *text, char **end, char end_character)
{
    return __builtin_nanf("");
}

EXPORT(long double, __strtold_nan, const char *text, char **end, char end_character)
{
    return __builtin_nanl("");
}

// Its result is in the same register as a long double's on aarch64; nobody on x86_64 asks but
// nanf128.
EXPORT(long double, __strtof128_nan, const char *text, char **end, char end_character)
{
    return __builtin_nanl("");
}

// libm.so.6 looks here for the processor's features (libc_features_set).
char glibc__rtld_global_ro[4096];
char glibc__rtld_global[4096];

// What gettext calls the library's own texts, and how often catalogues have changed.
char glibc__libc_intl_domainname[] = "libc";
int glibc__nl_msg_cat_cntr;
