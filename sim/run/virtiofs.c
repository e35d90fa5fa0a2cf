// SPDX-License-Identifier: BSD-3-Clause
// virtiofs.c: servers of the host's directories: one virtiofsd for each mount of a machine.
//
// It gets the socket, listening already, as a descriptor: so QEMU need not wait for it, and it
// makes no files of its own. Where osv-run is not the superuser virtiofsd is that in a user
// namespace, and what the program makes is the user's.
#include "sim/run/virtiofs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/run/failure.h"
#include "sim/run/machine.h"
#include "sim/run/process.h"
#include "sim/run/scratch.h"

enum { ARGUMENTS_MAX = 12 };

static struct process servers[MACHINE_MOUNT_MAX];
static size_t server_count;

static char *server_find(void)
{
    static const char *const names[] = {"virtiofsd", "/usr/libexec/virtiofsd",
                                        "/usr/lib/qemu/virtiofsd", NULL};
    char *server = process_find(names);
    if (server == NULL) {
        fail(STATUS_CANNOT, "--mount: there is no virtiofsd: install the package "
                            "qemu-system-common (or, after Debian 12, virtiofsd)");
    }
    return server;
}

static void server_start(const char *program, struct machine_mount *mount)
{
    static const char *const unshare_names[] = {"unshare", "/usr/bin/unshare", NULL};
    char *arguments[ARGUMENTS_MAX];
    size_t count = 0;
    if (geteuid() != 0) {
        char *unshare_path = process_find(unshare_names);
        if (unshare_path == NULL) {
            fail(STATUS_CANNOT, "--mount: there is no unshare: install the package util-linux");
        }
        arguments[count++] = unshare_path;
        arguments[count++] = text_make("--map-root-user");
    }
    if (strchr(mount->host, ',') != NULL) {
        fail(STATUS_USAGE, "--mount: '%s': virtiofsd takes no path with a comma", mount->host);
    }
    const int fd = scratch_listen(mount->tag, &mount->socket);
    (void)fcntl(fd, F_SETFL, 0); // virtiofsd is to wait for QEMU
    arguments[count++] = text_make("%s", program);
    arguments[count++] = text_make("--fd=%d", fd);
    arguments[count++] = text_make("-o");
    arguments[count++] = text_make("sandbox=chroot");
    arguments[count++] = text_make("-o");
    arguments[count++] = text_make("source=%s", mount->host);
    arguments[count] = NULL;
    process_start(&servers[server_count], arguments, fd);
    ++server_count;
    close(fd);
    while (count > 0) {
        free(arguments[--count]);
    }
}

void virtiofs_start(struct machine *machine)
{
    if (machine->mount_count == 0) {
        return;
    }
    char *program = server_find();
    for (size_t i = 0; i < machine->mount_count; ++i) {
        server_start(program, &machine->mounts[i]);
    }
    free(program);
}

char *virtiofs_explanation(const struct machine *machine)
{
    char line[PROCESS_LINE_SIZE];
    for (size_t i = 0; i < server_count; ++i) {
        if (process_has_ended(&servers[i])) {
            process_last_line(&servers[i], line);
            return text_make("--mount %s: virtiofsd: %s", machine->mounts[i].host,
                             line[0] == 0 ? "has ended" : line);
        }
    }
    return NULL;
}

void virtiofs_stop(void)
{
    while (server_count > 0) {
        process_end(&servers[--server_count]);
    }
}
