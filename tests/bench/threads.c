// SPDX-License-Identifier: BSD-3-Clause
// threads.c: pthread_create + pthread_join of an empty thread; keyed TLS.
#include "bench.h"

static void *nothing(void *p)
{
    return p;
}

static void create_join(void *a, uint64_t n)
{
    (void)a;
    while (n--) {
        pthread_t t;
        if (pthread_create(&t, NULL, nothing, NULL))
            BENCH_DIE("pthread_create");
        pthread_join(t, NULL);
    }
}

/* 64 threads alive at once; one operation is the whole batch of 64. */
static void create_many(void *a, uint64_t n)
{
    pthread_t t[64];
    (void)a;
    while (n--) {
        for (int i = 0; i < 64; i++)
            if (pthread_create(&t[i], NULL, nothing, NULL))
                BENCH_DIE("pthread_create");
        for (int i = 0; i < 64; i++)
            pthread_join(t[i], NULL);
    }
}

static pthread_key_t key;
static void tsd(void *a, uint64_t n)
{
    (void)a;
    while (n--)
        pthread_setspecific(key, (char *)pthread_getspecific(key) + 1);
}

int main(void)
{
    bench_pin(0);
    bench_ns("thread_create_join_1cpu", create_join, NULL);
    bench_unpin();
    bench_ns("thread_create_join_nopin", create_join, NULL);
    bench_ns("thread_create_join_batch64", create_many, NULL);
    pthread_key_create(&key, NULL);
    bench_ns("pthread_get_setspecific", tsd, NULL);
    return 0;
}
