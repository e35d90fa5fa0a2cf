// SPDX-License-Identifier: BSD-3-Clause
// dns_fuzz.c: any bytes at all as answers of name servers: a whole look-up of a name by the
// library's resolver, of which everything below sockets is made up here. Each item of an input
// (input.h) is what comes next: bits of its head say from which server, and whether the first two
// bytes are a question's number, or nobody is at the port. Time goes on when nothing comes.
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "input.h"

#include "../network/lookup.h" // musl's

enum {
    SERVERS = 2,
    ATTEMPTS = 2,
    TIMEOUT_S = 4,
    FD_FIRST = 100,
    QUESTIONS = 2,
    QUESTION_MAX = 300,
    HEADER = 12,
    NUMBER = 2,   // bytes of a question's number
    TYPE_END = 3, // from the end of a question to the lower byte of its type
    TYPE_V6 = 28,
    FROM_SECOND = 0x0800, // of an item's head
    KIND_SHIFT = 12,
    KIND_MASK = 3,
    SENDS_MAX = QUESTIONS * SERVERS * ATTEMPTS * 2,
};

enum kind { PLAIN, FIRST_NUMBER, SECOND_NUMBER, NOBODY };

static const char before[] = "\3zzz"; // lies where an answer is to be put

static const uint8_t *input, *rest;
static size_t input_size, rest_size;
static struct item item;
static bool has_item;
static struct question {
    uint8_t bytes[QUESTION_MAX];
    size_t size;
    bool is_answered;
} questions[QUESTIONS]; // of IPv4, of IPv6
static unsigned open_count, send_count;
static long now_ns;

// ---- In place of the host ----------------------------------------------------------------

int far_clock_gettime(clockid_t clock, struct timespec *now);
int far_close(int fd);
int far_connect(int fd, const struct sockaddr *to, socklen_t size);
int far_getsockname(int fd, struct sockaddr *name, socklen_t *size);
int far_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
ssize_t far_recv(int fd, void *to, size_t size, int flags);
ssize_t far_send(int fd, const void *data, size_t size, int flags);
int far_socket(int family, int type, int protocol);

FILE *__fopen_rb_ca(const char *path, FILE *file, unsigned char *room, size_t size);
int __fclose_ca(FILE *file);

FILE *__fopen_rb_ca(const char *path, FILE *file, unsigned char *room, size_t size)
{
    errno = ENOENT;
    return NULL;
}

int __fclose_ca(FILE *file)
{
    return 0;
}

int __lookup_ipliteral(struct address address[static 1], const char *name, int family)
{
    return 0;
}

int __get_resolv_conf(struct resolvconf *conf, char *search, size_t size)
{
    *conf =
        (struct resolvconf){.nns = SERVERS, .attempts = ATTEMPTS, .ndots = 1, .timeout = TIMEOUT_S};
    for (int i = 0; i < SERVERS; ++i) {
        conf->ns[i].family = AF_INET;
    }
    *search = 0;
    return 0;
}

int far_clock_gettime(clockid_t clock, struct timespec *now)
{
    now_ns += input_size % 2 == 0; // else questions have one number
    *now = (struct timespec){now_ns / 1000000000, now_ns % 1000000000};
    return 0;
}

int far_socket(int family, int type, int protocol)
{
    return FD_FIRST + (int)open_count++;
}

int far_close(int fd)
{
    --open_count;
    return 0;
}

int far_connect(int fd, const struct sockaddr *to, socklen_t size)
{
    return 0;
}

int far_getsockname(int fd, struct sockaddr *name, socklen_t *size)
{
    return 0;
}

ssize_t far_send(int fd, const void *data, size_t size, int flags)
{
    const uint8_t *question = data;
    demand(++send_count <= SENDS_MAX, "nobody is asked without end");
    struct question *asked = &questions[question[size - TYPE_END] == TYPE_V6];
    memcpy(asked->bytes, question, size);
    asked->size = size;
    return (ssize_t)size;
}

int far_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    has_item = item_next(&item, &rest, &rest_size);
    if (!has_item) {
        now_ns += timeout_ms * 1000000l;
    }
    for (nfds_t i = 0; i < count; ++i) {
        fds[i].revents = has_item && i == ((item.head & FROM_SECOND) != 0) ? POLLIN : 0;
    }
    return has_item;
}

// The item, with this number in front, may be all that was asked for.
static void answer_note(const uint8_t *number)
{
    for (int i = 0; i < QUESTIONS; ++i) {
        struct question *asked = &questions[i];
        asked->is_answered |=
            asked->size > 0 && item.size >= asked->size && (item.data[2] & 0x80) != 0 &&
            (item.data[3] & 15) == 0 && memcmp(number, asked->bytes, NUMBER) == 0 &&
            memcmp(item.data + HEADER, asked->bytes + HEADER, asked->size - HEADER) == 0;
    }
}

ssize_t far_recv(int fd, void *to, size_t size, int flags)
{
    const enum kind kind = item.head >> KIND_SHIFT & KIND_MASK;
    const size_t length = item.size < size ? item.size : size;
    if (!has_item || kind == NOBODY) {
        errno = has_item ? ECONNREFUSED : EAGAIN;
        return -1;
    }
    has_item = (flags & MSG_PEEK) != 0;
    for (size_t i = 0; i < size; ++i) {
        ((char *)to)[i] = before[i % sizeof before];
    }
    memcpy(to, item.data, length);
    if (kind != PLAIN && length >= NUMBER) {
        memcpy(to, questions[kind - FIRST_NUMBER].bytes, NUMBER);
    }
    if (!has_item && length >= HEADER) {
        answer_note(to);
    }
    return (ssize_t)length;
}

// ---- What has to be ----------------------------------------------------------------------

static bool has_come(const void *data, size_t size)
{
    return memmem(input, input_size, data, size) != NULL;
}

static void address_check(const struct address *address)
{
    demand(address->family == AF_INET || address->family == AF_INET6, "it has a family");
    demand(has_come(address->addr, address->family == AF_INET ? 4 : 16), "a server has said it");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address addresses[MAXADDRS];
    char name[256];
    input = rest = data;
    input_size = rest_size = size;
    has_item = false;
    open_count = send_count = 0;
    now_ns = 0;
    memset(questions, 0, sizeof questions);
    const int count = __lookup_name(addresses, name, "host.test", AF_UNSPEC, 0);
    demand(count != 0 && count <= MAXADDRS, "there are some, or there is an error");
    demand(open_count == 0, "all sockets are closed");
    demand(now_ns / 1000000000 <= TIMEOUT_S, "it ends in time");
    demand(!questions[0].is_answered || !questions[1].is_answered || now_ns < 1000000000,
           "who has all answers does not wait");
    for (int i = 0; i < count; ++i) {
        address_check(&addresses[i]);
    }
    demand(memchr(name, 0, sizeof name) != NULL, "the name has an end");
    demand(strstr(name, "zzz") == NULL || has_come("zzz", 3), "the name is of the answer");
    return 0;
}
