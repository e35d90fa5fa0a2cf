// SPDX-License-Identifier: BSD-3-Clause
// filelocks.c: locks on files: of the process, of open files, and whole ones (flock); who excludes
// whom, what a descriptor's end gives up, and that who waits is woken or interrupted.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "show.h"

enum { MAP_SIZE = 24, STEPS = 400, THREADS = 4, ROUNDS = 40 };

static const char *path;

static int opened(int flags)
{
    int fd = open(path, flags | O_CREAT, 0600);
    if (fd < 0) {
        printf("no file %s\n", path);
        exit(1);
    }
    return fd;
}

static int set(int fd, int command, int type, off_t start, off_t length)
{
    struct flock lock = {
        .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &lock);
}

static void get(int fd, int command, int type, off_t start, off_t length)
{
    struct flock lock = {
        .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    if (SHOW(fcntl(fd, command, &lock)) == 0) {
        const char *whose = lock.l_pid == getpid() ? "the process's"
                            : lock.l_pid == -1     ? "a file's"
                                                   : "nobody's";
        printf("  type %d, from %d, start %ld, length %ld, %s\n", lock.l_type, lock.l_whence,
               (long)lock.l_start, (long)lock.l_len, whose);
    }
}

// What another open file sees of the first bytes: for each, r or w, small where a file has it,
// capital where the process.
static void map_show(int probe)
{
    char map[MAP_SIZE + 1] = {0};
    for (int i = 0; i < MAP_SIZE; ++i) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1};
        fcntl(probe, F_OFD_GETLK, &lock);
        char kind = lock.l_type == F_UNLCK ? '.' : lock.l_type == F_RDLCK ? 'r' : 'w';
        map[i] = lock.l_type != F_UNLCK && lock.l_pid != -1 ? (char)(kind - 'a' + 'A') : kind;
    }
    printf("  %s\n", map);
}

static void ranges_of_the_process(void)
{
    int fd = opened(O_RDWR);
    int probe = opened(O_RDWR);
    SHOW(ftruncate(fd, 10));
    SHOW(set(fd, F_SETLK, F_WRLCK, 2, 10));
    SHOW(set(fd, F_SETLK, F_RDLCK, 5, 3));
    map_show(probe);
    SHOW(set(fd, F_SETLKW, F_UNLCK, 6, 1));
    map_show(probe);
    SHOW(set(fd, F_SETLK, F_RDLCK, 6, 1));
    SHOW(set(fd, F_SETLK, F_WRLCK, 5, 3));
    map_show(probe);
    get(fd, F_GETLK, F_WRLCK, 0, 0); // one's own are never in the way
    get(probe, F_GETLK, F_WRLCK, 0, 0);
    get(probe, F_OFD_GETLK, F_RDLCK, 0, 0);
    SHOW(set(fd, F_SETLK, F_WRLCK, 20, 0));
    get(probe, F_OFD_GETLK, F_RDLCK, 1000, 1);
    SHOW(set(fd, F_SETLK, F_UNLCK, 0, 0));
    map_show(probe);
    SHOW(lseek(fd, 8, SEEK_SET));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 2, .l_len = -4};
    SHOW(fcntl(fd, F_SETLK, &lock));
    map_show(probe);
    lock = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_END, .l_start = -9, .l_len = 2};
    SHOW(fcntl(fd, F_SETLK, &lock));
    map_show(probe);
    SHOW(close(dup(probe))); // any descriptor of the file
    map_show(probe);
    SHOW(lockf(fd, F_LOCK, 3));
    SHOW(lockf(fd, F_TEST, 0));
    SHOW(lockf(fd, F_TLOCK, -3));
    map_show(probe);
    SHOW(lockf(fd, F_ULOCK, 0));
    SHOW(lockf(fd, 77, 0));
    map_show(probe);
    SHOW(set(fd, F_SETLK, F_WRLCK, 0, 1));
    SHOW(dup2(0, probe) == probe); // closes it
    probe = opened(O_RDWR);
    map_show(probe);
    close(fd);
    close(probe);
}

static void wrong_calls(void)
{
    int fd = opened(O_RDWR), reader = opened(O_RDONLY), writer = opened(O_WRONLY);
    int name = open(path, O_PATH);
    SHOW(set(reader, F_SETLK, F_WRLCK, 0, 1));
    SHOW(set(reader, F_SETLK, F_RDLCK, 0, 1));
    SHOW(set(writer, F_SETLK, F_RDLCK, 0, 1));
    SHOW(set(writer, F_OFD_SETLK, F_RDLCK, 0, 1));
    SHOW(set(writer, F_SETLK, F_UNLCK, 0, 1));
    SHOW(set(fd, F_SETLK, 77, 0, 1));
    SHOW(set(fd, F_SETLK, F_WRLCK, -1, 1));
    SHOW(set(fd, F_SETLK, F_WRLCK, 3, -4));
    SHOW(set(fd, F_SETLK, F_WRLCK, 3, -3));
    SHOW(set(fd, F_SETLK, F_WRLCK, INT64_MAX, 1));
    SHOW(set(fd, F_SETLK, F_WRLCK, INT64_MAX, 2));
    SHOW(set(fd, F_GETLK, F_UNLCK, 0, 1));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = 77};
    SHOW(fcntl(fd, F_SETLK, &lock));
    lock = (struct flock){.l_type = F_WRLCK, .l_pid = 1};
    SHOW(fcntl(fd, F_OFD_SETLK, &lock));
    SHOW(fcntl(fd, F_OFD_GETLK, &lock));
    SHOW(fcntl(fd, F_SETLK, &lock));
    SHOW(fcntl(fd, F_SETLK, (struct flock *)8));
    SHOW(fcntl(9999, F_SETLK, &lock));
    SHOW(fcntl(name, F_SETLK, &lock));
    SHOW(fcntl(name, F_GETFD));
    SHOW(fcntl(name, F_SETFL, 0));
    SHOW(flock(name, LOCK_SH));
    SHOW(flock(9999, LOCK_SH));
    SHOW(flock(fd, 0));
    SHOW(flock(fd, LOCK_SH | LOCK_EX));
    SHOW(flock(reader, LOCK_EX)); // whatever it is open for
    close(fd);
    close(reader);
    close(writer);
    close(name);
    int ends[2];
    SHOW(pipe(ends));
    SHOW(set(ends[1], F_SETLK, F_WRLCK, 0, 1));
    SHOW(flock(ends[0], LOCK_EX));
    SHOW(flock(ends[1], LOCK_EX | LOCK_NB));
    close(ends[0]);
    SHOW(flock(ends[1], LOCK_EX | LOCK_NB));
    close(ends[1]);
    int folder = open(".", O_RDONLY | O_DIRECTORY), again = open(".", O_RDONLY | O_DIRECTORY);
    SHOW(flock(folder, LOCK_EX));
    SHOW(flock(again, LOCK_SH | LOCK_NB));
    SHOW(set(folder, F_SETLK, F_RDLCK, 0, 0));
    close(folder);
    close(again);
}

static void ranges_of_open_files(void)
{
    int a = opened(O_RDWR), b = opened(O_RDWR), copy = dup(a);
    SHOW(set(a, F_OFD_SETLK, F_WRLCK, 0, 10));
    SHOW(set(b, F_OFD_SETLK, F_RDLCK, 5, 1));
    SHOW(set(b, F_SETLK, F_RDLCK, 5, 1)); // the process, too, is somebody else
    SHOW(set(copy, F_OFD_SETLK, F_RDLCK, 5, 5));
    map_show(b);
    SHOW(set(b, F_OFD_SETLK, F_RDLCK, 8, 4));
    SHOW(set(a, F_OFD_SETLK, F_WRLCK, 9, 1));
    get(a, F_OFD_GETLK, F_WRLCK, 0, 0);
    get(a, F_GETLK, F_WRLCK, 0, 0);
    get(a, F_GETLK, F_RDLCK, 6, 1);
    SHOW(close(a)); // its copy keeps it open
    get(b, F_OFD_GETLK, F_WRLCK, 0, 1);
    SHOW(close(copy));
    get(b, F_OFD_GETLK, F_WRLCK, 0, 1);
    SHOW(set(b, F_OFD_SETLK, F_WRLCK, 0, 0));
    SHOW(flock(b, LOCK_EX)); // of another kind
    close(b);
}

static void whole_files(void)
{
    int a = opened(O_RDWR), b = opened(O_RDONLY), c = opened(O_WRONLY), copy = dup(a);
    SHOW(flock(a, LOCK_SH));
    SHOW(flock(b, LOCK_SH | LOCK_NB));
    SHOW(flock(c, LOCK_EX | LOCK_NB));
    SHOW(flock(a, LOCK_EX | LOCK_NB)); // gives up what it had
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    SHOW(flock(copy, LOCK_SH | LOCK_NB));
    SHOW(flock(b, LOCK_UN));
    SHOW(flock(b, LOCK_UN));
    SHOW(flock(a, LOCK_EX));
    SHOW(flock(copy, LOCK_EX | LOCK_NB));
    SHOW(flock(c, LOCK_SH | LOCK_NB));
    SHOW(flock(copy, LOCK_UN));
    SHOW(flock(c, LOCK_SH | LOCK_NB));
    SHOW(flock(a, LOCK_SH));
    SHOW(close(a));
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    SHOW(close(copy));
    SHOW(close(c));
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    close(b);
}

static unsigned random_next(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 16;
}

// Two open files and the process lock and unlock at random; all that is seen is compared.
static void any_order(void)
{
    int fds[3] = {opened(O_RDWR), opened(O_RDWR), opened(O_RDWR)};
    unsigned state = 1;
    for (int i = 0; i < STEPS; ++i) {
        static const int types[] = {F_RDLCK, F_WRLCK, F_UNLCK};
        unsigned who = random_next(&state) % 3;
        int type = types[random_next(&state) % 3];
        off_t start = random_next(&state) % (MAP_SIZE - 2);
        off_t length = 1 + random_next(&state) % 8;
        int result = set(fds[who], who == 2 ? F_SETLK : F_OFD_SETLK, type, start, length);
        printf("%u %d %ld %ld: %s\n", who, type, (long)start, (long)length,
               result == 0 ? "ok" : strerrorname_np(errno));
        map_show(fds[random_next(&state) % 2]);
    }
    close(fds[0]);
    close(fds[1]);
    close(fds[2]);
}

static long counter;

// Each with open files of its own: by ranges at even numbers, by flock at odd ones.
static void *counting(void *argument)
{
    long number = (long)argument;
    int fd = opened(O_RDWR);
    for (int i = 0; i < ROUNDS; ++i) {
        if (flock(fd, LOCK_EX) != 0 || set(fd, F_OFD_SETLKW, F_WRLCK, number % 2 * 4, 6) != 0) {
            printf("not locked\n");
        }
        long seen = counter;
        if (i % 8 == 0) {
            sched_yield();
        }
        counter = seen + 1;
        set(fd, F_OFD_SETLKW, F_UNLCK, 0, 0);
        flock(fd, LOCK_UN);
    }
    close(fd);
    return NULL;
}

static void locks_exclude(void)
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; ++i) {
        pthread_create(&threads[i], NULL, counting, (void *)i);
    }
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], NULL);
    }
    printf("counted %ld\n", counter);
}

enum way { BY_FLOCK, BY_FILE, BY_PROCESS };

struct wait {
    enum way way;
    int fd, result, error;
    _Atomic int done;
};

static void *waiter(void *argument)
{
    struct wait *wait = argument;
    wait->result = wait->way == BY_FLOCK  ? flock(wait->fd, LOCK_EX)
                   : wait->way == BY_FILE ? set(wait->fd, F_OFD_SETLKW, F_WRLCK, 0, 0)
                                          : set(wait->fd, F_SETLKW, F_WRLCK, 0, 0);
    wait->error = errno;
    wait->done = 1;
    return NULL;
}

static void pause_short(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static _Atomic int handled;

static void handler(int signal)
{
    (void)signal;
    ++handled;
}

// The holder is an open file; the waiter is woken by an unlock or a close, or interrupted.
static void waits_end(enum way way, int how)
{
    int holder = opened(O_RDWR);
    struct wait wait = {.way = way, .fd = opened(O_RDWR)};
    struct sigaction action = {.sa_handler = handler, .sa_flags = how == 3 ? SA_RESTART : 0};
    pthread_t thread;
    sigaction(SIGUSR1, &action, NULL);
    handled = 0;
    if (way == BY_FLOCK ? flock(holder, LOCK_EX) : set(holder, F_OFD_SETLK, F_RDLCK, 5, 1)) {
        printf("the holder has no lock\n");
    }
    pthread_create(&thread, NULL, waiter, &wait);
    for (int i = 0; how == 0 && i < 3; ++i) {
        pause_short();
    }
    while (how == 2 && !wait.done) { // until one has met it waiting
        pthread_kill(thread, SIGUSR1);
        pause_short();
    }
    while (how == 3 && handled < 2) {
        pthread_kill(thread, SIGUSR1);
        pause_short();
    }
    if (how == 1) {
        close(holder);
    } else if (how != 2) {
        SHOW(way == BY_FLOCK ? flock(holder, LOCK_UN) : set(holder, F_OFD_SETLK, F_UNLCK, 0, 0));
    }
    pthread_join(thread, NULL);
    printf("way %d, end %d: %s\n", way, how,
           wait.result == 0 ? "locked" : strerrorname_np(wait.error));
    if (how != 1) {
        close(holder);
    }
    close(wait.fd);
}

// A descriptor that is closed while its lock is waited for has none afterwards.
static void closed_while_waiting(void)
{
    int holder = opened(O_RDWR);
    struct wait wait = {.way = BY_PROCESS, .fd = opened(O_RDWR)};
    pthread_t thread;
    set(holder, F_OFD_SETLK, F_WRLCK, 0, 0);
    pthread_create(&thread, NULL, waiter, &wait);
    close(wait.fd);
    set(holder, F_OFD_SETLK, F_UNLCK, 0, 0);
    pthread_join(thread, NULL);
    printf("closed: %s\n", wait.result == 0 ? "locked" : strerrorname_np(wait.error));
    get(holder, F_OFD_GETLK, F_WRLCK, 0, 0);
    close(holder);
}

static void everything(const char *file)
{
    path = file;
    ranges_of_the_process();
    wrong_calls();
    ranges_of_open_files();
    whole_files();
    any_order();
    counter = 0;
    locks_exclude();
    for (enum way way = BY_FLOCK; way <= BY_PROCESS; ++way) {
        for (int how = 0; how < 4; ++how) {
            waits_end(way, how);
        }
    }
    closed_while_waiting();
    SHOW(unlink(file));
}

int main(void)
{
    everything("locks.data");
    char file[] = "/tmp/locks-XXXXXX";
    close(mkstemp(file));
    printf("in /tmp\n");
    path = file;
    everything(file);
    return 0;
}
