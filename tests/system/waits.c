// SPDX-License-Identifier: BSD-3-Clause
// waits.c: says "ready" and waits for a signal, as its argument says: default, handle, busy
// (SIGINT); any (those that the host may send, in pause); instruction (SIGINT, in pause by the
// instruction); lock, join (SIGINT, whose handler ends the program, while a mutex or a thread is
// waited for).
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inline.h"

static volatile sig_atomic_t stop;

static void on_interrupt(int signal)
{
    (void)signal;
    stop = 1;
}

static void on_any(int signal)
{
    stop = signal;
}

static void on_end(int signal)
{
    (void)signal;
    _exit(9);
}

static void *sleep_on(void *unused)
{
    for (;;) {
        sleep(1000);
    }
    return unused;
}

static void wait_for_ever(const char *how)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;
    signal(SIGINT, on_end);
    pthread_mutex_lock(&mutex);
    fprintf(stderr, "ready\n");
    if (strcmp(how, "lock") == 0) {
        pthread_mutex_lock(&mutex);
    } else {
        pthread_create(&thread, NULL, sleep_on, NULL);
        pthread_join(thread, NULL);
    }
}

__attribute__((noinline)) void wait_by_instruction(void)
{
    INLINE(SYS_pause);
    __asm__ volatile(""); // no tail call
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "default";
    if (strcmp(how, "lock") == 0 || strcmp(how, "join") == 0) {
        wait_for_ever(how);
    }
    if (strcmp(how, "any") == 0) {
        const int signals[] = {SIGHUP, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; ++i) {
            signal(signals[i], on_any);
        }
    } else if (strcmp(how, "default") != 0) {
        signal(SIGINT, on_interrupt);
    }
    fprintf(stderr, "ready\n");
    while (!stop) {
        if (strcmp(how, "instruction") == 0) {
            wait_by_instruction();
        } else if (strcmp(how, "busy") != 0) {
            pause();
        }
    }
    return strcmp(how, "any") == 0 ? stop : 7;
}
