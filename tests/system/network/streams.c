// SPDX-License-Identifier: BSD-3-Clause
// streams.c: connections of TCP across a bad network, each with a stream of bytes both ways: at
// both ends all bytes of the other come, and then its end; or an error that says why not. Nothing
// else may happen, and nothing stalls.
//
//   streams SEED CONNECTIONS BACKLOG BYTES V4 V6   BYTES: of all streams together, about; V4, V6:
//                                                  whom to connect to, who is this program itself;
//                                                  - is nobody
//
// Both ends are here: the network leads back. Prints how many connections had all their bytes,
// what the others ended with, and what the machine has counted.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, CHUNK = 20000, PORT = 700, PATIENCE_S = 48 * 3600, QUIET_S = 4000 };

struct connection {
    uint32_t size[2]; // that the client sends, that the server sends
    bool is_v6, is_duplex;
    int state[2]; // of client and server: errno, 0: all is there; -1: not begun
    pthread_t client, server;
};

static struct connection connections[CONNECTIONS_MAX];
static unsigned count;
static uint64_t seed;
static const char *addresses[2];
static int listener;

static uint64_t draw(void)
{
    seed += 0x9e3779b97f4a7c15u;
    uint64_t word = seed;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9u;
    word = (word ^ word >> 27) * 0x94d049bb133111ebu;
    return word ^ word >> 31;
}

static uint32_t draw_below(uint32_t limit)
{
    return (uint32_t)(draw() % limit);
}

__attribute__((noreturn)) static void fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

static char byte_of(unsigned stream, uint32_t place)
{
    return (char)(place * 131 + (place >> 8) * 17 + stream * 29 + 3);
}

// ---- One end -------------------------------------------------------------------------------

struct end {
    int fd;
    unsigned out, in; // which streams
    uint32_t out_size, in_size, out_done, in_done;
    bool has_ended;
};

// Some of what is to be sent. 0 or errno.
static int some_send(struct end *end, int flags)
{
    char data[CHUNK];
    uint32_t size = end->out_size - end->out_done;
    size = size < sizeof data ? size : (uint32_t)sizeof data;
    for (uint32_t i = 0; i < size; ++i) {
        data[i] = byte_of(end->out, end->out_done + i);
    }
    const ssize_t sent = size == 0 ? 0 : send(end->fd, data, size, flags | MSG_NOSIGNAL);
    if (sent < 0) {
        return errno;
    }
    end->out_done += (uint32_t)sent;
    return end->out_done == end->out_size && shutdown(end->fd, SHUT_WR) != 0 ? errno : 0;
}

static int some_receive(struct end *end, int flags)
{
    char data[CHUNK];
    const ssize_t got = recv(end->fd, data, sizeof data, flags);
    if (got < 0) {
        return errno;
    }
    for (ssize_t i = 0; i < got; ++i) {
        if (end->in_done == end->in_size || data[i] != byte_of(end->in, end->in_done)) {
            printf("stream %u of %u: byte %u is wrong\n", end->in, end->in_size, end->in_done);
            fflush(stdout);
            _exit(1);
        }
        ++end->in_done;
    }
    end->has_ended = got == 0;
    if (end->has_ended && end->in_done < end->in_size) {
        printf("stream %u ends after %u of %u bytes\n", end->in, end->in_done, end->in_size);
        fflush(stdout);
        _exit(1);
    }
    return 0;
}

static int both_at_once(struct end *end)
{
    bool is_sent = false;
    int error = 0;
    while (error == 0 && !(is_sent && end->has_ended)) {
        struct pollfd item = {.fd = end->fd,
                              .events =
                                  (short)((is_sent ? 0 : POLLOUT) | (end->has_ended ? 0 : POLLIN))};
        if (poll(&item, 1, -1) != 1) {
            fail("poll");
        }
        if (item.revents & POLLOUT) {
            error = some_send(end, MSG_DONTWAIT);
            is_sent = error == 0 && end->out_done == end->out_size;
        }
        if (error == 0 && (item.revents & (POLLIN | POLLERR | POLLHUP)) && !end->has_ended) {
            error = some_receive(end, MSG_DONTWAIT);
        }
        error = error == EAGAIN ? 0 : error;
    }
    return error;
}

static int all_send(struct end *end)
{
    int error;
    do {
        error = some_send(end, 0);
    } while (error == 0 && end->out_done < end->out_size);
    return error;
}

static int all_receive(struct end *end)
{
    int error = 0;
    while (error == 0 && !end->has_ended) {
        error = some_receive(end, 0);
    }
    return error;
}

static int end_run(unsigned which, bool is_server, int fd)
{
    const struct connection *connection = &connections[which];
    struct end end = {.fd = fd,
                      .out = 2 * which + is_server,
                      .in = 2 * which + !is_server,
                      .out_size = connection->size[is_server],
                      .in_size = connection->size[!is_server]};
    if (connection->is_duplex) {
        return both_at_once(&end);
    }
    int error = is_server ? all_receive(&end) : all_send(&end);
    return error != 0 ? error : is_server ? all_send(&end) : all_receive(&end);
}

// Who has said all and is not answered learns some time that nobody is there.
static void keep_alive(int fd)
{
    const int on = 1, idle = 60, interval = 20, tries = 9;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
}

// ---- Clients and servers -------------------------------------------------------------------

static int client_connect(const struct connection *connection)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    inet_pton(AF_INET, addresses[0], &v4.sin_addr);
    inet_pton(AF_INET6, addresses[1], &v6.sin6_addr);
    const int fd = socket(connection->is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (fd < 0) {
        fail("socket");
    }
    keep_alive(fd);
    const int error = connection->is_v6 ? connect(fd, (struct sockaddr *)&v6, sizeof v6)
                                        : connect(fd, (struct sockaddr *)&v4, sizeof v4);
    if (error != 0) {
        const int kept = errno;
        close(fd);
        return -kept;
    }
    return fd;
}

static void *client_run(void *argument)
{
    struct connection *connection = argument;
    const unsigned which = (unsigned)(connection - connections);
    const int fd = client_connect(connection);
    if (fd < 0) {
        connection->state[0] = -fd;
        return NULL;
    }
    const uint8_t name = (uint8_t)which;
    connection->state[0] =
        send(fd, &name, 1, MSG_NOSIGNAL) == 1 ? end_run(which, false, fd) : errno;
    close(fd);
    return NULL;
}

static void *server_run(void *argument)
{
    const int fd = (int)(intptr_t)argument;
    uint8_t which;
    const ssize_t got = recv(fd, &which, 1, 0);
    if (got == 1 && which < count) {
        connections[which].state[1] = end_run(which, true, fd);
    } else if (got > 0) {
        fail("the first byte");
    }
    close(fd);
    return NULL;
}

static void *accept_all(void *argument)
{
    static pthread_t servers[2 * CONNECTIONS_MAX]; // one can come that has no client any more
    unsigned served = 0;
    int fd;
    (void)argument;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        keep_alive(fd);
        if (served == 2 * CONNECTIONS_MAX ||
            pthread_create(&servers[served], NULL, server_run, (void *)(intptr_t)fd) != 0) {
            fail("a server's thread");
        }
        ++served;
    }
    if (errno != EINVAL) {
        fail("accept");
    }
    for (unsigned i = 0; i < served; ++i) {
        pthread_join(servers[i], NULL);
    }
    return NULL;
}

static void *watch(void *argument)
{
    const struct timespec patience = {.tv_sec = PATIENCE_S};
    nanosleep(&patience, NULL);
    printf("stalled:");
    for (unsigned i = 0; i < count; ++i) {
        printf(" %d/%d", connections[i].state[0], connections[i].state[1]);
    }
    printf("\n");
    fflush(stdout);
    return argument; // where nobody can ever go on, the machine says where all are
}

// ---- What has come of it -------------------------------------------------------------------

static void file_print(const char *name)
{
    char line[4096];
    FILE *file = fopen(name, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        printf("%s", line);
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void result_print(void)
{
    const struct timespec quiet = {.tv_sec = QUIET_S}; // nothing is under way any more
    unsigned whole = 0;
    nanosleep(&quiet, NULL);
    for (unsigned i = 0; i < count; ++i) {
        whole += connections[i].state[0] == 0 && connections[i].state[1] == 0;
    }
    printf("whole %u of %u", whole, count);
    for (unsigned i = 0; i < count; ++i) {
        const int *state = connections[i].state;
        if (state[0] != 0 || state[1] != 0) {
            printf(" %s/%s", strerrorname_np(state[0]),
                   state[1] < 0 ? "-" : strerrorname_np(state[1]));
        }
    }
    printf("\n");
    file_print("/proc/net/dev");
    file_print("/proc/net/snmp");
    file_print("/proc/net/netstat");
}

static void plan(uint32_t bytes)
{
    const bool has_v4 = strcmp(addresses[0], "-") != 0, has_v6 = strcmp(addresses[1], "-") != 0;
    for (unsigned i = 0; i < count; ++i) {
        struct connection *connection = &connections[i];
        // Most are short, some are long.
        const uint32_t most = draw_below(4) == 0 ? 2 * bytes / count : bytes / count / 2;
        connection->size[0] = draw_below(most + 1);
        connection->size[1] = draw_below(most + 1);
        connection->is_v6 = has_v6 && (!has_v4 || draw_below(2) == 0);
        connection->is_duplex = draw_below(2) == 0;
        connection->state[0] = connection->state[1] = -1;
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    pthread_t acceptor, watcher;
    if (argc != 7) {
        return 2;
    }
    seed = strtoull(argv[1], NULL, 10);
    count = (unsigned)atoi(argv[2]);
    count = count < CONNECTIONS_MAX ? count : CONNECTIONS_MAX;
    addresses[0] = argv[5];
    addresses[1] = argv[6];
    plan((uint32_t)atoi(argv[4]));
    listener = socket(AF_INET6, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0 ||
        listen(listener, atoi(argv[3])) != 0) {
        fail("listen");
    }
    pthread_create(&watcher, NULL, watch, NULL);
    pthread_create(&acceptor, NULL, accept_all, NULL);
    for (unsigned i = 0; i < count; ++i) {
        if (pthread_create(&connections[i].client, NULL, client_run, &connections[i]) != 0) {
            fail("a client's thread");
        }
    }
    for (unsigned i = 0; i < count; ++i) {
        pthread_join(connections[i].client, NULL);
    }
    shutdown(listener, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    result_print();
    return 0;
}
