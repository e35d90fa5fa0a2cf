// SPDX-License-Identifier: BSD-3-Clause
// trial.c: runs of the seeded machine in processes of their own. Each leaves a recording, which
// says how it ended; all files lie in a directory that the program does not see.
#include "sim/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "sim/options.h"
#include "sim/places.h"

enum { SECONDS_MAX = 120, RUN_SECONDS_MAX = 20, STREAMS = 3, PATH_SIZE = 64 };

static const struct options *options;
static const char *option_name;
static char *own_name; // as the person called us
static char directory[] = "/tmp/osv-sim-XXXXXX";
static char wanted[PATH_SIZE], made[PATH_SIZE], kept[PATH_SIZE];
static unsigned count, count_max;
static struct timespec start;

static int64_t seconds_since(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - from->tv_sec;
}

static void name_make(char name[PATH_SIZE], const char *last)
{
    snprintf(name, PATH_SIZE, "%s/%s", directory, last);
}

void trial_begin(const struct options *given, char *name, const char *option, unsigned runs_max)
{
    options = given;
    option_name = option;
    own_name = name;
    count_max = runs_max;
    if (mkdtemp(directory) == NULL) {
        options_fail(EXIT_USAGE, "%s: %s: %s", option, directory, strerror(errno));
    }
    name_make(wanted, "wanted");
    name_make(made, "made");
    name_make(kept, "kept");
    clock_gettime(CLOCK_MONOTONIC, &start);
}

void trial_end(int status)
{
    unlink(wanted);
    unlink(made);
    unlink(kept);
    rmdir(directory);
    exit(status);
}

unsigned trial_count(void)
{
    return count;
}

bool trial_is_over(void)
{
    return count >= count_max || seconds_since(&start) >= SECONDS_MAX;
}

// ---- The program's streams ---------------------------------------------------------

// What of one stream the program gets, and where we read what it writes (or -1).
struct stream {
    int theirs, ours;
};

static struct stream terminal_make(int fd)
{
    struct stream stream;
    struct termios settings;
    struct winsize size;
    bool is_known = tcgetattr(fd, &settings) == 0 && ioctl(fd, TIOCGWINSZ, &size) == 0;
    if (openpty(&stream.ours, &stream.theirs, NULL, is_known ? &settings : NULL,
                is_known ? &size : NULL) != 0) {
        options_fail(EXIT_USAGE, "%s: a terminal: %s", option_name, strerror(errno));
    }
    return stream;
}

// The first run has streams of the kinds that ours are, and our input, unless it is one that is
// made again: such runs know all about their streams.
static struct stream stream_make(int fd, bool is_known)
{
    struct stat status;
    struct stream stream = {-1, -1};
    int pair[2];
    if (fstat(fd, &status) != 0) {
        return stream;
    }
    if (isatty(fd) && fd != STDIN_FILENO && !is_known) {
        return terminal_make(fd);
    }
    if (is_known && fd == STDIN_FILENO) {
        stream.theirs = open("/dev/null", O_RDONLY);
    } else if (S_ISREG(status.st_mode) && !is_known) {
        stream.theirs = fd == STDIN_FILENO ? open("/proc/self/fd/0", O_RDONLY)
                                           : open("/tmp", O_TMPFILE | O_RDWR, 0600);
    } else if ((S_ISFIFO(status.st_mode) || is_known) && fd != STDIN_FILENO && pipe(pair) == 0) {
        stream = (struct stream){pair[1], pair[0]};
    } else {
        stream.theirs = dup(fd);
    }
    if (stream.theirs < 0) {
        options_fail(EXIT_USAGE, "%s: the program's streams: %s", option_name, strerror(errno));
    }
    return stream;
}

static void streams_close(struct stream streams[STREAMS], bool theirs)
{
    for (int i = 0; i < STREAMS; ++i) {
        int *fd = theirs ? &streams[i].theirs : &streams[i].ours;
        if (*fd >= 0) {
            close(*fd);
            *fd = -1;
        }
    }
}

// Reads away what comes in that time.
static void streams_drain(struct stream streams[STREAMS], int wait_ms)
{
    char text[4096];
    struct pollfd polled[STREAMS];
    for (int i = 0; i < STREAMS; ++i) {
        polled[i] = (struct pollfd){.fd = streams[i].ours, .events = POLLIN};
    }
    if (poll(polled, STREAMS, wait_ms) > 0) {
        for (int i = 0; i < STREAMS; ++i) {
            if (polled[i].revents != 0 && read(streams[i].ours, text, sizeof text) <= 0) {
                close(streams[i].ours);
                streams[i].ours = -1;
            }
        }
    }
}

// ---- Runs --------------------------------------------------------------------------

static void child(struct stream streams[STREAMS], char **arguments)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < STREAMS; ++i) {
        if (streams[i].theirs >= 0) {
            dup2(streams[i].theirs, i);
        } else {
            close(i);
        }
    }
    for (int i = 0; i < STREAMS; ++i) {
        if (streams[i].theirs >= STREAMS) {
            close(streams[i].theirs);
        }
        if (streams[i].ours >= STREAMS) {
            close(streams[i].ours);
        }
    }
    execv("/proc/self/exe", arguments);
    _exit(EXIT_NOT_FOUND);
}

// A run that takes too long is ended.
static void child_wait(pid_t pid, struct stream streams[STREAMS])
{
    enum { LOOK_MS = 10 };
    struct timespec begun;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        streams_drain(streams, LOOK_MS);
        if (seconds_since(&begun) >= RUN_SECONDS_MAX) {
            kill(pid, SIGKILL);
        }
    }
}

// Runs osv-sim with these options before the rest.
static bool run(const char *replayed, char *const *words, struct recording *result)
{
    struct stream streams[STREAMS];
    size_t used = 0, word_count = 0;
    while (words[word_count] != NULL) {
        ++word_count;
    }
    char **arguments = calloc(word_count + 8, sizeof *arguments);
    if (arguments == NULL) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    arguments[used++] = own_name;
    arguments[used++] = (char *)"--record";
    arguments[used++] = made;
    if (replayed != NULL) {
        arguments[used++] = (char *)"--replay";
        arguments[used++] = (char *)replayed;
    }
    if (options->enumerated_depth != 0) {
        arguments[used++] = (char *)"--meetings";
    }
    memcpy(arguments + used, words, word_count * sizeof *words);
    for (int i = 0; i < STREAMS; ++i) {
        streams[i] = stream_make(i, replayed != NULL);
    }
    unlink(made);
    ++count;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        child(streams, arguments);
    }
    streams_close(streams, true);
    if (pid > 0) {
        child_wait(pid, streams);
    }
    streams_close(streams, false);
    free(arguments);
    const char *failure = recording_read(result, made);
    if (failure != NULL) {
        recording_free(result);
    }
    return failure == NULL;
}

bool trial_first(struct recording *result)
{
    static char *const none[] = {NULL};
    bool is_replay = options->replay_name != NULL;
    return run(options->replay_name, is_replay ? none : options->words, result);
}

bool trial_make(const struct recording *of, const struct seed_turn *turns, size_t turn_count,
                struct recording *result)
{
    static char *const none[] = {NULL};
    FILE *file = fopen(wanted, "we");
    if (file == NULL) {
        options_fail(EXIT_USAGE, "%s: %s: %s", option_name, wanted, strerror(errno));
    }
    recording_write(of, turns, turn_count, file);
    fclose(file);
    return run(wanted, none, result);
}

bool trial_is_failure(const struct recording *recording)
{
    return recording->code != 0 || strcmp(recording->how, "exit") != 0;
}

bool trial_is_same(const struct recording *left, const struct recording *right)
{
    return left->code == right->code && strcmp(left->how, right->how) == 0;
}

// ---- The end -----------------------------------------------------------------------

void trial_keep(void)
{
    if (rename(made, kept) != 0) {
        options_fail(EXIT_USAGE, "%s: %s: %s", option_name, kept, strerror(errno));
    }
}

// Elsewhere than the other files: it stays.
static const char *kept_move(const char *file)
{
    static char own[] = "/tmp/osv-sim-run-XXXXXX";
    char text[65536];
    size_t size;
    int fd =
        file != NULL ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : mkstemp(own);
    FILE *from = fopen(kept, "re"), *to = fd < 0 ? NULL : fdopen(fd, "w");
    if (from == NULL || to == NULL) {
        options_fail(EXIT_USAGE, "%s: %s: %s", option_name, file != NULL ? file : own,
                     strerror(errno));
    }
    while ((size = fread(text, 1, sizeof text, from)) > 0) {
        fwrite(text, 1, size, to);
    }
    fclose(from);
    if (fclose(to) != 0) {
        options_fail(EXIT_USAGE, "%s: %s: %s", option_name, file != NULL ? file : own,
                     strerror(errno));
    }
    return file != NULL ? file : own;
}

void trial_show(const struct recording *recording)
{
    const struct seed_recording *run_of = &recording->run;
    for (size_t order = 0, shown = 0; order < run_of->turn_count; ++order) {
        for (size_t i = 0; i < run_of->turn_count; ++i) {
            const struct seed_turn *turn = &run_of->turns[i];
            if (turn->order == order && recording_is_preemption(turn)) {
                fprintf(stderr,
                        "osv-sim: preemption %zu: CPU %u goes on in place of CPU %u, before ",
                        ++shown, turn->to, turn->cpu);
                place_print(recording, turn->place, stderr);
                fputc('\n', stderr);
            }
        }
    }
    fprintf(stderr, "osv-sim: replay: %s --replay %s\n", own_name, kept_move(options->seed.record));
}
