// SPDX-License-Identifier: BSD-3-Clause
// zerocopies.c: SO_ZEROCOPY and MSG_ZEROCOPY: who may set it, which sends are numbered, and what
// the queue of errors tells of them. On lo all is copied.
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "show.h"

enum { SIZE = 20000, SENDS = 5 };

static char data[SIZE], got[SIZE];

struct ends {
    int listener, near, far;
};

static int option(int fd, int value)
{
    return setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &value, sizeof value);
}

static int option_of(int fd)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &value, &size) != 0 ? -1 : value;
}

static struct ends connected(int family)
{
    struct sockaddr_in6 name = {.sin6_family = (sa_family_t)family};
    struct sockaddr *address = (struct sockaddr *)&name;
    socklen_t size = sizeof name;
    struct ends ends = {socket(family, SOCK_STREAM, 0), socket(family, SOCK_STREAM, 0), -1};
    option(ends.listener, 1);
    bind(ends.listener, address, size);
    listen(ends.listener, 1);
    getsockname(ends.listener, address, &size);
    connect(ends.near, address, size);
    ends.far = accept(ends.listener, NULL, NULL);
    return ends;
}

static void ends_close(const struct ends *ends)
{
    close(ends->near);
    close(ends->far);
    close(ends->listener);
}

// Numbers of sends that are over: how many, as far as it waits; -1: none.
static long over_next(int fd, bool shows)
{
    char control[256];
    char byte = 'b';
    struct sockaddr_in6 name;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen = sizeof name,
                             .msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    const long result = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (result < 0) {
        return -1;
    }
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    struct sock_extended_err said;
    memcpy(&said, CMSG_DATA(head), sizeof said);
    if (shows) {
        printf("recvmsg: %ld, flags %#x, name %u bytes, level %d type %d length %zu\n", result,
               message.msg_flags, message.msg_namelen, head->cmsg_level, head->cmsg_type,
               head->cmsg_len);
        printf("errno %u origin %u type %u code %u, %u to %u\n", said.ee_errno, said.ee_origin,
               said.ee_type, said.ee_code, said.ee_info, said.ee_data);
    }
    return (long)(said.ee_data - said.ee_info) + 1;
}

// Until so many are over: in how many messages is a matter of time.
static long over_await(int fd, long wanted)
{
    struct pollfd item = {.fd = fd};
    long count = 0;
    while (count < wanted) {
        poll(&item, 1, -1);
        const long more = over_next(fd, false);
        count += more > 0 ? more : 0;
    }
    return count;
}

static void events(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    poll(&item, 1, 0);
    printf("poll: %#x\n", item.revents);
}

static void stream(int family)
{
    const struct ends ends = connected(family);
    struct iovec vector = {data, SIZE};
    const struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    SHOW(option_of(ends.near));
    SHOW(option_of(ends.far)); // as who listens
    SHOW(send(ends.near, data, SIZE,
              MSG_ZEROCOPY)); // without leave: an ordinary one
    SHOW(recv(ends.far, got, SIZE, MSG_WAITALL));
    SHOW(over_next(ends.near, true));
    SHOW(option(ends.near, 1));
    SHOW(option_of(ends.near));
    SHOW(send(ends.near, data, 0, MSG_ZEROCOPY));
    SHOW(over_next(ends.near, true));
    SHOW(send(ends.near, data, SIZE, MSG_ZEROCOPY));
    SHOW(recv(ends.far, got, SIZE, MSG_WAITALL));
    SHOW(memcmp(data, got, SIZE));
    struct pollfd item = {.fd = ends.near};
    SHOW(poll(&item, 1, -1));
    events(ends.near);
    SHOW(over_next(ends.near, true));
    events(ends.near);
    SHOW(over_next(ends.near, true));
    for (int i = 0; i < SENDS; ++i) {
        sendmsg(ends.near, &message, MSG_ZEROCOPY);
        recv(ends.far, got, SIZE, MSG_WAITALL);
    }
    SHOW(over_await(ends.near, SENDS));
    SHOW(send(ends.near, data, 1, 0)); // has no number
    SHOW(send(ends.near, data, 1, MSG_ZEROCOPY));
    SHOW(recv(ends.far, got, 2, MSG_WAITALL));
    poll(&item, 1, -1);
    SHOW(over_next(ends.near, true));
    shutdown(ends.near, SHUT_WR);
    SHOW(send(ends.near, data, SIZE, MSG_ZEROCOPY | MSG_NOSIGNAL));
    SHOW(over_next(ends.near, true));
    SHOW(send(ends.far, data, SIZE, MSG_ZEROCOPY));
    SHOW(recv(ends.near, got, SIZE, MSG_WAITALL));
    SHOW(over_await(ends.far, 1));
    ends_close(&ends);
}

static void datagrams(int family)
{
    struct sockaddr_in6 name = {.sin6_family = (sa_family_t)family};
    struct sockaddr *address = (struct sockaddr *)&name;
    socklen_t size = sizeof name;
    const int fd = socket(family, SOCK_DGRAM, 0);
    struct pollfd item = {.fd = fd};
    bind(fd, address, size);
    getsockname(fd, address, &size);
    connect(fd, address, size);
    SHOW(option(fd, 1));
    SHOW(send(fd, data, SIZE, MSG_ZEROCOPY));
    SHOW(recv(fd, got, SIZE, 0));
    SHOW(poll(&item, 1, -1));
    events(fd);
    SHOW(over_next(fd, true));
    events(fd);
    SHOW(send(fd, data, 70000, MSG_ZEROCOPY));
    SHOW(over_next(fd, true));
    SHOW(send(fd, data, 10, MSG_ZEROCOPY));
    SHOW(over_await(fd, 1));
    close(fd);
}

// An edge each time that there is news.
static void edges(void)
{
    const struct ends ends = connected(AF_INET);
    const int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLET};
    option(ends.near, 1);
    epoll_ctl(epoll, EPOLL_CTL_ADD, ends.near, &event);
    SHOW(epoll_wait(epoll, &event, 1, 0));
    SHOW(send(ends.near, data, SIZE, MSG_ZEROCOPY));
    SHOW(recv(ends.far, got, SIZE, MSG_WAITALL));
    SHOW(epoll_wait(epoll, &event, 1, -1));
    printf("events: %#x\n", event.events);
    SHOW(over_await(ends.near, 1));
    close(epoll);
    ends_close(&ends);
}

static void who_may(void)
{
    const int stream = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
    char little = 1;
    SHOW(option(stream, 2));
    SHOW(option(stream, -1));
    SHOW(option_of(stream));
    SHOW(setsockopt(stream, SOL_SOCKET, SO_ZEROCOPY, &little, sizeof little));
    errno = 0;
    const int result = option(local, 1);
    printf("a local socket: %d %d\n", result, errno);
    close(stream);
    close(local);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < SIZE; ++i) {
        data[i] = (char)(i * 7 + i / 251);
    }
    stream(AF_INET);
    stream(AF_INET6);
    datagrams(AF_INET);
    datagrams(AF_INET6);
    edges();
    who_may();
    return 0;
}
