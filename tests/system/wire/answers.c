// SPDX-License-Identifier: BSD-3-Clause
// answers.c: answers waits|computes PORT: answers ASKED datagrams, quickly; but before the last it
// waits, or goes on computing, until one comes to PORT + 1, which the asker sends when it has all
// the answers before. They had another behind them when they were sent, and may not wait for that.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SIZE = 16, ASKED = 12 };

static int open_at(int port)
{
    const struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&own, sizeof own) != 0) {
        perror("bind");
        exit(1);
    }
    return fd;
}

static void answer(int fd)
{
    char data[SIZE];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &size);
    if (got < 0 || sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&from, size) != got) {
        perror("answer");
        exit(1);
    }
}

int main(int count, char **words)
{
    char data[SIZE];
    if (count != 3) {
        return 2;
    }
    const int port = atoi(words[2]), fd = open_at(port), other = open_at(port + 1);
    const int flags = strcmp(words[1], "computes") == 0 ? MSG_DONTWAIT : 0;
    puts("ready");
    fflush(stdout);
    answer(fd);                              // who asks is known now
    (void)recv(other, data, sizeof data, 0); // all are there
    for (int i = 2; i < ASKED; ++i) {
        answer(fd);
    }
    while (recv(other, data, sizeof data, flags) < 0) {
    }
    answer(fd);
    puts("answered");
    return 0;
}
