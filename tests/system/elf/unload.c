// SPDX-License-Identifier: BSD-3-Clause
// unload.c: dlclose takes away what nobody needs, with its finalisers in order, and nothing else;
// what was taken away can be loaded again, as new.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *open_library(const char *name, int flags)
{
    void *library = dlopen(name, flags);
    if (library == NULL) {
        const char *text = dlerror();
        printf("%s: %s\n", name, text == NULL ? "(no error)" : text);
    }
    return library;
}

static int call(void *library, const char *name)
{
    int (*function)(void) = (int (*)(void))dlsym(library, name);
    return function == NULL ? -1 : function();
}

static int is_loaded(const char *name)
{
    void *library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    if (library != NULL) {
        dlclose(library);
    }
    return library != NULL;
}

static void show(const char *when)
{
    static const char *const names[] = {"a", "b", "c", "x", "y", "user", "stays"};
    char library[64];
    printf("%s:", when);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(library, sizeof(library), "libunload_%s.so", names[i]);
        printf(is_loaded(library) ? " %s" : "", names[i]);
    }
    printf("\n");
}

struct counts {
    unsigned long long added, removed;
    int objects;
};

static int visit(struct dl_phdr_info *info, size_t size, void *argument)
{
    struct counts *counts = argument;
    (void)size;
    counts->added = info->dlpi_adds;
    counts->removed = info->dlpi_subs;
    counts->objects++;
    return 0;
}

static void chain(void)
{
    struct counts before = {0}, during = {0}, after = {0};
    dl_iterate_phdr(visit, &before);
    void *a = open_library("libunload_a.so", RTLD_NOW);
    dl_iterate_phdr(visit, &during);
    void *again = open_library("libunload_a.so", RTLD_LAZY);
    void *b = open_library("libunload_b.so", RTLD_LAZY);
    show("open");
    printf("same: %d\n", a == again);
    printf("count: %d %d %d\n", call(a, "a_ask"), call(a, "b_ask"), call(b, "c_count"));
    void *address = dlsym(a, "a_count");
    Dl_info info;
    printf("dladdr: %d\n", dladdr(address, &info));
    printf("close: %d\n", dlclose(again));
    show("once");
    printf("close: %d\n", dlclose(a));
    show("twice");
    printf("dladdr: %d\n", dladdr(address, &info));
    printf("close: %d\n", dlclose(b));
    show("all");
    dl_iterate_phdr(visit, &after);
    printf("walk: %d %d, added %lld, removed %lld\n", during.objects - before.objects,
           after.objects - before.objects, (long long)(after.added - before.added),
           (long long)(after.removed - before.removed));
}

static void reload(void)
{
    for (int i = 0; i < 3; i++) {
        void *a = open_library("libunload_a.so", RTLD_NOW);
        printf("round %d: %d %d\n", i, call(a, "a_count"), call(a, "a_count"));
        ((void (*)(void))dlsym(a, "a_at_exit"))();
        dlclose(a);
    }
    show("reloaded");
}

static void circle(void)
{
    void *x = open_library("libunload_x.so", RTLD_NOW);
    void *y = open_library("libunload_y.so", RTLD_NOW);
    printf("circle: %d %d\n", call(x, "x_ask"), call(y, "y_ask"));
    dlclose(x);
    show("one open");
    dlclose(y);
    show("none open");
}

// What a symbol was bound to stays while the one that it was bound in does.
static void bound(void)
{
    void *c = open_library("libunload_c.so", RTLD_NOW | RTLD_GLOBAL);
    void *user = open_library("libunload_user.so", RTLD_LAZY);
    printf("user: %d\n", call(user, "user_use"));
    dlclose(c);
    show("c closed");
    printf("user: %d\n", call(user, "user_use"));
    dlclose(user);
    show("user closed");
}

static void stay(void)
{
    void *stays = open_library("libunload_stays.so", RTLD_NOW);
    printf("stays: %d\n", call(stays, "stays_count"));
    dlclose(stays);
    show("-z nodelete");
    void *c = open_library("libunload_c.so", RTLD_NOW | RTLD_NODELETE);
    printf("c: %d\n", call(c, "c_count"));
    dlclose(c);
    show("RTLD_NODELETE");
    c = open_library("libunload_c.so", RTLD_NOW);
    printf("c: %d\n", call(c, "c_count"));
}

static void *in_thread(void *library)
{
    return (void *)(intptr_t)call(library, "b_count");
}

// Thread-local variables are new each time, in every thread, and leave nothing behind.
static void threads(void)
{
    int sum = 0;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *result;
        void *b = dlopen("libunload_b.so", i % 2 ? RTLD_NOW : RTLD_LAZY);
        pthread_create(&thread, NULL, in_thread, b);
        pthread_join(thread, &result);
        sum += (int)(intptr_t)result + call(b, "b_count");
        dlclose(b);
    }
    printf("threads: %d\n", sum);
}

int main(void)
{
    chain();
    reload();
    circle();
    bound();
    stay();
    threads();
    return 0;
}
