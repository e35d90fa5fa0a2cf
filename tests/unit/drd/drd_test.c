// SPDX-License-Identifier: BSD-3-Clause
// drd_test.c: the configuration drd reports races, and no others: neither what atomic operations
// order nor guesses.
//
// Each program of two threads runs in a process of its own, which Valgrind ends with status 9
// (--error-exitcode) after a report.
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORTED = 9, ROUNDS = 50 };

static int plain;
static _Atomic int flag;

static void *thread_main(void *body)
{
    ((void (*)(void))body)();
    return NULL;
}

static bool is_reported(void (*first)(void), void (*second)(void))
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        pthread_t threads[2];
        pthread_create(&threads[0], NULL, thread_main, (void *)first);
        pthread_create(&threads[1], NULL, thread_main, (void *)second);
        pthread_join(threads[0], NULL);
        pthread_join(threads[1], NULL);
        exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == REPORTED);
    return WEXITSTATUS(status) == REPORTED;
}

static void add_plain(void)
{
    for (int i = 0; i < ROUNDS; ++i) {
        ++plain;
    }
}

static void add_atomic(void)
{
    for (int i = 0; i < ROUNDS; ++i) {
        atomic_fetch_add(&flag, 1);
    }
}

static void store_plain(void)
{
    *(volatile int *)&flag = 1;
}

static void set_released(void)
{
    plain = 1;
    atomic_store_explicit(&flag, 1, memory_order_release);
}

static void set_relaxed(void)
{
    plain = 1;
    atomic_store_explicit(&flag, 1, memory_order_relaxed);
}

static void set_by_exchange(void)
{
    int none = 0;
    plain = 1;
    (void)atomic_compare_exchange_strong(&flag, &none, 1);
}

static void wait_acquired(void)
{
    while (atomic_load_explicit(&flag, memory_order_acquire) == 0) {
    }
    ++plain;
}

static void wait_relaxed(void)
{
    while (atomic_load_explicit(&flag, memory_order_relaxed) == 0) {
    }
    ++plain;
}

static void set_behind_fence(void)
{
    plain = 1;
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&flag, 1, memory_order_relaxed);
}

static void wait_before_fence(void)
{
    while (atomic_load_explicit(&flag, memory_order_relaxed) == 0) {
    }
    atomic_thread_fence(memory_order_acquire);
    ++plain;
}

static void guess(void)
{
    (void)atomic_load_explicit(&flag, memory_order_relaxed);
}

START_TEST(what_nothing_orders_is_reported)
{
    ck_assert(is_reported(add_plain, add_plain));
    ck_assert(is_reported(add_atomic, store_plain));
}
END_TEST

START_TEST(what_a_relaxed_operation_does_not_order_is_reported)
{
    ck_assert(is_reported(set_relaxed, wait_acquired));
    ck_assert(is_reported(set_released, wait_relaxed));
}
END_TEST

START_TEST(what_atomic_operations_order_is_not_reported)
{
    ck_assert(!is_reported(add_atomic, add_atomic));
    ck_assert(!is_reported(set_released, wait_acquired));
    ck_assert(!is_reported(set_by_exchange, wait_acquired));
    ck_assert(!is_reported(set_behind_fence, wait_before_fence));
}
END_TEST

START_TEST(a_guess_is_not_reported)
{
    ck_assert(!is_reported(store_plain, guess));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drd");
    TCase *tests = tcase_create("threads");
    tcase_set_tags(tests, "threads");
    tcase_set_timeout(tests, 10);
    tcase_add_test(tests, what_nothing_orders_is_reported);
    tcase_add_test(tests, what_a_relaxed_operation_does_not_order_is_reported);
    tcase_add_test(tests, what_atomic_operations_order_is_not_reported);
    tcase_add_test(tests, a_guess_is_not_reported);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
