// SPDX-License-Identifier: BSD-3-Clause
// connections.c: TCP over the loopback network: connecting and accepting, what goes through, ends
// of all kinds, errors, options, polling, many connections and threads.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "show.h"

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int family = AF_INET;

static socklen_t name_make(union name *name, uint16_t port)
{
    memset(name, 0, sizeof *name);
    if (family == AF_INET) {
        name->v4 = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        return sizeof name->v4;
    }
    name->v6 = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    return sizeof name->v6;
}

static uint16_t port_of(const union name *name)
{
    return ntohs(name->any.sa_family == AF_INET ? name->v4.sin_port : name->v6.sin6_port);
}

static uint16_t own_port(int fd)
{
    union name name = {0};
    socklen_t size = sizeof name;
    getsockname(fd, &name.any, &size);
    return port_of(&name);
}

static int bind_to(int fd, uint16_t port)
{
    union name name;
    const socklen_t size = name_make(&name, port);
    return bind(fd, &name.any, size);
}

static int connect_to(int fd, uint16_t port)
{
    union name name;
    const socklen_t size = name_make(&name, port);
    return connect(fd, &name.any, size);
}

static int listener(int backlog)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind_to(fd, 0) != 0 || listen(fd, backlog) != 0) {
        perror("listener");
    }
    return fd;
}

// A connection's two ends.
static void pair(int ends[2])
{
    int fd = listener(1);
    ends[0] = socket(family, SOCK_STREAM, 0);
    if (connect_to(ends[0], own_port(fd)) != 0) {
        perror("connect");
    }
    ends[1] = accept(fd, NULL, NULL);
    close(fd);
}

static void pair_close(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void show_poll(int fd)
{
    enum { ALL = POLLIN | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM };
    struct pollfd item = {.fd = fd, .events = ALL};
    SHOW(poll(&item, 1, 0));
    printf("  %x\n", item.revents);
}

// Until it is ready: what another end does may take its time.
static void await(int fd, short events)
{
    struct pollfd item = {.fd = fd, .events = events};
    poll(&item, 1, 10000);
}

static void show_receive(int fd)
{
    char data[64] = "";
    const long got = recv(fd, data, sizeof data - 1, MSG_DONTWAIT);
    if (show("recv", got) > 0) {
        printf("  '%s'\n", data);
    }
}

static void show_error(int fd)
{
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size);
    printf("  error %s\n", value == 0 ? "none" : strerrorname_np(value));
}

static void show_peer(int fd, uint16_t expected)
{
    union name name = {0};
    socklen_t size = sizeof name;
    if (SHOW(getpeername(fd, &name.any, &size)) == 0) {
        printf("  %d, port %d\n", (int)size, port_of(&name) == expected);
    }
}

static void section(const char *name)
{
    printf("-- %s, family %d\n", name, family == AF_INET ? 4 : 6);
}

static void makings(void)
{
    int fds[2];
    section("making");
    SHOW(socket(family, SOCK_STREAM, IPPROTO_UDP));
    SHOW(socketpair(family, SOCK_STREAM, 0, fds));
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
    SHOW(fcntl(fd, F_GETFL));
    show_poll(fd);
    show_peer(fd, 0);
    show_receive(fd);
    SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
    SHOW(accept(fd, NULL, NULL));
    SHOW(shutdown(fd, SHUT_RDWR));
    int count = -1;
    SHOW(ioctl(fd, FIONREAD, &count));
    printf("  %d\n", count);
    show_error(fd);
    close(fd);
}

static void listening(void)
{
    section("listening");
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0), value = 0, on = 1;
    socklen_t size = sizeof value;
    SHOW(bind_to(fd, 0));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size));
    printf("  %d\n", value);
    SHOW(listen(fd, 3));
    SHOW(listen(fd, 5));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size));
    printf("  %d\n", value);
    show_poll(fd);
    SHOW(accept(fd, NULL, NULL));
    SHOW(ioctl(fd, FIONREAD, &value));
    show_receive(fd);
    SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
    SHOW(connect_to(fd, own_port(fd)));
    int other = socket(family, SOCK_STREAM, 0);
    SHOW(bind_to(other, own_port(fd)));
    setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind_to(other, own_port(fd)));
    int client = socket(family, SOCK_STREAM, 0);
    SHOW(connect_to(client, own_port(fd)));
    show_poll(fd);
    SHOW(shutdown(fd, SHUT_RD));
    show_poll(fd);
    SHOW(accept(fd, NULL, NULL));
    await(client, POLLRDHUP);
    show_receive(client);
    close(client);
    close(other);
    close(fd);
    // Without a port of its own.
    fd = socket(family, SOCK_STREAM, 0);
    SHOW(listen(fd, 1));
    printf("  %d\n", own_port(fd) != 0);
    close(fd);
}

static void reuse(void)
{
    int on = 1, ends[2];
    section("a port again");
    int fd = socket(family, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bind_to(fd, 0);
    listen(fd, 1);
    const uint16_t port = own_port(fd);
    ends[0] = socket(family, SOCK_STREAM, 0);
    connect_to(ends[0], port);
    ends[1] = accept(fd, NULL, NULL);
    close(fd);
    fd = socket(family, SOCK_STREAM, 0);
    SHOW(bind_to(fd, port));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind_to(fd, port));
    SHOW(listen(fd, 1));
    SHOW(write(ends[1], "still", 5));
    await(ends[0], POLLIN);
    show_receive(ends[0]);
    close(ends[1]); // it ends first, and is the one that waits
    close(ends[0]);
    close(fd);
    fd = socket(family, SOCK_STREAM, 0);
    SHOW(bind_to(fd, port));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind_to(fd, port));
    SHOW(listen(fd, 1));
    int second = socket(family, SOCK_STREAM, 0);
    SHOW(connect_to(second, port));
    close(second);
    close(fd);
}

static void connecting(void)
{
    int fd = listener(5), ends[2];
    union name name = {0};
    socklen_t size = sizeof name;
    section("connecting");
    ends[0] = socket(family, SOCK_STREAM, 0);
    SHOW(connect_to(ends[0], own_port(fd)));
    SHOW(connect_to(ends[0], own_port(fd)));
    show_peer(ends[0], own_port(fd));
    show_poll(ends[0]);
    show_poll(fd);
    ends[1] = accept4(fd, &name.any, &size, SOCK_NONBLOCK);
    printf("  %d %d\n", (int)size, port_of(&name) == own_port(ends[0]));
    SHOW(fcntl(ends[1], F_GETFL));
    printf("  %d\n", own_port(ends[1]) == own_port(fd));
    show_peer(ends[1], own_port(ends[0]));
    show_poll(ends[1]);
    SHOW(listen(ends[1], 1));
    SHOW(bind_to(ends[1], 0));
    pair_close(ends);

    ends[0] = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect_to(ends[0], own_port(fd)));
    await(ends[0], POLLOUT);
    show_error(ends[0]);
    SHOW(connect_to(ends[0], own_port(fd)));
    SHOW(connect_to(ends[0], own_port(fd)));
    ends[1] = accept(fd, NULL, NULL);
    SHOW(write(ends[0], "x", 1));
    await(ends[1], POLLIN);
    show_receive(ends[1]);
    pair_close(ends);
    close(fd);
}

static void refusals(void)
{
    int fd = listener(5);
    const uint16_t gone = own_port(fd);
    close(fd);
    section("refusals");
    fd = socket(family, SOCK_STREAM, 0);
    SHOW(connect_to(fd, gone));
    show_poll(fd);
    show_error(fd);
    int again = listener(1);
    SHOW(connect_to(fd, own_port(again)));
    close(fd);
    close(again);

    // One that has the port, and does not listen.
    again = socket(family, SOCK_STREAM, 0);
    bind_to(again, 0);
    fd = socket(family, SOCK_STREAM, 0);
    SHOW(connect_to(fd, own_port(again)));
    close(again);
    close(fd);

    fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect_to(fd, gone));
    await(fd, POLLIN);
    show_poll(fd);
    SHOW(connect_to(fd, gone));
    close(fd);
    fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect_to(fd, gone);
    await(fd, POLLIN);
    show_error(fd);
    show_error(fd);
    SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
    close(fd);
    fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect_to(fd, gone);
    await(fd, POLLIN);
    show_receive(fd);
    show_receive(fd);
    SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
    close(fd);
    SHOW(connect(socket(family, SOCK_STREAM, 0), &(struct sockaddr){.sa_family = AF_INET}, 1));
}

static void bytes(void)
{
    int ends[2], count = 0;
    char *volatile nowhere = (char *)8;
    char data[32] = "";
    pair(ends);
    section("bytes");
    SHOW(write(ends[0], "hello ", 6));
    SHOW(send(ends[0], "world", 5, MSG_MORE));
    SHOW(send(ends[0], "!", 1, 0));
    SHOW(recv(ends[1], data, 12, MSG_WAITALL));
    printf("  %s\n", data);
    struct iovec out[] = {{"gath", 4}, {"", 0}, {"ered", 4}};
    SHOW(writev(ends[1], out, 3));
    await(ends[0], POLLIN);
    SHOW(ioctl(ends[0], FIONREAD, &count));
    printf("  %d\n", count);
    SHOW(recv(ends[0], data, 3, MSG_PEEK));
    struct iovec in[] = {{data, 1}, {data + 1, 3}};
    SHOW(readv(ends[0], in, 2));
    printf("  %.4s\n", data);
    SHOW(recv(ends[0], NULL, 2, MSG_TRUNC));
    show_receive(ends[0]);
    show_receive(ends[0]);
    SHOW(read(ends[0], data, 0));
    SHOW(write(ends[0], "", 0));
    SHOW(write(ends[0], nowhere, 10));
    SHOW(write(ends[0], "y", 1));
    await(ends[1], POLLIN);
    SHOW(read(ends[1], nowhere, 10));
    show_receive(ends[1]);
    union name name;
    socklen_t size = sizeof name;
    SHOW(write(ends[0], "z", 1));
    await(ends[1], POLLIN);
    SHOW(recvfrom(ends[1], data, 5, 0, &name.any, &size));
    printf("  %d\n", (int)size);
    name_make(&name, 9);
    SHOW(sendto(ends[0], "w", 1, 0, &name.any, sizeof name.v4));
    struct timeval span = {.tv_usec = 1000};
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &span, sizeof span);
    SHOW(read(ends[0], data, 1));
    pair_close(ends);
}

static void ends_of_all_kinds(void)
{
    int ends[2];
    section("ends");
    pair(ends);
    SHOW(write(ends[0], "last", 4));
    SHOW(shutdown(ends[0], SHUT_WR));
    SHOW(send(ends[0], "x", 1, MSG_NOSIGNAL));
    await(ends[1], POLLRDHUP);
    show_poll(ends[1]);
    show_receive(ends[1]);
    show_receive(ends[1]);
    show_receive(ends[1]);
    SHOW(write(ends[1], "back", 4));
    await(ends[0], POLLIN);
    show_poll(ends[0]);
    show_receive(ends[0]);
    SHOW(shutdown(ends[1], SHUT_WR));
    await(ends[0], POLLRDHUP);
    show_poll(ends[0]);
    show_poll(ends[1]);
    SHOW(shutdown(ends[0], SHUT_WR));
    pair_close(ends);

    pair(ends);
    SHOW(shutdown(ends[0], SHUT_RD));
    show_poll(ends[0]);
    show_receive(ends[0]);
    SHOW(write(ends[1], "ignored", 7));
    pair_close(ends);

    pair(ends);
    close(ends[1]);
    await(ends[0], POLLRDHUP);
    show_poll(ends[0]);
    show_receive(ends[0]);
    SHOW(send(ends[0], "to nobody", 9, MSG_NOSIGNAL));
    await(ends[0], POLLHUP);
    show_poll(ends[0]);
    SHOW(send(ends[0], "x", 1, MSG_NOSIGNAL));
    SHOW(send(ends[0], "x", 1, MSG_NOSIGNAL));
    show_receive(ends[0]);
    close(ends[0]);
}

static void losses(void)
{
    int ends[2];
    struct linger linger = {1, 0};
    section("losses");
    pair(ends);
    SHOW(write(ends[0], "unread", 6));
    await(ends[1], POLLIN);
    close(ends[1]);
    await(ends[0], POLLHUP);
    show_poll(ends[0]);
    show_receive(ends[0]);
    show_receive(ends[0]);
    SHOW(send(ends[0], "x", 1, MSG_NOSIGNAL));
    show_peer(ends[0], 0);
    close(ends[0]);

    pair(ends);
    SHOW(write(ends[1], "lost", 4));
    await(ends[0], POLLIN);
    SHOW(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    close(ends[1]);
    await(ends[0], POLLHUP);
    show_error(ends[0]);
    show_poll(ends[0]);
    close(ends[0]);

    pair(ends);
    linger.l_linger = 5;
    SHOW(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    SHOW(write(ends[0], "kept", 4));
    SHOW(close(ends[0]));
    show_receive(ends[1]);
    show_receive(ends[1]);
    close(ends[1]);

    // What nobody has accepted is broken off.
    int fd = listener(3), client = socket(family, SOCK_STREAM, 0);
    SHOW(connect_to(client, own_port(fd)));
    close(fd);
    await(client, POLLHUP);
    show_poll(client);
    show_receive(client);
    close(client);
}

static void on_pipe(int signal)
{
    (void)signal;
    if (write(1, "SIGPIPE\n", 8) < 0) {
        abort();
    }
}

static void broken(void)
{
    int ends[2];
    signal(SIGPIPE, on_pipe);
    pair(ends);
    shutdown(ends[0], SHUT_WR);
    fflush(stdout);
    SHOW(write(ends[0], "x", 1));
    fflush(stdout);
    SHOW(send(ends[0], "x", 1, 0));
    fflush(stdout);
    pair_close(ends);
}

static void option_try(int fd, int level, int name, int value)
{
    socklen_t size = sizeof value;
    SHOW(setsockopt(fd, level, name, &value, sizeof value));
    SHOW(getsockopt(fd, level, name, &value, &size));
    printf("  %d %d: %d\n", level, name, value);
}

static void options(void)
{
    int ends[2], value;
    socklen_t size = sizeof value;
    section("options");
    pair(ends);
    static const int names[] = {SO_TYPE,      SO_DOMAIN,    SO_PROTOCOL,  SO_ERROR,
                                SO_KEEPALIVE, SO_REUSEADDR, SO_ACCEPTCONN};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        SHOW(getsockopt(ends[0], SOL_SOCKET, names[i], &value, &size));
        printf("  %d: %d\n", names[i], value);
    }
    option_try(ends[0], IPPROTO_TCP, TCP_NODELAY, 7);
    option_try(ends[0], IPPROTO_TCP, TCP_CORK, 1);
    option_try(ends[0], IPPROTO_TCP, TCP_CORK, 0);
    option_try(ends[0], IPPROTO_TCP, TCP_KEEPIDLE, 5);
    option_try(ends[0], IPPROTO_TCP, TCP_KEEPIDLE, 0);
    option_try(ends[0], IPPROTO_TCP, TCP_KEEPINTVL, 9);
    option_try(ends[0], IPPROTO_TCP, TCP_KEEPCNT, 200);
    option_try(ends[0], IPPROTO_TCP, TCP_KEEPCNT, 4);
    option_try(ends[0], IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
    option_try(ends[0], SOL_SOCKET, SO_KEEPALIVE, 1);
    option_try(ends[0], SOL_SOCKET, SO_RCVBUF, 5000);
    option_try(ends[0], IPPROTO_TCP, 999, 1);
    struct tcp_info info = {0};
    size = sizeof info.tcpi_state;
    SHOW(getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, &info, &size));
    printf("  state %d, of %d\n", info.tcpi_state, (int)size);
    shutdown(ends[0], SHUT_WR);
    char data[4];
    read(ends[1], data, 4);
    SHOW(getsockopt(ends[1], IPPROTO_TCP, TCP_INFO, &info, &size));
    printf("  state %d\n", info.tcpi_state);
    pair_close(ends);
    // Those of a listener are its children's.
    int fd = listener(1), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ends[0] = socket(family, SOCK_STREAM, 0);
    connect_to(ends[0], own_port(fd));
    ends[1] = accept(fd, NULL, NULL);
    size = sizeof value;
    SHOW(getsockopt(ends[1], IPPROTO_TCP, TCP_NODELAY, &value, &size));
    printf("  %d\n", value);
    SHOW(getsockopt(ends[1], SOL_SOCKET, SO_KEEPALIVE, &value, &size));
    printf("  %d\n", value);
    pair_close(ends);
    close(fd);
}

static void edges(void)
{
    int ends[2];
    struct epoll_event event;
    section("edges");
    pair(ends);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    int poller = epoll_create1(0);
    event = (struct epoll_event){.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    epoll_ctl(poller, EPOLL_CTL_ADD, ends[0], &event);
    SHOW(epoll_wait(poller, &event, 1, 0));
    printf("  %x\n", event.events);
    SHOW(epoll_wait(poller, &event, 1, 0));
    SHOW(write(ends[0], "x", 1));
    SHOW(epoll_wait(poller, &event, 1, 20));
    SHOW(write(ends[1], "a", 1));
    SHOW(epoll_wait(poller, &event, 1, 1000));
    printf("  %x\n", event.events);
    SHOW(write(ends[1], "b", 1));
    SHOW(epoll_wait(poller, &event, 1, 1000));
    printf("  %x\n", event.events);
    show_receive(ends[0]);
    SHOW(epoll_wait(poller, &event, 1, 0));
    SHOW(shutdown(ends[1], SHUT_WR));
    SHOW(epoll_wait(poller, &event, 1, 1000));
    printf("  %x\n", event.events);
    close(poller);
    pair_close(ends);
}

// ---- Much ----

enum { TOTAL = 3000000, CLIENTS = 20, ROUNDS = 300 };

static char pattern_at(long i)
{
    return (char)(i * 7 + i / 1000);
}

static void *writer(void *argument)
{
    const int fd = *(int *)argument;
    char *data = malloc(TOTAL);
    for (int i = 0; i < TOTAL; ++i) {
        data[i] = pattern_at(i);
    }
    for (long done = 0, step = 1; done < TOTAL; step = step * 3 % 70001 + 1) {
        const long left = TOTAL - done;
        const long part = write(fd, data + done, left < step ? left : step);
        if (part <= 0) {
            perror("write");
            break;
        }
        done += part;
    }
    free(data);
    shutdown(fd, SHUT_WR);
    return NULL;
}

static long read_all(int fd, bool is_slow)
{
    static __thread char data[100000];
    long total = 0, wrong = 0, part;
    while ((part = read(fd, data, is_slow ? 777 : sizeof data)) > 0) {
        for (long i = 0; i < part; ++i) {
            wrong += data[i] != pattern_at(total + i);
        }
        total += part;
    }
    return part < 0 || wrong > 0 ? -1 : total;
}

static void *reader(void *argument)
{
    return (void *)read_all(*(int *)argument, true);
}

// Both ways at once.
static void streams(void)
{
    int ends[2];
    pthread_t threads[3];
    void *result;
    section("streams");
    pair(ends);
    pthread_create(&threads[0], NULL, writer, &ends[0]);
    pthread_create(&threads[1], NULL, writer, &ends[1]);
    pthread_create(&threads[2], NULL, reader, &ends[0]);
    printf("%ld\n", read_all(ends[1], false));
    for (int i = 0; i < 3; ++i) {
        pthread_join(threads[i], &result);
    }
    printf("%ld\n", (long)result);
    pair_close(ends);
}

static void *server(void *argument)
{
    const int fd = *(int *)argument;
    int poller = epoll_create1(0), open = 0, ended = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    while (ended < CLIENTS && epoll_wait(poller, &event, 1, -1) == 1) {
        if (event.data.fd == fd) {
            event.data.fd = accept(fd, NULL, NULL);
            event.events = EPOLLIN | (++open % 2 == 0 ? EPOLLET : 0);
            epoll_ctl(poller, EPOLL_CTL_ADD, event.data.fd, &event);
            continue;
        }
        char data[64];
        long size;
        while ((size = recv(event.data.fd, data, sizeof data, MSG_DONTWAIT)) > 0) {
            send(event.data.fd, data, size, 0);
        }
        if (size == 0) {
            close(event.data.fd);
            ++ended;
        }
    }
    close(poller);
    return NULL;
}

static uint16_t server_port;
static _Atomic int wrong;

static void *client(void *argument)
{
    int fd = socket(family, SOCK_STREAM, 0);
    (void)argument;
    if (connect_to(fd, server_port) != 0) {
        ++wrong;
    }
    for (int i = 0; i < ROUNDS; ++i) {
        int back = -1;
        send(fd, &i, sizeof i, 0);
        wrong += recv(fd, &back, sizeof back, MSG_WAITALL) != sizeof back || back != i;
    }
    close(fd);
    return NULL;
}

static void many(void)
{
    pthread_t threads[CLIENTS], served;
    section("many");
    int fd = listener(CLIENTS);
    server_port = own_port(fd);
    pthread_create(&served, NULL, server, &fd);
    for (int i = 0; i < CLIENTS; ++i) {
        pthread_create(&threads[i], NULL, client, NULL);
    }
    for (int i = 0; i < CLIENTS; ++i) {
        pthread_join(threads[i], NULL);
    }
    pthread_join(served, NULL);
    printf("%d wrong\n", wrong);
    close(fd);
}

// One thread does all: what it does to one end the other has to see by itself.
static void alone(void)
{
    int fd = listener(1), failed = 0;
    char data[8];
    section("alone");
    for (int i = 0; i < 300; ++i) {
        int one = socket(family, SOCK_STREAM, 0);
        failed += connect_to(one, own_port(fd)) != 0;
        int two = accept(fd, NULL, NULL);
        failed += write(one, "ping", 4) != 4 || read(two, data, 8) != 4;
        failed += write(two, "pong", 4) != 4 || read(one, data, 8) != 4;
        close(one);
        failed += read(two, data, 8) != 0;
        close(two);
    }
    printf("%d failed\n", failed);
    close(fd);
}

static int waited_for;

static void *shutter(void *argument)
{
    (void)argument;
    usleep(20000);
    shutdown(waited_for, SHUT_RDWR);
    return NULL;
}

static void waits(void)
{
    int ends[2];
    pthread_t thread;
    char data[8];
    section("waits");
    pair(ends);
    waited_for = ends[0];
    pthread_create(&thread, NULL, shutter, NULL);
    SHOW(read(ends[0], data, sizeof data));
    pthread_join(thread, NULL);
    pair_close(ends);
    waited_for = listener(1);
    pthread_create(&thread, NULL, shutter, NULL);
    SHOW(accept(waited_for, NULL, NULL));
    pthread_join(thread, NULL);
    close(waited_for);
    // A writer whose reader does not read waits until it does.
    pair(ends);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    static char much[100000];
    long sent = 0, part;
    while ((part = write(ends[0], much, sizeof much)) > 0) {
        sent += part;
    }
    SHOW(part);
    struct pollfd item = {.fd = ends[0], .events = POLLOUT};
    SHOW(poll(&item, 1, 0));
    printf("  some %d\n", sent > 50000);
    shutdown(ends[0], SHUT_WR);
    long got = 0;
    while ((part = read(ends[1], much, sizeof much)) > 0) {
        got += part;
    }
    printf("  all %d\n", got == sent);
    pair_close(ends);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (int i = 0; i < 2; ++i) {
        family = families[i];
        makings();
        listening();
        reuse();
        connecting();
        refusals();
        bytes();
        ends_of_all_kinds();
        losses();
        broken();
        options();
        edges();
        streams();
        many();
        alone();
        waits();
        wrong = 0;
    }
    puts("done");
    return 0;
}
