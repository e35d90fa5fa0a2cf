// SPDX-License-Identifier: BSD-3-Clause
// filtering.c: an example of packet filters (osv/pfil.h): a server of memcached's UDP protocol that
// answers in its filter, one that drops, one that keeps packets, one that removes itself.
//
// With a number: the server alone, on port 11211, until so many questions have been answered.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/libc/include/osv/pfil.h"
#include "question.h"

enum { DROPPED = 4000, KEPT = 4001, PASSED = 4002 };

static atomic_ulong answers;

static uint16_t port_of(const struct osv_packet *packet)
{
    struct udphdr header;
    if (packet->protocol != IPPROTO_UDP || packet->size < packet->transport + sizeof header) {
        return 0;
    }
    memcpy(&header, packet->data + packet->transport, sizeof header);
    return ntohs(header.dest);
}

static enum osv_verdict serve(struct osv_packet *packet, void *argument)
{
    const size_t start = packet->transport + sizeof(struct udphdr);
    char answer[ANSWER_MAX];
    (void)argument;
    if (port_of(packet) != SERVER || packet->size < start + FRAME) {
        return OSV_PASS;
    }
    const size_t size = question_answer(packet->data + start, packet->size - start, answer);
    const enum osv_verdict verdict = osv_packet_answer(packet, answer, size);
    atomic_fetch_add(&answers, verdict == OSV_ANSWER);
    return verdict;
}

static enum osv_verdict drop(struct osv_packet *packet, void *argument)
{
    unsigned *count = argument;
    const bool is_ours = port_of(packet) == DROPPED;
    *count += is_ours;
    return is_ours ? OSV_DROP : OSV_PASS;
}

struct kept {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct osv_packet *packet;
};

static enum osv_verdict keep(struct osv_packet *packet, void *argument)
{
    struct kept *kept = argument;
    if (port_of(packet) != KEPT) {
        return OSV_PASS;
    }
    pthread_mutex_lock(&kept->lock);
    kept->packet = packet;
    pthread_cond_signal(&kept->came);
    pthread_mutex_unlock(&kept->lock);
    return OSV_CONSUME;
}

struct own {
    _Atomic(struct osv_pfil *) pfil;
    atomic_uint calls;
};

static enum osv_verdict leave(struct osv_packet *packet, void *argument)
{
    struct own *own = argument;
    if (port_of(packet) == PASSED && atomic_load(&own->pfil) != NULL) {
        atomic_fetch_add(&own->calls, 1);
        osv_pfil_remove_hook(atomic_load(&own->pfil));
    }
    return OSV_PASS;
}

static int socket_make(bool is_v4, uint16_t port)
{
    const struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    const int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
    const struct sockaddr *name =
        is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    if (bind(fd, name, is_v4 ? sizeof v4 : sizeof v6) != 0) {
        perror("bind");
    }
    return fd;
}

static void tell(int fd, bool is_v4, uint16_t port, const char *data, size_t size)
{
    const struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    const struct sockaddr *name =
        is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    if (sendto(fd, data, size, 0, name, is_v4 ? sizeof v4 : sizeof v6) != (long)size) {
        perror("sendto");
    }
}

static void hear(const char *what, int fd)
{
    char data[512];
    const long size = recv(fd, data, sizeof data, 0);
    printf("%s: %ld:", what, size);
    for (long i = 0; i < size; ++i) {
        printf(data[i] >= 32 && data[i] < 127 ? "%c" : "%02x", data[i]);
    }
    puts("");
}

static void ask(bool is_v4)
{
    static const char question[] = "\0\1\0\0\0\1\0\0get beyond\r\n";
    static const char nonsense[] = "\0\2\0\0\0\1\0\0put\r\n";
    struct osv_pfil *server = osv_pfil_add_hook(serve, NULL);
    const int fd = socket_make(is_v4, 5000);
    tell(fd, is_v4, SERVER, question, sizeof question - 1);
    hear("answer", fd); // whose checksum is right, or the socket would not have it
    tell(fd, is_v4, SERVER, nonsense, sizeof nonsense - 1);
    hear("answer", fd);
    osv_pfil_remove_hook(server);
    printf("answers: %lu\n", atomic_load(&answers));
    close(fd);
}

// What is sent behind the one that is dropped is heard, and nothing else.
static void others(void)
{
    unsigned dropped = 0;
    struct kept kept = {.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};
    struct own own = {.calls = 0};
    struct osv_pfil *dropping = osv_pfil_add_hook(drop, &dropped);
    struct osv_pfil *keeping = osv_pfil_add_hook(keep, &kept);
    const int fd = socket_make(true, 5001), target = socket_make(true, DROPPED);
    tell(fd, true, DROPPED, "lost", 4);
    tell(fd, true, KEPT, "kept", 4);
    pthread_mutex_lock(&kept.lock);
    while (kept.packet == NULL) {
        pthread_cond_wait(&kept.came, &kept.lock);
    }
    pthread_mutex_unlock(&kept.lock);
    printf("kept: version %d, %zu bytes of %zu, '%.4s', interface %u\n", kept.packet->version,
           kept.packet->size, kept.packet->total,
           kept.packet->data + kept.packet->transport + sizeof(struct udphdr),
           kept.packet->interface);
    osv_packet_free(kept.packet);
    osv_pfil_remove_hook(dropping);
    osv_pfil_remove_hook(keeping);
    printf("dropped: %u\n", dropped);
    tell(fd, true, DROPPED, "heard", 5);
    hear("without filters", target);
    atomic_store(&own.pfil, osv_pfil_add_hook(leave, &own));
    const int passed = socket_make(true, PASSED);
    for (int i = 0; i < 3; ++i) {
        tell(fd, true, PASSED, "pass", 4);
        hear("passed", passed);
    }
    printf("calls of one that has removed itself: %u\n", atomic_load(&own.calls));
    close(fd);
    close(target);
    close(passed);
}

// A connection with filters that pass all: both ends on lo.
static void stream(void)
{
    unsigned dropped = 0;
    struct osv_pfil *passing = osv_pfil_add_hook(drop, &dropped);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    static char data[300000], got[300000];
    const int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    for (size_t i = 0; i < sizeof data; ++i) {
        data[i] = (char)(i * 7 + i / 256);
    }
    bind(server, (struct sockaddr *)&name, size);
    listen(server, 1);
    getsockname(server, (struct sockaddr *)&name, &size);
    printf("connect: %d\n", connect(client, (struct sockaddr *)&name, size));
    const int end = accept(server, NULL, NULL);
    size_t sent = 0, done = 0;
    while (done < sizeof data) {
        long part = send(client, data + sent, sizeof data - sent, MSG_DONTWAIT);
        sent += part > 0 ? (size_t)part : 0;
        part = recv(end, got + done, sizeof got - done, sent == sizeof data ? 0 : MSG_DONTWAIT);
        done += part > 0 ? (size_t)part : 0;
    }
    printf("stream: %d\n", memcmp(data, got, sizeof data));
    osv_pfil_remove_hook(passing);
    close(client);
    close(end);
    close(server);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (osv_pfil_add_hook == NULL) {
        puts("no packet filters here");
        return 1;
    }
    if (argc > 1) {
        struct osv_pfil *server = osv_pfil_add_hook(serve, NULL);
        const unsigned long wanted = strtoul(argv[1], NULL, 10);
        const int fd = socket_make(true, 5000); // where this program waits for the last
        puts("ready");
        while (atomic_load(&answers) < wanted) {
            char byte;
            struct timeval span = {.tv_usec = 10000};
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &span, sizeof span);
            (void)!recv(fd, &byte, 1, 0);
        }
        osv_pfil_remove_hook(server);
        printf("answered %lu\n", atomic_load(&answers));
        return 0;
    }
    const bool is_refused = osv_pfil_add_hook(NULL, NULL) == NULL;
    printf("no hook: %d\n", is_refused && errno == EINVAL);
    osv_pfil_remove_hook(NULL);
    ask(true);
    ask(false);
    others();
    stream();
    return 0;
}
