// SPDX-License-Identifier: BSD-3-Clause
// musl_names.c: functions of ours under the names by which musl's own files call them.
#include <locale.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

char *libc_error_text(int error);
char *glibc_strsignal(int signal);
int glibc_pthread_sigmask(int how, const void *set, void *old);
void glibc_qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
int glibc_sem_init(void *semaphore, int shared, unsigned value);
int glibc_sem_destroy(void *semaphore);
int glibc_sem_wait(void *semaphore);
int glibc_sem_post(void *semaphore);

char *strerror(int error)
{
    return libc_error_text(error);
}

char *__strerror_l(int error, locale_t locale)
{
    (void)locale;
    return libc_error_text(error);
}

char *strsignal(int signal)
{
    return glibc_strsignal(signal);
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    return glibc_pthread_sigmask(how, set, old);
}

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    glibc_qsort(base, count, size, compare);
}

int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    return glibc_sem_init(semaphore, shared, value);
}

int sem_destroy(sem_t *semaphore)
{
    return glibc_sem_destroy(semaphore);
}

int sem_wait(sem_t *semaphore)
{
    return glibc_sem_wait(semaphore);
}

int sem_post(sem_t *semaphore)
{
    return glibc_sem_post(semaphore);
}

int glibc_fork(void);
int glibc_posix_spawn(int *child, const char *path, const void *actions, const void *attributes,
                      char *const *argv, char *const *envp);
void libc_cancel_test(void);

int fork(void)
{
    return glibc_fork();
}

int posix_spawn(int *child, const char *path, const void *actions, const void *attributes,
                char *const *argv, char *const *envp)
{
    return glibc_posix_spawn(child, path, actions, attributes, argv, envp);
}

void pthread_testcancel(void)
{
    libc_cancel_test();
}
