// SPDX-License-Identifier: BSD-3-Clause
// libc_layout_test.c: the objects that programs allocate have room for ours, and lie as glibc's
// headers say. This file is compiled with the host's headers.
#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/sync/condvar.h"
#include "core/sync/mutex.h"
#include "core/sync/rwlock.h"
#include "core/sync/semaphore.h"

START_TEST(objects_have_glibcs_sizes)
{
    ck_assert_uint_eq(sizeof(struct mutex), sizeof(pthread_mutex_t));
    ck_assert_uint_eq(sizeof(struct condvar), sizeof(pthread_cond_t));
    ck_assert_uint_le(sizeof(struct rwlock), sizeof(pthread_rwlock_t));
    ck_assert_uint_le(sizeof(struct semaphore), sizeof(sem_t));
    ck_assert_uint_le(sizeof(void *), sizeof(pthread_barrier_t));
    ck_assert_uint_eq(sizeof(int), sizeof(pthread_once_t));
    ck_assert_uint_eq(sizeof(int), sizeof(pthread_spinlock_t));
    ck_assert_uint_eq(sizeof(pthread_attr_t), 56);
    ck_assert_uint_eq(sizeof(pthread_mutexattr_t), sizeof(int));
    ck_assert_uint_eq(sizeof(pthread_condattr_t), sizeof(int));
    ck_assert_uint_eq(sizeof(pthread_rwlockattr_t), 2 * sizeof(int));
}
END_TEST

START_TEST(static_initialisers_mean_what_they_say)
{
    struct mutex mutex;
    pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&mutex, &plain, sizeof mutex);
    struct mutex zero = {0};
    ck_assert_mem_eq(&mutex, &zero, sizeof mutex);
    pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    memcpy(&mutex, &recursive, sizeof mutex);
    ck_assert_uint_eq(mutex.kind, PTHREAD_MUTEX_RECURSIVE_NP);
    mutex.kind = 0;
    ck_assert_mem_eq(&mutex, &zero, sizeof mutex);
    struct rwlock lock;
    pthread_rwlock_t writers = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
    memcpy(&lock, &writers, sizeof lock);
    ck_assert_uint_eq(lock.kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    struct condvar none;
    memset(&none, 0, sizeof none);
    ck_assert_mem_eq(&cond, &none, sizeof none);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("libc_layout");
    TCase *all = tcase_create("layout");
    tcase_add_test(all, objects_have_glibcs_sizes);
    tcase_add_test(all, static_initialisers_mean_what_they_say);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
