// SPDX-License-Identifier: BSD-3-Clause
// process.c: what would make a second process. There is one: core/linux answers ENOSYS, with a line
// that says why.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "core/libc/export.h"
#include "core/linux/syscall.h"

static int make_child(void)
{
    long result = linux_dispatch(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
    errno = result < 0 ? (int)-result : ENOSYS;
    return -1;
}

EXPORT(int, fork, void)
{
    return make_child();
}

EXPORT(int, __fork, void)
{
    return make_child();
}

EXPORT(int, _Fork, void)
{
    return make_child();
}

EXPORT(int, vfork, void)
{
    return make_child();
}

EXPORT(int, __vfork, void)
{
    return make_child();
}

EXPORT(int, clone, int (*function)(void *), void *stack, int flags, void *argument, ...)
{
    return make_child();
}

EXPORT(int, posix_spawn, int *child, const char *path, const void *actions, const void *attributes,
       char *const *argv, char *const *envp)
{
    make_child();
    return errno;
}

EXPORT(int, posix_spawnp, int *child, const char *file, const void *actions, const void *attributes,
       char *const *argv, char *const *envp)
{
    make_child();
    return errno;
}

EXPORT(FILE *, popen, const char *command, const char *mode)
{
    make_child();
    return NULL;
}

EXPORT(int, pclose, FILE *stream)
{
    errno = ECHILD;
    return -1;
}

// NULL asks whether there is a shell.
EXPORT(int, system, const char *command)
{
    if (command == NULL) {
        return 0;
    }
    return make_child();
}

EXPORT(int, __register_atfork, void (*prepare)(void), void (*parent)(void), void (*child)(void),
       void *object)
{
    return 0;
}

EXPORT(int, pthread_atfork, void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return 0;
}
