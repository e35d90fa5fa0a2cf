// SPDX-License-Identifier: BSD-3-Clause
// spins.c: waits for another thread without ever calling the kernel.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static _Atomic int is_started;

static void *start(void *argument)
{
    is_started = 1;
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, start, NULL);
    while (is_started == 0) {
    }
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
