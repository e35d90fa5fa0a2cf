// SPDX-License-Identifier: BSD-3-Clause
// pthread.h: what the files of our pthread share. The layouts are glibc's
// (tests/unit/libc_layout_test.c compares them).
#ifndef CORE_LIBC_PTHREAD_H
#define CORE_LIBC_PTHREAD_H

#include <stddef.h>
#include <stdint.h>

#include "core/libc/thread.h"
#include "core/sync/condvar.h"
#include "core/sync/mutex.h"
#include "core/sync/rwlock.h"

struct timespec;

// How a thread is to be made: the decoded pthread_attr_t.
struct libc_thread_attributes {
    size_t stack_size, guard_size;
    char *stack; // NULL: ours
    const struct hal_cpu_set *affinity;
    const struct thread_schedule *schedule; // NULL: the creator's
    bool detached;
};

int libc_thread_create(struct libc_thread **result, const struct libc_thread_attributes *attributes,
                       void *(*entry)(void *), int (*c11_entry)(void *), void *argument);
int libc_thread_join(struct libc_thread *thread, void **result, hal_ns deadline);
int libc_thread_detach(struct libc_thread *thread);

// A detached thread of this library's own, in which all signals are blocked. 0 or a positive errno.
int libc_worker_create(struct libc_thread **result, size_t stack_size, void *(*entry)(void *));

// A thread on the stack that its creator brought. NULL: no memory, or too small.
struct libc_thread *libc_stack_adopt(char *stack, size_t size);

// Where in a mapping that ends at end struct libc_thread belongs (thread_ISA.c).
struct libc_thread *libc_thread_in(char *end, size_t tls_size, size_t alignment);

// The process's stack guard and pointer guard into a control block, with its pointers to itself.
void libc_guards_set(struct elf_tcb *tcb);
char *libc_single_threaded_flag(void);

// clock is CLOCK_REALTIME or CLOCK_MONOTONIC. False: time is no valid time.
bool libc_deadline_get(int clock, const struct timespec *time, hal_ns *deadline);

// pthread_mutex_*, also for C11 and for condition variables.
enum {
    LIBC_MUTEX_NORMAL,
    LIBC_MUTEX_RECURSIVE,
    LIBC_MUTEX_ERRORCHECK,
    LIBC_MUTEX_ADAPTIVE,
    LIBC_MUTEX_TYPE = 3
};

// What else mutex->kind says: glibc's bits, and above them what became of a robust mutex, which
// only its holder changes.
enum {
    LIBC_MUTEX_ROBUST = 16,
    LIBC_MUTEX_INHERIT = 32,
    LIBC_MUTEX_PROTECT = 64,
    LIBC_MUTEX_CEILING_SHIFT = 8,
    LIBC_MUTEX_CEILING = 0x7f << LIBC_MUTEX_CEILING_SHIFT,
    LIBC_MUTEX_OWNER_DIED = 1 << 24,
    LIBC_MUTEX_LOST = 1 << 25, // unlocked as the dead owner had left it
};

// Before the calling thread locks a robust mutex: 0 or ENOMEM. After it has locked it: 0,
// EOWNERDEAD, or ENOTRECOVERABLE, and then it is unlocked again. Before it unlocks it.
int libc_robust_prepare(void);
int libc_robust_take(struct mutex *mutex);
void libc_robust_drop(struct mutex *mutex);

int glibc_pthread_mutex_lock(struct mutex *mutex);
int glibc_pthread_mutex_trylock(struct mutex *mutex);
int glibc_pthread_mutex_unlock(struct mutex *mutex);
int glibc_pthread_mutex_timedlock(struct mutex *mutex, const struct timespec *time);

// Keys.
int glibc_pthread_key_create(uint32_t *key, void (*destructor)(void *));
int glibc_pthread_key_delete(uint32_t key);
void *glibc_pthread_getspecific(uint32_t key);
int glibc_pthread_setspecific(uint32_t key, const void *value);

#endif
