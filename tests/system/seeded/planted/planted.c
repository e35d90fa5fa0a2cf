// SPDX-License-Identifier: BSD-3-Clause
// planted.c: the part that the programs share.
#include "tests/system/seeded/planted/planted.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START_TURNS = 20000 };

bool is_planted;

void check(bool condition, const char *what)
{
    if (!condition) {
        printf("wrong: %s\n", what);
        fflush(stdout);
        _exit(1);
    }
}

static struct {
    void *(*body)(void *);
    void *argument;
} start;

// What a thread does first keeps it off what its maker does next, where time is real: without
// points it takes none on the seeded machine.
__attribute__((no_sanitize("thread"))) static void *start_run(void *unused)
{
    (void)unused;
    for (volatile int i = 0; i < START_TURNS; ++i) {
    }
    return start.body(start.argument);
}

void thread_start(pthread_t *thread, void *(*body)(void *), void *argument)
{
    enum { OTHER = 1 };
    pthread_attr_t attribute;
    cpu_set_t allowed, only;
    pthread_attr_init(&attribute);
    CPU_ZERO(&only);
    CPU_SET(OTHER, &only);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_ISSET(OTHER, &allowed)) {
        pthread_attr_setaffinity_np(&attribute, sizeof only, &only);
    }
    start.body = body;
    start.argument = argument;
    check(pthread_create(thread, &attribute, start_run, NULL) == 0, "a thread starts");
    pthread_attr_destroy(&attribute);
}

static void *run(void *body)
{
    (*(void (**)(void))body)();
    return NULL;
}

void run_beside(void (*mine)(void), void (*other)(void))
{
    pthread_t thread;
    thread_start(&thread, run, &other);
    mine();
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    is_planted = argc > 1 && strcmp(argv[1], "planted") == 0;
    int rounds = argc > 2 ? atoi(argv[2]) : 1;
    for (int i = 0; i < rounds; ++i) {
        play_round();
    }
    puts("done");
    return 0;
}
