// SPDX-License-Identifier: BSD-3-Clause
// crowd.c: serves many at once, each in a thread, as the first byte of its connection says.
//
//   crowd serve PORT           s: sends for ever; q: reads nothing more; e: gives back what comes;
//                              m: says what connections hold; x: ends. Says "ready" when it can
//   crowd ask ADDRESS PORT     wants back a stream, and what the server says then
//   crowd end ADDRESS PORT     ends it
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM = 1 << 20, CHUNK = 16384, STACK = 65536 };

__attribute__((noreturn)) static void fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

static void held_tell(int fd)
{
    char line[256];
    FILE *file = fopen("/proc/net/sockstat", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *pages = strncmp(line, "TCP:", 4) == 0 ? strstr(line, "mem ") : NULL;
        if (pages != NULL && write(fd, pages, strlen(pages)) < 0) {
            fail("write");
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void give_back(int fd, char *data)
{
    ssize_t got;
    while ((got = read(fd, data, CHUNK)) > 0) {
        for (ssize_t at = 0, put; at < got; at += put) {
            put = write(fd, data + at, (size_t)(got - at));
            if (put < 0) {
                return;
            }
        }
    }
}

static void *serve_one(void *argument)
{
    static char shared[CHUNK]; // zeros
    const int fd = (int)(intptr_t)argument;
    char data[CHUNK], what = 0;
    if (read(fd, &what, 1) == 1) {
        switch (what) {
        case 's':
            while (write(fd, shared, sizeof shared) > 0) {
            }
            break;
        case 'q':
            pause();
            break;
        case 'm':
            held_tell(fd);
            break;
        case 'x':
            printf("ended\n");
            exit(0);
        default:
            give_back(fd, data);
            break;
        }
    }
    close(fd);
    return NULL;
}

static int serve(int port)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    pthread_attr_t attributes;
    signal(SIGPIPE, SIG_IGN);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (bind(listener, (const struct sockaddr *)&any, sizeof any) != 0 ||
        listen(listener, 128) != 0) {
        fail("listen");
    }
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        const int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd < 0 || pthread_create(&thread, &attributes, serve_one, (void *)(intptr_t)fd) != 0) {
            fail("accept");
        }
    }
}

static int connected(const char *address, const char *port, char what)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || write(fd, &what, 1) != 1) {
        fail("connect");
    }
    return fd;
}

static void *stream_send(void *argument)
{
    static uint8_t data[STREAM];
    const int fd = *(int *)argument;
    for (int i = 0; i < STREAM; ++i) {
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    for (ssize_t at = 0, put; at < STREAM; at += put) {
        put = write(fd, data + at, (size_t)(STREAM - at));
        if (put < 0) {
            fail("write");
        }
    }
    shutdown(fd, SHUT_WR);
    return NULL;
}

static int ask(const char *address, const char *port)
{
    static uint8_t data[CHUNK];
    int fd = connected(address, port, 'e');
    pthread_t thread;
    ssize_t got;
    int all = 0;
    pthread_create(&thread, NULL, stream_send, &fd);
    while ((got = read(fd, data, sizeof data)) > 0) {
        for (ssize_t i = 0; i < got; ++i, ++all) {
            if (data[i] != (uint8_t)(all * 7 + (all >> 8))) {
                printf("byte %d is another's\n", all);
                return 1;
            }
        }
    }
    pthread_join(thread, NULL);
    printf("stream of %d\n", all);
    fd = connected(address, port, 'm');
    while ((got = read(fd, data, sizeof data)) > 0) {
        fwrite(data, 1, (size_t)got, stdout);
    }
    return all == STREAM ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0) {
        return serve(atoi(argv[2]));
    }
    if (argc == 4 && strcmp(argv[1], "ask") == 0) {
        return ask(argv[2], argv[3]);
    }
    if (argc == 4 && strcmp(argv[1], "end") == 0) {
        char byte;
        (void)!read(connected(argv[2], argv[3], 'x'), &byte, 1);
        return 0;
    }
    printf("crowd serve PORT | ask ADDRESS PORT | end ADDRESS PORT\n");
    return 2;
}
