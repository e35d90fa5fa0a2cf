// SPDX-License-Identifier: BSD-3-Clause
// threads.c: POSIX and C11 threads: what each call promises, and its error numbers.
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

// The results of calls in the order in which they are written.
#define SHOW(call) printf("%d ", call)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_key_t key;
static sem_t semaphore;
static int counter;
static __thread int local = 5;

static struct timespec soon(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += 5000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        ++time.tv_sec;
    }
    return time;
}

static void *count(void *argument)
{
    for (int i = 0; i < 10000; ++i) {
        pthread_mutex_lock(&mutex);
        ++counter;
        pthread_mutex_unlock(&mutex);
    }
    local += (int)(long)argument;
    return (void *)(long)local;
}

static void key_destroy(void *value)
{
    printf("key destructor %ld\n", (long)value);
}

static void *key_user(void *argument)
{
    printf("%p\n", pthread_getspecific(key));
    pthread_setspecific(key, argument);
    return NULL;
}

static void *exits(void *argument)
{
    pthread_exit(argument);
}

static void cleanup(void *argument)
{
    printf("cleanup %s\n", (char *)argument);
}

static void *cleans(void *argument)
{
    pthread_cleanup_push(cleanup, "outer");
    pthread_cleanup_push(cleanup, "inner");
    pthread_exit((void *)3);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return argument;
}

static void *canceled(void *argument)
{
    pthread_cleanup_push(cleanup, "canceled");
    for (;;) {
        pthread_testcancel();
        usleep(1000);
    }
    pthread_cleanup_pop(0);
    return argument;
}

static void *waits(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (counter >= 0) {
        pthread_cond_wait(&cond, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *posts(void *argument)
{
    for (int i = 0; i < 3; ++i) {
        sem_post(&semaphore);
    }
    return argument;
}

static void once(void)
{
    puts("once");
}

static int c11_thread(void *argument)
{
    return (int)(long)argument * 2;
}

static pthread_barrier_t barrier;

static void *meets(void *argument)
{
    int result = pthread_barrier_wait(&barrier);
    return (void *)(long)(result == PTHREAD_BARRIER_SERIAL_THREAD);
}

enum { ROUNDS = 60, CROWD = 6, MEET = 3 };

static _Atomic int serials, arrivals = MEET * ROUNDS;

static void *meets_often(void *own)
{
    while (arrivals-- > 0) {
        serials += pthread_barrier_wait(own) == PTHREAD_BARRIER_SERIAL_THREAD;
    }
    return NULL;
}

static void *meets_once(void *one)
{
    int result = pthread_barrier_wait(one);
    if (result == PTHREAD_BARRIER_SERIAL_THREAD) { // the others may still be on their way out
        pthread_barrier_destroy(one);
        memset(one, 0x55, sizeof(pthread_barrier_t));
    }
    return NULL;
}

// More threads than make a round; and barriers whose last waiter destroys them at once.
static void barriers(void)
{
    pthread_t threads[CROWD];
    pthread_barrier_t often, one;
    pthread_barrier_init(&often, NULL, MEET);
    for (int i = 0; i < CROWD; ++i) {
        pthread_create(&threads[i], NULL, meets_often, &often);
    }
    for (int i = 0; i < CROWD; ++i) {
        pthread_join(threads[i], NULL);
    }
    printf("%d rounds of %d, %d\n", serials, ROUNDS, pthread_barrier_destroy(&often));
    for (int round = 0; round < ROUNDS; ++round) {
        pthread_barrier_init(&one, NULL, MEET);
        for (int i = 0; i < MEET; ++i) {
            pthread_create(&threads[i], NULL, meets_once, &one);
        }
        for (int i = 0; i < MEET; ++i) {
            pthread_join(threads[i], NULL);
        }
    }
    printf("barrier: %d\n", pthread_barrier_init(&one, NULL, 0) == EINVAL);
}

static void mutexes(void)
{
    pthread_mutexattr_t attribute;
    pthread_mutex_t kinds;
    pthread_mutexattr_init(&attribute);
    pthread_mutexattr_settype(&attribute, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&kinds, &attribute);
    SHOW(pthread_mutex_lock(&kinds));
    SHOW(pthread_mutex_lock(&kinds));
    SHOW(pthread_mutex_unlock(&kinds));
    SHOW(pthread_mutex_unlock(&kinds));
    SHOW(pthread_mutex_destroy(&kinds));
    pthread_mutexattr_settype(&attribute, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&kinds, &attribute);
    SHOW(pthread_mutex_lock(&kinds));
    SHOW(pthread_mutex_trylock(&kinds));
    SHOW(pthread_mutex_unlock(&kinds));
    SHOW(pthread_mutex_unlock(&kinds));
    SHOW(pthread_mutex_unlock(&kinds));
    puts("mutex");
    struct timespec time = soon(CLOCK_REALTIME);
    pthread_mutex_lock(&mutex);
    SHOW(pthread_mutex_trylock(&mutex));
    SHOW(pthread_mutex_timedlock(&mutex, &time));
    time = soon(CLOCK_REALTIME);
    SHOW(pthread_cond_timedwait(&cond, &mutex, &time));
    time = soon(CLOCK_MONOTONIC);
    SHOW(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &time));
    pthread_mutex_unlock(&mutex);
    puts("timed");
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    SHOW(pthread_rwlock_rdlock(&lock));
    SHOW(pthread_rwlock_tryrdlock(&lock));
    SHOW(pthread_rwlock_trywrlock(&lock));
    SHOW(pthread_rwlock_unlock(&lock));
    SHOW(pthread_rwlock_unlock(&lock));
    SHOW(pthread_rwlock_wrlock(&lock));
    SHOW(pthread_rwlock_tryrdlock(&lock));
    SHOW(pthread_rwlock_wrlock(&lock));
    SHOW(pthread_rwlock_unlock(&lock));
    puts("rwlock");
}

static void attributes(void)
{
    pthread_attr_t attribute;
    size_t size;
    int state;
    pthread_attr_init(&attribute);
    pthread_attr_getstacksize(&attribute, &size);
    printf("%zu ", size);
    pthread_attr_getguardsize(&attribute, &size);
    printf("%zu ", size);
    pthread_attr_getdetachstate(&attribute, &state);
    printf("%d %d %d\n", state, pthread_attr_setstacksize(&attribute, 1),
           pthread_attr_setstacksize(&attribute, 1 << 20));
    pthread_t thread;
    void *result;
    printf("%d ", pthread_create(&thread, &attribute, count, (void *)1));
    pthread_join(thread, &result);
    printf("%ld\n", (long)result);
    pthread_attr_destroy(&attribute);
    char name[16];
    printf("%d ", pthread_setname_np(pthread_self(), "newname"));
    pthread_getname_np(pthread_self(), name, sizeof name);
    printf("%s %d\n", name, pthread_setname_np(pthread_self(), "a name that is too long"));
    cpu_set_t set;
    SHOW(pthread_getaffinity_np(pthread_self(), sizeof set, &set));
    printf("%d\n", CPU_COUNT(&set) > 0);
}

static void others(void)
{
    pthread_t threads[8];
    void *result;
    sem_init(&semaphore, 0, 1);
    pthread_create(&threads[0], NULL, posts, NULL);
    for (int i = 0; i < 4; ++i) {
        sem_wait(&semaphore);
    }
    pthread_detach(threads[0]);
    struct timespec time = soon(CLOCK_REALTIME);
    printf("%d %d ", sem_trywait(&semaphore), errno);
    printf("%d %d\n", sem_timedwait(&semaphore, &time), errno);
    pthread_once_t control = PTHREAD_ONCE_INIT;
    pthread_once(&control, once);
    pthread_once(&control, once);
    pthread_barrier_init(&barrier, NULL, 4);
    int serial = 0;
    for (int i = 0; i < 3; ++i) {
        pthread_create(&threads[i], NULL, meets, NULL);
    }
    serial += meets(NULL) != NULL;
    for (int i = 0; i < 3; ++i) {
        pthread_join(threads[i], &result);
        serial += result != NULL;
    }
    printf("%d %d\n", serial, pthread_barrier_destroy(&barrier));
    thrd_t c11;
    int answer;
    printf("%d ", thrd_create(&c11, c11_thread, (void *)21));
    printf("%d ", thrd_join(c11, &answer));
    printf("%d\n", answer);
    pthread_spinlock_t spin;
    pthread_spin_init(&spin, 0);
    SHOW(pthread_spin_lock(&spin));
    SHOW(pthread_spin_trylock(&spin));
    SHOW(pthread_spin_unlock(&spin));
    puts("spin");
}

int main(void)
{
    pthread_t threads[8];
    void *result;
    long sum = 0;
    for (long i = 0; i < 8; ++i) {
        pthread_create(&threads[i], NULL, count, (void *)i);
    }
    for (int i = 0; i < 8; ++i) {
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    printf("%d %ld %d\n", counter, sum, local);
    printf("%d\n", pthread_join(pthread_self(), NULL));
    pthread_key_create(&key, key_destroy);
    pthread_create(&threads[0], NULL, key_user, (void *)77);
    pthread_join(threads[0], NULL);
    pthread_key_delete(key);
    pthread_create(&threads[0], NULL, exits, (void *)9);
    pthread_join(threads[0], &result);
    printf("%ld\n", (long)result);
    pthread_create(&threads[0], NULL, cleans, NULL);
    pthread_join(threads[0], &result);
    printf("%ld\n", (long)result);
    pthread_create(&threads[0], NULL, canceled, NULL);
    usleep(10000);
    int error = pthread_cancel(threads[0]);
    pthread_join(threads[0], &result);
    printf("%d %d\n", error, result == PTHREAD_CANCELED);
    mutexes();
    attributes();
    pthread_create(&threads[0], NULL, waits, NULL);
    pthread_create(&threads[1], NULL, waits, NULL);
    usleep(2000);
    pthread_mutex_lock(&mutex);
    counter = -1;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    others();
    barriers();
    return 0;
}
