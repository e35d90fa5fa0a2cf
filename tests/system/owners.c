// SPDX-License-Identifier: BSD-3-Clause
// owners.c: signals about files (fcntl(2), "Managing signals"): SIGURG, SIGIO, and one's own.
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

static int chosen; // a real-time signal

static void stream_pair(int ends[2])
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof name;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&name, sizeof name);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&name, &size);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    connect(ends[0], (struct sockaddr *)&name, sizeof name);
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
}

static void datagram_pair(int ends[2])
{
    struct sockaddr_in names[2];
    socklen_t size = sizeof names[0];
    for (int i = 0; i < 2; ++i) {
        names[i] = (struct sockaddr_in){.sin_family = AF_INET};
        names[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ends[i] = socket(AF_INET, SOCK_DGRAM, 0);
        bind(ends[i], (struct sockaddr *)&names[i], size);
        getsockname(ends[i], (struct sockaddr *)&names[i], &size);
    }
    connect(ends[0], (struct sockaddr *)&names[1], size);
    connect(ends[1], (struct sockaddr *)&names[0], size);
}

static void local_pair(int ends[2])
{
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static void pipe_pair(int ends[2])
{
    int fds[2];
    pipe(fds);
    ends[0] = fds[1]; // writes
    ends[1] = fds[0];
}

// The next signal of all that this program gets, if one comes within so many milliseconds.
static void show_signal(const char *why, int of, long patience)
{
    const struct timespec span = {.tv_sec = patience / 1000, .tv_nsec = patience % 1000 * 1000000};
    siginfo_t info;
    sigset_t all;
    sigfillset(&all);
    const int signal = sigtimedwait(&all, &info, &span);
    if (signal < 0) {
        printf("%s: none\n", why);
    } else if (info.si_code == SI_KERNEL) {
        printf("%s: %s by the kernel\n", why, sigabbrev_np(signal));
    } else {
        printf("%s: %s, code %d, band %lx, %s\n", why,
               signal == chosen ? "the chosen one" : sigabbrev_np(signal), info.si_code,
               (unsigned long)info.si_band, info.si_fd == of ? "the file" : "another");
    }
}

enum { LONG = 20000, SHORT = 20 };

static void tell(int fd, int signal)
{
    SHOW(fcntl(fd, F_SETOWN, getpid()));
    SHOW(fcntl(fd, F_SETSIG, signal) == 0);
    SHOW(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
    SHOW((fcntl(fd, F_GETFL) & O_ASYNC) != 0);
}

static void show_kind(const char *name, void (*make)(int ends[2]))
{
    int ends[2];
    char byte;
    printf("---- %s\n", name);
    make(ends);
    tell(ends[1], 0);
    write(ends[0], "a", 1);
    show_signal("a byte", ends[1], LONG);
    read(ends[1], &byte, 1);
    SHOW(fcntl(ends[1], F_SETSIG, chosen));
    SHOW(fcntl(ends[1], F_GETSIG) == chosen);
    write(ends[0], "b", 1);
    show_signal("with a signal of one's own", ends[1], LONG);
    read(ends[1], &byte, 1);
    SHOW(fcntl(ends[1], F_SETFL, 0));
    write(ends[0], "c", 1);
    show_signal("without O_ASYNC", ends[1], SHORT);
    int on = 1;
    read(ends[1], &byte, 1);
    SHOW(ioctl(ends[1], FIOASYNC, &on));
    write(ends[0], "d", 1);
    show_signal("by FIOASYNC", ends[1], LONG);
    read(ends[1], &byte, 1);
    SHOW(fcntl(ends[1], F_SETOWN, 0));
    write(ends[0], "e", 1);
    show_signal("without an owner", ends[1], SHORT);
    close(ends[0]);
    close(ends[1]);
    show_signal("closed", ends[1], SHORT);
}

static void show_room(void)
{
    static char much[1 << 20];
    int ends[2];
    printf("---- room in a pipe\n");
    pipe_pair(ends);
    SHOW(fcntl(ends[0], F_SETFL, O_NONBLOCK));
    while (write(ends[0], much, sizeof much) > 0) {
    }
    tell(ends[0], chosen);
    read(ends[1], much, sizeof much);
    show_signal("read", ends[0], LONG);
    close(ends[0]);
    close(ends[1]);
}

static void show_urgent(void)
{
    int ends[2];
    char byte;
    printf("---- an urgent byte\n");
    stream_pair(ends);
    SHOW(fcntl(ends[1], F_SETOWN, getpid()));
    write(ends[0], "a", 1);
    show_signal("another byte", ends[1], SHORT);
    SHOW(send(ends[0], "b", 1, MSG_OOB));
    show_signal("the urgent byte", ends[1], LONG);
    show_signal("again", ends[1], SHORT);
    write(ends[0], "c", 1);
    show_signal("what follows", ends[1], SHORT);
    SHOW(recv(ends[1], &byte, 1, MSG_OOB));
    SHOW(send(ends[0], "d", 1, MSG_OOB));
    show_signal("the next", ends[1], LONG);
    tell(ends[1], chosen);
    SHOW(send(ends[0], "e", 1, MSG_OOB));
    show_signal("with O_ASYNC", ends[1], LONG);
    close(ends[0]);
    close(ends[1]);
    struct timespec none = {0, 0};
    sigset_t all;
    sigfillset(&all);
    while (sigtimedwait(&all, NULL, &none) > 0) {
    }
}

static void show_names(void)
{
    struct f_owner_ex owner;
    int ends[2], who = 0;
    printf("---- who it is\n");
    local_pair(ends);
    const int fd = ends[0];
    SHOW(fcntl(fd, F_GETOWN));
    SHOW(fcntl(fd, F_GETSIG));
    SHOW(fcntl(fd, F_SETOWN, getpid()));
    SHOW(fcntl(fd, F_GETOWN) == getpid());
    SHOW(fcntl(fd, F_SETOWN, -getpgrp()));
    SHOW(fcntl(fd, F_GETOWN) == -getpgrp());
    SHOW(fcntl(fd, F_GETOWN_EX, &owner));
    SHOW(owner.type == F_OWNER_PGRP && owner.pid == getpgrp());
    owner = (struct f_owner_ex){.type = F_OWNER_TID, .pid = gettid()};
    SHOW(fcntl(fd, F_SETOWN_EX, &owner));
    memset(&owner, 0, sizeof owner);
    SHOW(fcntl(fd, F_GETOWN_EX, &owner));
    SHOW(owner.type == F_OWNER_TID && owner.pid == gettid());
    owner.type = 7;
    SHOW(fcntl(fd, F_SETOWN_EX, &owner));
    SHOW(fcntl(fd, F_SETOWN_EX, (void *)8));
    SHOW(fcntl(fd, F_GETOWN_EX, (void *)8));
    SHOW(fcntl(fd, F_SETOWN, 4000000));
    SHOW(fcntl(fd, F_SETOWN, -4000000));
    SHOW(fcntl(fd, F_SETSIG, 65));
    SHOW(fcntl(fd, F_SETSIG, -1));
    who = getpid();
    SHOW(ioctl(fd, SIOCSPGRP, &who));
    who = 0;
    SHOW(ioctl(fd, SIOCGPGRP, &who));
    SHOW(who == getpid());
    who = -getpgrp();
    SHOW(ioctl(fd, FIOSETOWN, &who));
    SHOW(ioctl(fd, FIOGETOWN, &who));
    SHOW(who == -getpgrp());
    SHOW(ioctl(fd, FIOSETOWN, (void *)8));
    close(ends[0]);
    close(ends[1]);
}

static void show_others(void)
{
    char path[] = "/tmp/ownersXXXXXX";
    int on = 1, off = 0;
    printf("---- files that never tell\n");
    const int fd = mkstemp(path);
    unlink(path);
    SHOW(ioctl(fd, FIOASYNC, &off));
    SHOW(ioctl(fd, FIOASYNC, &on));
    SHOW(fcntl(fd, F_SETFL, O_ASYNC));
    SHOW((fcntl(fd, F_GETFL) & O_ASYNC) != 0);
    SHOW(fcntl(fd, F_SETOWN, getpid()));
    write(fd, "a", 1);
    show_signal("written", fd, SHORT);
    SHOW(fcntl(fd, F_SETFL, 0));
    SHOW((fcntl(fd, F_GETFL) & O_ASYNC) != 0);
    close(fd);
}

struct watcher {
    int fd;
    pthread_barrier_t barrier;
};

static void *watch(void *argument)
{
    struct watcher *watcher = argument;
    const struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = gettid()};
    SHOW(fcntl(watcher->fd, F_SETOWN_EX, &owner));
    pthread_barrier_wait(&watcher->barrier);
    pthread_barrier_wait(&watcher->barrier);
    show_signal("the thread", watcher->fd, LONG);
    return NULL;
}

static void show_thread(void)
{
    struct watcher watcher;
    pthread_t thread;
    int ends[2];
    printf("---- one thread\n");
    datagram_pair(ends);
    tell(ends[1], chosen);
    watcher.fd = ends[1];
    pthread_barrier_init(&watcher.barrier, NULL, 2);
    pthread_create(&thread, NULL, watch, &watcher);
    pthread_barrier_wait(&watcher.barrier);
    write(ends[0], "a", 1);
    show_signal("others", ends[1], SHORT);
    pthread_barrier_wait(&watcher.barrier);
    pthread_join(thread, NULL);
    write(ends[0], "b", 1);
    show_signal("after its end", ends[1], SHORT);
    close(ends[0]);
    close(ends[1]);
}

static void show_signalfd(void)
{
    struct signalfd_siginfo record;
    sigset_t set;
    int ends[2];
    printf("---- by signalfd\n");
    sigemptyset(&set);
    sigaddset(&set, chosen);
    const int fd = signalfd(-1, &set, 0);
    datagram_pair(ends);
    tell(ends[1], chosen);
    write(ends[0], "a", 1);
    SHOW(read(fd, &record, sizeof record) == sizeof record);
    printf("code %d, band %x, %s\n", record.ssi_code, record.ssi_band,
           record.ssi_fd == ends[1] ? "the file" : "another");
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

int main(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    chosen = SIGRTMIN + 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    show_kind("a stream of TCP", stream_pair);
    show_kind("datagrams of UDP", datagram_pair);
    show_kind("a local stream", local_pair);
    show_kind("a pipe", pipe_pair);
    show_room();
    show_urgent();
    show_names();
    show_others();
    show_thread();
    show_signalfd();
    return 0;
}
