// SPDX-License-Identifier: BSD-3-Clause
// semaphore.c: named semaphores, and which arguments printf's patterns have.
#include <fcntl.h>
#include <limits.h>
#include <printf.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "same.h"

static void *waiter(void *named)
{
    sem_wait(named);
    sem_post(named);
    return NULL;
}

static void named(void)
{
    char name[300], path[320];
    struct stat stat_;
    int value;
    snprintf(name, sizeof name, "/same.%d", getpid());
    snprintf(path, sizeof path, "/dev/shm/sem.%s", name + 1);
    RESULT(sem_open(name, 0) == SEM_FAILED);
    RESULT(sem_open("", O_CREAT, 0600, 1) == SEM_FAILED);
    RESULT(sem_open("/a/b", O_CREAT, 0600, 1) == SEM_FAILED);
    RESULT(sem_open("/same.large", O_CREAT, 0600, (unsigned)INT_MAX + 1) == SEM_FAILED);
    sem_t *first = sem_open(name, O_CREAT | O_EXCL, 0640, 2);
    sem_t *second = sem_open(name, O_CREAT, 0600, 7);
    NUMBER(first == second);
    RESULT(sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED);
    NUMBER(sem_getvalue(second, &value));
    NUMBER(value);
    NUMBER(stat(path, &stat_));
    NUMBER(stat_.st_size);
    NUMBER(stat_.st_mode & 0740);
    NUMBER(sem_wait(first) + sem_wait(first));
    RESULT(sem_trywait(second));
    pthread_t thread;
    pthread_create(&thread, NULL, waiter, second);
    sem_post(first);
    pthread_join(thread, NULL);
    RESULT(sem_unlink(name));
    RESULT(sem_unlink(name));
    sem_t *third = sem_open(name, O_CREAT, 0600, 5);
    NUMBER(third == first);
    NUMBER(sem_getvalue(third, &value));
    NUMBER(value);
    RESULT(sem_close(first));
    RESULT(sem_post(second));
    RESULT(sem_close(second));
    RESULT(sem_close(second));
    RESULT(sem_close(third));
    RESULT(sem_unlink(name));
    RESULT(sem_unlink("/a/b"));
    memset(name, 'n', sizeof name - 1);
    RESULT(sem_unlink(name));
    RESULT(sem_open(name, 0) == SEM_FAILED);
}

static void patterns(void)
{
    static const char *const patterns[] = {"",
                                           "plain",
                                           "%d %s",
                                           "%%%m",
                                           "%*.*f",
                                           "%hd%hhd%ld%lld%zd%td%jd",
                                           "%c%lc%C%s%ls%S%p",
                                           "%n%hn%ln",
                                           "%e%Lg%llf%lf",
                                           "%2$s %1$d",
                                           "%3$*1$.*2$f",
                                           "%y %d",
                                           "%u%x%X%o",
                                           "%5$d",
                                           "%",
                                           "%d%"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; ++i) {
        int types[16];
        memset(types, -1, sizeof types);
        size_t count = parse_printf_format(patterns[i], 8, types);
        printf("%s: %zu:", patterns[i], count);
        for (int j = 0; j < 10; ++j) {
            printf(" %x", types[j]);
        }
        puts("");
    }
}

void semaphore_section(void)
{
    named();
    patterns();
}
