// SPDX-License-Identifier: BSD-3-Clause
// scratch.c: a directory of our own for sockets.
//
// A daemon of libvirt's may run QEMU as another user: the directory can be passed through, but not
// listed, and its name is not to be guessed.
#include "sim/run/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/run/failure.h"

enum { NAME_MAX_SIZE = 40 }; // of the directory and a socket in it

static char *directory;

void scratch_make(void)
{
    const char *parent = getenv("TMPDIR");
    // The name of a socket must be short.
    if (parent == NULL || parent[0] != '/' ||
        strlen(parent) + NAME_MAX_SIZE > sizeof((struct sockaddr_un *)NULL)->sun_path) {
        parent = "/tmp";
    }
    char *name = text_make("%s/osv-run-XXXXXX", parent);
    if (mkdtemp(name) == NULL || chmod(name, 0711) != 0) {
        fail(STATUS_CANNOT, "cannot make a directory in %s: %s", parent, strerror(errno));
    }
    directory = name;
}

void scratch_remove(void)
{
    if (directory == NULL) {
        return;
    }
    DIR *list = opendir(directory);
    const struct dirent *entry;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        (void)unlinkat(dirfd(list), entry->d_name, 0); // not "." and ".."
    }
    if (list != NULL) {
        closedir(list);
    }
    (void)rmdir(directory);
    free(directory);
    directory = NULL;
}

int scratch_listen(const char *name, char **path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *path = text_make("%s/%s", directory, name);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", *path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(*path, 0666) != 0 || listen(fd, 1) != 0) {
        fail(STATUS_CANNOT, "%s: %s", *path, strerror(errno));
    }
    return fd;
}
