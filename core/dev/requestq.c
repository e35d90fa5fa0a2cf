// SPDX-License-Identifier: BSD-3-Clause
// requestq.c: a queue of a device with many requests under way, from many threads.
//
// The mutex guards ring and requests. A caller publishes its request, kicks and collects; what the
// far end completes within the kick is done then. A caller that has to wait sees to it that
// somebody is the collector: the one thread that the interrupt wakes. The collector takes finished
// requests off the ring, wakes their owners, and passes its office on when its own request is done.
// Without a collector the device is told not to interrupt.
#include "core/dev/requestq.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/sched/thread.h"

enum { RING_SIZE_MIN = REQUEST_PARTS };

// ---- Collecting; the lock is held ----

static void request_finish(struct request *request, int error, uint32_t written)
{
    request->error = error;
    request->written = written;
    request->is_done = true;
    if (request->thread != NULL) {
        thread_wake(request->thread);
    }
}

static void requests_fail(struct requestq *queue)
{
    for (size_t i = 0; i < REQUEST_MAX; ++i) {
        struct request *request = &queue->requests[i];
        if (request->is_taken && !request->is_done) {
            request_finish(request, -EIO, 0);
        }
    }
}

// The device broke the rules: it is stopped, so that it writes no buffer of a request that fails
// now. Who waits at another queue finds that out as its collector.
static void device_fail(struct requestq_set *set)
{
    hal_dev_stop(set->dev);
    atomic_store(&set->is_dead, true);
    for (uint32_t i = 0; i < set->count; ++i) {
        requestq_interrupt(&set->queues[i]);
    }
}

static void collect(struct requestq *queue)
{
    void *token;
    uint32_t written;
    int result = 1;
    for (int i = 0; result > 0 && i < 2 * REQUEST_MAX; ++i) {
        result = virtq_collect(&queue->ring, &token, &written);
        if (result > 0) {
            request_finish(token, 0, written);
        }
    }
    if (result < 0 && !atomic_load(&queue->set->is_dead)) {
        device_fail(queue->set);
    }
    if (atomic_load(&queue->set->is_dead)) {
        requests_fail(queue);
    }
}

static void collector_set(struct requestq *queue, struct thread *thread)
{
    atomic_store(&queue->collector, thread);
    virtq_interrupts_set(&queue->ring, thread != NULL);
}

// Somebody else who waits becomes the collector, and looks at the ring at once.
static void collector_resign(struct requestq *queue)
{
    for (size_t i = 0; i < REQUEST_MAX; ++i) {
        struct request *request = &queue->requests[i];
        if (request->thread != NULL && !request->is_done) {
            atomic_store(&queue->collector, request->thread);
            thread_wake(request->thread);
            return;
        }
    }
    collector_set(queue, NULL);
}

static void request_wait(struct requestq *queue, struct request *request)
{
    struct thread *self = thread_self();
    request->thread = self;
    while (!request->is_done) {
        if (atomic_load(&queue->collector) == NULL) {
            collector_set(queue, self);
        }
        if (atomic_load(&queue->collector) == self) {
            collect(queue);
        }
        if (!request->is_done) {
            mutex_unlock(&queue->lock);
            thread_wait_note(self, THREAD_WAIT_DEVICE, queue);
            thread_park();
            thread_wait_note(self, THREAD_WAIT_NONE, NULL);
            mutex_lock_again(&queue->lock);
        }
    }
    request->thread = NULL;
    if (atomic_load(&queue->collector) == self) {
        collector_resign(queue);
    }
}

// The thread may be gone by now: thread memory is type-stable, and the wake then only spurious.
void requestq_interrupt(struct requestq *queue)
{
    struct thread *collector = atomic_load(&queue->collector);
    if (collector != NULL) {
        thread_wake(collector);
    }
}

// ---- Requests ----

struct request *requestq_take(struct requestq *queue)
{
    mutex_lock(&queue->lock);
    while (queue->free == NULL) {
        waitqueue_wait(&queue->free_waiters, &queue->lock);
    }
    struct request *request = queue->free;
    queue->free = request->next;
    mutex_unlock(&queue->lock);
    return request;
}

void requestq_put(struct requestq *queue, struct request *request)
{
    mutex_lock(&queue->lock);
    request->next = queue->free;
    queue->free = request;
    (void)waitqueue_wake_one(&queue->free_waiters);
    mutex_unlock(&queue->lock);
}

int requestq_run(struct requestq *queue, struct request *request, const struct virtq_part *parts,
                 size_t count, uint32_t *written)
{
    ASSERT(count <= REQUEST_PARTS);
    *written = 0;
    mutex_lock(&queue->lock);
    request->is_taken = true;
    request->is_done = false;
    int error =
        atomic_load(&queue->set->is_dead) ? -EIO : virtq_add(&queue->ring, parts, count, request);
    ASSERT(error != -ENOSPC); // as many requests as have descriptors
    if (error == 0) {
        hal_dev_kick(queue->set->dev, queue->index);
        collect(queue);
        request_wait(queue, request);
        error = request->error;
        *written = request->written;
    }
    request->is_taken = false;
    mutex_unlock(&queue->lock);
    return error;
}

// ---- Opening ----

static int ring_attach(struct requestq *queue, uint32_t cpu, uint16_t size)
{
    int error = virtq_init(&queue->ring, size);
    if (error != 0) {
        return error;
    }
    error = hal_dev_queue(queue->set->dev, queue->index, &queue->ring.place, cpu);
    if (error != 0) {
        virtq_free(&queue->ring);
    }
    return error;
}

static void requests_init(struct requestq *queue, char *memory, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        struct request *request = &queue->requests[i];
        request->memory = memory + i * REQUEST_MEMORY;
        request->next = queue->free;
        queue->free = request;
    }
}

int requestq_open(struct requestq_set *set, uint32_t cpu)
{
    struct requestq *queue = &set->queues[set->count];
    hal_phys frame;
    int error = frame_alloc(1, FRAME_ZERO, &frame);
    if (error != 0) {
        return error;
    }
    queue->set = set;
    queue->index = set->count;
    uint16_t size = VIRTQ_SIZE;
    error = ring_attach(queue, cpu, size);
    while (error == -EINVAL && size > RING_SIZE_MIN) { // its rings may be shorter
        size /= 2;
        error = ring_attach(queue, cpu, size);
    }
    if (error != 0) {
        frame_free(frame, 1);
        return error;
    }
    requests_init(queue, frame_address(frame), size / REQUEST_PARTS);
    ++set->count;
    return 0;
}

void requestq_close(struct requestq_set *set)
{
    for (uint32_t i = 0; i < set->count; ++i) {
        frame_free(frame_of(set->queues[i].requests[0].memory), 1);
        virtq_free(&set->queues[i].ring);
    }
    set->count = 0;
}
