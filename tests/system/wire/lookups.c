// SPDX-License-Identifier: BSD-3-Clause
// lookups.c: getaddrinfo, where the name server, a thread of this program's at 127.0.0.1, knows
// addresses of one version and fails at the other. /etc/resolv.conf has to name that server alone.
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HEADER = 12, MESSAGE = 512, A = 1, AAAA = 28, SERVER_FAILURE = 2, NO_NAME = 3, REFUSED = 5 };

enum says { ADDRESS, NOTHING, FAILURE, REFUSAL, NO_SUCH_NAME, SILENCE };

static const struct known {
    const char *name;
    enum says v4, v6;
} all[] = {
    {"both.test", ADDRESS, ADDRESS},
    {"one.test", ADDRESS, NOTHING},
    {"refuses-v6.test", ADDRESS, REFUSAL},
    {"refuses-v4.test", REFUSAL, ADDRESS},
    {"fails-v6.test", ADDRESS, FAILURE},
    {"silent-v6.test", ADDRESS, SILENCE},
    {"refuses.test", REFUSAL, REFUSAL},
    {"fails.test", FAILURE, FAILURE},
    {"unknown.test", NO_SUCH_NAME, NO_SUCH_NAME},
};
enum { COUNT = sizeof all / sizeof all[0] };

__attribute__((noreturn)) static void fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

// ---- The server --------------------------------------------------------------------------

// The name in a question, with dots. Answers where it ends.
static const uint8_t *name_read(const uint8_t *at, char *name)
{
    while (*at != 0) {
        memcpy(name, at + 1, *at);
        name += *at;
        *name++ = '.';
        at += *at + 1;
    }
    name[-1] = 0;
    return at + 1;
}

// Behind a question of size bytes. Answers how long it is with that.
static size_t record_add(uint8_t *message, size_t size, bool is_v4)
{
    static const uint8_t v4[] = {0xc0, HEADER, 0, A, 0, 1, 0, 0, 0, 9, 0, 4, 10, 9, 8, 7};
    static const uint8_t v6[] = {0xc0, HEADER, 0, AAAA, 0, 1, 0, 0, 0, 9, 0, 16, 0x20, 1,
                                 0xd,  0xb8,   0, 0,    0, 0, 0, 0, 0, 0, 0, 0,  0,    7};
    memcpy(message + size, is_v4 ? v4 : v6, is_v4 ? sizeof v4 : sizeof v6);
    message[7] = 1;
    return size + (is_v4 ? sizeof v4 : sizeof v6);
}

// Makes an answer of a question. 0: there is none.
static size_t answer_make(uint8_t *message, size_t size)
{
    static const uint8_t codes[] = {
        [FAILURE] = SERVER_FAILURE, [REFUSAL] = REFUSED, [NO_SUCH_NAME] = NO_NAME};
    char name[MESSAGE];
    const uint8_t *kind = name_read(message + HEADER, name);
    const bool is_v4 = kind[1] == A;
    enum says says = NO_SUCH_NAME;
    for (int i = 0; i < COUNT; ++i) {
        if (strcmp(name, all[i].name) == 0) {
            says = is_v4 ? all[i].v4 : all[i].v6;
        }
    }
    message[2] |= 0x80;
    message[3] = says < sizeof codes ? codes[says] : 0;
    memset(message + 6, 0, 6);
    return says == SILENCE ? 0 : says == ADDRESS ? record_add(message, size, is_v4) : size;
}

static void *serve(void *argument)
{
    const int fd = *(int *)argument;
    uint8_t message[2 * MESSAGE];
    for (;;) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        const ssize_t got = recvfrom(fd, message, MESSAGE, 0, (struct sockaddr *)&from, &length);
        const size_t size = got > HEADER ? answer_make(message, (size_t)got) : 0;
        if (size > 0 && sendto(fd, message, size, 0, (struct sockaddr *)&from, length) < 0) {
            fail("sendto");
        }
    }
}

static void server_start(void)
{
    static int fd;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(53)};
    pthread_t thread;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) != 0 ||
        pthread_create(&thread, NULL, serve, &fd) != 0) {
        fail("server");
    }
}

// ---- Who asks ----------------------------------------------------------------------------

static void found_print(const struct addrinfo *found, int family)
{
    char text[INET6_ADDRSTRLEN];
    for (; found != NULL; found = found->ai_next) {
        const void *bytes =
            family == AF_INET
                ? (const void *)&((const struct sockaddr_in *)(void *)found->ai_addr)->sin_addr
                : (const void *)&((const struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_addr;
        if (found->ai_family == family) {
            printf(" %s", inet_ntop(family, bytes, text, sizeof text));
        }
    }
}

static void look_up(const char *name, int family)
{
    const struct addrinfo hint = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int error = getaddrinfo(name, NULL, &hint, &found);
    printf("%s: %d", name, error);
    if (error == 0) {
        found_print(found, AF_INET);
        found_print(found, AF_INET6);
        freeaddrinfo(found);
    }
    printf("\n");
}

int main(void)
{
    look_up("nobody.test", AF_UNSPEC);
    server_start();
    for (int i = 0; i < COUNT; ++i) {
        look_up(all[i].name, AF_UNSPEC);
    }
    look_up("refuses-v6.test", AF_INET);
    look_up("refuses-v6.test", AF_INET6);
    return 0;
}
