// SPDX-License-Identifier: BSD-3-Clause
// tcpoptions.c: the options of tcp(7) beside those in connections.c: which values they take and
// tell, before and after connecting, and what they do on the loopback network.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "show.h"

static struct sockaddr_in name_of(int fd)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    getsockname(fd, (struct sockaddr *)&name, &size);
    return name;
}

static void number_set(int fd, int name, int value)
{
    if (setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value) != 0) {
        perror("setsockopt");
    }
}

static int number_of(int fd, int name)
{
    int value = -2;
    socklen_t size = sizeof value;
    getsockopt(fd, IPPROTO_TCP, name, &value, &size);
    return value;
}

static int listener_make(int name, int value)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (name != 0) {
        number_set(fd, name, value);
    }
    if (bind(fd, (struct sockaddr *)&any, sizeof any) != 0 || listen(fd, 5) != 0) {
        perror("listen");
    }
    return fd;
}

static int connected_to(int listener, int name, int value)
{
    const struct sockaddr_in to = name_of(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (name != 0) {
        number_set(fd, name, value);
    }
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
    }
    return fd;
}

// A connection of whose ends the first has called.
static void ends_make(int ends[2])
{
    int listener = listener_make(0, 0);
    ends[0] = connected_to(listener, 0, 0);
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
}

static void ends_close(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static short events_of(int fd, short events, int patience_ms)
{
    struct pollfd item = {.fd = fd, .events = events};
    poll(&item, 1, patience_ms);
    return item.revents;
}

// ---- Values ----

static void values_try(const char *what, int fd, int name, const int *values, int count)
{
    printf("-- %s: %d\n", what, number_of(fd, name));
    for (int i = 0; i < count; ++i) {
        SHOW(setsockopt(fd, IPPROTO_TCP, name, &values[i], sizeof values[i]));
        printf("  %d: %d\n", values[i], number_of(fd, name));
    }
}

#define TRY(fd, name, ...)                                                                         \
    values_try(#name, fd, name, (const int[]){__VA_ARGS__},                                        \
               sizeof(int[]){__VA_ARGS__} / sizeof(int))

static void values(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), ends[2];
    TRY(fd, TCP_MAXSEG, 87, 88, 1000, 32767, 32768, -1, 0);
    TRY(fd, TCP_SYNCNT, 0, 1, 127, 128, -1);
    TRY(fd, TCP_LINGER2, 5, 120, 121, -7, 0);
    TRY(fd, TCP_DEFER_ACCEPT, 1, 2, 3, 4, 10, 100, 300, -1, 0);
    TRY(fd, TCP_QUICKACK, 0, 1);
    TRY(fd, TCP_WINDOW_CLAMP, 1, 1152, 30000, 0);
    TRY(fd, TCP_NOTSENT_LOWAT, 16384, 0);
    TRY(fd, TCP_USER_TIMEOUT, 1000, -1, 0);
    SHOW(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, "", 1));
    close(fd);
    ends_make(ends);
    const int short_of = 5, none = 0;
    SHOW(setsockopt(ends[0], IPPROTO_TCP, TCP_MAXSEG, &short_of, sizeof short_of));
    TRY(ends[0], TCP_SYNCNT, 3);
    TRY(ends[0], TCP_LINGER2, 9);
    TRY(ends[0], TCP_QUICKACK, 0, 1);
    TRY(ends[0], TCP_NOTSENT_LOWAT, 4096);
    SHOW(setsockopt(ends[0], IPPROTO_TCP, TCP_WINDOW_CLAMP, &none, sizeof none));
    ends_close(ends);
}

// ---- Effects ----

static void segments(void)
{
    puts("-- segments");
    int listener = listener_make(TCP_MAXSEG, 1000);
    int client = connected_to(listener, 0, 0), server = accept(listener, NULL, NULL);
    printf("  %d %d\n", number_of(client, TCP_MAXSEG), number_of(server, TCP_MAXSEG));
    close(client);
    close(server);
    client = connected_to(listener, TCP_MAXSEG, 700);
    server = accept(listener, NULL, NULL);
    printf("  %d %d\n", number_of(client, TCP_MAXSEG), number_of(server, TCP_MAXSEG));
    close(client);
    close(server);
    close(listener);
}

static void inherited(void)
{
    puts("-- of a listener");
    int listener = listener_make(TCP_LINGER2, 33);
    number_set(listener, TCP_NOTSENT_LOWAT, 7777);
    number_set(listener, TCP_SYNCNT, 4);
    int client = connected_to(listener, 0, 0), server = accept(listener, NULL, NULL);
    printf("  %d %d %d\n", number_of(server, TCP_LINGER2), number_of(server, TCP_NOTSENT_LOWAT),
           number_of(server, TCP_SYNCNT));
    close(client);
    close(server);
    close(listener);
}

static void deferred(void)
{
    char data[8] = "";
    puts("-- deferred");
    int listener = listener_make(TCP_DEFER_ACCEPT, 60);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    int client = connected_to(listener, 0, 0);
    SHOW(accept(listener, NULL, NULL));
    printf("  %x\n", events_of(listener, POLLIN, 0));
    SHOW(write(client, "late", 4));
    printf("  %x\n", events_of(listener, POLLIN, 10000));
    int server = accept(listener, NULL, NULL);
    SHOW(recv(server, data, sizeof data, MSG_DONTWAIT));
    printf("  %s\n", data);
    close(client);
    close(server);
    close(listener);
}

static long fill(int fd)
{
    static char much[50000];
    long sent = 0, part;
    while ((part = send(fd, much, sizeof much, MSG_DONTWAIT)) > 0) {
        sent += part;
    }
    return sent;
}

static void unsent(void)
{
    int ends[2];
    puts("-- unsent");
    ends_make(ends);
    const long without = fill(ends[0]);
    ends_close(ends);
    ends_make(ends);
    number_set(ends[0], TCP_NOTSENT_LOWAT, 1);
    const long with = fill(ends[0]);
    printf("  less %d\n", with < without);
    printf("  %x\n", events_of(ends[0], POLLOUT, 0));
    static char much[100000];
    for (long left = with; left > 0;) {
        left -= read(ends[1], much, sizeof much);
    }
    printf("  %x\n", events_of(ends[0], POLLOUT, 10000));
    ends_close(ends);
}

static void told(void)
{
    int ends[2];
    char data[16];
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    puts("-- told");
    ends_make(ends);
    SHOW(write(ends[0], "hello", 5));
    SHOW(read(ends[1], data, sizeof data));
    SHOW(write(ends[1], "you", 3));
    SHOW(read(ends[0], data, sizeof data));
    getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, &info, &size);
    printf("  state %d options %d lost %u sent again %u unsent %u\n", info.tcpi_state,
           info.tcpi_options & 7, info.tcpi_lost, info.tcpi_total_retrans, info.tcpi_notsent_bytes);
    // Linux remembers of a host how much its packets came out of order.
    printf("  segments %u, path %u, reordering %d\n", info.tcpi_advmss, info.tcpi_pmtu,
           info.tcpi_reordering >= 3);
    printf("  bytes %llu %llu %llu, again %llu\n", (unsigned long long)info.tcpi_bytes_sent,
           (unsigned long long)info.tcpi_bytes_acked, (unsigned long long)info.tcpi_bytes_received,
           (unsigned long long)info.tcpi_bytes_retrans);
    printf("  with data %u out %u in, too early %u\n", info.tcpi_data_segs_out,
           info.tcpi_data_segs_in, info.tcpi_rcv_ooopack);
    ends_close(ends);
}

static void fast(void)
{
    struct sockaddr_in nobody = {.sin_family = AF_UNSPEC};
    char data[16] = "";
    puts("-- fast");
    int listener = listener_make(TCP_FASTOPEN, 5);
    struct sockaddr_in to = name_of(listener);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    TRY(client, TCP_FASTOPEN, 5, -1, 5000000, 0);
    TRY(client, TCP_FASTOPEN_CONNECT, 1, 2, -1, 0);
    SHOW(sendto(client, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to));
    TRY(client, TCP_FASTOPEN, 3);
    TRY(client, TCP_FASTOPEN_CONNECT, 1);
    SHOW(sendto(client, "again", 5, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to));
    int server = accept(listener, NULL, NULL);
    SHOW(recv(server, data, sizeof data, 0));
    printf("  %s\n", data);
    close(client);
    close(server);
    client = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(sendto(client, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, NULL, 0));
    SHOW(sendto(client, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&nobody, sizeof nobody));
    SHOW(sendto(client, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, 4));
    SHOW(sendto(client, "x", 1, MSG_FASTOPEN | MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to));
    printf("  %x\n", events_of(client, POLLOUT, 10000));
    SHOW(sendto(client, "y", 1, MSG_FASTOPEN | MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to));
    server = accept(listener, NULL, NULL);
    SHOW(recv(server, data, sizeof data, 0));
    close(client);
    close(server);
    client = connected_to(listener, TCP_FASTOPEN_CONNECT, 1);
    SHOW(write(client, "z", 1));
    server = accept(listener, NULL, NULL);
    SHOW(recv(server, data, sizeof data, 0));
    close(client);
    close(server);
    close(listener);
    client = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(sendto(client, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to));
    close(client);
}

int main(void)
{
    values();
    segments();
    inherited();
    deferred();
    unsent();
    told();
    fast();
    return 0;
}
