// SPDX-License-Identifier: BSD-3-Clause
// balloon.c: see balloon.h.
//
// A line is a question, and gets a line: a size, which is wanted from then on; nothing, which only
// asks; or "stats". A thread for each connection.
#include "sim/balloon.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "hal-linux/dev/balloon.h"
#include "hal-linux/vcpu.h"
#include "sim/options.h"

enum { LINE_SIZE = 256, BACKLOG = 8 };

static int listener;
static size_t memory;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of balloon_stats

static void state_write(FILE *answer)
{
    struct balloon_state state;
    balloon_look(&state);
    fprintf(answer, "actual %" PRIu64 " wanted %" PRIu64 "\n", state.actual, state.wanted);
}

static void stats_write(FILE *answer)
{
    static const struct {
        const char *name;
        enum balloon_stat stat;
    } names[] = {{"total", BALLOON_TOTAL},
                 {"free", BALLOON_FREE},
                 {"available", BALLOON_AVAILABLE},
                 {"cached", BALLOON_CACHED},
                 {"minor-faults", BALLOON_MINOR_FAULTS}};
    uint64_t stats[BALLOON_STATS];
    pthread_mutex_lock(&lock);
    const bool is_there = balloon_stats(stats);
    pthread_mutex_unlock(&lock);
    if (!is_there) {
        fprintf(answer, "error: the kernel does not answer; is it still starting?\n");
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        fprintf(answer, "%s%s %" PRIu64, i == 0 ? "" : " ", names[i].name, stats[names[i].stat]);
    }
    fprintf(answer, "\n");
}

static void line_answer(const char *line, FILE *answer)
{
    uint64_t size = 0;
    if (strcmp(line, "stats") == 0) {
        stats_write(answer);
        return;
    }
    if (line[0] != 0 && !size_parse(line, &size)) {
        fprintf(answer, "error: '%s' is neither a size, such as 64M, nor stats\n", line);
        return;
    }
    if (size > memory) {
        fprintf(answer, "error: %s is more than the machine has (--memory %zuM)\n", line,
                memory >> 20);
        return;
    }
    if (line[0] != 0) {
        balloon_want(size);
    }
    state_write(answer);
}

static void *connection_serve(void *argument)
{
    struct vcpu block;
    vcpu_adopt_thread(&block);
    const int fd = (int)(intptr_t)argument;
    FILE *questions = fdopen(fd, "r");
    char line[LINE_SIZE], answer[LINE_SIZE];
    while (questions != NULL && fgets(line, sizeof line, questions) != NULL) {
        FILE *text = fmemopen(answer, sizeof answer, "w");
        if (text == NULL) {
            break;
        }
        line[strcspn(line, "\r\n")] = 0;
        line_answer(line, text);
        const long size = ftell(text);
        fclose(text);
        if (send(fd, answer, (size_t)size, MSG_NOSIGNAL) != size) {
            break;
        }
    }
    if (questions != NULL) {
        fclose(questions);
    } else {
        close(fd);
    }
    return NULL;
}

static void thread_start(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    const int error = pthread_create(&thread, NULL, run, argument);
    if (error == 0) {
        pthread_detach(thread);
    } else if (run == connection_serve) {
        close((int)(intptr_t)argument);
    } else {
        options_fail(EXIT_USAGE, "--balloon: %s", strerror(error));
    }
}

static void *listener_serve(void *unused)
{
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            thread_start(connection_serve, (void *)(intptr_t)fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return unused;
        }
    }
}

static void socket_remove(void)
{
    unlink(address.sun_path);
}

// Whether the socket is one that its owner has left behind.
static bool is_left(void)
{
    struct stat what; // other files refuse connections, too
    if (lstat(address.sun_path, &what) != 0 || !S_ISSOCK(what.st_mode)) {
        return false;
    }
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_refused = connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 &&
                            errno == ECONNREFUSED;
    close(fd);
    return is_refused;
}

void balloon_listen(const char *path, size_t memory_size)
{
    const struct sockaddr *name = (const struct sockaddr *)&address;
    memory = memory_size;
    if (strlen(path) >= sizeof address.sun_path) {
        options_fail(EXIT_USAGE, "--balloon: %s: a socket's name has at most %zu bytes", path,
                     sizeof address.sun_path - 1);
    }
    strcpy(address.sun_path, path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = bind(listener, name, sizeof address) == 0 ? 0 : errno;
    if (error == EADDRINUSE && is_left()) {
        unlink(path);
        error = bind(listener, name, sizeof address) == 0 ? 0 : errno;
    }
    if (error == 0 && listen(listener, BACKLOG) != 0) {
        error = errno;
    }
    if (error != 0) {
        options_fail(EXIT_USAGE, "--balloon: %s: %s", path,
                     error == EADDRINUSE ? "it is there already" : strerror(error));
    }
    atexit(socket_remove);
    sigset_t all, before; // process signals are the main thread's
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_start(listener_serve, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
