// SPDX-License-Identifier: BSD-3-Clause
// streams.c: an example of streams whose bytes are received where they lie (osv/zcopy.h): pieces in
// order and to the end, a sender that waits while its receiver has all that there is room for, the
// place of an urgent byte, pieces that outlive their socket.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/libc/include/osv/zcopy.h"
#include "ends.h"

enum { PIECES = 8, TOTAL = 3000000, STEP = 70001, MANY = 4096 };

// Sends what byte_at says, and closes.
static void *much_send(void *far)
{
    static char data[STEP];
    uint64_t place = 0;
    while (place < TOTAL) {
        const size_t left = TOTAL - place, size = left < STEP ? left : STEP;
        for (size_t i = 0; i < size; ++i) {
            data[i] = byte_at(place + i);
        }
        if (send(*(int *)far, data, size, 0) != (ssize_t)size) {
            perror("send");
            break;
        }
        place += size;
    }
    close(*(int *)far);
    return NULL;
}

static void much(int family)
{
    struct ends ends = connected(family);
    struct osv_piece pieces[PIECES];
    pthread_t sender;
    uint64_t place = 0, wrong = 0;
    int count;
    show("nothing", osv_zcopy_rx(ends.near, pieces, PIECES, MSG_DONTWAIT));
    pthread_create(&sender, NULL, much_send, &ends.far);
    while ((count = osv_zcopy_rx(ends.near, pieces, PIECES, 0)) > 0) {
        for (int i = 0; i < count; ++i) {
            for (size_t j = 0; j < pieces[i].size; ++j) {
                wrong += pieces[i].data[j] != byte_at(place++);
            }
        }
        osv_zcopy_rxgc(pieces, (unsigned)count);
    }
    pthread_join(sender, NULL);
    printf("received: %d, wrong: %llu\n", place == TOTAL, (unsigned long long)wrong);
    show("the end", count);
    close(ends.near);
}

// As much as goes.
static uint64_t flood(int fd)
{
    static char data[STEP];
    uint64_t sent = 0;
    ssize_t size;
    while ((size = send(fd, data, sizeof data, MSG_DONTWAIT)) > 0) {
        sent += (uint64_t)size;
    }
    return sent;
}

// What is lent leaves no room, however often it is received, until it is given back.
static void limit(void)
{
    static struct osv_piece pieces[MANY];
    struct ends ends = connected(AF_INET);
    uint64_t sent = 0, more, lent = 0;
    unsigned count = 0;
    int got = 0;
    do {
        more = flood(ends.far);
        sent += more;
        while (count < MANY &&
               (got = osv_zcopy_rx(ends.near, pieces + count, MANY - count, MSG_DONTWAIT)) > 0) {
            count += (unsigned)got;
        }
    } while (more > 0 && sent < 8 << 20);
    for (unsigned i = 0; i < count; ++i) {
        lent += pieces[i].size;
    }
    printf("lent: %d, its sender waits: %d\n", lent > 0 && lent < 1 << 20, more == 0);
    osv_zcopy_rxgc(pieces, count);
    struct pollfd item = {.fd = ends.near, .events = POLLIN};
    printf("poll: %d\n", poll(&item, 1, -1)); // the rest has come
    got = osv_zcopy_rx(ends.near, pieces, 1, 0);
    show("after that", got);
    close(ends.near);
    close(ends.far);
    printf("after close: %d\n", pieces[0].data[0]);
    osv_zcopy_rxgc(pieces, 1);
}

static void take(const char *what, int fd)
{
    struct osv_piece pieces[PIECES];
    const int count = osv_zcopy_rx(fd, pieces, PIECES, MSG_DONTWAIT);
    printf("%s: %d:", what, count);
    for (int i = 0; i < count; ++i) {
        printf(" '%.*s'", (int)pieces[i].size, pieces[i].data);
    }
    puts("");
    osv_zcopy_rxgc(pieces, count > 0 ? (unsigned)count : 0);
}

// The urgent byte lies between two pieces. What recv leaves of a packet is a piece.
static void parts(void)
{
    struct ends ends = connected(AF_INET6);
    char byte[4];
    send(ends.far, "before", 6, 0);
    send(ends.far, "!", 1, MSG_OOB);
    send(ends.far, "behind", 6, 0);
    take("up to the mark", ends.near);
    take("behind it", ends.near);
    send(ends.far, "whole", 5, 0);
    printf("recv: %zd '%.3s'\n", recv(ends.near, byte, 3, 0), byte);
    take("the rest", ends.near);
    shutdown(ends.near, SHUT_RD);
    take("shut", ends.near);
    close(ends.near);
    close(ends.far);
}

static void wrong(void)
{
    struct osv_piece piece;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    show("not connected", osv_zcopy_rx(fd, &piece, 1, 0));
    show("none", osv_zcopy_rx(fd, &piece, 0, 0));
    show("flags", osv_zcopy_rx(fd, &piece, 1, MSG_PEEK));
    close(fd);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (osv_zcopy_rx == NULL) {
        puts("nothing is lent here");
        return 1;
    }
    much(AF_INET);
    much(AF_INET6);
    limit();
    parts();
    wrong();
    return 0;
}
