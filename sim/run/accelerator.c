// SPDX-License-Identifier: BSD-3-Clause
// accelerator.c: whether KVM is to be used.
//
// That /dev/kvm opens says little: inside of other virtual machines it may fail at the first
// instruction that it does not know. Only a run tells; its answer is kept in a file, together with
// the host's boot id, as another kernel may do better.
#include "sim/run/accelerator.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/run/failure.h"

enum { ID_SIZE = 64 };

// $XDG_CACHE_HOME, or ~/.cache; NULL: neither is there. To be freed.
static char *cache_folder(void)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (cache != NULL && cache[0] == '/') {
        return text_make("%s", cache);
    }
    return home == NULL || home[0] != '/' ? NULL : text_make("%s/.cache", home);
}

static char *file_name(void)
{
    char *folder = cache_folder();
    char *name = folder == NULL ? NULL : text_make("%s/osv-run-kvm-is-broken", folder);
    free(folder);
    return name;
}

// The first line of a file; an empty one where there is none.
static void line_read(const char *name, char line[ID_SIZE])
{
    FILE *file = name == NULL ? NULL : fopen(name, "re");
    if (file == NULL || fgets(line, ID_SIZE, file) == NULL) {
        line[0] = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void boot_id_read(char line[ID_SIZE])
{
    line_read("/proc/sys/kernel/random/boot_id", line);
}

static bool is_known_broken(const char *name)
{
    char now[ID_SIZE], then[ID_SIZE];
    boot_id_read(now);
    line_read(name, then);
    return now[0] != 0 && strcmp(now, then) == 0;
}

bool accelerator_is_kvm(void)
{
    const int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        note("no KVM (/dev/kvm: %s): by emulation, which is slower", strerror(errno));
        return false;
    }
    close(fd);
    char *name = file_name();
    const bool is_broken = is_known_broken(name);
    if (is_broken) {
        note("KVM does not work here, says %s: by emulation, which is slower", name);
    }
    free(name);
    return !is_broken;
}

void accelerator_remember_broken(void)
{
    char id[ID_SIZE];
    char *folder = cache_folder();
    char *name = file_name();
    boot_id_read(id);
    if (folder != NULL) {
        (void)mkdir(folder, 0700); // it is there, or the next line fails
        FILE *file = fopen(name, "we");
        if (file == NULL || fputs(id, file) < 0 || fclose(file) != 0) {
            note("%s: %s: the next run tries KVM again", name, strerror(errno));
        }
    }
    free(folder);
    free(name);
}
