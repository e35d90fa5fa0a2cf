// SPDX-License-Identifier: BSD-3-Clause
// thread_host.c: see thread_host.h. A park ends by the thread's own wake-up only, or at its
// deadline, which has passed by the time that the others have had a turn.
#include "thread_host.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/mem/percpu.h"
#include "core/sched/thread.h"
#include "tests/unit/hal/unit_hal.h"

static struct host_thread {
    struct thread thread;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    bool is_notified; // mutex
} threads[HOST_THREADS];

static struct percpu cpus[HOST_THREADS];

static void (*threads_work)(uint32_t);

void host_thread_adopt(uint32_t index)
{
    cpus[index].heap = percpu_heaps[index];
    unit_cpu = (struct cpu *)(void *)&cpus[index];
    unit_self = &threads[index].thread;
}

static void *thread_main(void *argument)
{
    uint32_t index = (uint32_t)(uintptr_t)argument;
    host_thread_adopt(index);
    threads_work(index);
    return NULL;
}

void host_threads_run(void (*work)(uint32_t index))
{
    pthread_t started[HOST_THREADS];
    threads_work = work;
    for (uintptr_t i = 0; i < HOST_THREADS; ++i) {
        cpus[i].index = (uint32_t)i;
        pthread_mutex_init(&threads[i].mutex, NULL);
        pthread_cond_init(&threads[i].woken, NULL);
        threads[i].is_notified = false;
    }
    for (uintptr_t i = 0; i < HOST_THREADS; ++i) {
        pthread_create(&started[i], NULL, thread_main, (void *)i);
    }
    for (uintptr_t i = 0; i < HOST_THREADS; ++i) {
        pthread_join(started[i], NULL);
    }
}

static struct host_thread *host_of(struct thread *thread)
{
    return (struct host_thread *)(void *)((char *)thread - offsetof(struct host_thread, thread));
}

void thread_park(void)
{
    struct host_thread *self = host_of(thread_self());
    pthread_mutex_lock(&self->mutex);
    while (!self->is_notified) {
        pthread_cond_wait(&self->woken, &self->mutex);
    }
    self->is_notified = false;
    pthread_mutex_unlock(&self->mutex);
}

bool thread_park_until(hal_ns deadline)
{
    if (deadline == UINT64_MAX) {
        thread_park();
        return true;
    }
    sched_yield();
    struct host_thread *self = host_of(thread_self());
    pthread_mutex_lock(&self->mutex);
    bool in_time = self->is_notified;
    self->is_notified = false;
    pthread_mutex_unlock(&self->mutex);
    return in_time;
}

void thread_wake(struct thread *thread)
{
    struct host_thread *host = host_of(thread);
    pthread_mutex_lock(&host->mutex);
    host->is_notified = true;
    pthread_cond_signal(&host->woken);
    pthread_mutex_unlock(&host->mutex);
}

uint32_t sched_cpu_count(void)
{
    return HOST_THREADS;
}

bool thread_is_waited_for(void)
{
    return false;
}

// Kicks are nobody's business here.
uintptr_t thread_batch_begin(void)
{
    return 0;
}

void thread_batch_end(uintptr_t irq)
{
    (void)irq;
}

// No thread here has signals to serve.
void thread_serve_slow(void)
{
}
