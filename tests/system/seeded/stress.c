// SPDX-License-Identifier: BSD-3-Clause
// stress.c: threads that meet in every way that core offers, briefly, and check what must hold. A wrong
// result ends it with a line; what hangs is seen from outside.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 40, ITEMS = 60 };

static void check(int condition, const char *what)
{
    if (!condition) {
        printf("wrong: %s\n", what);
        fflush(stdout);
        _exit(1);
    }
}

static void run_all(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; ++i) {
        check(pthread_create(&threads[i], NULL, body, (void *)i) == 0, "a thread starts");
    }
    for (int i = 0; i < THREADS; ++i) {
        void *result = NULL;
        check(pthread_join(threads[i], &result) == 0 && result == NULL, "a thread ends");
    }
}

static struct timespec soon(long ns)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += ns;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

// ---- A mutex excludes, with and without a time limit ------------------------------

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int inside, counter;

static void *exclude(void *argument)
{
    for (int i = 0; i < ROUNDS; ++i) {
        struct timespec limit = soon(2000 * (i % 5));
        int is_mine = i % 3 != 0 || pthread_mutex_timedlock(&mutex, &limit) == 0;
        if (i % 3 != 0) {
            pthread_mutex_lock(&mutex);
        }
        if (is_mine) {
            check(++inside == 1, "one at a time");
            sched_yield();
            --inside;
            ++counter;
            pthread_mutex_unlock(&mutex);
        }
    }
    return (void *)((long)argument & 0);
}

// ---- Items go through a queue of two, by conditions -------------------------------

static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static int queued, produced, consumed;

static void *pass_on(void *argument)
{
    int is_producer = (long)argument % 2 == 0;
    for (int i = 0; i < ITEMS; ++i) {
        pthread_mutex_lock(&mutex);
        while (queued == (is_producer ? 2 : 0)) {
            if (i % 4 == 0) {
                struct timespec limit = soon(5000);
                pthread_cond_timedwait(is_producer ? &not_full : &not_empty, &mutex, &limit);
            } else {
                pthread_cond_wait(is_producer ? &not_full : &not_empty, &mutex);
            }
        }
        queued += is_producer ? 1 : -1;
        ++*(is_producer ? &produced : &consumed);
        pthread_mutex_unlock(&mutex);
        if (i % 8 == 0) {
            pthread_cond_broadcast(is_producer ? &not_empty : &not_full);
        } else {
            pthread_cond_signal(is_producer ? &not_empty : &not_full);
        }
    }
    return NULL;
}

// ---- A semaphore's count, with waiters that give up --------------------------------

static sem_t semaphore;

static void *count(void *argument)
{
    for (int i = 0; i < ROUNDS; ++i) {
        struct timespec limit = soon(1500 * (i % 4));
        int is_mine =
            i % 2 == 0 ? sem_wait(&semaphore) == 0 : sem_timedwait(&semaphore, &limit) == 0;
        if (is_mine) {
            check(__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) <= 2, "two at a time");
            sched_yield();
            __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
            sem_post(&semaphore);
        }
    }
    return (void *)((long)argument & 0);
}

// ---- Readers and writers ----------------------------------------------------------

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int pair[2];

static void *read_or_write(void *argument)
{
    for (int i = 0; i < ROUNDS; ++i) {
        if ((i + (long)argument) % 3 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            ++pair[0];
            sched_yield();
            ++pair[1];
        } else {
            pthread_rwlock_rdlock(&rwlock);
            check(pair[0] == pair[1], "no writer among readers");
        }
        pthread_rwlock_unlock(&rwlock);
    }
    return NULL;
}

// ---- Bytes through pipes, counts through an eventfd --------------------------------

static int pipes[2], event;
static _Atomic long sum_in, sum_out;

static void *pump(void *argument)
{
    char data[600];
    for (int i = 0; i < ROUNDS / 2; ++i) {
        if ((long)argument % 2 == 0) {
            memset(data, i, sizeof data);
            check(write(pipes[1], data, sizeof data) == sizeof data, "a write to a pipe");
            uint64_t one = 1;
            check(write(event, &one, sizeof one) == sizeof one, "a write to an eventfd");
            sum_in += sizeof data;
        } else {
            for (size_t got = 0; got < sizeof data;) {
                ssize_t size = read(pipes[0], data, sizeof data - got);
                check(size > 0, "a read of a pipe");
                got += (size_t)size;
            }
            sum_out += sizeof data;
            uint64_t value;
            check(read(event, &value, sizeof value) == sizeof value && value == 1,
                  "an eventfd's count");
        }
    }
    return NULL;
}

// ---- Memory goes from thread to thread; threads come and go -------------------------

static _Atomic(char *) mailbox[THREADS];

static void *short_life(void *argument)
{
    return argument;
}

static void *exchange(void *argument)
{
    for (int i = 0; i < ROUNDS; ++i) {
        size_t size = (size_t)(16 << i % 9);
        char *block = malloc(size);
        check(block != NULL, "a block");
        memset(block, (int)(long)argument + 1, size);
        check(block[0] == block[size - 1] && block[size / 2] == (char)((long)argument + 1),
              "a block is its owner's");
        free(atomic_exchange(&mailbox[((long)argument + i) % THREADS], block));
        if (i % 10 == 0) {
            pthread_t thread;
            void *result;
            check(pthread_create(&thread, NULL, short_life, block) == 0, "a thread starts");
            check(pthread_join(thread, &result) == 0 && result == block, "a thread's result");
        }
    }
    return NULL;
}

static void *sleep_a_little(void *argument)
{
    for (int i = 0; i < ROUNDS / 4; ++i) {
        struct timespec before, after, span = {.tv_nsec = 1000 * (long)(1 + i % 7)};
        clock_gettime(CLOCK_MONOTONIC, &before);
        check(nanosleep(&span, NULL) == 0, "a sleep");
        clock_gettime(CLOCK_MONOTONIC, &after);
        long slept = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
        check(slept >= span.tv_nsec && slept < 500000000, "how long a sleep is");
    }
    return (void *)((long)argument & 0);
}

int main(void)
{
    run_all(exclude);
    run_all(pass_on);
    check(queued == 0 && produced == consumed && produced == THREADS / 2 * ITEMS,
          "all items arrive");
    sem_init(&semaphore, 0, 2);
    run_all(count);
    int value;
    check(sem_getvalue(&semaphore, &value) == 0 && value == 2, "the semaphore's value");
    run_all(read_or_write);
    event = eventfd(0, EFD_SEMAPHORE);
    check(pipe(pipes) == 0 && event >= 0, "a pipe");
    run_all(pump);
    check(sum_in == sum_out, "all bytes arrive");
    run_all(exchange);
    run_all(sleep_a_little);
    puts("done");
    return 0;
}
