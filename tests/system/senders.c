// SPDX-License-Identifier: BSD-3-Clause
// senders.c: queues of signals, who gets those that are sent to the process, and waiting for
// signals.
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

static sigset_t none, all;

static sigset_t set_of(int a, int b)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, a);
    sigaddset(&set, b);
    return set;
}

static void queue(int signal, int value)
{
    sigqueue(getpid(), signal, (union sigval){.sival_int = value});
}

static void on_value(int signal, siginfo_t *info, void *context)
{
    (void)context;
    printf("  %d: code %d, value %d\n", signal, info->si_code, info->si_value.sival_int);
}

static void install(int signal, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(signal, &action, NULL);
}

// Real-time signals are all kept, in their order; of the others one is.
static void queues(void)
{
    install(SIGUSR1, on_value);
    install(SIGRTMIN, on_value);
    install(SIGRTMAX, on_value);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 3; ++i) {
        queue(SIGRTMAX, i);
        queue(SIGUSR1, i);
        queue(SIGRTMIN, i);
    }
    sigset_t pending;
    sigpending(&pending);
    printf("pending %d %d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGRTMIN),
           sigismember(&pending, SIGRTMAX), sigismember(&pending, SIGUSR2));
    sigprocmask(SIG_SETMASK, &none, NULL);
    printf("ignoring forgets what is pending\n");
    sigprocmask(SIG_SETMASK, &all, NULL);
    queue(SIGRTMIN, 1);
    raise(SIGUSR1);
    signal(SIGRTMIN, SIG_IGN);
    sigpending(&pending);
    printf("pending %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGRTMIN));
    install(SIGRTMIN, on_value);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGUSR1, SIG_IGN);
    sigprocmask(SIG_SETMASK, &all, NULL);
    raise(SIGUSR1); // blocked: kept, for it might be handled by then
    install(SIGUSR1, on_value);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void waiting(void)
{
    sigset_t set = set_of(SIGUSR1, SIGRTMIN + 3), pending;
    struct timespec now = {0, 0}, soon = {0, 2000000}, wrong = {0, -1};
    siginfo_t info;
    int signal = 0;
    sigprocmask(SIG_BLOCK, &set, NULL);
    SHOW(sigtimedwait(&set, &info, &now));
    SHOW(sigtimedwait(&set, &info, &soon));
    SHOW(sigtimedwait(&set, &info, &wrong));
    queue(SIGRTMIN + 3, 7);
    queue(SIGRTMIN + 3, 8);
    raise(SIGUSR1);
    SHOW(sigwaitinfo(&set, &info));
    printf("code %d\n", info.si_code);
    SHOW(sigwaitinfo(&set, &info));
    printf("code %d, value %d\n", info.si_code, info.si_value.sival_int);
    SHOW(sigwait(&set, &signal));
    printf("signal %d\n", signal);
    sigpending(&pending);
    printf("pending %d\n", sigismember(&pending, SIGRTMIN + 3));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

// ---- Threads -------------------------------------------------------------------------

static _Atomic int ready_count, stop;
static pthread_t first;
static _Atomic int handled_by;

static void on_who(int signal)
{
    (void)signal;
    handled_by |= pthread_equal(pthread_self(), first) ? 1 : 2;
}

static void *live(void *mask)
{
    pthread_sigmask(SIG_SETMASK, mask, NULL);
    ++ready_count;
    while (!stop) {
        usleep(500);
    }
    return NULL;
}

static int who_handles(void)
{
    handled_by = 0;
    kill(getpid(), SIGUSR2);
    while (handled_by == 0) {
        usleep(100);
    }
    return handled_by;
}

// The first thread where it lets the signal in, else one that does, else nobody for now.
static void choice(void)
{
    pthread_t open_thread, closed_thread;
    sigset_t pending, usr2 = set_of(SIGUSR2, SIGUSR2);
    signal(SIGUSR2, on_who);
    first = pthread_self();
    ready_count = stop = 0;
    pthread_create(&closed_thread, NULL, live, &all);
    pthread_create(&open_thread, NULL, live, &none);
    while (ready_count < 2) {
        usleep(100);
    }
    printf("handled by %d\n", who_handles());
    pthread_sigmask(SIG_BLOCK, &usr2, NULL);
    printf("handled by %d\n", who_handles());
    stop = 1;
    pthread_join(open_thread, NULL);
    pthread_join(closed_thread, NULL);
    handled_by = 0;
    kill(getpid(), SIGUSR2);
    sigpending(&pending);
    printf("kept %d, handled by %d\n", sigismember(&pending, SIGUSR2), handled_by);
    pthread_sigmask(SIG_UNBLOCK, &usr2, NULL);
    printf("handled by %d\n", handled_by);
}

static void *await(void *unused)
{
    sigset_t set = set_of(SIGTERM, SIGRTMIN + 5);
    siginfo_t info;
    (void)unused;
    ++ready_count;
    for (int i = 0; i < 3; ++i) {
        int signal = sigwaitinfo(&set, &info);
        printf("  waited for %d: code %d\n", signal, info.si_code);
        handled_by = i + 1;
    }
    return NULL;
}

// Again and again: the first may come before the other thread waits. Blocked here, since Linux
// gives a signal to any thread that lets it in while the first one still has one to handle.
static void *kill_process(void *unused)
{
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (!stop) {
        kill(getpid(), SIGUSR2);
        usleep(100);
    }
    return unused;
}

// A thread sends, the first one waits: the handler is the first one's, and its wait ends.
static void interrupted_first(void)
{
    pthread_t thread;
    sem_t semaphore;
    struct sigaction action = {.sa_handler = on_who};
    sigaction(SIGUSR2, &action, NULL);
    sem_init(&semaphore, 0, 0);
    for (int i = 0; i < 3; ++i) {
        handled_by = stop = 0;
        pthread_create(&thread, NULL, kill_process, NULL);
        SHOW(sem_wait(&semaphore));
        stop = 1;
        pthread_join(thread, NULL);
        printf("handled by %d\n", handled_by);
    }
}

// All threads block it; the one that waits gets what is sent to the process.
static void waiter(void)
{
    pthread_t thread;
    sigset_t set = set_of(SIGTERM, SIGRTMIN + 5);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    ready_count = handled_by = 0;
    pthread_create(&thread, NULL, await, NULL);
    for (int i = 0; i < 3; ++i) {
        usleep(2000);
        if (i == 1) {
            queue(SIGRTMIN + 5, 3);
        } else {
            kill(getpid(), SIGTERM);
        }
        while (handled_by <= i) {
            usleep(100);
        }
    }
    SHOW(pthread_join(thread, NULL));
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void on_counted(int signal)
{
    (void)signal;
    ++handled_by;
}

static void *queue_twice(void *unused)
{
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    queue(SIGRTMIN + 6, 1);
    queue(SIGRTMIN + 6, 2);
    return unused;
}

// Who waits may be chosen for both and takes one; the other is the thread's that lets it in.
static void waits_for_one(void)
{
    pthread_t open_thread, sender;
    const struct timespec long_enough = {.tv_sec = 5};
    sigset_t set = set_of(SIGRTMIN + 6, SIGRTMIN + 6);
    signal(SIGRTMIN + 6, on_counted);
    ready_count = stop = handled_by = 0;
    pthread_create(&open_thread, NULL, live, &none);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&sender, NULL, queue_twice, NULL);
    handled_by += sigtimedwait(&set, NULL, &long_enough) > 0;
    for (int i = 0; i < 50000 && handled_by < 2; ++i) {
        usleep(100);
    }
    stop = 1;
    pthread_join(sender, NULL);
    pthread_join(open_thread, NULL);
    printf("%d of 2 have been taken\n", handled_by);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

// ---- signalfd ------------------------------------------------------------------------

static void *send_soon(void *unused)
{
    usleep(5000);
    queue(SIGUSR1, 5);
    return unused;
}

static void read_all(int fd)
{
    struct signalfd_siginfo records[4];
    ssize_t size = read(fd, records, sizeof records);
    printf("  %zd:", size);
    for (ssize_t i = 0; i < size / (ssize_t)sizeof records[0]; ++i) {
        printf(" %u/%d/%d", records[i].ssi_signo, records[i].ssi_code, records[i].ssi_int);
    }
    printf("\n");
}

static void as_files(void)
{
    sigset_t set = set_of(SIGUSR1, SIGRTMIN), usr2 = set_of(SIGUSR2, SIGUSR2);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 9};
    pthread_t thread;
    char small[8];
    sigprocmask(SIG_SETMASK, &all, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), epoll = epoll_create1(0);
    SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    SHOW(read(fd, small, sizeof small));
    read_all(fd);
    queue(SIGUSR1, 1);
    queue(SIGRTMIN, 2);
    queue(SIGRTMIN, 3);
    raise(SIGUSR2);
    SHOW(epoll_wait(epoll, &event, 1, -1));
    read_all(fd);
    SHOW(epoll_wait(epoll, &event, 1, 0));
    pthread_create(&thread, NULL, send_soon, NULL);
    SHOW(epoll_wait(epoll, &event, 1, -1));
    pthread_join(thread, NULL);
    read_all(fd);
    SHOW(signalfd(fd, &usr2, 0) == fd);
    read_all(fd);
    SHOW(signalfd(epoll, &usr2, 0));
    SHOW(signalfd(fd, &usr2, 1));
    close(fd);
    fd = signalfd(-1, &set, 0);
    pthread_create(&thread, NULL, send_soon, NULL);
    read_all(fd);
    pthread_join(thread, NULL);
    close(fd);
    close(epoll);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Every one of many signals between threads arrives.
static _Atomic int arrived;

static void on_arrival(int signal)
{
    (void)signal;
    ++arrived;
}

static void *work(void *unused)
{
    volatile double sum = 0;
    char text[64];
    ++ready_count;
    while (!stop) {
        for (int i = 0; i < 50; ++i) {
            sum = sum + snprintf(text, sizeof text, "%d %s %g", i, "text", sum);
        }
    }
    return unused;
}

static void storm(void)
{
    enum { STORM = 300 };
    pthread_t threads[2];
    signal(SIGRTMIN + 7, on_arrival);
    ready_count = stop = arrived = 0;
    for (int i = 0; i < 2; ++i) {
        pthread_create(&threads[i], NULL, work, NULL);
    }
    while (ready_count < 2) {
        usleep(100);
    }
    for (int i = 0; i < STORM; ++i) {
        pthread_kill(threads[i % 2], SIGRTMIN + 7);
        if (i % 16 == 0) {
            sched_yield();
        }
    }
    while (arrived < STORM) {
        usleep(100);
    }
    stop = 1;
    for (int i = 0; i < 2; ++i) {
        pthread_join(threads[i], NULL);
    }
    printf("arrived %d\n", arrived);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    sigemptyset(&none);
    sigfillset(&all);
    printf("%d %d %d %d\n", SIGRTMIN, SIGRTMAX, sigismember(&all, 34), sigismember(&all, 33));
    queues();
    waiting();
    choice();
    interrupted_first();
    waiter();
    waits_for_one();
    as_files();
    storm();
    printf("end\n");
    return 0;
}
