// SPDX-License-Identifier: BSD-3-Clause
// switch.c: see switch.h.
#include "sim/switch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "hal-linux/dev/net.h"

static struct sockaddr_un own;

static void socket_remove(void)
{
    (void)unlink(own.sun_path);
}

const char *switch_join(struct net_far *far, const char *folder)
{
    char name[NET_HARDWARE_DIGITS + 1];
    const struct timeval patience = {.tv_usec = NET_PATIENCE_US};
    const int buffer = NET_SEND_BUFFER;
    if (strlen(folder) > NET_FOLDER_MAX) {
        errno = ENAMETOOLONG;
        return "the folder";
    }
    net_hardware_name(far->hardware, name);
    own.sun_family = AF_UNIX;
    (void)snprintf(own.sun_path, sizeof own.sun_path, "%.*s/%s", NET_FOLDER_MAX, folder, name);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return "the folder";
    }
    far->fds[0] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (far->fds[0] < 0 || bind(far->fds[0], (const struct sockaddr *)&own, sizeof own) != 0) {
        return "no socket in it";
    }
    (void)setsockopt(far->fds[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    (void)setsockopt(far->fds[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    (void)atexit(socket_remove);
    far->folder = folder;
    return NULL;
}
