// SPDX-License-Identifier: BSD-3-Clause
// footprint.c: prints how much memory is free when main begins, what each of THREADS threads takes
// that wait, with stacks of the default size, and what each of the two ends takes of CONNECTIONS
// connections of TCP on lo over which a byte has gone both ways. For footprint.py.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { THREADS = 256, CONNECTIONS = 10000, DESCRIPTORS = 2 * CONNECTIONS + 100 };

static sem_t come, go;

static size_t free_bytes(void)
{
    char line[128];
    size_t kilobytes = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "MemFree: %zu kB", &kilobytes) == 1) {
            break;
        }
    }
    if (kilobytes == 0) {
        fprintf(stderr, "footprint: /proc/meminfo has no MemFree\n");
        exit(1);
    }
    fclose(file);
    return kilobytes * 1024;
}

static void *wait_here(void *argument)
{
    sem_post(&come);
    sem_wait(&go);
    return argument;
}

static void check(int error)
{
    if (error != 0) {
        fprintf(stderr, "footprint: %s\n", strerror(error));
        exit(1);
    }
}

static void byte_pass(int from, int to)
{
    char byte = 'x';
    if (send(from, &byte, 1, 0) != 1 || recv(to, &byte, 1, 0) != 1) {
        perror("footprint: a byte");
        exit(1);
    }
}

static void connections_open(void)
{
    const struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *name = (struct sockaddr *)&server;
    socklen_t size = sizeof server;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    bool is_good = setrlimit(RLIMIT_NOFILE, &limit) == 0 && listen(listener, 16) == 0 &&
                   getsockname(listener, name, &size) == 0;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < CONNECTIONS && is_good; ++i) {
        const int here = socket(AF_INET, SOCK_STREAM, 0);
        is_good = connect(here, name, size) == 0;
        const int there = is_good ? accept(listener, NULL, NULL) : -1;
        is_good = there >= 0;
        if (is_good) {
            byte_pass(here, there);
            byte_pass(there, here);
        }
    }
    if (!is_good) {
        perror("footprint: a connection");
        exit(1);
    }
}

int main(void)
{
    static pthread_t threads[THREADS];
    size_t before = free_bytes();
    printf("free %zu\n", before);
    for (int i = 0; i < THREADS; ++i) {
        check(pthread_create(&threads[i], NULL, wait_here, NULL));
        sem_wait(&come);
    }
    printf("thread %zu\n", (before - free_bytes()) / THREADS);
    for (int i = 0; i < THREADS; ++i) {
        sem_post(&go);
    }
    for (int i = 0; i < THREADS; ++i) {
        check(pthread_join(threads[i], NULL));
    }
    before = free_bytes();
    connections_open();
    printf("connection %zu\n", (before - free_bytes()) / (2 * CONNECTIONS));
    return 0;
}
