// SPDX-License-Identifier: BSD-3-Clause
// edges.c: a reader that is told of edges only (EPOLLET) and takes a read of less than it asked for
// as all there was, as epoll(7) lets it. The writer goes on when all of its record has arrived.
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { RECORDS = 60, RECORD_MAX = 300 };

static int ends[2];
static _Atomic unsigned long written;
static unsigned long taken, sum; // the reader's
static sem_t arrived;

static void *feed(void *unused)
{
    char record[RECORD_MAX];
    for (int i = 0; i < RECORDS; ++i) {
        size_t size = 1 + (size_t)i * 37 % RECORD_MAX;
        memset(record, 'a' + i % 26, size);
        written += size;
        if (write(ends[1], record, size) != (ssize_t)size) {
            puts("a write of up to PIPE_BUF bytes was not whole");
        }
        sem_wait(&arrived);
    }
    close(ends[1]);
    return unused;
}

static ssize_t take(void)
{
    static char block[1 << 16];
    ssize_t part = read(ends[0], block, sizeof block);
    for (ssize_t i = 0; i < part; ++i) {
        sum = sum * 31 + (unsigned char)block[i];
    }
    taken += part > 0 ? (unsigned long)part : 0;
    if (part > 0 && taken == written) {
        sem_post(&arrived);
    }
    return part;
}

int main(void)
{
    pthread_t thread;
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    sem_init(&arrived, 0, 0);
    if (pipe(ends) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) != 0 ||
        pthread_create(&thread, NULL, feed, NULL) != 0) {
        perror("edges");
        return 1;
    }
    while (epoll_wait(epoll, &event, 1, -1) == 1 && take() > 0) {
    }
    pthread_join(thread, NULL);
    printf("%lu bytes, %lx\n", taken, sum);
    return 0;
}
