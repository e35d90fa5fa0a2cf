// SPDX-License-Identifier: BSD-3-Clause
// pipes.c: pipes, eventfd, poll and select, within one thread and between two.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

#include "show.h"

static void one_thread(void)
{
    int fds[2];
    char data[70000];
    SHOW(pipe2(fds, O_NONBLOCK));
    SHOW(read(fds[0], data, 10));
    SHOW(write(fds[1], "0123456789", 10));
    int available = 0;
    SHOW(ioctl(fds[0], FIONREAD, &available));
    printf("%d\n", available);
    SHOW(read(fds[0], data, 4));
    SHOW(read(fds[0], data, 100));
    memset(data, 'p', sizeof data);
    SHOW(write(fds[1], data, sizeof data));
    SHOW(write(fds[1], data, 1));
    SHOW(read(fds[0], data, 65536));
    SHOW(read(fds[1], data, 1));
    SHOW(write(fds[0], data, 1));
    SHOW(lseek(fds[0], 0, SEEK_SET));
    close(fds[1]);
    SHOW(read(fds[0], data, 1));
    close(fds[0]);
    SHOW(pipe2(fds, 12345));
    SHOW(pipe(fds));
    close(fds[0]);
    signal(SIGPIPE, SIG_IGN);
    SHOW(write(fds[1], "x", 1));
    close(fds[1]);
}

static void polling(void)
{
    int fds[2];
    pipe(fds);
    struct pollfd items[3] = {{fds[0], POLLIN, 0}, {fds[1], POLLOUT, 0}, {-1, POLLIN, 0}};
    SHOW(poll(items, 3, 0));
    printf("%x %x %x\n", items[0].revents, items[1].revents, items[2].revents);
    SHOW(poll(items, 1, 10));
    write(fds[1], "x", 1);
    SHOW(poll(items, 2, -1));
    printf("%x %x\n", items[0].revents, items[1].revents);
    close(fds[1]);
    SHOW(poll(items, 2, -1));
    printf("%x %x\n", items[0].revents, items[1].revents);
    char byte;
    read(fds[0], &byte, 1);
    SHOW(poll(items, 1, -1));
    printf("%x\n", items[0].revents);
    fd_set reads, writes;
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_SET(fds[0], &reads);
    struct timeval none = {0, 1000};
    SHOW(select(fds[0] + 1, &reads, &writes, NULL, &none));
    printf("%d\n", FD_ISSET(fds[0], &reads));
    close(fds[0]);
    SHOW(select(fds[0] + 1, &reads, NULL, NULL, &none));
    SHOW(select(-1, NULL, NULL, NULL, &none));
    SHOW(select(0, NULL, NULL, NULL, &none));
}

static void counters(void)
{
    uint64_t value = 5;
    int fd = eventfd(3, EFD_NONBLOCK);
    SHOW(write(fd, &value, 8));
    SHOW(read(fd, &value, 4));
    SHOW(read(fd, &value, 8));
    printf("%lu\n", value);
    SHOW(read(fd, &value, 8));
    close(fd);
    fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    SHOW(read(fd, &value, 8));
    SHOW(read(fd, &value, 8));
    SHOW(read(fd, &value, 8));
    close(fd);
}

static int forth[2], back[2];

static void *echo(void *unused)
{
    uint32_t number;
    while (read(forth[0], &number, sizeof number) == sizeof number) {
        number *= 3;
        write(back[1], &number, sizeof number);
    }
    close(back[1]);
    return unused;
}

static void two_threads(void)
{
    pthread_t thread;
    uint64_t sum = 0;
    uint32_t number;
    pipe(forth);
    pipe(back);
    pthread_create(&thread, NULL, echo, NULL);
    for (uint32_t i = 0; i < 2000; ++i) {
        write(forth[1], &i, sizeof i);
        struct pollfd item = {back[0], POLLIN, 0};
        if (i % 10 == 0 && poll(&item, 1, -1) != 1) {
            printf("poll answered no event\n");
        }
        read(back[0], &number, sizeof number);
        sum += number;
    }
    close(forth[1]);
    SHOW(read(back[0], &number, sizeof number));
    pthread_join(thread, NULL);
    printf("sum %lu\n", sum);
}

static char big[1 << 20];

static void *big_writer(void *unused)
{
    for (size_t i = 0; i < sizeof big; ++i) {
        big[i] = (char)(i * 7);
    }
    printf("wrote %ld\n", (long)write(forth[1], big, sizeof big));
    close(forth[1]);
    return unused;
}

static void bulk(void)
{
    pthread_t thread;
    char data[5000];
    size_t total = 0;
    int is_right = 1;
    ssize_t got;
    pipe(forth);
    pthread_create(&thread, NULL, big_writer, NULL);
    while ((got = read(forth[0], data, sizeof data)) > 0) {
        for (ssize_t i = 0; i < got; ++i) {
            is_right &= data[i] == (char)((total + (size_t)i) * 7);
        }
        total += (size_t)got;
    }
    pthread_join(thread, NULL);
    printf("read %zu, right %d\n", total, is_right);
}

// A reader that waits with less room than comes, and one without any. What they leave is the next
// one's; whether they wait before it comes makes no difference.
static ssize_t early_got;
static int early_error;
static char *early_data;

static void *early_reader(void *unused)
{
    early_got = read(forth[0], early_data, 4);
    early_error = early_got < 0 ? errno : 0;
    return unused;
}

static void early(void)
{
    static char four[5];
    char rest[16] = "";
    char *const places[] = {four, (char *)16};
    pipe(forth);
    for (int i = 0; i < 2; ++i) {
        pthread_t thread;
        early_data = places[i];
        pthread_create(&thread, NULL, early_reader, NULL);
        for (int turn = 0; turn < 3 * i; ++turn) {
            sched_yield();
        }
        SHOW(write(forth[1], "0123456789", 10));
        pthread_join(thread, NULL);
        printf("%ld '%s' %d\n", (long)early_got, four, early_error);
        SHOW(read(forth[0], rest, 10));
        printf("'%s'\n", rest);
    }
    int event = eventfd(0, 0);
    uint64_t one = 1, none = 0;
    forth[0] = event;
    pthread_t thread;
    early_data = NULL;
    pthread_create(&thread, NULL, early_reader, NULL);
    pthread_join(thread, NULL); // 4 bytes are too few
    printf("%ld %d\n", (long)early_got, early_error);
    SHOW(write(event, &none, 8));
    SHOW(write(event, &one, 8));
    SHOW(read(event, &one, 8));
    close(event);
}

static ssize_t left_wrote;

static void *left_writer(void *unused)
{
    left_wrote = write(forth[1], big, sizeof big);
    return unused;
}

// A write goes on though its descriptor is closed, or is another file's, while it waits for room.
static void closed(bool is_replaced)
{
    static char data[4096];
    int other[2], available = 0, in_all = 0;
    pthread_t thread;
    ssize_t count;
    pipe(forth);
    pipe(other);
    pthread_create(&thread, NULL, left_writer, NULL);
    while (available < 65536) {
        sched_yield();
        ioctl(forth[0], FIONREAD, &available);
    }
    if (is_replaced) {
        SHOW(dup2(other[1], forth[1]) == forth[1]);
    } else {
        SHOW(close(forth[1]));
    }
    while ((count = read(forth[0], data, sizeof data)) > 0) {
        in_all += (int)count;
    }
    printf("%d and then %zd\n", in_all, count); // the end, once the write is over
    pthread_join(thread, NULL);
    printf("wrote %zd\n", left_wrote);
    if (is_replaced) {
        SHOW(write(forth[1], "y", 1));
        close(forth[1]);
    }
    close(other[1]);
    SHOW(read(other[0], data, sizeof data));
    close(other[0]);
    close(forth[0]);
}

int main(void)
{
    early();
    closed(false);
    closed(true);
    one_thread();
    polling();
    counters();
    two_threads();
    bulk();
    return 0;
}
