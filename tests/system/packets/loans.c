// SPDX-License-Identifier: BSD-3-Clause
// loans.c: an example of sends that lend their bytes (osv/zcopy.h): these are read where they lie
// by who receives them, and over once he has given them back; an eventfd tells so. What is copied
// is over at once.
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/libc/include/osv/zcopy.h"
#include "ends.h"

enum { SIZE = 65536, PIECES = 64, ROUNDS = 25, FEW = 512 };

static struct msghdr message_of(struct iovec *vector, char *data, size_t size)
{
    *vector = (struct iovec){data, size};
    return (struct msghdr){.msg_iov = vector, .msg_iovlen = 1};
}

static uint64_t event_read(int event)
{
    uint64_t count = 0;
    (void)!read(event, &count, sizeof count);
    return count;
}

// Whether all that is received lies in data, but for packets of few bytes, and how much that is.
static size_t pieces_within(int fd, const char *data, size_t size, struct osv_piece *pieces,
                            int *count, bool *is_within)
{
    size_t total = 0;
    *count = 0;
    *is_within = true;
    while (total < size) {
        const int got = osv_zcopy_rx(fd, pieces + *count, (unsigned)(PIECES - *count), 0);
        if (got <= 0) {
            break;
        }
        for (int i = *count; i < *count + got; ++i) {
            total += pieces[i].size;
            *is_within &=
                pieces[i].size <= FEW || (pieces[i].data >= data && pieces[i].data < data + size);
        }
        *count += got;
    }
    return total;
}

static void lent(int family)
{
    struct ends ends = connected(family);
    struct iovec vector;
    struct osv_piece pieces[PIECES];
    struct osv_sending *sending;
    char *data = malloc(SIZE);
    const int event = eventfd(0, EFD_NONBLOCK);
    const struct msghdr message = message_of(&vector, data, SIZE);
    int count;
    bool is_within;
    for (size_t i = 0; i < SIZE; ++i) {
        data[i] = byte_at(i);
    }
    printf("sent: %zd\n", osv_zcopy_tx(ends.near, &message, 0, event, &sending));
    const size_t got = pieces_within(ends.far, data, SIZE, pieces, &count, &is_within);
    printf("received: %d, where it was: %d\n", got == SIZE, is_within);
    show("not over", osv_zcopy_txclose(sending, MSG_DONTWAIT));
    printf("event: %llu\n", (unsigned long long)event_read(event));
    osv_zcopy_rxgc(pieces, (unsigned)count);
    struct pollfd item = {.fd = event, .events = POLLIN};
    poll(&item, 1, -1);
    printf("event: %llu\n", (unsigned long long)event_read(event));
    show("over", osv_zcopy_txclose(sending, MSG_DONTWAIT));
    free(data);
    close(event);
    close(ends.near);
    close(ends.far);
}

static void copied_send(const char *what, int fd, char *data, size_t size)
{
    struct iovec vector;
    struct osv_sending *sending;
    const int event = eventfd(0, EFD_NONBLOCK);
    const struct msghdr message = message_of(&vector, data, size);
    const ssize_t sent = osv_zcopy_tx(fd, &message, 0, event, &sending);
    const uint64_t count = event_read(event);
    printf("%s: %d, event: %llu, close: %d\n", what, sent == (ssize_t)size,
           (unsigned long long)count, osv_zcopy_txclose(sending, MSG_DONTWAIT));
    close(event);
}

static void copied(void)
{
    static char own[SIZE];
    struct ends ends = connected(AF_INET);
    char *mapped = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *small = malloc(100);
    memset(small, 's', 100);
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    const int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    bind(datagrams, (struct sockaddr *)&name, size);
    getsockname(datagrams, (struct sockaddr *)&name, &size);
    connect(datagrams, (struct sockaddr *)&name, size);
    copied_send("few bytes", ends.near, small, 100);
    copied_send("its own data", ends.near, own, SIZE);
    copied_send("a mapping", ends.near, mapped, SIZE);
    copied_send("a datagram", datagrams, small, 100);
    munmap(mapped, SIZE);
    free(small);
    close(datagrams);
    close(ends.near);
    close(ends.far);
}

// One who receives by recv, slowly at first; the sender uses its memory again once it is over.
static void *all_receive(void *argument)
{
    static char data[7000];
    uint64_t place = 0, wrong = 0;
    ssize_t size;
    while ((size = recv(*(int *)argument, data, sizeof data, 0)) > 0) {
        for (ssize_t i = 0; i < size; ++i) {
            wrong += data[i] != byte_at(place++);
        }
    }
    printf("bytes: %llu, wrong: %llu\n", (unsigned long long)place, (unsigned long long)wrong);
    return NULL;
}

static void again(void)
{
    struct ends ends = connected(AF_INET6);
    struct iovec vectors[2];
    char *data = malloc(SIZE);
    pthread_t receiver;
    uint64_t place = 0;
    pthread_create(&receiver, NULL, all_receive, &ends.far);
    for (int round = 0; round < ROUNDS; ++round) {
        struct osv_sending *sending;
        const size_t size = 5000 + (size_t)round * 2400;
        for (size_t i = 0; i < size; ++i) {
            data[i] = byte_at(place + i);
        }
        place += size;
        vectors[0] = (struct iovec){data, (size_t)round};
        vectors[1] = (struct iovec){data + round, size - (size_t)round};
        const struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
        if (osv_zcopy_tx(ends.near, &message, 0, -1, &sending) != (ssize_t)size ||
            osv_zcopy_txclose(sending, 0) != 0) {
            perror("osv_zcopy_tx");
        }
    }
    close(ends.near);
    pthread_join(receiver, NULL);
    close(ends.far);
    free(data);
}

// Whose connection is broken off, by him or by the peer, has its memory back, though nobody reads.
static void broken_off(bool by_peer)
{
    struct ends ends = connected(AF_INET);
    struct iovec vector;
    struct osv_sending *sending;
    char *data = calloc(1, SIZE);
    const struct linger linger = {1, 0};
    const struct msghdr message = message_of(&vector, data, SIZE);
    printf("sent: %zd\n", osv_zcopy_tx(ends.near, &message, 0, -1, &sending));
    const int breaker = by_peer ? ends.far : ends.near, other = by_peer ? ends.near : ends.far;
    setsockopt(breaker, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(breaker);
    if (by_peer) {
        show("broken off by the peer", osv_zcopy_txclose(sending, 0));
        close(other);
    } else {
        close(other);
        show("broken off", osv_zcopy_txclose(sending, 0));
    }
    free(data);
}

static void wrong(void)
{
    struct iovec vector;
    struct osv_sending *sending;
    char data[4];
    struct ends ends = connected(AF_INET);
    const int local = socket(AF_UNIX, SOCK_STREAM, 0), idle = socket(AF_INET, SOCK_STREAM, 0);
    const struct msghdr message = message_of(&vector, data, sizeof data);
    const struct msghdr nowhere = message_of(&vector, data, sizeof data);
    show("no socket", (int)osv_zcopy_tx(1000, &message, 0, -1, &sending));
    show("a local socket", (int)osv_zcopy_tx(local, &message, 0, -1, &sending));
    show("no event", (int)osv_zcopy_tx(ends.near, &message, 0, 1000, &sending));
    show("no eventfd", (int)osv_zcopy_tx(ends.near, &message, 0, ends.far, &sending));
    show("not connected", (int)osv_zcopy_tx(idle, &nowhere, MSG_NOSIGNAL, -1, &sending));
    close(ends.near);
    close(ends.far);
    close(local);
    close(idle);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (osv_zcopy_tx == NULL) {
        puts("nothing is lent here");
        return 1;
    }
    lent(AF_INET);
    lent(AF_INET6);
    copied();
    again();
    broken_off(false);
    broken_off(true);
    wrong();
    return 0;
}
