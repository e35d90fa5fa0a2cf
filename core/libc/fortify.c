// SPDX-License-Identifier: BSD-3-Clause
// fortify.c: the functions that -D_FORTIFY_SOURCE calls: the plain ones, after the sizes were
// compared.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>
#include <wchar.h>

#include "core/libc/export.h"
#include "core/libc/format.h"
#include "core/libc/message.h"
#include "core/libc/print.h"

EXPORT(HAL_NORETURN void, __chk_fail, void)
{
    libc_fatal("*** buffer overflow detected ***: terminated\n");
}

EXPORT(HAL_NORETURN void, __fortify_fail, const char *text)
{
    libc_fatal("*** fatal error detected ***: terminated\n");
}

EXPORT(HAL_NORETURN void, __stack_chk_fail, void)
{
    libc_fatal("*** stack smashing detected ***: terminated\n");
}

static inline void check(size_t wanted, size_t room)
{
    if (wanted > room) {
        glibc___chk_fail();
    }
}

EXPORT(void *, __memcpy_chk, void *target, const void *source, size_t size, size_t room)
{
    check(size, room);
    return memcpy(target, source, size);
}

EXPORT(void *, __memmove_chk, void *target, const void *source, size_t size, size_t room)
{
    check(size, room);
    return memmove(target, source, size);
}

EXPORT(void *, __mempcpy_chk, void *target, const void *source, size_t size, size_t room)
{
    check(size, room);
    return (char *)memcpy(target, source, size) + size;
}

EXPORT(void *, __memset_chk, void *target, int value, size_t size, size_t room)
{
    check(size, room);
    return memset(target, value, size);
}

EXPORT(void, __explicit_bzero_chk, void *target, size_t size, size_t room)
{
    check(size, room);
    explicit_bzero(target, size);
}

EXPORT(char *, __strcpy_chk, char *target, const char *source, size_t room)
{
    check(strlen(source) + 1, room);
    return strcpy(target, source);
}

EXPORT(char *, __stpcpy_chk, char *target, const char *source, size_t room)
{
    check(strlen(source) + 1, room);
    return stpcpy(target, source);
}

EXPORT(char *, __strcat_chk, char *target, const char *source, size_t room)
{
    check(strlen(target) + strlen(source) + 1, room);
    return strcat(target, source);
}

EXPORT(char *, __strncat_chk, char *target, const char *source, size_t size, size_t room)
{
    check(strlen(target) + strnlen(source, size) + 1, room);
    return strncat(target, source, size);
}

EXPORT(char *, __strncpy_chk, char *target, const char *source, size_t size, size_t room)
{
    check(size, room);
    return strncpy(target, source, size);
}

EXPORT(char *, __stpncpy_chk, char *target, const char *source, size_t size, size_t room)
{
    check(size, room);
    return stpncpy(target, source, size);
}

// flag: the level of -D_FORTIFY_SOURCE above 1.
static int options_of(int flag)
{
    return flag > 0 ? FORMAT_FORTIFIED : 0;
}

EXPORT(int, __vsnprintf_chk, char *text, size_t size, int flag, size_t room, const char *pattern,
       va_list arguments)
{
    check(size, room);
    return libc_vsnprintf(text, size, pattern, arguments, options_of(flag));
}

EXPORT(int, __snprintf_chk, char *text, size_t size, int flag, size_t room, const char *pattern,
       ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = glibc___vsnprintf_chk(text, size, flag, room, pattern, arguments);
    va_end(arguments);
    return length;
}

EXPORT(int, __vsprintf_chk, char *text, int flag, size_t room, const char *pattern,
       va_list arguments)
{
    size_t size = room > INT_MAX ? INT_MAX : room;
    int length = libc_vsnprintf(text, size, pattern, arguments, options_of(flag));
    check(length < 0 ? 0 : (size_t)length + 1, room);
    return length;
}

EXPORT(int, __sprintf_chk, char *text, int flag, size_t room, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = glibc___vsprintf_chk(text, flag, room, pattern, arguments);
    va_end(arguments);
    return length;
}

EXPORT(int, __vfprintf_chk, FILE *stream, int flag, const char *pattern, va_list arguments)
{
    return libc_vfprintf(stream, pattern, arguments, options_of(flag));
}

EXPORT(int, __fprintf_chk, FILE *stream, int flag, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = libc_vfprintf(stream, pattern, arguments, options_of(flag));
    va_end(arguments);
    return length;
}

EXPORT(int, __vprintf_chk, int flag, const char *pattern, va_list arguments)
{
    return libc_vfprintf(stdout, pattern, arguments, options_of(flag));
}

EXPORT(int, __printf_chk, int flag, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = libc_vfprintf(stdout, pattern, arguments, options_of(flag));
    va_end(arguments);
    return length;
}

EXPORT(int, __vdprintf_chk, int fd, int flag, const char *pattern, va_list arguments)
{
    return libc_vdprintf(fd, pattern, arguments, options_of(flag));
}

EXPORT(int, __dprintf_chk, int fd, int flag, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = libc_vdprintf(fd, pattern, arguments, options_of(flag));
    va_end(arguments);
    return length;
}

EXPORT(int, __vasprintf_chk, char **text, int flag, const char *pattern, va_list arguments)
{
    return libc_vasprintf(text, pattern, arguments, options_of(flag));
}

EXPORT(int, __asprintf_chk, char **text, int flag, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = libc_vasprintf(text, pattern, arguments, options_of(flag));
    va_end(arguments);
    return length;
}

EXPORT(int, __vswprintf_chk, wchar_t *text, size_t size, int flag, size_t room,
       const wchar_t *pattern, va_list arguments)
{
    check(size, room);
    return libc_vswprintf(text, size, pattern, arguments, options_of(flag));
}

EXPORT(int, __swprintf_chk, wchar_t *text, size_t size, int flag, size_t room,
       const wchar_t *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = glibc___vswprintf_chk(text, size, flag, room, pattern, arguments);
    va_end(arguments);
    return length;
}

EXPORT(int, __vfwprintf_chk, FILE *stream, int flag, const wchar_t *pattern, va_list arguments)
{
    return libc_vfwprintf(stream, pattern, arguments, options_of(flag));
}

EXPORT(int, __fwprintf_chk, FILE *stream, int flag, const wchar_t *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = libc_vfwprintf(stream, pattern, arguments, options_of(flag));
    va_end(arguments);
    return length;
}

EXPORT(int, __wprintf_chk, int flag, const wchar_t *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = libc_vfwprintf(stdout, pattern, arguments, options_of(flag));
    va_end(arguments);
    return length;
}

EXPORT(void, __vsyslog_chk, int priority, int flag, const char *pattern, va_list arguments)
{
    vsyslog(priority, pattern, arguments);
}

EXPORT(void, __syslog_chk, int priority, int flag, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    vsyslog(priority, pattern, arguments);
    va_end(arguments);
}

EXPORT(long, __fdelt_chk, long fd)
{
    check((size_t)fd, 1023);
    return fd / 64;
}

EXPORT(long, __fdelt_warn, long fd)
{
    return glibc___fdelt_chk(fd);
}

EXPORT(int, __poll_chk, struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
    check(count * sizeof *fds, room);
    return poll(fds, count, timeout);
}

EXPORT(char *, __realpath_chk, const char *path, char *resolved, size_t room)
{
    check(PATH_MAX, room);
    return realpath(path, resolved);
}

EXPORT(ssize_t, __read_chk, int fd, void *bytes, size_t size, size_t room)
{
    check(size, room);
    return read(fd, bytes, size);
}

EXPORT(ssize_t, __pread_chk, int fd, void *bytes, size_t size, off_t offset, size_t room)
{
    check(size, room);
    return pread(fd, bytes, size, offset);
}

EXPORT(ssize_t, __pread64_chk, int fd, void *bytes, size_t size, off_t offset, size_t room)
{
    return glibc___pread_chk(fd, bytes, size, offset, room);
}

EXPORT(ssize_t, __recv_chk, int fd, void *bytes, size_t size, size_t room, int flags)
{
    check(size, room);
    return recv(fd, bytes, size, flags);
}

EXPORT(ssize_t, __recvfrom_chk, int fd, void *bytes, size_t size, size_t room, int flags,
       struct sockaddr *address, socklen_t *length)
{
    check(size, room);
    return recvfrom(fd, bytes, size, flags, address, length);
}

EXPORT(char *, __fgets_chk, char *text, size_t room, int size, FILE *stream)
{
    check(size < 0 ? 0 : (size_t)size, room);
    return fgets(text, size, stream);
}

EXPORT(char *, __fgets_unlocked_chk, char *text, size_t room, int size, FILE *stream)
{
    return glibc___fgets_chk(text, room, size, stream);
}

EXPORT(size_t, __fread_chk, void *bytes, size_t room, size_t size, size_t count, FILE *stream)
{
    size_t total;
    if (__builtin_mul_overflow(size, count, &total)) {
        glibc___chk_fail();
    }
    check(total, room);
    return fread(bytes, size, count, stream);
}

EXPORT(size_t, __fread_unlocked_chk, void *bytes, size_t room, size_t size, size_t count,
       FILE *stream)
{
    return glibc___fread_chk(bytes, room, size, count, stream);
}

EXPORT(ssize_t, __readlink_chk, const char *path, char *target, size_t size, size_t room)
{
    check(size, room);
    return readlink(path, target, size);
}

EXPORT(ssize_t, __readlinkat_chk, int fd, const char *path, char *target, size_t size, size_t room)
{
    check(size, room);
    return readlinkat(fd, path, target, size);
}

EXPORT(char *, __getcwd_chk, char *path, size_t size, size_t room)
{
    check(size, room);
    return getcwd(path, size);
}

EXPORT(int, __gethostname_chk, char *name, size_t size, size_t room)
{
    check(size, room);
    return gethostname(name, size);
}

EXPORT(int, __getgroups_chk, int count, gid_t *groups, size_t room)
{
    check(count < 0 ? 0 : (size_t)count * sizeof *groups, room);
    return getgroups(count, groups);
}

EXPORT(int, __ttyname_r_chk, int fd, char *name, size_t size, size_t room)
{
    check(size, room);
    return ttyname_r(fd, name, size);
}

EXPORT(size_t, __confstr_chk, int name, char *text, size_t size, size_t room)
{
    check(size, room);
    return confstr(name, text, size);
}

EXPORT(size_t, __mbstowcs_chk, wchar_t *target, const char *source, size_t count, size_t room)
{
    check(count, room);
    return mbstowcs(target, source, count);
}

EXPORT(size_t, __wcstombs_chk, char *target, const wchar_t *source, size_t size, size_t room)
{
    check(size, room);
    return wcstombs(target, source, size);
}

EXPORT(size_t, __mbsrtowcs_chk, wchar_t *target, const char **source, size_t count,
       mbstate_t *state, size_t room)
{
    check(count, room);
    return mbsrtowcs(target, source, count, state);
}

EXPORT(size_t, __mbsnrtowcs_chk, wchar_t *target, const char **source, size_t size, size_t count,
       mbstate_t *state, size_t room)
{
    check(count, room);
    return mbsnrtowcs(target, source, size, count, state);
}

EXPORT(size_t, __wcsrtombs_chk, char *target, const wchar_t **source, size_t size, mbstate_t *state,
       size_t room)
{
    check(size, room);
    return wcsrtombs(target, source, size, state);
}

EXPORT(size_t, __wcsnrtombs_chk, char *target, const wchar_t **source, size_t count, size_t size,
       mbstate_t *state, size_t room)
{
    check(size, room);
    return wcsnrtombs(target, source, count, size, state);
}

EXPORT(size_t, __wcrtomb_chk, char *target, wchar_t character, mbstate_t *state, size_t room)
{
    check(MB_CUR_MAX, room);
    return wcrtomb(target, character, state);
}

EXPORT(int, __wctomb_chk, char *target, wchar_t character, size_t room)
{
    check(MB_CUR_MAX, room);
    return wctomb(target, character);
}

EXPORT(wchar_t *, __wmemcpy_chk, wchar_t *target, const wchar_t *source, size_t count, size_t room)
{
    check(count, room);
    return wmemcpy(target, source, count);
}

EXPORT(wchar_t *, __wmemmove_chk, wchar_t *target, const wchar_t *source, size_t count, size_t room)
{
    check(count, room);
    return wmemmove(target, source, count);
}

EXPORT(wchar_t *, __wmemset_chk, wchar_t *target, wchar_t value, size_t count, size_t room)
{
    check(count, room);
    return wmemset(target, value, count);
}

EXPORT(wchar_t *, __wcscpy_chk, wchar_t *target, const wchar_t *source, size_t room)
{
    check(wcslen(source) + 1, room);
    return wcscpy(target, source);
}

EXPORT(wchar_t *, __wcsncpy_chk, wchar_t *target, const wchar_t *source, size_t count, size_t room)
{
    check(count, room);
    return wcsncpy(target, source, count);
}

EXPORT(wchar_t *, __wcscat_chk, wchar_t *target, const wchar_t *source, size_t room)
{
    check(wcslen(target) + wcslen(source) + 1, room);
    return wcscat(target, source);
}

EXPORT(wchar_t *, __wcsncat_chk, wchar_t *target, const wchar_t *source, size_t count, size_t room)
{
    check(wcslen(target) + wcsnlen(source, count) + 1, room);
    return wcsncat(target, source, count);
}

EXPORT(wchar_t *, __wcpcpy_chk, wchar_t *target, const wchar_t *source, size_t room)
{
    check(wcslen(source) + 1, room);
    return wcpcpy(target, source);
}

EXPORT(wchar_t *, __wcpncpy_chk, wchar_t *target, const wchar_t *source, size_t count, size_t room)
{
    check(count, room);
    return wcpncpy(target, source, count);
}

EXPORT(wchar_t *, __wmempcpy_chk, wchar_t *target, const wchar_t *source, size_t count, size_t room)
{
    check(count, room);
    return wmemcpy(target, source, count) + count;
}

EXPORT(wchar_t *, __fgetws_chk, wchar_t *text, size_t room, int count, FILE *stream)
{
    check(count < 0 ? 0 : (size_t)count, room);
    return fgetws(text, count, stream);
}

EXPORT(wchar_t *, __fgetws_unlocked_chk, wchar_t *text, size_t room, int count, FILE *stream)
{
    check(count < 0 ? 0 : (size_t)count, room);
    return fgetws_unlocked(text, count, stream);
}

EXPORT(int, __vwprintf_chk, int flag, const wchar_t *pattern, va_list arguments)
{
    return libc_vfwprintf(stdout, pattern, arguments, options_of(flag));
}

EXPORT(int, __getdomainname_chk, char *name, size_t size, size_t room)
{
    check(size, room);
    return getdomainname(name, size);
}

EXPORT(int, __getlogin_r_chk, char *name, size_t size, size_t room)
{
    check(size, room);
    return getlogin_r(name, size);
}

EXPORT(int, __ptsname_r_chk, int fd, char *name, size_t size, size_t room)
{
    check(size, room);
    return ptsname_r(fd, name, size);
}

EXPORT(int, __ppoll_chk, struct pollfd *fds, nfds_t count, const struct timespec *timeout,
       const sigset_t *set, size_t room)
{
    check(count, room / sizeof *fds);
    return ppoll(fds, count, timeout, set);
}

EXPORT(char *, __getwd_chk, char *path, size_t room)
{
    char current[PATH_MAX];
    if (getcwd(current, sizeof current) == NULL) {
        return NULL;
    }
    return glibc___strcpy_chk(path, current, room);
}

static void open_check(int flags)
{
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
        libc_fatal("*** invalid open call: O_CREAT or O_TMPFILE without mode ***: terminated\n");
    }
}

EXPORT(int, __open_2, const char *path, int flags)
{
    open_check(flags);
    return open(path, flags);
}

EXPORT(int, __open64_2, const char *path, int flags)
{
    return glibc___open_2(path, flags);
}

EXPORT(int, __openat_2, int fd, const char *path, int flags)
{
    open_check(flags);
    return openat(fd, path, flags);
}

EXPORT(int, __openat64_2, int fd, const char *path, int flags)
{
    return glibc___openat_2(fd, path, flags);
}

EXPORT(mqd_t, __mq_open_2, const char *name, int flags)
{
    if ((flags & O_CREAT) != 0) {
        libc_fatal("*** invalid mq_open call: O_CREAT without mode and attr ***: terminated\n");
    }
    return mq_open(name, flags);
}

EXPORT(HAL_NORETURN void, __longjmp_chk, struct __jmp_buf_tag *buffer, int value)
{
    siglongjmp(buffer, value);
}
