// SPDX-License-Identifier: BSD-3-Clause
// stress_test.c: core's locks, what goes without, and its memory on real threads; again and again
// for as many seconds as OSV_STRESS_SECONDS says, once without it.
//
// What the locks protect, and what is in blocks and frames, is plain memory: ThreadSanitizer says
// whether the order that they promise is there, Memcheck whether two threads have the same block.
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <valgrind/valgrind.h>

#include "core/lib/ring.h"
#include "core/lib/sequence.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/slab.h"
#include "core/mem/stack.h"
#include "core/sched/thread.h"
#include "core/sync/bell.h"
#include "core/sync/condvar.h"
#include "core/sync/mutex.h"
#include "core/sync/rwlock.h"
#include "core/sync/semaphore.h"
#include "core/sync/waitqueue.h"
#include "memory_host.h"
#include "thread_host.h"

enum { SLOTS = 64 };

// A pop that was overtaken reads the first word of a block that somebody else has by then, and
// forgets what it read (stack.h).
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race_top:stack_pop\n";
}

static uint32_t rounds(uint32_t count)
{
    return RUNNING_ON_VALGRIND ? count / 100 : count;
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void memory_init(void)
{
    host_thread_adopt(0);
    memory_host_init(HOST_THREADS);
}

// ---- Locks ---------------------------------------------------------------

static struct mutex mutex;
static struct condvar condvar;
static struct rwlock rwlock;
static struct semaphore semaphore;
static struct waitqueue queue;
static uint64_t counter;
static uint32_t turn;
static uint64_t pair[2];

static void mutex_work(uint32_t index)
{
    for (uint32_t i = 0; i < rounds(20000); ++i) {
        if (i % 16 != index) {
            mutex_lock(&mutex);
        } else if (!mutex_lock_until(&mutex, 1)) {
            mutex_lock(&mutex);
        }
        ++counter;
        mutex_unlock(&mutex);
    }
}

START_TEST(a_mutex_orders_what_it_protects)
{
    counter = 0;
    host_threads_run(mutex_work);
    ck_assert_uint_eq(counter, (uint64_t)HOST_THREADS * rounds(20000));
}
END_TEST

static void condvar_work(uint32_t index)
{
    for (uint32_t i = 0; i < rounds(3000); ++i) {
        mutex_lock(&mutex);
        while (turn % HOST_THREADS != index) {
            if (i % 8 == 7) {
                (void)condvar_wait_until(&condvar, &mutex, 1);
            } else {
                condvar_wait(&condvar, &mutex);
            }
        }
        ++turn;
        condvar_wake_all(&condvar);
        mutex_unlock(&mutex);
    }
}

START_TEST(a_condition_variable_loses_no_turn)
{
    turn = 0;
    host_threads_run(condvar_work);
    ck_assert_uint_eq(turn, HOST_THREADS * rounds(3000));
}
END_TEST

static void waitqueue_work(uint32_t index)
{
    for (uint32_t i = 0; i < rounds(3000); ++i) {
        mutex_lock(&mutex);
        while (turn % HOST_THREADS != index) {
            if (i % 8 == 7) {
                (void)waitqueue_wait_until(&queue, &mutex, 1, false);
            } else {
                waitqueue_wait(&queue, &mutex);
            }
        }
        ++turn;
        waitqueue_wake_all(&queue);
        mutex_unlock(&mutex);
    }
}

START_TEST(a_wait_queue_loses_no_turn)
{
    turn = 0;
    host_threads_run(waitqueue_work);
    ck_assert_uint_eq(turn, HOST_THREADS * rounds(3000));
}
END_TEST

static void rwlock_work(uint32_t index)
{
    for (uint32_t i = 0; i < rounds(10000); ++i) {
        if (i % 4 == index) {
            rwlock_write_lock(&rwlock);
            ++pair[0];
            ++pair[1];
            rwlock_write_unlock(&rwlock);
        } else {
            rwlock_read_lock(&rwlock);
            ck_assert_uint_eq(pair[0], pair[1]);
            rwlock_read_unlock(&rwlock);
        }
    }
}

START_TEST(writers_are_alone)
{
    host_threads_run(rwlock_work);
    ck_assert_uint_eq(pair[0], (uint64_t)rounds(10000) / 4 * HOST_THREADS);
}
END_TEST

static void semaphore_work(uint32_t index)
{
    (void)index;
    for (uint32_t i = 0; i < rounds(10000); ++i) {
        semaphore_wait(&semaphore);
        ++counter;
        ck_assert_int_eq(semaphore_post(&semaphore), 0);
    }
}

START_TEST(a_semaphore_of_one_orders_what_it_protects)
{
    counter = 0;
    semaphore_init(&semaphore, 1);
    host_threads_run(semaphore_work);
    ck_assert_uint_eq(counter, (uint64_t)HOST_THREADS * rounds(10000));
}
END_TEST

// ---- Without locks -------------------------------------------------------

static struct sequence sequence;
static _Atomic uint64_t halves[2]; // equal, but while they are changed
static _Atomic uint32_t readers;   // that have not done yet

static void sequence_work(uint32_t index)
{
    uint32_t number, held = 0;
    while (index == 0 && atomic_load(&readers) > 0) {
        sequence_change_begin(&sequence);
        for (uint32_t i = 0; i < 2; ++i) {
            uint64_t half = atomic_load_explicit(&halves[i], memory_order_relaxed);
            atomic_store_explicit(&halves[i], half + 1, memory_order_relaxed);
        }
        sequence_change_end(&sequence);
        (void)sched_yield(); // readers are to see some of them whole
    }
    while (index != 0 && held < rounds(20000)) {
        if (sequence_begin(&sequence, &number)) {
            uint64_t first = atomic_load_explicit(&halves[0], memory_order_relaxed);
            uint64_t second = atomic_load_explicit(&halves[1], memory_order_relaxed);
            bool holds = sequence_holds(&sequence, number);
            ck_assert(!holds || first == second);
            held += holds;
        }
    }
    readers -= index != 0;
}

START_TEST(what_holds_was_so_at_one_time)
{
    readers = HOST_THREADS - 1;
    host_threads_run(sequence_work);
}
END_TEST

static struct bell bell;
static uint32_t errands[HOST_THREADS]; // plain: what each thread rings for
static _Atomic uint32_t answers[HOST_THREADS];

static void bell_listen(void)
{
    uint32_t left = (HOST_THREADS - 1) * rounds(5000);
    bell_listener_set(&bell, thread_self());
    while (left > 0) {
        for (uint32_t bits = bell_wait(&bell); bits != 0; bits &= bits - 1) {
            uint32_t index = (uint32_t)__builtin_ctz(bits);
            answers[index] = errands[index];
            --left;
        }
    }
}

static void bell_work(uint32_t index)
{
    if (index == 0) {
        bell_listen();
        return;
    }
    for (uint32_t i = 1; i <= rounds(5000); ++i) {
        errands[index] = i;
        bell_ring(&bell, 1u << index);
        while (answers[index] != i) {
            (void)sched_yield();
        }
    }
}

START_TEST(who_listens_hears_each_ring)
{
    bell = (struct bell){0};
    memset((void *)answers, 0, sizeof answers);
    host_threads_run(bell_work);
}
END_TEST

enum { RING_SLOTS = 16, RING_MESSAGES = 64 }; // the second for each producer, used in turns

static struct ring ring; // from thread 1; the others have ring_many
static uintptr_t ring_slots[RING_SLOTS];
static struct ring_many ring_many;
static struct ring_slot ring_many_slots[RING_SLOTS];
static uint64_t messages[HOST_THREADS][RING_MESSAGES]; // plain
static _Atomic uint64_t messages_read[HOST_THREADS];

static void ring_take(uintptr_t value)
{
    const uint32_t index = (uint32_t)(value / RING_MESSAGES);
    const uint64_t number = messages_read[index];
    ck_assert_uint_eq(value % RING_MESSAGES, number % RING_MESSAGES);
    ck_assert_uint_eq(messages[index][value % RING_MESSAGES], number);
    messages_read[index] = number + 1;
}

static void ring_listen(void)
{
    uint64_t left = (HOST_THREADS - 1) * (uint64_t)rounds(20000);
    bell_listener_set(&bell, thread_self());
    while (left > 0) {
        uintptr_t values[3];
        const uint32_t count = ring_pop(&ring, values, 3);
        for (uint32_t i = 0; i < count; ++i) {
            ring_take(values[i]);
        }
        left -= count;
        const bool is_taken = ring_many_pop(&ring_many, &values[0]);
        if (is_taken) {
            ring_take(values[0]);
            --left;
        }
        if (count == 0 && !is_taken) {
            (void)bell_wait(&bell);
        }
    }
}

static void ring_work(uint32_t index)
{
    if (index == 0) {
        ring_listen();
        return;
    }
    for (uint64_t number = 0; number < rounds(20000);) {
        if (number - messages_read[index] < RING_MESSAGES) { // what was there is read
            const uintptr_t value = index * RING_MESSAGES + number % RING_MESSAGES;
            messages[index][number % RING_MESSAGES] = number;
            number += index == 1 ? ring_push(&ring, &value, 1) : ring_many_push(&ring_many, value);
            bell_ring(&bell, 1);
        } else {
            (void)sched_yield();
        }
    }
}

START_TEST(each_message_comes_once_and_in_order)
{
    bell = (struct bell){0};
    ring_init(&ring, ring_slots, RING_SLOTS);
    ring_many_init(&ring_many, ring_many_slots, RING_SLOTS);
    memset((void *)messages_read, 0, sizeof messages_read);
    host_threads_run(ring_work);
}
END_TEST

// ---- Memory --------------------------------------------------------------

static void bytes_fill(unsigned char *bytes, size_t size)
{
    memset(bytes, (int)(size % 251), size);
}

static void bytes_check(const unsigned char *bytes, size_t size)
{
    ck_assert_uint_eq(bytes[0], size % 251);
    ck_assert_uint_eq(bytes[size / 2], size % 251);
    ck_assert_uint_eq(bytes[size - 1], size % 251);
}

static _Atomic(size_t *) parcels[SLOTS]; // a block, its size in front

static void heap_work(uint32_t index)
{
    uint32_t state = index + 1;
    for (uint32_t i = 0; i < rounds(40000); ++i) {
        size_t size = sizeof(size_t) + 1 + random_next(&state) % (i % 64 == 0 ? 60000 : 500);
        size_t *parcel = heap_alloc(size);
        ck_assert_ptr_nonnull(parcel);
        *parcel = size;
        bytes_fill((unsigned char *)(parcel + 1), size - sizeof(size_t));
        parcel = atomic_exchange(&parcels[random_next(&state) % SLOTS], parcel);
        if (parcel != NULL) { // mostly another thread's
            bytes_check((unsigned char *)(parcel + 1), *parcel - sizeof(size_t));
            heap_free(parcel);
        }
    }
}

START_TEST(blocks_are_freed_by_other_threads)
{
    host_threads_run(heap_work);
}
END_TEST

static _Atomic hal_phys runs[SLOTS]; // a run of frames, its length in the low bits

static void frame_work(uint32_t index)
{
    uint32_t state = index + 1;
    for (uint32_t i = 0; i < rounds(20000); ++i) {
        size_t count = random_next(&state) % 4 == 0 ? 1 + random_next(&state) % 40 : 1;
        hal_phys start;
        if (frame_alloc(count, 0, &start) != 0) {
            continue;
        }
        for (size_t page = 0; page < count; ++page) {
            *(uint64_t *)(void *)(frame_address(start) + page * HAL_PAGE_SIZE) = start + page;
        }
        hal_phys run = atomic_exchange(&runs[random_next(&state) % SLOTS], start | count);
        count = run & (HAL_PAGE_SIZE - 1);
        start = run - count;
        for (size_t page = 0; page < count; ++page) {
            const char *address = frame_address(start) + page * HAL_PAGE_SIZE;
            ck_assert_uint_eq(*(const uint64_t *)(const void *)address, start + page);
        }
        if (count > 0) {
            frame_free(start, count);
        }
    }
}

START_TEST(frames_belong_to_one_thread)
{
    host_threads_run(frame_work);
}
END_TEST

static struct slab slab = {.object_size = 64};

static void slab_work(uint32_t index)
{
    uint64_t *objects[8];
    for (uint32_t i = 0; i < rounds(10000); ++i) {
        for (uint32_t n = 0; n < 8; ++n) {
            objects[n] = slab_alloc(&slab);
            ck_assert_ptr_nonnull(objects[n]);
            objects[n][7] = index;
        }
        for (uint32_t n = 0; n < 8; ++n) {
            ck_assert_uint_eq(objects[n][7], index);
            slab_free(&slab, objects[n]);
        }
    }
}

START_TEST(objects_belong_to_one_thread)
{
    host_threads_run(slab_work);
}
END_TEST

static int run_all(void)
{
    Suite *suite = suite_create("stress");
    TCase *tests = tcase_create("threads");
    tcase_set_tags(tests, "threads");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, memory_init, NULL);
    tcase_add_test(tests, a_mutex_orders_what_it_protects);
    tcase_add_test(tests, a_condition_variable_loses_no_turn);
    tcase_add_test(tests, a_wait_queue_loses_no_turn);
    tcase_add_test(tests, writers_are_alone);
    tcase_add_test(tests, a_semaphore_of_one_orders_what_it_protects);
    tcase_add_test(tests, blocks_are_freed_by_other_threads);
    tcase_add_test(tests, frames_belong_to_one_thread);
    tcase_add_test(tests, objects_belong_to_one_thread);
    suite_add_tcase(suite, tests);
    TCase *lockless = tcase_create("lockless"); // DRD takes relaxed accesses for plain ones
    tcase_set_timeout(lockless, 60);
    tcase_add_checked_fixture(lockless, memory_init, NULL);
    tcase_add_test(lockless, what_holds_was_so_at_one_time);
    tcase_add_test(lockless, who_listens_hears_each_ring);
    tcase_add_test(lockless, each_message_comes_once_and_in_order);
    suite_add_tcase(suite, lockless);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}

int main(void)
{
    const char *seconds = getenv("OSV_STRESS_SECONDS");
    time_t end = time(NULL) + (seconds != NULL ? atoi(seconds) : 0);
    int failed;
    do {
        failed = run_all();
    } while (failed == 0 && time(NULL) < end);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
