// SPDX-License-Identifier: BSD-3-Clause
// scratch.c: a directory beside the output, where everything is made.
#include "sim/image/scratch.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/image/fail.h"

enum { OPEN_DIRECTORIES_MAX = 32, SIGNAL_STATUS = 128 };

static const char *output;
static char *directory;
static volatile sig_atomic_t signal_seen, child;

// A directory without w would keep what is in it.
static int entry_open(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)where;
    return kind == FTW_D || kind == FTW_DNR ? chmod(path, 0700) : 0;
}

static int entry_remove(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static void directory_remove(void)
{
    (void)nftw(directory, entry_open, OPEN_DIRECTORIES_MAX, FTW_PHYS);
    (void)nftw(directory, entry_remove, OPEN_DIRECTORIES_MAX, FTW_PHYS | FTW_DEPTH);
}

static void signal_note(int number)
{
    signal_seen = number;
    if (child > 0) {
        kill(child, SIGTERM);
    }
}

// A signal that came before the handler knew the child has left its mark.
void scratch_child_set(pid_t process)
{
    child = process;
    if (process > 0 && signal_seen != 0) {
        kill(process, SIGTERM);
    }
}

void scratch_start(const char *output_name)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct stat status;
    if (stat(output_name, &status) == 0 && S_ISDIR(status.st_mode)) {
        fail(EXIT_FAILED, "%s: is a directory", output_name);
    }
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; ++i) {
        const struct sigaction action = {.sa_handler = signal_note};
        sigaction(signals[i], &action, NULL);
    }
    output = output_name;
    directory = text_make("%s.XXXXXX", output_name);
    if (mkdtemp(directory) == NULL) {
        fail_errno(output_name);
    }
    atexit(directory_remove);
}

char *scratch_path(const char *name)
{
    return text_make("%s/%s", directory, name);
}

void scratch_publish(const char *name)
{
    char *path = scratch_path(name);
    if (rename(path, output) != 0) {
        fail_errno(output);
    }
    free(path);
}

void scratch_check(void)
{
    if (signal_seen != 0) {
        fail(SIGNAL_STATUS + signal_seen, "interrupted");
    }
}
