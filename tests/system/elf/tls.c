// SPDX-License-Identifier: BSD-3-Clause
// tls.c: thread-local variables of any size and alignment, of the program, of its libraries and of
// libraries that come later, in each model, are each thread's own and begin with their initial
// values.
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Thread_local char letter = 'a';
_Thread_local int zero;
_Thread_local int number = 42;
_Thread_local char wide[5000] = "wide";
_Thread_local __attribute__((aligned(64))) int line = 64;
_Thread_local __attribute__((aligned(1024))) struct {
    int value;
    char rest[100];
} block = {1024, "rest"};
_Thread_local int *self = NULL;
_Thread_local int shared_with_library = 5;

int tls_general(int change);
int tls_initial(int change);
int tls_descriptor(int change);
int tls_of_program(void);
uintptr_t tls_alignment(void);

static void show(const char *who)
{
    printf("%s: %c %d %d %s %d %d %s\n", who, letter, zero, number, wide, line, block.value,
           block.rest);
    printf("%s: aligned %d %d %d\n", who, (int)((uintptr_t)&line % 64),
           (int)((uintptr_t)&block % 1024), (int)tls_alignment());
}

static void change(int by)
{
    letter += by;
    zero += by;
    number += by;
    wide[0] += by;
    line += by;
    block.value += by;
    shared_with_library += by;
}

static void libraries(const char *who, int by)
{
    printf("%s: library %d %d %d %d\n", who, tls_general(by), tls_initial(by), tls_descriptor(by),
           tls_of_program());
}

static void *late;

static void late_library(const char *who, int by)
{
    static const char *const names[] = {"late_general", "late_initial", "late_descriptor"};
    for (int i = 0; i < 3; i++) {
        int (*function)(int) = (int (*)(int))dlsym(late, names[i]);
        int first = function(by);
        printf("%s: %s %d %d\n", who, names[i], first, function(by));
    }
    int *variable = dlsym(late, "late_variable");
    printf("%s: dlsym %d\n", who, *variable);
    *variable = by;
}

struct lane {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int turn;
};

static struct lane lane = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void turn_wait(int turn)
{
    pthread_mutex_lock(&lane.mutex);
    while (lane.turn != turn) {
        pthread_cond_wait(&lane.changed, &lane.mutex);
    }
    pthread_mutex_unlock(&lane.mutex);
}

static void turn_next(void)
{
    pthread_mutex_lock(&lane.mutex);
    lane.turn++;
    pthread_cond_broadcast(&lane.changed);
    pthread_mutex_unlock(&lane.mutex);
}

// Lives while the late library is loaded.
static void *old_thread(void *unused)
{
    (void)unused;
    show("old");
    change(1);
    libraries("old", 100);
    turn_next();
    turn_wait(2);
    late_library("old", 7);
    show("old");
    libraries("old", 100);
    return NULL;
}

static void *new_thread(void *unused)
{
    (void)unused;
    show("new");
    late_library("new", 9);
    libraries("new", 1000);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    show("main");
    change(2);
    libraries("main", 10);
    pthread_create(&thread, NULL, old_thread, NULL);
    turn_wait(1);
    late = dlopen("libtls_late.so", RTLD_NOW);
    if (late == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    late_library("main", 5);
    turn_next();
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, new_thread, NULL);
    pthread_join(thread, NULL);
    show("main");
    libraries("main", 10);
    late_library("main", 5);
    return 0;
}
