// SPDX-License-Identifier: BSD-3-Clause
// lazy.c: the first call of a function keeps all of its arguments, whichever registers they are in;
// what is never called need not be there; a call can be bound while another thread is in dlopen,
// and in a signal handler.
#include <dlfcn.h>
#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long lazy_integers(long a, long b, long c, long d, long e, long f, long g, long h);
double lazy_doubles(double a, double b, double c, double d, double e, double f, double g, double h);
double lazy_variable(int count, ...);
double lazy_wide(__m256d a, __m256d b);
long double lazy_long(long double a, double b);

__attribute__((target("avx"))) static double wide(void)
{
    return lazy_wide(_mm256_setr_pd(1, 2, 3, 4), _mm256_setr_pd(5, 6, 7, 8));
}

static void arguments(const char *when)
{
    printf("%s: %ld %g %g %.20Lg", when, lazy_integers(1, 2, 3, 4, 5, 6, 7, 8),
           lazy_doubles(1, 2, 3, 4, 5, 6, 7, 8),
           lazy_variable(9, 1., 2., 3., 4., 5., 6., 7., 8., 9.), lazy_long(1, 3));
    printf(" %g\n", __builtin_cpu_supports("avx") ? wide() : 204);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void lost(void)
{
    void *library = dlopen("liblazy_lost.so", RTLD_NOW);
    printf("now: %d %s\n", library != NULL, library == NULL ? name_of(dlerror()) : "");
    library = dlopen("liblazy_lost.so", RTLD_LAZY);
    int (*function)(int) = (int (*)(int))dlsym(library, "lazy_call");
    printf("lazy: %d\n", function(0));
    printf("z now: %d\n", dlopen("liblazy_lost_now.so", RTLD_LAZY) != NULL);
}

// A constructor that waits for a thread: the thread's first calls must not wait for dlopen.
static pthread_t waiter;

static void *waiter_main(void *argument)
{
    char text[32];
    int *numbers = argument;
    snprintf(text, sizeof(text), "%d", abs(numbers[0]));
    numbers[1] = atoi(text) + (int)strtol("30", NULL, 10);
    return NULL;
}

int wait_for_thread(void);
int wait_for_thread(void)
{
    int numbers[2] = {-12, 0};
    pthread_create(&waiter, NULL, waiter_main, numbers);
    pthread_join(waiter, NULL);
    return numbers[1];
}

static void constructor_waits(void)
{
    void *library = dlopen("liblazy_waits.so", RTLD_NOW);
    int *answer = dlsym(library, "lazy_answer");
    printf("constructor: %d\n", answer == NULL ? -1 : *answer);
}

static volatile sig_atomic_t handled;
static pthread_t first_thread;
static atomic_int is_done;

static void handle(int signal)
{
    (void)signal;
    handled += (int)lazy_integers(1, 0, 0, 0, 0, 0, 0, 0);
}

static void *sender_main(void *unused)
{
    while (!atomic_load(&is_done)) {
        pthread_kill(first_thread, SIGUSR1);
        sched_yield();
    }
    return unused;
}

// Each round binds the same calls anew, with signals in the middle.
static void signals(void)
{
    struct sigaction action = {.sa_handler = handle};
    pthread_t sender;
    long sum = 0;
    sigaction(SIGUSR1, &action, NULL);
    first_thread = pthread_self();
    pthread_create(&sender, NULL, sender_main, NULL);
    for (int i = 0; i < 20; i++) {
        void *library = dlopen("liblazy_again.so", RTLD_LAZY);
        long (*function)(void) = (long (*)(void))dlsym(library, "lazy_again");
        sum += function();
        dlclose(library);
    }
    while (handled == 0) {
        sched_yield();
    }
    atomic_store(&is_done, 1);
    pthread_join(sender, NULL);
    printf("signals: %ld %d\n", sum, handled > 0);
}

int main(void)
{
    arguments("first");
    arguments("again");
    lost();
    constructor_waits();
    signals();
    return 0;
}
