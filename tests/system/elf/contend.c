// SPDX-License-Identifier: BSD-3-Clause
// contend.c: four threads load, look up, call for the first time, unload, walk the list and make
// threads, all at once.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 60 };

static const char *const libraries[] = {"liblazy_again.so", "libcontend_b.so", "libcontend_a.so",
                                        "libcontend_x.so"};
static const char *const names[] = {"lazy_again", "b_ask", "a_ask", "x_ask"};
static atomic_long errors;

static int visit(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    *(int *)argument += info->dlpi_phnum > 0 && info->dlpi_name != NULL;
    return 0;
}

static void *short_thread(void *function)
{
    return (void *)((long (*)(void))function)();
}

static void round_once(unsigned number)
{
    unsigned which = number % (sizeof(libraries) / sizeof(libraries[0]));
    void *library = dlopen(libraries[which], number % 3 == 0 ? RTLD_NOW : RTLD_LAZY);
    void *function = library == NULL ? NULL : dlsym(library, names[which]);
    if (function == NULL) {
        atomic_fetch_add(&errors, 1);
        return;
    }
    Dl_info info;
    int objects = 0;
    pthread_t thread;
    ((long (*)(void))function)();
    if (number % 4 == 0 && pthread_create(&thread, NULL, short_thread, function) == 0) {
        pthread_join(thread, NULL);
    }
    dl_iterate_phdr(visit, &objects);
    if (!dladdr(function, &info) || info.dli_saddr != function || objects < 2) {
        atomic_fetch_add(&errors, 1);
    }
    if (dlclose(library) != 0) {
        atomic_fetch_add(&errors, 1);
    }
}

static void *work(void *argument)
{
    unsigned state = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        state = state * 1664525 + 1013904223;
        round_once(state >> 16);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work, (void *)i);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("errors: %ld\n", atomic_load(&errors));
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        printf("%s: %d\n", libraries[i], dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD) != NULL);
    }
    return 0;
}
