// SPDX-License-Identifier: BSD-3-Clause
// worker.c: hosted threads for device work that blocks. Ordinary hosted C.
#include "hal-linux/dev/worker.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hal-linux/dev/job.h"
#include "hal-linux/vcpu.h"

enum { WORKER_STACK = 262144 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct worker_job *ready; // taken off the queue, oldest first; guarded by lock
static unsigned count, idle;     // threads, and those that wait or will soon; guarded by lock

static void *worker_main(void *arg);

static int start_locked(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // inherited: a process signal must never come here
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int failure = pthread_create(&thread, &attr, worker_main, NULL);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure == 0) {
        ++count;
        ++idle;
    }
    return -failure;
}

static struct worker_job *take_locked(void)
{
    if (ready == NULL) {
        ready = job_take_all();
    }
    struct worker_job *job = ready;
    if (job != NULL) {
        ready = job->next;
    }
    return job;
}

// Waits for a job. Leaves somebody else waiting for the next one.
static struct worker_job *worker_next(void)
{
    struct worker_job *job;
    pthread_mutex_lock(&lock);
    for (;;) {
        uint32_t word = atomic_load(&job_word); // before the look: see worker_submit
        job = take_locked();
        if (job != NULL) {
            break;
        }
        pthread_mutex_unlock(&lock);
        syscall(SYS_futex, &job_word, FUTEX_WAIT_PRIVATE, word, NULL, NULL, 0);
        pthread_mutex_lock(&lock);
    }
    --idle;
    if (idle == 0 && count < WORKER_MAX) {
        (void)start_locked(); // out of threads: jobs wait for each other
    } else if (ready != NULL) {
        syscall(SYS_futex, &job_word, FUTEX_WAKE_PRIVATE, 1); // this one came with others
    }
    pthread_mutex_unlock(&lock);
    return job;
}

static void *worker_main(void *arg)
{
    (void)arg;
    struct vcpu block;
    vcpu_adopt_thread(&block);
    for (;;) {
        struct worker_job *job = worker_next();
        job->run(job);
        pthread_mutex_lock(&lock);
        ++idle;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

int worker_start(void)
{
    pthread_mutex_lock(&lock);
    int failure = start_locked();
    pthread_mutex_unlock(&lock);
    return failure;
}
