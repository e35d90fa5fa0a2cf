// SPDX-License-Identifier: BSD-3-Clause
// masks.c: waits with another mask. A signal that is blocked outside of them ends exactly one,
// whenever it comes: before the wait, in the midst of its way there, or later.
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include "show.h"

#ifndef MASKS_ROUNDS // the seeded machine makes fewer
#define MASKS_ROUNDS 25000
#endif

enum { ROUNDS = MASKS_ROUNDS };

static volatile sig_atomic_t count;
static sem_t asked;
static pthread_t first;
static sigset_t none;
static int queue;

static void on_signal(int signal)
{
    (void)signal;
    ++count;
}

static void *send(void *unused)
{
    for (int i = 0; i < ROUNDS; ++i) {
        sem_wait(&asked);
        pthread_kill(first, SIGUSR1);
    }
    return unused;
}

static int suspend(void)
{
    return sigsuspend(&none);
}

static int poll_nothing(void)
{
    return ppoll(NULL, 0, &(struct timespec){.tv_sec = 20}, &none);
}

static int select_nothing(void)
{
    return pselect(0, NULL, NULL, NULL, &(struct timespec){.tv_sec = 20}, &none);
}

static int epoll_nothing(void)
{
    struct epoll_event event;
    return epoll_pwait(queue, &event, 1, 20000, &none);
}

static void each_ends_one(const char *name, int (*wait)(void))
{
    pthread_t thread;
    int rounds = 0;
    pthread_create(&thread, NULL, send, NULL);
    for (int i = 0; i < ROUNDS; ++i) {
        count = 0;
        sem_post(&asked);
        rounds += wait() == -1 && count == 1;
    }
    pthread_join(thread, NULL);
    printf("%s: %d of %d\n", name, rounds, ROUNDS);
}

int main(void)
{
    sigset_t usr1;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    sem_init(&asked, 0, 0);
    first = pthread_self();
    queue = epoll_create1(0);
    each_ends_one("sigsuspend", suspend);
    each_ends_one("ppoll", poll_nothing);
    each_ends_one("pselect", select_nothing);
    each_ends_one("epoll_pwait", epoll_nothing);
    return 0;
}
