// SPDX-License-Identifier: BSD-3-Clause
// crashes.c: one thread looks whether there is something, and uses it a moment later; another takes
// it away. It crashes under some schedules.
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

static int thing = 1;
static int *volatile shared = &thing;
static volatile int is_over;

__attribute__((noinline)) static void use(void)
{
    if (shared != NULL) {
        sched_getcpu();
        ++*shared;
    }
}

static void *take_away(void *argument)
{
    cpu_set_t second;
    CPU_ZERO(&second);
    CPU_SET(1, &second);
    sched_setaffinity(0, sizeof second, &second);
    for (int i = 0; i < 20; ++i) {
        sched_yield();
        shared = NULL;
        sched_yield();
        shared = &thing;
    }
    is_over = 1;
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, take_away, NULL);
    while (!is_over) {
        use();
        sched_yield();
    }
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
