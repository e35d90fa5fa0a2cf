// SPDX-License-Identifier: BSD-3-Clause
// no_errors.c: what a correct program does with memory, threads, files and signals, so that every
// report about it is a mistake of the machine's.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS = 6, ROUNDS = 20, BLOCKS = 40 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static long total;
static int turn;
static volatile sig_atomic_t signal_count;

static long blocks_use(void)
{
    char *blocks[BLOCKS];
    long sum = 0;
    for (int i = 0; i < BLOCKS; ++i) {
        size_t size = 1 + (size_t)i * i * 7;
        blocks[i] = i % 3 == 0 ? calloc(1, size) : malloc(size);
        memset(blocks[i], i, size);
        blocks[i] = i % 5 == 0 ? realloc(blocks[i], size * 2) : blocks[i];
    }
    for (int i = 0; i < BLOCKS; ++i) {
        sum += blocks[i][0];
        free(blocks[i]);
    }
    return sum;
}

static void *work(void *argument)
{
    int mine = (int)(long)argument;
    for (int round = 0; round < ROUNDS; ++round) {
        long sum = blocks_use();
        pthread_mutex_lock(&mutex);
        while (turn % THREADS != mine) {
            pthread_cond_wait(&turned, &mutex);
        }
        ++turn;
        total += sum;
        pthread_cond_broadcast(&turned);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void on_signal(int number)
{
    signal_count += number == SIGUSR1;
}

static jmp_buf place;

static void leave_deep(int left)
{
    char room[3000];
    memset(room, left, sizeof room);
    if (left > 0) {
        leave_deep(left - 1);
    }
    longjmp(place, room[5] + 7);
}

static int files_use(void)
{
    FILE *file = tmpfile();
    char line[200];
    int count = 0;
    for (int i = 0; i < 100; ++i) {
        fprintf(file, "line %d of %s, %.3f\n", i, "a file", i / 7.0);
    }
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL) {
        count += strstr(line, "of a file") != NULL && strtol(line + 5, NULL, 10) == count;
    }
    fclose(file);
    return count;
}

static int pages_use(void)
{
    size_t size = 300 << 10;
    char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int sum = pages[size - 1];
    pages[size / 2] = 5;
    pages = mremap(pages, size, 2 * size, MREMAP_MAYMOVE);
    sum += pages[size / 2] + pages[2 * size - 1];
    munmap(pages, 2 * size);
    return sum;
}

int main(int count, char **arguments)
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; ++i) {
        pthread_create(&threads[i], NULL, work, (void *)i);
    }
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], NULL);
    }
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    int jumped = setjmp(place);
    if (jumped == 0) {
        leave_deep(10);
    }
    printf("%ld %d %d %d %d %d\n", total, (int)signal_count, jumped, files_use(), pages_use(),
           count);
    char *copy = strdup(arguments[0]);
    int is_name = strrchr(copy, '/') != NULL && access(copy, R_OK) == 0;
    free(copy);
    return is_name ? 0 : 1;
}
