// SPDX-License-Identifier: BSD-3-Clause
// timers.c: timers that send signals, clocks of processor time, sleeping.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile sig_atomic_t count;
static volatile int last_code, last_value, overrun_seen;

static void on_timer(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    ++count;
    last_code = info->si_code;
    last_value = info->si_code == SI_TIMER ? info->si_value.sival_int : 0;
    overrun_seen += info->si_code == SI_TIMER ? info->si_overrun : 0;
}

static void install(int signal)
{
    struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(signal, &action, NULL);
}

static void until(int wanted)
{
    while (count < wanted) {
        usleep(200);
    }
}

static void spin_ms(int clock, long ms)
{
    struct timespec start, now;
    clock_gettime(clock, &start);
    do {
        clock_gettime(clock, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
}

static timer_t make(int clock, int notify, int signal, int value)
{
    timer_t timer = 0;
    struct sigevent event = {
        .sigev_notify = notify, .sigev_signo = signal, .sigev_value.sival_int = value};
    if (notify == SIGEV_THREAD_ID) {
        event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
    }
    SHOW(timer_create(clock, &event, &timer));
    return timer;
}

static struct itimerspec spec(long value_ns, long interval_ns)
{
    return (struct itimerspec){{interval_ns / 1000000000, interval_ns % 1000000000},
                               {value_ns / 1000000000, value_ns % 1000000000}};
}

static void by_signal(int clock, int notify)
{
    struct itimerspec set = spec(2000000, 0), get;
    count = 0;
    timer_t timer = make(clock, notify, SIGUSR1, 17);
    SHOW(timer_settime(timer, 0, &set, NULL));
    until(1);
    printf("code %d, value %d\n", last_code, last_value);
    SHOW(timer_gettime(timer, &get));
    printf("left %ld %ld\n", (long)get.it_value.tv_nsec, (long)get.it_interval.tv_nsec);
    set = spec(1000000, 1000000);
    SHOW(timer_settime(timer, 0, &set, NULL));
    until(5);
    set = spec(0, 0);
    SHOW(timer_settime(timer, 0, &set, &get));
    printf("the interval was %ld\n", (long)get.it_interval.tv_nsec);
    clock_gettime(clock, &set.it_value);
    set.it_value.tv_nsec = 1;
    count = 0;
    SHOW(timer_settime(timer, TIMER_ABSTIME, &set, NULL)); // past already
    until(1);
    SHOW(timer_delete(timer));
}

// A blocked signal is queued once; the rest is told as overrun.
static void overruns(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    struct itimerspec how = spec(1000000, 1000000);
    struct timespec long_enough = {0, 30000000};
    timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
    count = overrun_seen = 0;
    sigprocmask(SIG_BLOCK, &set, NULL);
    timer_settime(timer, 0, &how, NULL);
    nanosleep(&long_enough, NULL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    how = spec(0, 0);
    timer_settime(timer, 0, &how, NULL);
    printf("few signals %d, overrun %d\n", count >= 1 && count <= 5, overrun_seen >= 20);
    SHOW(timer_delete(timer));
    SHOW(timer_delete(timer));
}

static _Atomic int thread_count;

static void on_thread(union sigval value)
{
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    if (value.sival_int != 5 || !sigismember(&now, SIGUSR2) || sigismember(&now, 32)) {
        printf("wrong\n");
    }
    ++thread_count;
}

static void by_thread(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD,
                             .sigev_notify_function = on_thread,
                             .sigev_value.sival_int = 5};
    struct itimerspec set = spec(1000000, 1000000);
    timer_t timer;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    SHOW(timer_settime(timer, 0, &set, NULL));
    while (thread_count < 5) {
        usleep(500);
    }
    SHOW(timer_delete(timer));
    printf("five threads\n");
}

static void silent(void)
{
    struct itimerspec set = spec(20000000000, 7000000), get;
    timer_t timer = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
    SHOW(timer_settime(timer, 0, &set, NULL));
    SHOW(timer_gettime(timer, &get));
    printf("left %d, interval %ld\n", get.it_value.tv_sec >= 18, (long)get.it_interval.tv_nsec);
    SHOW(timer_getoverrun(timer));
    SHOW(timer_delete(timer));
}

static void refusals(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
    struct itimerspec set = spec(-1, 0);
    timer_t timer;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    event.sigev_signo = SIGUSR1;
    event.sigev_notify = 77;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    SHOW(timer_create(99, NULL, &timer));
    SHOW(timer_create(CLOCK_MONOTONIC_COARSE, NULL, &timer));
    SHOW(timer_create(CLOCK_MONOTONIC, NULL, &timer));
    SHOW(timer_settime(timer, 0, &set, NULL));
    SHOW(timer_delete(timer));
    SHOW(timer_settime(timer, 0, &set, NULL));
    struct itimerval value = {{0, 0}, {0, 1000000}};
    SHOW(setitimer(ITIMER_REAL, &value, NULL));
    SHOW(setitimer(9, &value, NULL));
    SHOW(getitimer(9, &value));
}

static void interval_timers(void)
{
    static const int kinds[][2] = {
        {ITIMER_REAL, SIGALRM}, {ITIMER_VIRTUAL, SIGVTALRM}, {ITIMER_PROF, SIGPROF}};
    for (int i = 0; i < 3; ++i) {
        struct itimerval set = {{0, 5000}, {0, 5000}}, get, off = {{0, 0}, {0, 0}};
        install(kinds[i][1]);
        count = 0;
        SHOW(setitimer(kinds[i][0], &set, NULL));
        while (count < 3) {
        }
        printf("code %d\n", last_code == SI_KERNEL);
        SHOW(getitimer(kinds[i][0], &get));
        printf("left %d, interval %ld\n", get.it_value.tv_usec <= 10000,
               (long)get.it_interval.tv_usec);
        SHOW(setitimer(kinds[i][0], &off, &get));
        printf("the interval was %ld\n", (long)get.it_interval.tv_usec);
    }
    SHOW(alarm(100));
    SHOW(alarm(7));
    SHOW(alarm(0));
    SHOW(alarm(0));
    count = 0;
    SHOW(ualarm(3000, 0));
    until(1);
}

// ---- Processor time ----------------------------------------------------------------------

static clockid_t worker_clock;
static _Atomic int worker_ready, worker_end;

static void *worker(void *unused)
{
    spin_ms(CLOCK_THREAD_CPUTIME_ID, 20);
    worker_ready = 1;
    while (!worker_end) {
        usleep(500);
    }
    return unused;
}

static long ms_of(struct timespec time)
{
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void processor_time(void)
{
    struct timespec mine, before, after, others;
    pthread_t thread;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mine);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    pthread_create(&thread, NULL, worker, NULL);
    while (!worker_ready) {
        usleep(500);
    }
    SHOW(pthread_getcpuclockid(thread, &worker_clock));
    SHOW(clock_gettime(worker_clock, &others));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    printf("the worker's %d, the process's %d\n", ms_of(others) >= 20,
           ms_of(after) - ms_of(before) >= 19);
    worker_end = 1;
    pthread_join(thread, NULL);
    struct timespec later;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &later);
    printf("it stays after the thread %d\n", ms_of(later) >= ms_of(after));
    // On Linux the kernel's thread may outlive the join by a moment.
    while (clock_gettime(worker_clock, &others) == 0) {
        sched_yield();
    }
    SHOW(clock_gettime(worker_clock, &others));
    SHOW(clock_getcpuclockid(0, &worker_clock));
    SHOW(clock_gettime(worker_clock, &others));
    count = 0;
    timer_t timer = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 0);
    struct itimerspec set = spec(10000000, 0);
    timer_settime(timer, 0, &set, NULL);
    while (count == 0) {
    }
    timer_delete(timer);
    struct rusage usage;
    struct tms ticks;
    SHOW(getrusage(RUSAGE_THREAD, &usage));
    SHOW(getrusage(RUSAGE_CHILDREN, &usage));
    SHOW(getrusage(77, &usage));
    SHOW(getrusage(RUSAGE_SELF, &usage));
    printf("time %d, memory %d\n", usage.ru_utime.tv_sec + usage.ru_utime.tv_usec > 0,
           usage.ru_maxrss > 0);
    printf("ticks %d\n", times(&ticks) != -1);
}

// ---- Sleeping --------------------------------------------------------------------------------

static void sleeping(void)
{
    static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
                                 CLOCK_PROCESS_CPUTIME_ID};
    struct timespec now, rest = {9, 9}, span = {0, 3000000}, wrong = {0, 1000000000};
    for (int i = 0; i < 4; ++i) {
        SHOW(clock_getres(clocks[i], &now));
        printf("resolution %ld %ld\n", (long)now.tv_sec, now.tv_nsec);
        if (i < 3) {
            SHOW(clock_nanosleep(clocks[i], 0, &span, &rest));
            clock_gettime(clocks[i], &now);
            now.tv_sec -= i == 0 ? 5 : 0;
            SHOW(clock_nanosleep(clocks[i], TIMER_ABSTIME, &now, NULL));
        }
    }
    SHOW(clock_getres(CLOCK_MONOTONIC_COARSE, &now) == 0);
    SHOW(clock_getres(99, &now));
    printf("the rest is as it was: %ld %ld\n", (long)rest.tv_sec, rest.tv_nsec);
    SHOW(nanosleep(&wrong, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, NULL));
    SHOW(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &span, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC_COARSE, 0, &span, NULL));
    struct itimerval soon = {{0, 0}, {0, 3000}};
    struct timespec hour = {3600, 0};
    setitimer(ITIMER_REAL, &soon, NULL);
    SHOW(nanosleep(&hour, &rest));
    printf("most is left: %d\n", rest.tv_sec >= 3590 && rest.tv_sec < 3600);
    setitimer(ITIMER_REAL, &soon, NULL);
    SHOW(sleep(1000) > 900);
    SHOW(usleep(1000));
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    install(SIGUSR1);
    by_signal(CLOCK_MONOTONIC, SIGEV_SIGNAL);
    by_signal(CLOCK_REALTIME, SIGEV_THREAD_ID);
    by_signal(CLOCK_BOOTTIME, SIGEV_SIGNAL);
    overruns();
    by_thread();
    silent();
    refusals();
    interval_timers();
    processor_time();
    sleeping();
    printf("end\n");
    return 0;
}
