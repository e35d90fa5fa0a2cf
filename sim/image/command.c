// SPDX-License-Identifier: BSD-3-Clause
// command.c: other programs that osv-image runs, silently.
#include "sim/image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/image/fail.h"
#include "sim/image/scratch.h"

enum { TAIL_SIZE = 4096 };

extern char **environ;

static pid_t command_start(const char *package, const char *const *arguments, int *output)
{
    int ends[2];
    pid_t process;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2) != 0) {
        fail_errno(arguments[0]);
    }
    errno = posix_spawnp(&process, arguments[0], &actions, NULL, (char **)(uintptr_t)arguments,
                         environ);
    if (errno == ENOENT) {
        fail(EXIT_FAILED, "%s: not found; the package %s has it", arguments[0], package);
    }
    if (errno != 0) {
        fail_errno(arguments[0]);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *output = ends[0];
    return process;
}

// The end of what comes, with a NUL behind it.
static void tail_read(int output, char tail[TAIL_SIZE])
{
    size_t used = 0;
    for (;;) {
        if (used == TAIL_SIZE - 1) {
            used /= 2;
            memmove(tail, tail + TAIL_SIZE - 1 - used, used);
        }
        const ssize_t size = read(output, tail + used, TAIL_SIZE - 1 - used);
        if (size > 0) {
            used += (size_t)size;
        } else if (size == 0 || errno != EINTR) {
            break;
        }
    }
    tail[used] = 0;
}

static const char *last_line(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && strchr(" \n", text[length - 1]) != NULL) {
        text[--length] = 0;
    }
    char *newline = strrchr(text, '\n');
    return newline == NULL ? text : newline + 1;
}

void command_run(const char *package, const char *const *arguments)
{
    char tail[TAIL_SIZE];
    int output, status = 0;
    const pid_t process = command_start(package, arguments, &output);
    scratch_child_set(process);
    tail_read(output, tail);
    close(output);
    siginfo_t end;
    while (waitid(P_PID, (id_t)process, &end, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
    }
    scratch_child_set(0); // while its number is still its own
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    scratch_check();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        const char *why = last_line(tail);
        fail(EXIT_FAILED, "%s failed: %s", arguments[0], why[0] == 0 ? "it does not say why" : why);
    }
}
