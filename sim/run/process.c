// SPDX-License-Identifier: BSD-3-Clause
// process.c: a program that osv-run starts and that does not outlive it.
//
// It is in a session of its own, so that Ctrl-C of the terminal comes to osv-run alone, which ends
// it in order; and the host kills it if osv-run itself is killed.
#include "sim/run/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/run/failure.h"

__attribute__((noreturn)) static void child_run(char *const *arguments, int fd, int errors,
                                                int failure, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    int nothing = open("/dev/null", O_RDONLY);
    // 127: what the parent reads of failure counts.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || setsid() < 0 ||
        sigprocmask(SIG_SETMASK, &none, NULL) != 0 || signal(SIGPIPE, SIG_DFL) == SIG_ERR ||
        dup2(nothing, STDIN_FILENO) < 0 || dup2(errors, STDOUT_FILENO) < 0 ||
        dup2(errors, STDERR_FILENO) < 0 || (fd >= 0 && fcntl(fd, F_SETFD, 0) != 0)) {
        _exit(127);
    }
    execv(arguments[0], arguments);
    int error = errno;
    (void)!write(failure, &error, sizeof error);
    _exit(127);
}

void process_start(struct process *process, char *const *arguments, int fd)
{
    int failure[2], error = 0;
    const pid_t parent = getpid();
    process->errors = memfd_create("errors", MFD_CLOEXEC); // which never makes the writer wait
    if (process->errors < 0 || pipe2(failure, O_CLOEXEC) != 0) {
        fail(STATUS_CANNOT, "%s: cannot be started: %s", arguments[0], strerror(errno));
    }
    process->pid = fork();
    if (process->pid == 0) {
        child_run(arguments, fd, process->errors, failure[1], parent);
    }
    close(failure[1]);
    process->pidfd = process->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (process->pidfd < 0) {
        fail(STATUS_CANNOT, "%s: cannot be started: %s", arguments[0], strerror(errno));
    }
    const ssize_t got = read(failure[0], &error, sizeof error);
    close(failure[0]);
    if (got == (ssize_t)sizeof error) {
        process_end(process);
        fail(STATUS_CANNOT, "%s: %s", arguments[0], strerror(error));
    }
}

bool process_has_ended(const struct process *process)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

void process_last_line(const struct process *process, char line[PROCESS_LINE_SIZE])
{
    struct stat status;
    const off_t size = fstat(process->errors, &status) == 0 ? status.st_size : 0;
    const off_t from = size < PROCESS_LINE_SIZE ? 0 : size - PROCESS_LINE_SIZE + 1;
    ssize_t got = pread(process->errors, line, PROCESS_LINE_SIZE - 1, from);
    while (got > 0 && line[got - 1] == '\n') {
        --got;
    }
    line[got < 0 ? 0 : got] = 0;
    const char *last = strrchr(line, '\n');
    if (last != NULL) {
        memmove(line, last + 1, strlen(last));
    }
}

void process_end(struct process *process)
{
    (void)kill(process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    close(process->pidfd);
    close(process->errors);
}

static char *path_search(const char *name)
{
    const char *path = getenv("PATH");
    while (path != NULL && *path != 0) {
        const size_t size = strcspn(path, ":");
        char *candidate = text_make("%.*s/%s", (int)size, path, name);
        if (size > 0 && access(candidate, X_OK) == 0) {
            return candidate;
        }
        free(candidate);
        path += size + (path[size] == ':');
    }
    return NULL;
}

char *process_find(const char *const *names)
{
    for (; *names != NULL; ++names) {
        if ((*names)[0] != '/') {
            char *found = path_search(*names);
            if (found != NULL) {
                return found;
            }
        } else if (access(*names, X_OK) == 0) {
            return text_make("%s", *names);
        }
    }
    return NULL;
}
