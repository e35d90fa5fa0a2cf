// SPDX-License-Identifier: BSD-3-Clause
// ending.c: what runs at exit, and in which order.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void first(void)
{
    puts("atexit first");
}

static void nested(void)
{
    puts("atexit nested");
}

static void second(void)
{
    puts("atexit second");
    atexit(nested);
}

static void with_status(int status, void *argument)
{
    printf("on_exit %d %s\n", status, (char *)argument);
}

__attribute__((constructor)) static void starts(void)
{
    puts("constructor");
}

__attribute__((destructor)) static void ends(void)
{
    puts("destructor");
}

static void *leaves(void *argument)
{
    exit(*(int *)argument);
}

int main(int argc, char **argv)
{
    int status = 7;
    atexit(first);
    on_exit(with_status, "argument");
    atexit(second);
    printf("main %d", argc);
    pthread_t thread;
    pthread_create(&thread, NULL, leaves, &status);
    pthread_join(thread, NULL);
    return argv == NULL;
}
