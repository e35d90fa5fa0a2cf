// SPDX-License-Identifier: BSD-3-Clause
// urgent.c: urgent data of TCP over the loopback network: MSG_OOB, SO_OOBINLINE, SIOCATMARK, and
// what poll, epoll and FIONREAD say of it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "show.h"

static int ends[2];

static void section(const char *name, int is_inline)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof any;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    printf("-- %s%s\n", name, is_inline ? ", in the stream" : "");
    if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0 || listen(listener, 1) != 0) {
        perror("listen");
    }
    getsockname(listener, (struct sockaddr *)&any, &size);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(ends[0], (struct sockaddr *)&any, size) != 0) {
        perror("connect");
    }
    ends[1] = accept(listener, NULL, NULL);
    setsockopt(ends[1], SOL_SOCKET, SO_OOBINLINE, &is_inline, sizeof is_inline);
    close(listener);
}

static void section_end(void)
{
    close(ends[0]);
    close(ends[1]);
}

// All that is to be seen without reading.
static void look(void)
{
    struct pollfd item = {.fd = ends[1], .events = POLLIN | POLLPRI | POLLRDHUP};
    int mark = -1, count = -1;
    poll(&item, 1, 0);
    ioctl(ends[1], SIOCATMARK, &mark);
    ioctl(ends[1], FIONREAD, &count);
    printf("  events %x, at the mark %d, %d bytes\n", item.revents, mark, count);
}

static void await(short events)
{
    struct pollfd item = {.fd = ends[1], .events = events};
    poll(&item, 1, 10000);
}

static void take(int flags)
{
    char data[64] = "";
    const long got = recv(ends[1], data, sizeof data - 1, flags | MSG_DONTWAIT);
    if (show(flags & MSG_OOB ? "urgent" : "read", got) > 0) {
        printf("  '%s'\n", data);
    }
    look();
}

static void send_all(const char *before, const char *urgent, const char *after)
{
    if (*before != 0) {
        SHOW(send(ends[0], before, strlen(before), 0));
    }
    SHOW(send(ends[0], urgent, strlen(urgent), MSG_OOB));
    if (*after != 0) {
        SHOW(send(ends[0], after, strlen(after), 0));
    }
    await(POLLPRI);
}

static void plain(int is_inline)
{
    section("one byte among others", is_inline);
    take(MSG_OOB);
    send_all("before", "!", "after");
    look();
    take(MSG_OOB | MSG_PEEK);
    take(MSG_OOB);
    take(MSG_OOB);
    take(MSG_PEEK);
    take(0);
    take(0);
    take(0);
    section_end();
}

static void passed(int is_inline)
{
    section("nobody takes it", is_inline);
    send_all("before", "!", "after");
    take(0);
    take(MSG_PEEK);
    take(0);
    take(MSG_OOB);
    send_all("", "?", "");
    take(0);
    take(MSG_OOB);
    section_end();
}

static void last(int is_inline)
{
    section("the last of several, then the end", is_inline);
    send_all("", "several", "");
    look();
    shutdown(ends[0], SHUT_WR);
    await(POLLRDHUP);
    take(0);
    take(MSG_OOB);
    take(0);
    take(MSG_OOB);
    section_end();
}

static void twice(int is_inline)
{
    section("two of them", is_inline);
    send_all("one", "1", "");
    send_all("two", "2", "three");
    look();
    take(MSG_OOB);
    take(0);
    take(0);
    take(0);
    section_end();
}

static void at_the_mark(int is_inline)
{
    section("another while one is next", is_inline);
    send_all("one", "1", "");
    take(0);
    send_all("two", "2", "");
    look();
    take(0);
    take(0);
    take(0);
    section_end();
}

static void all_at_once(int is_inline)
{
    char data[64] = "", much[8192];
    section("waiting for all", is_inline);
    send_all("before", "!", "after");
    SHOW(recv(ends[1], data, 9, MSG_WAITALL));
    printf("  '%s'\n", data);
    memset(data, 0, sizeof data);
    SHOW(recv(ends[1], data, 5, MSG_WAITALL));
    printf("  '%s'\n", data);
    look();
    struct iovec parts[] = {{data, 0}, {data + 1, 5}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    send_all("", "x", "");
    SHOW(recvmsg(ends[1], &message, MSG_OOB | MSG_DONTWAIT));
    printf("  flags %x '%s'\n", message.msg_flags, data + 1);
    memset(much, 'm', sizeof much);
    SHOW(send(ends[0], much, sizeof much, MSG_OOB));
    await(POLLPRI);
    look();
    take(MSG_OOB);
    section_end();
}

static void polled(void)
{
    struct epoll_event event = {.events = EPOLLPRI | EPOLLET};
    section("edges", 0);
    int poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, ends[1], &event);
    SHOW(epoll_wait(poller, &event, 1, 0));
    SHOW(send(ends[0], "x", 1, 0));
    SHOW(epoll_wait(poller, &event, 1, 20));
    SHOW(send(ends[0], "y", 1, MSG_OOB));
    SHOW(epoll_wait(poller, &event, 1, 10000));
    printf("  %x\n", event.events);
    take(MSG_OOB);
    SHOW(epoll_wait(poller, &event, 1, 0));
    close(poller);
    section_end();
}

static void none(void)
{
    int mark = -1, fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte;
    puts("-- no connection");
    SHOW(recv(fd, &byte, 1, MSG_OOB));
    SHOW(ioctl(fd, SIOCATMARK, &mark));
    printf("  %d\n", mark);
    SHOW(send(fd, "x", 1, MSG_OOB | MSG_NOSIGNAL));
    close(fd);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(recv(fd, &byte, 1, MSG_OOB | MSG_DONTWAIT));
    SHOW(ioctl(fd, SIOCATMARK, &mark));
    close(fd);
}

int main(void)
{
    for (int is_inline = 0; is_inline < 2; ++is_inline) {
        plain(is_inline);
        passed(is_inline);
        last(is_inline);
        twice(is_inline);
        at_the_mark(is_inline);
        all_at_once(is_inline);
    }
    polled();
    none();
    return 0;
}
