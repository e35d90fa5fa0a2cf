// SPDX-License-Identifier: BSD-3-Clause
// witness.c: tells what the machine has in use, from inside: preloaded into a server, for load.py.
// Who connects to port $WITNESS_PORT and has said all it wants, nothing, gets the files below, and
// how much memory the heap, of which our kernel takes its own blocks, has to give.
#include <arpa/inet.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 4096, BACKLOG = 4 };

static const char *const files[] = {"/proc/meminfo",  "/proc/net/sockstat", "/proc/net/tcp",
                                    "/proc/net/tcp6", "/proc/net/udp",      "/proc/net/udp6"};

static void file_send(int to, const char *path)
{
    char data[CHUNK];
    ssize_t size;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    (void)send(to, path, strlen(path), MSG_NOSIGNAL);
    (void)send(to, "\n", 1, MSG_NOSIGNAL);
    while (fd >= 0 && (size = read(fd, data, sizeof data)) > 0) {
        (void)send(to, data, (size_t)size, MSG_NOSIGNAL);
    }
    close(fd);
}

static void heap_send(int to)
{
    char text[64];
    const int size =
        snprintf(text, sizeof text, "/heap\nFree: %zu kB\n", mallinfo2().fordblks / 1024);
    (void)send(to, text, (size_t)size, MSG_NOSIGNAL);
}

static void *witness_run(void *port)
{
    const struct sockaddr_in any = {.sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)(intptr_t)port)};
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (const struct sockaddr *)&any, sizeof any) != 0 ||
        listen(listener, BACKLOG) != 0) {
        abort();
    }
    for (;;) {
        char nothing;
        const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        // The other closes first, so that nothing of this is left here.
        if (recv(fd, &nothing, 1, 0) == 0) {
            heap_send(fd);
            for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
                file_send(fd, files[i]);
            }
        }
        close(fd);
    }
    return NULL;
}

__attribute__((constructor)) static void witness_start(void)
{
    const char *port = getenv("WITNESS_PORT");
    pthread_t thread;
    if (port == NULL ||
        pthread_create(&thread, NULL, witness_run, (void *)(intptr_t)atoi(port)) != 0) {
        abort();
    }
}
