// SPDX-License-Identifier: BSD-3-Clause
// libc_layout_test.c: the objects that programs allocate have room for ours, and lie as glibc's
// headers say. This file is compiled with the host's headers.
#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/sync/condvar.h"
#include "core/sync/mutex.h"
#include "core/sync/rwlock.h"
#include "core/sync/semaphore.h"
#include "libc_layout.h"

START_TEST(objects_have_glibcs_sizes)
{
    ck_assert_uint_eq(sizeof(struct mutex), sizeof(pthread_mutex_t));
    ck_assert_uint_eq(sizeof(struct condvar), sizeof(pthread_cond_t));
    ck_assert_uint_le(sizeof(struct rwlock), sizeof(pthread_rwlock_t));
    ck_assert_uint_le(sizeof(struct semaphore), sizeof(sem_t));
    ck_assert_uint_eq(sizeof(pthread_barrier_t), 32); // asserted there, too
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

// Where the headers differ, and why no program sees it. By the beginning of the name.
static const struct {
    const char *name, *why;
} known[] = {
    {"sizeof int_fast16_t", "no function takes one"},
    {"sizeof int_fast32_t", "no function takes one"},
    {"sizeof struct utmpx",
     "core/libc neither reads nor writes utmp: its functions answer that there is none"},
    {"struct utmpx.ut_tv", "as above"},
    {"sizeof struct rusage", "the system call fills what both begin with; nothing is copied whole"},
    {"sizeof struct sysinfo", "the system call writes glibc's 112 bytes"},
    {"sizeof ucontext_t",
     "context_*.S and signal frames go by glibc's and the kernel's places, not by this"},
    {"sizeof struct sched_param", "pthread_schedule.c and pthread_thread.c read an int"},
    {"CPU_SETSIZE", "counts bytes; the sets are equally large"},
    {"PTHREAD_KEYS_MAX", "pthread_key.c has 1024"},
    {"sizeof struct msghdr.msg_", "the same four bytes, and four of padding that are kept 0"},
    {"sizeof struct tcp_info", "the caller says how much it takes"},
    {"SOMAXCONN", "a program's own number"},
    {"NI_MAXHOST", "core/libc's names are shorter"},
    {"BUFSIZ", "setbuf's buffer is larger than what is used of it"},
    {"FOPEN_MAX", "a program's own number"},
    {"TMP_MAX", "a program's own number"},
    {"MB_LEN_MAX", "a program's buffer is larger"},
    {"HOST_NAME_MAX", "the kernel's limit is glibc's"},
    {"LC_ALL_MASK", "newlocale asks for the categories that exist"},
    {"FTW_", "ftw.c has glibc's numbers"},
};

static bool is_known(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; ++i) {
        if (strncmp(name, known[i].name, strlen(known[i].name)) == 0) {
            return true;
        }
    }
    return false;
}

START_TEST(public_headers_agree)
{
    int wrong = 0;
    ck_assert_int_eq(layout_of_glibc_count, layout_of_core_count);
    for (int i = 0; i < layout_of_glibc_count; ++i) {
        const struct layout_row *want = &layout_of_glibc[i], *have = &layout_of_core[i];
        ck_assert_str_eq(want->name, have->name);
        if (want->value != have->value && !is_known(want->name)) {
            printf("%s: glibc %ld, core %ld\n", want->name, want->value, have->value);
            ++wrong;
        }
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("libc_layout");
    TCase *all = tcase_create("layout");
    tcase_add_test(all, objects_have_glibcs_sizes);
    tcase_add_test(all, static_initialisers_mean_what_they_say);
    tcase_add_test(all, public_headers_agree);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
