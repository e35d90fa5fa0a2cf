// SPDX-License-Identifier: BSD-3-Clause
// ends.h: connections on lo, and what the programs here send by them.
#ifndef TESTS_SYSTEM_PACKETS_ENDS_H
#define TESTS_SYSTEM_PACKETS_ENDS_H

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct ends {
    int near, far;
};

static inline struct ends connected(int family)
{
    struct sockaddr_in6 name = {.sin6_family = (sa_family_t)family};
    struct sockaddr *address = (struct sockaddr *)&name;
    socklen_t size = sizeof name;
    const int listener = socket(family, SOCK_STREAM, 0);
    struct ends ends = {socket(family, SOCK_STREAM, 0), -1};
    if (bind(listener, address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, address, &size) != 0 || connect(ends.near, address, size) != 0) {
        perror("connect");
    }
    ends.far = accept(listener, NULL, NULL);
    close(listener);
    return ends;
}

static inline char byte_at(uint64_t place)
{
    return (char)(place * 7 + place / 251);
}

// What a call has answered.
static inline void show(const char *what, int got)
{
    printf("%s: %d", what, got);
    printf(got < 0 ? " %s\n" : "\n", strerrorname_np(errno));
}

#endif
