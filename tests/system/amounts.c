// SPDX-License-Identifier: BSD-3-Clause
// amounts.c: how many bytes a receive waits for (SO_RCVLOWAT, MSG_WAITALL), how many are left
// behind it (TCP_INQ), and datagrams that may not be cut (IPV6_DONTFRAG).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "show.h"

enum { INQ = 36, STREAMS = 2 };

static int number_of(int fd, int level, int name)
{
    int value = -2;
    socklen_t size = sizeof value;
    getsockopt(fd, level, name, &value, &size);
    return value;
}

static void number_set(int fd, int level, int name, int value)
{
    SHOW(setsockopt(fd, level, name, &value, sizeof value));
    printf("  %d: %d\n", value, number_of(fd, level, name));
}

static int listener_make(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&any, sizeof any) != 0 || listen(fd, 5) != 0) {
        perror("listen");
    }
    return fd;
}

static int connected_to(int listener)
{
    struct sockaddr_in to;
    socklen_t size = sizeof to;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    getsockname(listener, (struct sockaddr *)&to, &size);
    if (connect(fd, (struct sockaddr *)&to, size) != 0) {
        perror("connect");
    }
    return fd;
}

static void ends_make(int ends[2], int is_local)
{
    if (is_local) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        return;
    }
    int listener = listener_make();
    ends[0] = connected_to(listener);
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
}

static void ends_close(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void await(int fd, short events, int patience_ms)
{
    struct pollfd item = {.fd = fd, .events = events};
    poll(&item, 1, patience_ms);
    printf("  events %x\n", item.revents);
}

static void take(int fd, size_t size, int flags)
{
    char data[64] = "";
    if (show("recv", recv(fd, data, size, flags)) > 0) {
        printf("  '%s'\n", data);
    }
}

// ---- What a receive waits for ----

static void values(void)
{
    static const int sockets[][2] = {
        {AF_INET, SOCK_STREAM}, {AF_INET, SOCK_DGRAM}, {AF_UNIX, SOCK_STREAM}};
    puts("-- values");
    for (int i = 0; i < 3; ++i) {
        int fd = socket(sockets[i][0], sockets[i][1], 0);
        printf("  %d %d\n", number_of(fd, SOL_SOCKET, SO_RCVLOWAT),
               number_of(fd, SOL_SOCKET, SO_SNDLOWAT));
        number_set(fd, SOL_SOCKET, SO_RCVLOWAT, 7);
        number_set(fd, SOL_SOCKET, SO_RCVLOWAT, 0);
        if (i > 0) { // of TCP half of what net.ipv4.tcp_rmem lets a buffer become
            number_set(fd, SOL_SOCKET, SO_RCVLOWAT, -1);
        }
        number_set(fd, SOL_SOCKET, SO_SNDLOWAT, 7);
        close(fd);
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0), limit = 20000;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &limit, sizeof limit);
    number_set(fd, SOL_SOCKET, SO_RCVLOWAT, 1 << 20);
    close(fd);
}

static void little(int is_local)
{
    int ends[2];
    printf("-- little%s\n", is_local ? ", local" : "");
    ends_make(ends, is_local);
    number_set(ends[1], SOL_SOCKET, SO_RCVLOWAT, 10);
    SHOW(write(ends[0], "four", 4));
    if (!is_local) { // whose poll looks for any byte
        await(ends[1], POLLIN, 0);
    }
    take(ends[1], 50, MSG_DONTWAIT);
    SHOW(write(ends[0], "four", 4));
    SHOW(write(ends[0], "teen bytes", 10));
    await(ends[1], POLLIN, 10000);
    take(ends[1], 50, 0);
    SHOW(write(ends[0], "end", 3));
    SHOW(shutdown(ends[0], SHUT_WR));
    await(ends[1], POLLIN, 10000);
    take(ends[1], 50, 0);
    take(ends[1], 50, 0);
    ends_close(ends);
}

// Linux wakes a reader of TCP when 36 bytes lie there, though it has taken some already: so many more
// follow whatever it took first.
static void *in_parts(void *argument)
{
    const int fd = *(int *)argument;
    for (int i = 0; i < 20; ++i) {
        const struct timespec pause = {.tv_nsec = 1000000};
        write(fd, "part", 4);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

// One receive gets all parts, or as many as it waits for.
static void gathered(int is_local)
{
    int ends[2];
    pthread_t thread;
    printf("-- gathered%s\n", is_local ? ", local" : "");
    ends_make(ends, is_local);
    number_set(ends[1], SOL_SOCKET, SO_RCVLOWAT, 36);
    pthread_create(&thread, NULL, in_parts, &ends[0]);
    char data[64];
    printf("  enough %d\n", read(ends[1], data, sizeof data) >= 36);
    pthread_join(thread, NULL);
    SHOW(close(ends[0]));
    while (read(ends[1], data, sizeof data) > 0) {
    }
    close(ends[1]);
}

// What ends the stream ends the wait for more.
static void cut_off(int is_local)
{
    int ends[2];
    printf("-- cut off%s\n", is_local ? ", local" : "");
    ends_make(ends, is_local);
    SHOW(write(ends[0], "five.", 5));
    SHOW(shutdown(ends[0], SHUT_WR));
    await(ends[1], POLLRDHUP, 10000);
    take(ends[1], 20, MSG_WAITALL);
    take(ends[1], 20, MSG_WAITALL);
    ends_close(ends);
    const struct timeval patience = {.tv_usec = 20000};
    ends_make(ends, is_local);
    SHOW(setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience));
    number_set(ends[1], SOL_SOCKET, SO_RCVLOWAT, 30);
    SHOW(write(ends[0], "few", 3));
    take(ends[1], 50, 0);
    take(ends[1], 50, 0);
    SHOW(write(ends[0], "few", 3));
    take(ends[1], 3, 0); // no more is asked for
    ends_close(ends);
}

static void edges(void)
{
    int ends[2], set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET}, got;
    puts("-- edges");
    ends_make(ends, 0);
    number_set(ends[1], SOL_SOCKET, SO_RCVLOWAT, 8);
    SHOW(epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event));
    SHOW(write(ends[0], "seven..", 7));
    SHOW(epoll_wait(set, &got, 1, 20));
    SHOW(write(ends[0], ".", 1));
    SHOW(epoll_wait(set, &got, 1, 10000));
    SHOW(epoll_wait(set, &got, 1, 0));
    number_set(ends[1], SOL_SOCKET, SO_RCVLOWAT, 100);
    await(ends[1], POLLIN, 0);
    number_set(ends[1], SOL_SOCKET, SO_RCVLOWAT, 1);
    await(ends[1], POLLIN, 0);
    close(set);
    ends_close(ends);
}

// More than there is room for: it is asked for no more.
static void full(void)
{
    static char much[65536];
    int ends[2], limit = 20000;
    puts("-- full");
    int listener = listener_make();
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &limit, sizeof limit);
    ends[0] = connected_to(listener);
    ends[1] = accept(listener, NULL, NULL);
    number_set(ends[1], SOL_SOCKET, SO_RCVLOWAT, 15000);
    while (send(ends[0], much, sizeof much, MSG_DONTWAIT) > 0) {
    }
    await(ends[1], POLLIN, 10000);
    close(listener);
    ends_close(ends);
}

static void inherited(void)
{
    puts("-- of a listener");
    int listener = listener_make();
    number_set(listener, SOL_SOCKET, SO_RCVLOWAT, 5);
    number_set(listener, IPPROTO_TCP, INQ, 1);
    int client = connected_to(listener), server = accept(listener, NULL, NULL);
    printf("  %d %d\n", number_of(server, SOL_SOCKET, SO_RCVLOWAT),
           number_of(server, IPPROTO_TCP, INQ));
    close(client);
    close(server);
    close(listener);
}

// ---- What is left ----

static void left_of(int fd, size_t size, size_t room, int flags)
{
    char data[64], control[64];
    struct iovec vector = {data, size};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = room > 0 ? control : NULL,
                             .msg_controllen = room};
    if (show("recvmsg", recvmsg(fd, &message, flags | MSG_DONTWAIT)) < 0) {
        return;
    }
    const struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    if (first != NULL) {
        int left = -2;
        memcpy(&left, CMSG_DATA(first), sizeof left);
        printf("  %d %d %zu: %d\n", first->cmsg_level, first->cmsg_type, (size_t)first->cmsg_len,
               left);
    }
    printf("  flags %x, control of %zu\n", message.msg_flags, (size_t)message.msg_controllen);
}

static void left(void)
{
    int ends[2];
    puts("-- left");
    ends_make(ends, 0);
    left_of(ends[1], 4, 64, 0);
    number_set(ends[1], IPPROTO_TCP, INQ, 2);
    number_set(ends[1], IPPROTO_TCP, INQ, 1);
    SHOW(write(ends[0], "twelve bytes", 12));
    await(ends[1], POLLIN, 10000);
    left_of(ends[1], 4, 64, 0);
    left_of(ends[1], 4, 64, MSG_PEEK);
    left_of(ends[1], 2, 0, 0);
    left_of(ends[1], 2, 64, 0);
    SHOW(shutdown(ends[0], SHUT_WR));
    await(ends[1], POLLRDHUP, 10000);
    left_of(ends[1], 2, 64, 0);
    left_of(ends[1], 50, 64, 0);
    left_of(ends[1], 50, 64, 0);
    number_set(ends[1], IPPROTO_TCP, INQ, 0);
    left_of(ends[1], 50, 64, 0);
    ends_close(ends);
}

// ---- Datagrams ----

static void whole(void)
{
    static char data[65536];
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    socklen_t size = sizeof to;
    puts("-- whole");
    int server = socket(AF_INET6, SOCK_DGRAM, 0), client = socket(AF_INET6, SOCK_DGRAM, 0);
    SHOW(bind(server, (struct sockaddr *)&to, sizeof to));
    getsockname(server, (struct sockaddr *)&to, &size);
    for (int on = 0; on < 2; ++on) {
        number_set(client, IPPROTO_IPV6, IPV6_DONTFRAG, on);
        SHOW(sendto(client, data, 65488, 0, (struct sockaddr *)&to, sizeof to));
        SHOW(sendto(client, data, 65489, 0, (struct sockaddr *)&to, sizeof to));
    }
    number_set(client, IPPROTO_IPV6, IPV6_DONTFRAG, 5);
    close(client);
    close(server);
}

int main(void)
{
    values();
    for (int is_local = 0; is_local < STREAMS; ++is_local) {
        little(is_local);
        gathered(is_local);
        cut_off(is_local);
    }
    edges();
    full();
    inherited();
    left();
    whole();
    return 0;
}
