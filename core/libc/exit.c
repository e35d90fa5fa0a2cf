// SPDX-License-Identifier: BSD-3-Clause
// exit.c: what runs at the end, in glibc's order: destructors of thread_local objects, then the
// functions of atexit, on_exit and __cxa_atexit newest first, then the finalisers of all objects,
// then the streams.
//
// One mutex guards the lists; it is not held while a function runs, which may register more.
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/elf/program.h"
#include "core/libc/export.h"
#include "core/libc/libc.h"
#include "core/libc/thread.h"
#include "core/linux/process.h"
#include "core/linux/syscall.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"

enum exit_kind { EXIT_CXA, EXIT_STATUS };

struct exit_function {
    struct exit_function *next; // older
    void *function;
    void *argument;
    const void *object; // __dso_handle of who registered it, or NULL
    enum exit_kind kind;
};

struct libc_destructor {
    struct libc_destructor *next;
    void (*function)(void *);
    void *argument;
    struct elf_object *pinned; // holds the function
};

static struct mutex exit_mutex;
static struct exit_function *at_exit;  // guarded by exit_mutex
static struct exit_function *at_quick; // guarded by exit_mutex
static bool exit_began;                // guarded by exit_mutex
static struct mutex exit_once;         // held for ever by the thread that ends the process

void __stdio_exit(void); // musl: flushes all streams

static int exit_add(struct exit_function **list, void *function, void *argument, const void *object,
                    enum exit_kind kind)
{
    struct exit_function *added = heap_alloc(sizeof *added);
    if (added == NULL) {
        return -1;
    }
    *added = (struct exit_function){NULL, function, argument, object, kind};
    mutex_lock(&exit_mutex);
    added->next = *list;
    *list = added;
    mutex_unlock(&exit_mutex);
    return 0;
}

// The newest of list, with an object only that object's, taken out; NULL: none. With exit_mutex.
static struct exit_function *exit_take(struct exit_function **list, const void *object)
{
    struct exit_function **link = list;
    while (*link != NULL && object != NULL && (*link)->object != object) {
        link = &(*link)->next;
    }
    struct exit_function *taken = *link;
    if (taken != NULL) {
        *link = taken->next;
    }
    return taken;
}

// Runs what is in list, newest first; with an object, only that object's. Each once.
static void exit_run(struct exit_function **list, const void *object, int status)
{
    for (;;) {
        mutex_lock(&exit_mutex);
        struct exit_function *entry = exit_take(list, object);
        mutex_unlock(&exit_mutex);
        if (entry == NULL) {
            return;
        }
        struct exit_function call = *entry;
        heap_free(entry);
        if (call.kind == EXIT_STATUS) {
            ((void (*)(int, void *))call.function)(status, call.argument);
        } else {
            ((void (*)(void *, int))call.function)(call.argument, status);
        }
    }
}

// What list has of an object that goes never runs.
static void exit_forget(struct exit_function **list, const void *object)
{
    struct exit_function *entry;
    do {
        mutex_lock(&exit_mutex);
        entry = exit_take(list, object);
        mutex_unlock(&exit_mutex);
        heap_free(entry);
    } while (entry != NULL);
}

EXPORT(int, __cxa_atexit, void (*function)(void *), void *argument, void *object)
{
    return exit_add(&at_exit, (void *)function, argument, object, EXIT_CXA);
}

EXPORT(int, atexit, void (*function)(void))
{
    return exit_add(&at_exit, (void *)function, NULL, NULL, EXIT_CXA);
}

EXPORT(int, on_exit, void (*function)(int, void *), void *argument)
{
    return exit_add(&at_exit, (void *)function, argument, NULL, EXIT_STATUS);
}

EXPORT(int, __cxa_at_quick_exit, void (*function)(void *), void *object)
{
    return exit_add(&at_quick, (void *)function, NULL, object, EXIT_CXA);
}

EXPORT(int, at_quick_exit, void (*function)(void))
{
    return exit_add(&at_quick, (void *)function, NULL, NULL, EXIT_CXA);
}

EXPORT(void, __cxa_finalize, void *object)
{
    exit_run(&at_exit, object, 0);
    if (object != NULL) {
        exit_forget(&at_quick, object);
    }
}

EXPORT(int, __cxa_thread_atexit_impl, void (*function)(void *), void *argument, void *object)
{
    struct libc_destructor *added = heap_alloc(sizeof *added);
    if (added == NULL) {
        return -1;
    }
    struct libc_thread *self = libc_thread_self();
    *added = (struct libc_destructor){self->destructors, function, argument, elf_pin(object)};
    self->destructors = added;
    return 0;
}

void libc_thread_destructors_run(struct libc_thread *self)
{
    while (self->destructors != NULL) {
        struct libc_destructor *newest = self->destructors;
        self->destructors = newest->next;
        newest->function(newest->argument);
        elf_unpin(newest->pinned);
        heap_free(newest);
    }
}

EXPORT(void, __call_tls_dtors, void)
{
    libc_thread_destructors_run(libc_thread_self());
}

void libc_exit(int status)
{
    mutex_lock_recursive(&exit_once);
    libc_thread_destructors_run(libc_thread_self());
    mutex_lock(&exit_mutex);
    bool finalise = !exit_began;
    exit_began = true;
    mutex_unlock(&exit_mutex);
    exit_run(&at_exit, NULL, status);
    if (finalise) {
        elf_fini_run();
    }
    __stdio_exit();
    process_exit(status & 0xff);
}

EXPORT(HAL_NORETURN void, exit, int status)
{
    libc_exit(status);
}

EXPORT(HAL_NORETURN void, quick_exit, int status)
{
    exit_run(&at_quick, NULL, status);
    process_exit(status & 0xff);
}

EXPORT(HAL_NORETURN void, _exit, int status)
{
    process_exit(status & 0xff);
}

EXPORT(HAL_NORETURN void, _Exit, int status)
{
    process_exit(status & 0xff);
}
