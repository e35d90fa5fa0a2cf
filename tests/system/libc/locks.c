// SPDX-License-Identifier: BSD-3-Clause
// locks.c: what becomes of locks whose owner ends, who passes whom at a read-write lock, priority
// protocols, and what a thread is told of its stack.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// The results of calls in the order in which they are written.
#define SHOW(call) printf("%d ", call)

static pthread_mutex_t mutex, other;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;

static struct timespec after_ms(clockid_t clock, long ms)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += ms * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void *lock_and_end(void *argument)
{
    printf("(%d %d) ", pthread_mutex_lock(&mutex), pthread_mutex_lock(&other));
    return argument;
}

static void *lock_and_be_canceled(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_cancel(pthread_self());
    pthread_testcancel();
    return argument;
}

static void *lock_meet_and_end(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_barrier_wait(&barrier);
    usleep(2000); // the other is likely to wait by now; it need not
    return argument;
}

static void *unlock_others(void *argument)
{
    SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutex_trylock(&mutex));
    return argument;
}

static void *signal_dead(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&cond);
    return argument; // with the mutex
}

static void run(void *(*function)(void *))
{
    pthread_t thread;
    pthread_create(&thread, NULL, function, NULL);
    pthread_join(thread, NULL);
}

static void robust(int type)
{
    pthread_mutexattr_t attribute;
    pthread_mutexattr_init(&attribute);
    pthread_mutexattr_settype(&attribute, type);
    SHOW(pthread_mutexattr_setrobust(&attribute, PTHREAD_MUTEX_ROBUST));
    pthread_mutex_init(&mutex, &attribute);
    pthread_mutex_init(&other, &attribute);
    run(lock_and_end);
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_trylock(&other));
    run(unlock_others);
    SHOW(pthread_mutex_consistent(&mutex));
    SHOW(pthread_mutex_consistent(&mutex));
    SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutex_unlock(&other)); // as it was left: nobody can have it again
    SHOW(pthread_mutex_lock(&other));
    SHOW(pthread_mutex_trylock(&other));
    SHOW(pthread_mutex_destroy(&other));
    run(lock_and_be_canceled);
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_consistent(&mutex));
    struct timespec time = after_ms(CLOCK_REALTIME, 1);
    SHOW(pthread_cond_timedwait(&cond, &mutex, &time));
    SHOW(pthread_mutex_unlock(&mutex));
    puts("robust");
}

static void robust_waiters(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, lock_meet_and_end, NULL);
    pthread_barrier_wait(&barrier);
    SHOW(pthread_mutex_lock(&mutex));
    pthread_join(thread, NULL);
    SHOW(pthread_mutex_consistent(&mutex));
    pthread_create(&thread, NULL, signal_dead, NULL);
    SHOW(pthread_cond_wait(&cond, &mutex));
    pthread_join(thread, NULL);
    SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutex_lock(&mutex));
    puts("waiters");
}

static void *write_and_end(void *argument)
{
    pthread_barrier_wait(&barrier);
    SHOW(pthread_rwlock_wrlock(&lock));
    SHOW(pthread_rwlock_unlock(&lock));
    return argument;
}

// A thread that has a read lock takes it again while a writer waits.
static void readers_pass(void)
{
    pthread_t thread;
    struct timespec time = after_ms(CLOCK_MONOTONIC, 5000);
    SHOW(pthread_rwlock_rdlock(&lock));
    pthread_create(&thread, NULL, write_and_end, NULL);
    pthread_barrier_wait(&barrier);
    usleep(5000); // the writer is likely to wait by now; it need not
    SHOW(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &time));
    SHOW(pthread_rwlock_tryrdlock(&lock));
    SHOW(pthread_rwlock_rdlock(&lock));
    for (int i = 0; i < 4; ++i) {
        SHOW(pthread_rwlock_unlock(&lock));
    }
    pthread_join(thread, NULL);
    puts("readers");
}

// The kind that prefers writers does not let readers pass: once the writer waits.
static void writers_come_first(void)
{
    pthread_t thread;
    pthread_rwlockattr_t attribute;
    int kind, turns = 0;
    pthread_rwlockattr_init(&attribute);
    SHOW(pthread_rwlockattr_setkind_np(&attribute, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP));
    SHOW(pthread_rwlockattr_getkind_np(&attribute, &kind));
    pthread_rwlock_init(&lock, &attribute);
    SHOW(pthread_rwlock_rdlock(&lock));
    pthread_create(&thread, NULL, write_and_end, NULL);
    pthread_barrier_wait(&barrier);
    while (pthread_rwlock_tryrdlock(&lock) == 0 && ++turns < 5000) {
        pthread_rwlock_unlock(&lock);
        usleep(1000);
    }
    printf("%d ", turns < 5000);
    SHOW(pthread_rwlock_unlock(&lock));
    pthread_join(thread, NULL);
    puts("writers");
}

static void protocols(void)
{
    pthread_mutexattr_t attribute;
    int ceiling = -1, protocol;
    pthread_mutexattr_init(&attribute);
    SHOW(pthread_mutexattr_setprotocol(&attribute, PTHREAD_PRIO_INHERIT));
    pthread_mutex_init(&mutex, &attribute);
    SHOW(pthread_mutex_lock(&mutex));
    run(unlock_others);
    SHOW(pthread_mutex_getprioceiling(&mutex, &ceiling));
    SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutex_unlock(&mutex));
    pthread_mutexattr_settype(&attribute, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attribute);
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutexattr_setprotocol(&attribute, PTHREAD_PRIO_PROTECT));
    SHOW(pthread_mutexattr_setprioceiling(&attribute, 17));
    SHOW(pthread_mutexattr_getprotocol(&attribute, &protocol));
    pthread_mutex_init(&mutex, &attribute);
    SHOW(pthread_mutex_getprioceiling(&mutex, &ceiling));
    printf("%d %d ", ceiling, protocol);
    SHOW(pthread_mutex_setprioceiling(&mutex, 100, &ceiling));
    puts("protocols");
}

static void *stack_show(void *argument)
{
    pthread_attr_t attribute;
    void *low;
    size_t size;
    char here;
    SHOW(pthread_getattr_np(pthread_self(), &attribute));
    SHOW(pthread_attr_getstack(&attribute, &low, &size));
    printf("%d %d ", &here > (char *)low, &here < (char *)low + size);
    printf("%d\n", (char *)low + size - &here < 1 << 20);
    return argument;
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    robust(PTHREAD_MUTEX_NORMAL);
    robust(PTHREAD_MUTEX_RECURSIVE);
    robust(PTHREAD_MUTEX_ERRORCHECK);
    robust_waiters();
    readers_pass();
    writers_come_first();
    protocols();
    stack_show(NULL);
    run(stack_show);
    return 0;
}
