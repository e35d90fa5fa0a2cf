// SPDX-License-Identifier: BSD-3-Clause
// filtered.c: memcached's UDP protocol, answered in a packet filter (osv/pfil.h): get and set, each
// in one datagram, as in "Packet filter" of the OSv paper (Kivity et al., USENIX ATC 2014, 4.2).
//
//   filtered PORT     a connection of TCP to the port is greeted with "VERSION"
//
// Only the filter's thread knows the table: open addressing, in which what is full forgets the key
// that lay in the last place that was looked at.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/libc/include/osv/pfil.h"

enum { FRAME = 8, KEY_MAX = 250, VALUE_MAX = 1024, SLOTS = 1 << 14, LOOKS = 8, ANSWER_MAX = 1400 };

struct item {
    uint32_t hash; // 0: none
    uint32_t key_size, value_size;
    unsigned long flags;
    char key[KEY_MAX], value[VALUE_MAX];
};

static struct item *items;
static uint16_t port;

struct text { // of a question, what is left of it
    const char *at, *end;
};

static uint32_t hash_of(const char *key, size_t size)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (size_t i = 0; i < size; ++i) {
        hash = (hash ^ (uint8_t)key[i]) * 16777619u;
    }
    return hash | 1;
}

// The item of the key, or the one that it is to have.
static struct item *item_find(struct text key, uint32_t hash)
{
    const size_t size = (size_t)(key.end - key.at);
    struct item *item = NULL;
    for (uint32_t look = 0; look < LOOKS; ++look) {
        item = &items[((hash >> 1) + look) % SLOTS];
        const bool is_it =
            item->hash == hash && item->key_size == size && memcmp(item->key, key.at, size) == 0;
        if (is_it || item->hash == 0) {
            break;
        }
    }
    return item;
}

static struct text word_take(struct text *text)
{
    while (text->at < text->end && *text->at == ' ') {
        ++text->at;
    }
    struct text word = {text->at, text->at};
    while (word.end < text->end && *word.end != ' ' && *word.end != '\r') {
        ++word.end;
    }
    text->at = word.end;
    return word;
}

static unsigned long number_take(struct text *text)
{
    const struct text word = word_take(text);
    unsigned long number = 0;
    for (const char *at = word.at; at < word.end && *at >= '0' && *at <= '9'; ++at) {
        number = number * 10 + (unsigned long)(*at - '0');
    }
    return number;
}

static size_t said(char *answer, const char *text)
{
    const size_t size = strlen(text);
    memcpy(answer, text, size);
    return size;
}

static size_t number_put(char *to, unsigned long number)
{
    char digits[24];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t i = 0; i < count; ++i) {
        to[i] = digits[count - 1 - i];
    }
    return count;
}

static size_t get(struct text question, char *answer)
{
    const struct text key = word_take(&question);
    const size_t size = (size_t)(key.end - key.at);
    const uint32_t hash = hash_of(key.at, size);
    const struct item *item = item_find(key, hash);
    size_t done = 0;
    if (item->hash == hash && item->key_size == size && memcmp(item->key, key.at, size) == 0) {
        done += said(answer, "VALUE ");
        memcpy(answer + done, key.at, size);
        done += size;
        answer[done++] = ' ';
        done += number_put(answer + done, item->flags);
        answer[done++] = ' ';
        done += number_put(answer + done, item->value_size);
        done += said(answer + done, "\r\n");
        memcpy(answer + done, item->value, item->value_size);
        done += item->value_size;
        done += said(answer + done, "\r\n");
    }
    return done + said(answer + done, "END\r\n");
}

static size_t set(struct text question, char *answer)
{
    const struct text key = word_take(&question);
    const unsigned long flags = number_take(&question);
    (void)number_take(&question); // when it is to be forgotten
    const unsigned long size = number_take(&question);
    const size_t key_size = (size_t)(key.end - key.at);
    if (key_size == 0 || key_size > KEY_MAX || size > VALUE_MAX ||
        (size_t)(question.end - question.at) < size + 2) {
        return said(answer, "CLIENT_ERROR bad data chunk\r\n");
    }
    const uint32_t hash = hash_of(key.at, key_size);
    struct item *item = item_find(key, hash);
    item->hash = hash;
    item->flags = flags;
    item->key_size = (uint32_t)key_size;
    item->value_size = (uint32_t)size;
    memcpy(item->key, key.at, key_size);
    memcpy(item->value, question.at + 2, size);
    return said(answer, "STORED\r\n");
}

// In front of question and answer are eight bytes: its number, and of how many datagrams this is
// which.
static enum osv_verdict serve(struct osv_packet *packet, void *unused)
{
    char answer[FRAME + ANSWER_MAX];
    struct udphdr header;
    const size_t start = packet->transport + sizeof header;
    (void)unused;
    if (packet->protocol != IPPROTO_UDP || packet->size < start + FRAME) {
        return OSV_PASS;
    }
    memcpy(&header, packet->data + packet->transport, sizeof header);
    if (header.dest != port) {
        return OSV_PASS;
    }
    struct text question = {packet->data + start + FRAME, packet->data + packet->size};
    const struct text word = word_take(&question);
    const size_t size = (size_t)(word.end - word.at);
    memcpy(answer, packet->data + start, FRAME);
    const bool gets = size == 3 && memcmp(word.at, "get", 3) == 0;
    const bool sets = size == 3 && memcmp(word.at, "set", 3) == 0;
    const size_t done = gets   ? get(question, answer + FRAME)
                        : sets ? set(question, answer + FRAME)
                               : said(answer + FRAME, "ERROR\r\n");
    return osv_packet_answer(packet, answer, FRAME + done);
}

int main(int argc, char **argv)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    const int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    int fd;
    if (argc != 2 || osv_pfil_add_hook == NULL) {
        fprintf(stderr, argc != 2 ? "usage: filtered PORT\n" : "no packet filters here\n");
        return 2;
    }
    port = any.sin_port = htons((uint16_t)atoi(argv[1]));
    items = calloc(SLOTS, sizeof *items);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (items == NULL || osv_pfil_add_hook(serve, NULL) == NULL ||
        bind(listener, (struct sockaddr *)&any, sizeof any) != 0 || listen(listener, 8) != 0) {
        perror("filtered");
        return 1;
    }
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        (void)!write(fd, "VERSION filtered\r\n", 18);
        close(fd);
    }
    return 1;
}
