// SPDX-License-Identifier: BSD-3-Clause
// events.c: epoll, eventfd, timerfd: what is ready, when, and how often it is said.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

static char block[65536];

static void control(int epoll, int operation, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};
    printf("  control %d %#x: ", operation, events);
    SHOW(epoll_ctl(epoll, operation, fd, &event));
}

static void wait_for(int epoll, int timeout)
{
    struct epoll_event events[8] = {{0}};
    int count = epoll_wait(epoll, events, 8, timeout);
    printf("  %d:", count);
    for (int i = 0; i < count; ++i) {
        printf(" %#x/%lu", events[i].events, (unsigned long)events[i].data.u64);
    }
    printf("\n");
}

static void levels_and_edges(void)
{
    int fds[2], epoll = epoll_create1(EPOLL_CLOEXEC);
    pipe(fds);
    SHOW(fcntl(epoll, F_GETFD));
    control(epoll, EPOLL_CTL_ADD, fds[0], EPOLLIN, 1);
    control(epoll, EPOLL_CTL_ADD, fds[0], EPOLLIN, 1);
    control(epoll, EPOLL_CTL_MOD, fds[1], EPOLLIN, 1);
    control(epoll, EPOLL_CTL_DEL, fds[1], 0, 1);
    wait_for(epoll, 0);
    write(fds[1], "ab", 2);
    wait_for(epoll, -1);
    wait_for(epoll, -1);
    read(fds[0], block, 1);
    wait_for(epoll, 0);
    read(fds[0], block, 1);
    wait_for(epoll, 0);
    printf("edges\n");
    control(epoll, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLET, 2);
    write(fds[1], "ab", 2);
    wait_for(epoll, -1);
    wait_for(epoll, 0);
    write(fds[1], "c", 1);
    wait_for(epoll, -1);
    read(fds[0], block, 1);
    wait_for(epoll, 0);
    control(epoll, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLET, 3);
    wait_for(epoll, -1);
    printf("one shot\n");
    control(epoll, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 4);
    wait_for(epoll, -1);
    wait_for(epoll, 0);
    write(fds[1], "d", 1);
    wait_for(epoll, 0);
    control(epoll, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLRDNORM | EPOLLONESHOT, 5);
    wait_for(epoll, -1);
    printf("the other end\n");
    control(epoll, EPOLL_CTL_ADD, fds[1], EPOLLOUT | EPOLLET, 6);
    wait_for(epoll, -1);
    wait_for(epoll, 0);
    close(fds[0]); // leaves the set
    wait_for(epoll, 0);
    close(fds[1]);
    wait_for(epoll, 0);
    pipe(fds);
    control(epoll, EPOLL_CTL_ADD, fds[0], EPOLLIN | EPOLLRDHUP, 7);
    close(fds[1]);
    wait_for(epoll, -1);
    control(epoll, EPOLL_CTL_MOD, fds[0], 0, 8);
    wait_for(epoll, -1);
    close(fds[0]);
    close(epoll);
}

static void full_pipe(void)
{
    int fds[2], epoll = epoll_create(1);
    pipe2(fds, O_NONBLOCK);
    control(epoll, EPOLL_CTL_ADD, fds[1], EPOLLOUT | EPOLLET, 1);
    wait_for(epoll, -1);
    SHOW(write(fds[1], block, sizeof block));
    SHOW(write(fds[1], block, 1));
    wait_for(epoll, 0);
    SHOW(read(fds[0], block, 4096));
    wait_for(epoll, -1);
    SHOW(read(fds[0], block, 4096));
    wait_for(epoll, 0);
    close(fds[0]);
    wait_for(epoll, -1);
    close(fds[1]);
    close(epoll);
}

static void refusals(void)
{
    int epoll = epoll_create1(0), other = epoll_create1(0), event = eventfd(0, 0);
    struct epoll_event one;
    SHOW(epoll_create1(1));
    SHOW(epoll_create(0));
    int file = open("file", O_CREAT | O_RDWR, 0600);
    control(epoll, EPOLL_CTL_ADD, file, EPOLLIN, 1);
    control(epoll, EPOLL_CTL_ADD, epoll, EPOLLIN, 1);
    control(event, EPOLL_CTL_ADD, epoll, EPOLLIN, 1);
    control(epoll, EPOLL_CTL_ADD, 99, EPOLLIN, 1);
    control(99, EPOLL_CTL_ADD, event, EPOLLIN, 1);
    control(epoll, 17, event, EPOLLIN, 1);
    control(epoll, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE, 1);
    control(epoll, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1);
    control(epoll, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE, 1);
    control(epoll, EPOLL_CTL_MOD, event, EPOLLIN, 1);
    SHOW(epoll_wait(epoll, &one, 0, 0));
    SHOW(epoll_wait(event, &one, 1, 0));
    SHOW(epoll_wait(99, &one, 1, 0));
    SHOW(epoll_ctl(epoll, EPOLL_CTL_DEL, event, NULL));
    SHOW(epoll_ctl(epoll, EPOLL_CTL_DEL, event, NULL));
    SHOW(read(epoll, &one, sizeof one));
    SHOW(lseek(epoll, 0, SEEK_SET));
    close(file);
    unlink("file");
    close(epoll);
    close(other);
    close(event);
}

static void nests(void)
{
    int event = eventfd(0, EFD_NONBLOCK), chain[7];
    uint64_t value = 1;
    for (int i = 0; i < 7; ++i) {
        chain[i] = epoll_create1(0);
        control(chain[i], EPOLL_CTL_ADD, i == 0 ? event : chain[i - 1], EPOLLIN, (uint64_t)i);
    }
    control(chain[0], EPOLL_CTL_ADD, chain[2], EPOLLIN, 9);
    wait_for(chain[3], 0);
    write(event, &value, sizeof value);
    wait_for(chain[3], -1);
    wait_for(chain[0], -1);
    struct pollfd poll_of = {.fd = chain[2], .events = POLLIN};
    SHOW(poll(&poll_of, 1, -1));
    read(event, &value, sizeof value);
    SHOW(poll(&poll_of, 1, 0));
    wait_for(chain[3], 0);
    for (int i = 0; i < 7; ++i) {
        close(chain[i]);
    }
    close(event);
}

static void counters(void)
{
    uint64_t value = 0;
    SHOW(eventfd(0, 077));
    int event = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    SHOW(read(event, &value, 7));
    SHOW(read(event, &value, 8));
    printf("value %lu\n", (unsigned long)value);
    SHOW(read(event, &value, 8));
    value = UINT64_MAX;
    SHOW(write(event, &value, 8));
    value = UINT64_MAX - 1;
    SHOW(write(event, &value, 8));
    value = 1;
    SHOW(write(event, &value, 8));
    struct pollfd item = {.fd = event, .events = POLLIN | POLLOUT};
    SHOW(poll(&item, 1, 0));
    printf("ready %#x\n", item.revents);
    SHOW(read(event, &value, 8));
    SHOW(poll(&item, 1, 0));
    printf("ready %#x\n", item.revents);
    close(event);
    event = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    for (int i = 0; i < 3; ++i) {
        SHOW(eventfd_read(event, &value));
        printf("value %lu\n", (unsigned long)value);
    }
    SHOW(eventfd_write(event, 5));
    close(event);
}

// ---- Timers ------------------------------------------------------------------

static struct timespec after(int clock, long ms)
{
    struct timespec now;
    clock_gettime(clock, &now);
    now.tv_nsec += ms % 1000 * 1000000;
    now.tv_sec += ms / 1000 + now.tv_nsec / 1000000000;
    now.tv_nsec %= 1000000000;
    return now;
}

static void timer_kinds(void)
{
    static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};
    for (int i = 0; i < 3; ++i) {
        int timer = timerfd_create(clocks[i], TFD_NONBLOCK | TFD_CLOEXEC);
        int epoll = epoll_create1(0);
        uint64_t ticks = 0;
        control(epoll, EPOLL_CTL_ADD, timer, EPOLLIN, 1);
        SHOW(read(timer, &ticks, 8));
        struct itimerspec set = {.it_value = {0, 300000000}}, get; // longer than a busy host takes
        SHOW(timerfd_settime(timer, 0, &set, NULL));
        SHOW(timerfd_gettime(timer, &get));
        printf("left %d, interval %ld\n",
               get.it_value.tv_sec == 0 && get.it_value.tv_nsec > 0 &&
                   get.it_value.tv_nsec <= 300000000,
               get.it_interval.tv_nsec);
        wait_for(epoll, -1);
        SHOW(read(timer, &ticks, 7));
        SHOW(read(timer, &ticks, 8));
        printf("ticks %lu\n", (unsigned long)ticks);
        SHOW(timerfd_gettime(timer, &get));
        printf("left %ld %ld\n", get.it_value.tv_sec, get.it_value.tv_nsec);
        set.it_value = after(clocks[i], 10);
        SHOW(timerfd_settime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &set, NULL));
        wait_for(epoll, -1);
        set.it_value = (struct timespec){0, 1}; // long ago
        SHOW(timerfd_settime(timer, TFD_TIMER_ABSTIME, &set, NULL));
        wait_for(epoll, -1);
        SHOW(read(timer, &ticks, 8));
        close(timer);
        close(epoll);
    }
}

static void timer_repeats(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec set = {{0, 2000000}, {0, 1}}, get, zero = {{0, 0}, {0, 0}};
    uint64_t ticks, sum = 0;
    SHOW(timerfd_settime(timer, 0, &set, NULL));
    while (sum < 20) {
        read(timer, &ticks, 8);
        sum += ticks;
    }
    printf("20 ticks\n");
    struct timespec pause = {0, 20000000};
    nanosleep(&pause, NULL);
    SHOW(read(timer, &ticks, 8));
    printf("several at once: %d\n", ticks >= 10);
    SHOW(timerfd_settime(timer, 0, &zero, &get));
    printf("the interval was %ld\n", get.it_interval.tv_nsec);
    SHOW(timerfd_gettime(timer, &get));
    printf("off: %ld %ld\n", get.it_value.tv_nsec, get.it_interval.tv_nsec);
    set.it_value.tv_nsec = 1000000000;
    SHOW(timerfd_settime(timer, 0, &set, NULL));
    SHOW(timerfd_settime(timer, 64, &zero, NULL));
    SHOW(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
    SHOW(timerfd_create(CLOCK_MONOTONIC, 1));
    SHOW(timerfd_gettime(0, &get));
    SHOW(write(timer, &ticks, 8));
    close(timer);
}

// ---- Several threads -----------------------------------------------------------

enum { WAITERS = 3, TURNS = 300 };
static int shared_epoll, shared_event;
static _Atomic int woken_count, read_count, stop;

static void *wait_often(void *unused)
{
    struct epoll_event event;
    while (!stop) {
        if (epoll_wait(shared_epoll, &event, 1, -1) == 1) {
            uint64_t value;
            ++woken_count;
            read_count += read(shared_event, &value, sizeof value) == sizeof value;
        }
    }
    return unused;
}

// Each count of the semaphore is read once, whoever waits.
static void several_wait(uint32_t how)
{
    pthread_t threads[WAITERS];
    shared_epoll = epoll_create1(0);
    shared_event = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
    stop = woken_count = read_count = 0;
    control(shared_epoll, EPOLL_CTL_ADD, shared_event, EPOLLIN | how, 1);
    for (int i = 0; i < WAITERS; ++i) {
        pthread_create(&threads[i], NULL, wait_often, NULL);
    }
    for (int i = 0; i < TURNS; ++i) {
        int before = read_count;
        eventfd_write(shared_event, 1);
        while (read_count == before) {
            sched_yield();
        }
    }
    printf("%#x: read %d\n", how, read_count);
    stop = 1;
    for (int i = 0; i < WAITERS; ++i) {
        int running = 1;
        while (running) {
            eventfd_write(shared_event, 1);
            running = pthread_tryjoin_np(threads[i], NULL) != 0;
            sched_yield();
        }
    }
    close(shared_event);
    close(shared_epoll);
}

static void *close_soon(void *epoll)
{
    struct timespec span = {0, 10000000};
    nanosleep(&span, NULL);
    uint64_t one = 1;
    int *fds = epoll;
    write(fds[1], &one, 8);
    return NULL;
}

// A wait is ended by a file that enters the set, or becomes ready, meanwhile.
static void meanwhile(void)
{
    int fds[2] = {epoll_create1(0), eventfd(0, 0)};
    pthread_t thread;
    control(fds[0], EPOLL_CTL_ADD, fds[1], EPOLLIN | EPOLLET, 3);
    pthread_create(&thread, NULL, close_soon, fds);
    wait_for(fds[0], -1);
    pthread_join(thread, NULL);
    wait_for(fds[0], 5);
    close(fds[0]);
    close(fds[1]);
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void *kill_soon(void *target)
{
    struct timespec span = {0, 10000000};
    nanosleep(&span, NULL);
    pthread_kill(*(pthread_t *)target, SIGUSR1);
    return NULL;
}

// The mask is another one only while the call waits.
static void masked(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct epoll_event event;
    sigset_t blocked, none, now;
    pthread_t thread, self = pthread_self();
    int epoll = epoll_create1(0);
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    pthread_create(&thread, NULL, kill_soon, &self);
    SHOW(epoll_pwait(epoll, &event, 1, -1, &none));
    pthread_join(thread, NULL);
    sigprocmask(SIG_SETMASK, NULL, &now);
    printf("blocked again: %d\n", sigismember(&now, SIGUSR1));
    raise(SIGUSR1);
    struct timespec span = {0, 1000};
    SHOW(epoll_pwait2(epoll, &event, 1, &span, NULL));
    span.tv_nsec = -1;
    SHOW(epoll_pwait2(epoll, &event, 1, &span, NULL));
    SHOW(epoll_pwait2(epoll, &event, 1, NULL, &none));
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    close(epoll);
}

static void select_rest(void)
{
    int fds[2];
    fd_set set;
    struct timeval left = {100, 0};
    pipe(fds);
    write(fds[1], "x", 1);
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    SHOW(select(fds[0] + 1, &set, NULL, NULL, &left));
    printf("most is left: %d\n", left.tv_sec >= 90 && left.tv_sec <= 100);
    read(fds[0], block, 1);
    left = (struct timeval){0, 2000};
    SHOW(select(fds[0] + 1, &set, NULL, NULL, &left));
    printf("left %ld %ld\n", (long)left.tv_sec, (long)left.tv_usec);
    left.tv_sec = -1;
    SHOW(select(fds[0] + 1, &set, NULL, NULL, &left));
    struct timespec span = {50, 0};
    struct pollfd item = {.fd = fds[1], .events = POLLOUT | POLLWRNORM | POLLIN};
    SHOW(ppoll(&item, 1, &span, NULL));
    printf("ready %#x, the time is as it was: %ld\n", item.revents, (long)span.tv_sec);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    levels_and_edges();
    full_pipe();
    refusals();
    nests();
    counters();
    timer_kinds();
    timer_repeats();
    several_wait(0);
    several_wait(EPOLLET);
    several_wait(EPOLLEXCLUSIVE);
    meanwhile();
    masked();
    select_rest();
    printf("end\n");
    return 0;
}
