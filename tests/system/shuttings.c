// SPDX-License-Identifier: BSD-3-Clause
// shuttings.c: a socket of TCP is shut by another thread before, while or after one begins to wait
// there. Whoever comes first, the wait ends, and says the same.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 300 };

static int listener(struct sockaddr_in *name)
{
    socklen_t size = sizeof *name;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)name, size) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)name, &size) != 0) {
        perror("listener");
    }
    return fd;
}

// What is shut, and its other end, if it has one.
struct ends {
    int own, peer;
};

static struct ends listening(void)
{
    struct sockaddr_in name;
    return (struct ends){listener(&name), -1};
}

static struct ends connected(void)
{
    struct sockaddr_in name;
    const int fd = listener(&name);
    const int own = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(own, (struct sockaddr *)&name, sizeof name) != 0) {
        perror("connect");
    }
    const int peer = accept(fd, NULL, NULL);
    close(fd);
    return (struct ends){own, peer};
}

static pthread_barrier_t begin, end;
static int to_shut; // -1: no more

// All that time the same thread, which so comes to have a processor of its own.
static void *shutter(void *argument)
{
    (void)argument;
    while (pthread_barrier_wait(&begin), to_shut >= 0) {
        shutdown(to_shut, SHUT_RDWR);
        pthread_barrier_wait(&end);
    }
    return NULL;
}

static bool accepts(int fd)
{
    return accept(fd, NULL, NULL) < 0 && errno == EINVAL;
}

static bool reads(int fd)
{
    char data[8];
    return read(fd, data, sizeof data) == 0;
}

// More than fits, so that it waits if it is first.
static bool writes(int fd)
{
    static char much[1 << 16];
    ssize_t part;
    while ((part = send(fd, much, sizeof much, MSG_NOSIGNAL)) > 0) {
    }
    return part < 0 && errno == EPIPE;
}

static bool polls(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, -1) == 1 && (item.revents & POLLHUP) != 0;
}

static void try(const char *name, struct ends (*make)(void), bool (*waits)(int fd))
{
    int right = 0;
    for (int i = 0; i < ROUNDS; ++i) {
        const struct ends ends = make();
        to_shut = ends.own;
        pthread_barrier_wait(&begin);
        right += waits(ends.own);
        pthread_barrier_wait(&end);
        close(ends.own);
        if (ends.peer >= 0) {
            close(ends.peer);
        }
    }
    printf("%s: %d of %d\n", name, right, ROUNDS);
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&begin, NULL, 2);
    pthread_barrier_init(&end, NULL, 2);
    pthread_create(&thread, NULL, shutter, NULL);
    try("accept", listening, accepts);
    try("poll a listener", listening, polls);
    try("read", connected, reads);
    try("poll", connected, polls);
    try("write", connected, writes);
    to_shut = -1;
    pthread_barrier_wait(&begin);
    pthread_join(thread, NULL);
    return 0;
}
