// SPDX-License-Identifier: BSD-3-Clause
// wall.c: who waits for a time on the wall is woken when somebody sets that clock beyond it.
//
// For --faults clock: the clock steps by up to 1000 s where it is read. Each turn waits in all ways
// for a time that is 300 s away, reads the clock until it is past that, and counts who is not awake
// a moment later. One way is to wait for the step itself: without steps that never ends.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { WAYS = 7, CANCELED = 5, TURNS = 3, AWAY_S = 300 };

static struct timespec target;
static _Atomic bool done[WAYS];
static sem_t semaphore, rings;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void must(bool claim, const char *what)
{
    if (!claim) {
        printf("wrong: %s\n", what);
        exit(1);
    }
}

static void wait_timerfd(void)
{
    const struct itimerspec when = {.it_value = target};
    uint64_t ticks = 0;
    int fd = timerfd_create(CLOCK_REALTIME, 0);
    must(timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) == 0, "timerfd_settime");
    must(read(fd, &ticks, sizeof ticks) == sizeof ticks && ticks == 1, "timerfd");
    close(fd);
}

// Ends whenever the clock is set, however far the time is.
static void wait_canceled(void)
{
    struct itimerspec when = {.it_value = target};
    uint64_t ticks = 0;
    int fd = timerfd_create(CLOCK_REALTIME, 0);
    when.it_value.tv_sec += 1000000;
    must(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) == 0,
         "timerfd_settime");
    must(read(fd, &ticks, sizeof ticks) == -1 && errno == ECANCELED, "timerfd, to be canceled");
    close(fd);
}

static void on_ring(union sigval value)
{
    (void)value;
    sem_post(&rings);
}

static void wait_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_ring};
    const struct itimerspec when = {.it_value = target};
    timer_t timer;
    must(timer_create(CLOCK_REALTIME, &event, &timer) == 0, "timer_create");
    must(timer_settime(timer, TIMER_ABSTIME, &when, NULL) == 0, "timer_settime");
    must(sem_wait(&rings) == 0, "sem_wait");
    timer_delete(timer);
}

static void *wait_one(void *argument)
{
    uintptr_t way = (uintptr_t)argument;
    switch (way) {
    case 0:
        must(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &target, NULL) == 0, "clock_nanosleep");
        break;
    case 1:
        must(sem_timedwait(&semaphore, &target) == -1 && errno == ETIMEDOUT, "sem_timedwait");
        break;
    case 2:
        pthread_mutex_lock(&mutex);
        while (pthread_cond_timedwait(&condition, &mutex, &target) != ETIMEDOUT) {
        }
        pthread_mutex_unlock(&mutex);
        break;
    case 3:
        must(pthread_mutex_timedlock(&held, &target) == ETIMEDOUT, "pthread_mutex_timedlock");
        break;
    case 4:
        wait_timerfd();
        break;
    case CANCELED:
        wait_canceled();
        break;
    default:
        wait_timer();
        break;
    }
    done[way] = true;
    return argument;
}

static bool is_past(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > target.tv_sec;
}

// Answers how many were late. The clock is not read any more once it is past, since it might step
// back, until they are counted.
static unsigned turn(void)
{
    pthread_t threads[WAYS];
    unsigned late = 0;
    clock_gettime(CLOCK_REALTIME, &target);
    target.tv_sec += AWAY_S;
    for (uintptr_t i = 0; i < WAYS; ++i) {
        done[i] = false;
        must(pthread_create(&threads[i], NULL, wait_one, (void *)i) == 0, "pthread_create");
    }
    while (!is_past()) {
        usleep(10000);
    }
    usleep(20000);
    for (int i = 0; i < WAYS; ++i) {
        late += i != CANCELED && !done[i];
    }
    while (!done[CANCELED]) { // it may have begun to wait after the step
        (void)is_past();
        usleep(1000);
    }
    for (int i = 0; i < WAYS; ++i) {
        pthread_join(threads[i], NULL);
    }
    return late;
}

int main(void)
{
    unsigned late = 0;
    sem_init(&semaphore, 0, 0);
    sem_init(&rings, 0, 0);
    pthread_mutex_lock(&held);
    for (int i = 0; i < TURNS; ++i) {
        late += turn();
    }
    printf("%u of %u late\n", late, TURNS * (WAYS - 1));
    return 0;
}
