// SPDX-License-Identifier: BSD-3-Clause
// musl_resolve.c: asks name servers, for musl's resolver (RFC 1035, 4.2.1).
//
// Every question goes to every server at once, each by a socket of its own, and again with each of
// the attempts. The first answer counts, but a refusal is none: who refuses, or has nobody at the
// port, is asked as many times as there are attempts, at once. Nobody waits for a question that
// all servers have failed at, and none is waited for longer than conf says. As with glibc, who asks
// for addresses of both versions gets those that are known where nobody says the others. An answer
// repeats its question, whose number alone may be another's, too; who refuses may leave that out.
//
// Invariant: while answer_sizes[i] is 0, question i has no answer; failures[i] says by server how
// many of its attempts are used up.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../network/lookup.h" // musl's

enum {
    QUESTIONS_MAX = 2,
    PORT = 53,
    HEADER_SIZE = 12,
    ANSWER_BIT = 0x80, // of byte 2
    CODE_MASK = 15,    // of byte 3
    CODE_NONE = 0,
    CODE_NO_NAME = 3,
    NUMBER_SIZE = 2,
    QUESTIONS_OFFSET = 4, // their count
    COUNT_OFFSET = 6,     // of the records in an answer
    NAME_MAX_SIZE = 255,
    NAME_REST = 4, // type and class
    HEAD_SIZE = HEADER_SIZE + NAME_MAX_SIZE + NAME_REST,
};

struct lookup {
    int count; // questions
    const unsigned char *const *questions;
    const int *sizes;
    unsigned char *const *answers;
    int *answer_sizes, room;
    unsigned attempts, server_count;
    struct pollfd servers[MAXNS]; // fd -1: no way leads there
    unsigned failures[QUESTIONS_MAX][MAXNS];
};

int __res_msend(int count, const unsigned char *const *questions, const int *sizes,
                unsigned char *const *answers, int *answer_sizes, int room);

// ---- Servers -----------------------------------------------------------------------------

static int server_open(const struct address *server)
{
    union sa name = {0};
    socklen_t size = sizeof name.sin;
    const int fd = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->family == AF_INET) {
        name.sin.sin_family = AF_INET;
        name.sin.sin_port = htons(PORT);
        memcpy(&name.sin.sin_addr, server->addr, sizeof name.sin.sin_addr);
    } else {
        name.sin6.sin6_family = AF_INET6;
        name.sin6.sin6_port = htons(PORT);
        name.sin6.sin6_scope_id = server->scopeid;
        memcpy(&name.sin6.sin6_addr, server->addr, sizeof name.sin6.sin6_addr);
        size = sizeof name.sin6;
    }
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&name, size) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void servers_close(void *argument)
{
    const struct lookup *lookup = argument;
    for (unsigned i = 0; i < lookup->server_count; ++i) {
        if (lookup->servers[i].fd >= 0) {
            close(lookup->servers[i].fd);
        }
    }
}

// ---- Questions ---------------------------------------------------------------------------

static void question_send(struct lookup *lookup, int question, unsigned server)
{
    unsigned *failures = &lookup->failures[question][server];
    while (*failures < lookup->attempts &&
           send(lookup->servers[server].fd, lookup->questions[question],
                (size_t)lookup->sizes[question], MSG_NOSIGNAL) < 0) {
        ++*failures;
    }
}

static void question_fail(struct lookup *lookup, int question, unsigned server)
{
    if (lookup->answer_sizes[question] == 0) {
        ++lookup->failures[question][server];
        question_send(lookup, question, server);
    }
}

static bool question_is_open(const struct lookup *lookup, int question)
{
    bool is_open = false;
    for (unsigned i = 0; i < lookup->server_count; ++i) {
        is_open = is_open || lookup->failures[question][i] < lookup->attempts;
    }
    return is_open && lookup->answer_sizes[question] == 0;
}

static bool is_any_open(const struct lookup *lookup)
{
    bool is_open = false;
    for (int i = 0; i < lookup->count; ++i) {
        is_open = is_open || question_is_open(lookup, i);
    }
    return is_open;
}

// ---- Answers -----------------------------------------------------------------------------

// Bytes of the name that is asked for.
static int name_size(const unsigned char *question, int size)
{
    int at = HEADER_SIZE;
    while (at < size && question[at] != 0) {
        at += 1 + question[at];
    }
    return at + 1 - HEADER_SIZE;
}

// head, the beginning of what has come, has the question in it: in whatever case, as with glibc.
static bool repeats(const unsigned char *head, int head_size, const unsigned char *question,
                    int size)
{
    const int name = name_size(question, size), whole = HEADER_SIZE + name + NAME_REST;
    return whole <= size && whole <= head_size &&
           strncasecmp((const char *)head + HEADER_SIZE, (const char *)question + HEADER_SIZE,
                       (size_t)name) == 0 &&
           memcmp(head + HEADER_SIZE + name, question + HEADER_SIZE + name, NAME_REST) == 0;
}

static bool is_failure(const unsigned char *head)
{
    const int code = head[3] & CODE_MASK;
    return code != CODE_NONE && code != CODE_NO_NAME;
}

// Of the question that it answers; count: of none.
static int question_of(const struct lookup *lookup, const unsigned char *head, int size)
{
    const bool says_none = (head[QUESTIONS_OFFSET] | head[QUESTIONS_OFFSET + 1]) == 0;
    int i = 0;
    while (i < lookup->count && (memcmp(head, lookup->questions[i], NUMBER_SIZE) != 0 ||
                                 (!repeats(head, size, lookup->questions[i], lookup->sizes[i]) &&
                                  !(says_none && is_failure(head))))) {
        ++i;
    }
    return (head[2] & ANSWER_BIT) != 0 ? i : lookup->count;
}

static void answer_take(struct lookup *lookup, unsigned server)
{
    const int fd = lookup->servers[server].fd;
    unsigned char head[HEAD_SIZE];
    const ssize_t size = recv(fd, head, sizeof head, MSG_PEEK);
    if (size < 0) { // ICMP's word for all of them
        const bool is_refused = errno != EAGAIN && errno != EINTR;
        for (int i = 0; is_refused && i < lookup->count; ++i) {
            question_fail(lookup, i, server);
        }
        return;
    }
    const int question = size >= HEADER_SIZE ? question_of(lookup, head, (int)size) : lookup->count;
    const bool is_answer =
        question < lookup->count && lookup->answer_sizes[question] == 0 && !is_failure(head);
    const ssize_t taken = recv(fd, is_answer ? lookup->answers[question] : head,
                               is_answer ? (size_t)lookup->room : sizeof head, 0);
    if (is_answer && taken >= 0) {
        // A name that leads behind the end is none, whatever was there before.
        memset(lookup->answers[question] + taken, 0, (size_t)(lookup->room - taken));
        lookup->answer_sizes[question] = (int)taken;
    } else if (question < lookup->count) {
        question_fail(lookup, question, server);
    }
}

static long now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void answers_await(struct lookup *lookup, long until_ms)
{
    long left;
    while (is_any_open(lookup) && (left = until_ms - now_ms()) > 0) {
        (void)poll(lookup->servers, lookup->server_count, (int)left);
        for (unsigned i = 0; i < lookup->server_count; ++i) {
            if (lookup->servers[i].revents != 0) {
                answer_take(lookup, i);
            }
        }
    }
}

// An answer that has no records, where another question's has some.
static void silence_answer(const struct lookup *lookup)
{
    bool is_known = false;
    for (int i = 0; i < lookup->count; ++i) {
        const unsigned char *answer = lookup->answers[i];
        is_known = is_known || (lookup->answer_sizes[i] != 0 &&
                                (answer[COUNT_OFFSET] | answer[COUNT_OFFSET + 1]) != 0);
    }
    for (int i = 0; is_known && i < lookup->count; ++i) {
        if (lookup->answer_sizes[i] == 0 && lookup->sizes[i] <= lookup->room) {
            memcpy(lookup->answers[i], lookup->questions[i], (size_t)lookup->sizes[i]);
            lookup->answers[i][2] |= ANSWER_BIT;
            lookup->answer_sizes[i] = lookup->sizes[i];
        }
    }
}

// musl's contract: an answer for each question, or the size 0. Rare and slow: small code.
__attribute__((cold)) int __res_msend_rc(int count, const unsigned char *const *questions,
                                         const int *sizes, unsigned char *const *answers,
                                         int *answer_sizes, int room, const struct resolvconf *conf)
{
    struct lookup lookup = {.count = count,
                            .questions = questions,
                            .sizes = sizes,
                            .answers = answers,
                            .answer_sizes = answer_sizes,
                            .room = room,
                            .attempts = conf->attempts > 0 ? conf->attempts : 1};
    const long share_ms = 1000l * conf->timeout / lookup.attempts;
    if (count > QUESTIONS_MAX || room < HEADER_SIZE) {
        errno = EINVAL;
        return -1;
    }
    memset(answer_sizes, 0, (size_t)count * sizeof *answer_sizes);
    pthread_cleanup_push(servers_close, &lookup);
    for (; lookup.server_count < conf->nns; ++lookup.server_count) {
        lookup.servers[lookup.server_count] =
            (struct pollfd){.fd = server_open(&conf->ns[lookup.server_count]), .events = POLLIN};
    }
    const long begin_ms = now_ms();
    for (unsigned attempt = 1; attempt <= lookup.attempts && is_any_open(&lookup); ++attempt) {
        for (int i = 0; i < count; ++i) {
            for (unsigned j = 0; question_is_open(&lookup, i) && j < lookup.server_count; ++j) {
                question_send(&lookup, i, j);
            }
        }
        answers_await(&lookup, begin_ms + attempt * share_ms);
    }
    pthread_cleanup_pop(1);
    silence_answer(&lookup);
    return 0;
}

int __res_msend(int count, const unsigned char *const *questions, const int *sizes,
                unsigned char *const *answers, int *answer_sizes, int room)
{
    struct resolvconf conf;
    return __get_resolv_conf(&conf, NULL, 0) < 0
               ? -1
               : __res_msend_rc(count, questions, sizes, answers, answer_sizes, room, &conf);
}
