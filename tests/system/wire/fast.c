// SPDX-License-Identifier: BSD-3-Clause
// fast.c: Fast Open (RFC 7413) between two machines.
//
//   fast serve PORT COUNT     answers COUNT connections; says "ready" when it can
//   fast call ADDRESS PORT    calls three times: without a cookie, with one, and with more than a
//                             SYN takes
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MUCH = 5000 };

__attribute__((noreturn)) static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void switches_set(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/tcp_fastopen", "w");
    if (file == NULL || fputs("3", file) < 0 || fclose(file) != 0) {
        fail("tcp_fastopen");
    }
}

static int went_with_syn(int fd)
{
    struct tcp_info info = {.tcpi_options = 0};
    socklen_t size = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    return (info.tcpi_options & TCPI_OPT_SYN_DATA) != 0;
}

static int serve(int port, int count)
{
    const int fd = socket(AF_INET6, SOCK_STREAM, 0), queue = 5;
    const struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 5) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue) != 0) {
        fail("listen");
    }
    puts("ready");
    for (int i = 0; i < count; ++i) {
        char data[2 * MUCH];
        const int peer = accept(fd, NULL, NULL);
        size_t got = 0;
        for (ssize_t part = 1; part > 0; got += part > 0 ? (size_t)part : 0) {
            part = recv(peer, data + got, sizeof data - got, 0);
        }
        printf("served %zu, with the SYN %d\n", got, went_with_syn(peer));
        if (send(peer, data, got, 0) != (ssize_t)got) {
            fail("send");
        }
        close(peer);
    }
    return 0;
}

static void call(const struct addrinfo *to, size_t size)
{
    static char sent[MUCH], data[MUCH + 1];
    const int fd = socket(to->ai_family, SOCK_STREAM, 0);
    for (size_t i = 0; i < size; ++i) {
        sent[i] = (char)(i * 7);
    }
    const ssize_t done = sendto(fd, sent, size, MSG_FASTOPEN, to->ai_addr, to->ai_addrlen);
    shutdown(fd, SHUT_WR);
    const ssize_t got = recv(fd, data, sizeof data, MSG_WAITALL);
    printf("sent %zd, got %zd, %s, with the SYN %d\n", done, got,
           memcmp(sent, data, size) == 0 ? "right" : "wrong", went_with_syn(fd));
    close(fd);
}

int main(int count, char **words)
{
    const struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *to;
    setvbuf(stdout, NULL, _IOLBF, 0);
    switches_set();
    if (count == 4 && strcmp(words[1], "serve") == 0) {
        return serve(atoi(words[2]), atoi(words[3]));
    }
    if (count != 4 || getaddrinfo(words[2], words[3], &wanted, &to) != 0) {
        return 2;
    }
    call(to, 5);
    call(to, 5);
    call(to, MUCH);
    return 0;
}
