// SPDX-License-Identifier: BSD-3-Clause
// calls.c: system calls that glibc has functions for and musl has not. Those that core/linux does
// not know either answer ENOSYS there.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/libc/export.h"
#include "core/linux/syscall.h"

// Calls that are younger than musl's list; the numbers are the same on all machines.
enum {
    CALL_PIDFD_SEND_SIGNAL = 424,
    CALL_OPEN_TREE = 428,
    CALL_MOVE_MOUNT = 429,
    CALL_FSOPEN = 430,
    CALL_FSCONFIG = 431,
    CALL_FSMOUNT = 432,
    CALL_FSPICK = 433,
    CALL_PIDFD_OPEN = 434,
    CALL_PIDFD_GETFD = 438,
    CALL_PROCESS_MADVISE = 440,
    CALL_MOUNT_SETATTR = 442,
    CALL_PROCESS_MRELEASE = 448,
};

static long answer(long result)
{
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

EXPORT(int, getcpu, unsigned *cpu, unsigned *node)
{
    return (int)answer(linux_dispatch(SYS_getcpu, (long)cpu, (long)node, 0, 0, 0, 0));
}

EXPORT(int, execveat, int folder, const char *path, char *const *arguments,
       char *const *environment, int flags)
{
    return (int)answer(linux_dispatch(SYS_execveat, folder, (long)path, (long)arguments,
                                      (long)environment, flags, 0));
}

EXPORT(int, pidfd_open, pid_t process, unsigned flags)
{
    return (int)answer(linux_dispatch(CALL_PIDFD_OPEN, process, flags, 0, 0, 0, 0));
}

EXPORT(int, pidfd_getfd, int pidfd, int fd, unsigned flags)
{
    return (int)answer(linux_dispatch(CALL_PIDFD_GETFD, pidfd, fd, flags, 0, 0, 0));
}

EXPORT(int, pidfd_send_signal, int pidfd, int signal, siginfo_t *info, unsigned flags)
{
    return (int)answer(
        linux_dispatch(CALL_PIDFD_SEND_SIGNAL, pidfd, signal, (long)info, flags, 0, 0));
}

EXPORT(ssize_t, process_madvise, int pidfd, const struct iovec *parts, size_t count, int advice,
       unsigned flags)
{
    return answer(
        linux_dispatch(CALL_PROCESS_MADVISE, pidfd, (long)parts, (long)count, advice, flags, 0));
}

EXPORT(int, pkey_alloc, unsigned flags, unsigned rights)
{
    return (int)answer(linux_dispatch(SYS_pkey_alloc, flags, rights, 0, 0, 0, 0));
}

EXPORT(int, pkey_free, int key)
{
    return (int)answer(linux_dispatch(SYS_pkey_free, key, 0, 0, 0, 0, 0));
}

EXPORT(int, pkey_mprotect, void *va, size_t size, int prot, int key)
{
    return (int)answer(linux_dispatch(SYS_pkey_mprotect, (long)va, (long)size, prot, key, 0, 0));
}

// Nobody has a key.
EXPORT(int, pkey_get, int key)
{
    (void)key;
    return (int)answer(-EINVAL);
}

EXPORT(int, pkey_set, int key, unsigned rights)
{
    (void)key, (void)rights;
    return (int)answer(-EINVAL);
}

EXPORT(int, process_mrelease, int pidfd, unsigned flags)
{
    return (int)answer(linux_dispatch(CALL_PROCESS_MRELEASE, pidfd, flags, 0, 0, 0, 0));
}

EXPORT(int, open_tree, int folder, const char *path, unsigned flags)
{
    return (int)answer(linux_dispatch(CALL_OPEN_TREE, folder, (long)path, flags, 0, 0, 0));
}

EXPORT(int, move_mount, int from, const char *from_path, int to, const char *to_path,
       unsigned flags)
{
    return (int)answer(
        linux_dispatch(CALL_MOVE_MOUNT, from, (long)from_path, to, (long)to_path, flags, 0));
}

EXPORT(int, mount_setattr, int folder, const char *path, unsigned flags, void *attributes,
       size_t size)
{
    return (int)answer(linux_dispatch(CALL_MOUNT_SETATTR, folder, (long)path, flags,
                                      (long)attributes, (long)size, 0));
}

EXPORT(int, fsopen, const char *name, unsigned flags)
{
    return (int)answer(linux_dispatch(CALL_FSOPEN, (long)name, flags, 0, 0, 0, 0));
}

EXPORT(int, fsconfig, int fd, unsigned command, const char *key, const void *value, int extra)
{
    return (int)answer(
        linux_dispatch(CALL_FSCONFIG, fd, command, (long)key, (long)value, extra, 0));
}

EXPORT(int, fsmount, int fd, unsigned flags, unsigned attributes)
{
    return (int)answer(linux_dispatch(CALL_FSMOUNT, fd, flags, attributes, 0, 0, 0));
}

EXPORT(int, fspick, int folder, const char *path, unsigned flags)
{
    return (int)answer(linux_dispatch(CALL_FSPICK, folder, (long)path, flags, 0, 0, 0));
}

EXPORT(int, timespec_getres, struct timespec *resolution, int base)
{
    if (base != TIME_UTC) {
        return 0;
    }
    if (resolution != NULL) {
        clock_getres(CLOCK_REALTIME, resolution);
    }
    return base;
}

struct ntp_times { // glibc's struct ntptimeval
    struct timeval time;
    long error_max, error_estimated, tai;
    long reserved[4];
};

EXPORT(int, ntp_gettimex, struct ntp_times *result)
{
    struct timex state = {0};
    int status = adjtimex(&state);
    *result = (struct ntp_times){.time = state.time,
                                 .error_max = state.maxerror,
                                 .error_estimated = state.esterror,
                                 .tai = state.tai};
    return status;
}

// The version before tai was there: the rest of the caller's structure is left alone.
EXPORT(int, ntp_gettime, struct ntp_times *result)
{
    struct timex state = {0};
    int status = adjtimex(&state);
    result->time = state.time;
    result->error_max = state.maxerror;
    result->error_estimated = state.esterror;
    return status;
}

EXPORT(int, getpt, void)
{
    return posix_openpt(O_RDWR);
}
