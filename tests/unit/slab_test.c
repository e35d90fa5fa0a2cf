// SPDX-License-Identifier: BSD-3-Clause
// slab_test.c: an object is zero the first time, keeps its contents when free, and is never given
// twice.
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/percpu.h"
#include "core/mem/slab.h"
#include "tests/unit/hal/unit_hal.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <valgrind/valgrind.h>

#include "memory_host.h"

enum { MIB = 1 << 20, CPUS = 3 };

static struct percpu cpus[CPUS];

static void boot(void)
{
    for (uint32_t i = 0; i < CPUS; i++) {
        cpus[i].index = i;
    }
    unit_cpu = (struct cpu *)(void *)&cpus[0];
    memory_host_init(CPUS);
    for (uint32_t i = 0; i < CPUS; i++) {
        cpus[i].heap = percpu_heaps[i];
    }
}

static struct slab slab = {.object_size = 48};

START_TEST(objects_keep_their_contents)
{
    boot();
    uint64_t *first = slab_alloc(&slab);
    for (int i = 0; i < 6; i++) {
        ck_assert_uint_eq(first[i], 0);
        first[i] = 77;
    }
    uint64_t *second = slab_alloc(&slab);
    ck_assert_ptr_ne(first, second);
    slab_free(&slab, first);
    for (int i = 0; i < 6; i++) {
        ck_assert_uint_eq(first[i], 77);
    }
    ck_assert_ptr_eq(slab_alloc(&slab), first);
    ck_assert_uint_eq(first[0], 77);
}
END_TEST

static _Atomic int failures;

static void *take_and_give(void *argument)
{
    unit_cpu = (struct cpu *)(void *)&cpus[(uintptr_t)argument];
    for (int i = 0; i < (RUNNING_ON_VALGRIND ? 2500 : 50000); i++) {
        _Atomic uint64_t *object = slab_alloc(&slab);
        failures += atomic_fetch_add(object, 1) != 0;
        failures += atomic_fetch_sub(object, 1) != 1;
        slab_free(&slab, (void *)object);
    }
    return NULL;
}

START_TEST(one_holder_at_a_time)
{
    boot();
    pthread_t threads[CPUS];
    for (uintptr_t i = 0; i < CPUS; i++) {
        pthread_create(&threads[i], NULL, take_and_give, (void *)i);
    }
    for (int i = 0; i < CPUS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(failures, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slab");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 250);
    tcase_add_test(tests, objects_keep_their_contents);
    suite_add_tcase(suite, tests);
    TCase *threads = tcase_create("threads");
    tcase_set_tags(threads, "threads");
    tcase_set_timeout(threads, 250);
    tcase_add_test(threads, one_holder_at_a_time);
    suite_add_tcase(suite, threads);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
