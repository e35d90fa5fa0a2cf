// SPDX-License-Identifier: BSD-3-Clause
// inetfast.c: Fast Open (RFC 7413) as programs set it: by options of tcp(7), and by
// /proc/sys/net/ipv4/tcp_fastopen and tcp_fastopen_key (ip-sysctl of Linux).
#include <netinet/tcp.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"
#include "core/net/tcp_fast.h"
#include "core/vfs/procfs.h"
#include "core/vfs/proctext.h"

enum {
    QUEUE_MAX = 4096, // net.core.somaxconn
    KEY_SIZE = sizeof(struct siphash_key),
    KEY_PARTS = 4, // of a key as text, each of 32 bits in hexadecimal digits
};

// ---- Options ---------------------------------------------------------------

static int queue_set(struct inet_socket *inet, int value)
{
    struct tcp_socket *tcp = &inet->tcp;
    if (value < 0 || tcp->stage == TCP_STAGE_CONNECTION) {
        return -EINVAL;
    }
    struct tcp_fast_queue *queue = tcp_fast_queue_of(tcp);
    if (queue == NULL) {
        return -ENOMEM;
    }
    (void)tcp_fast_keys_get(true); // so that it can be asked for
    queue->most = value < QUEUE_MAX ? (uint32_t)value : QUEUE_MAX;
    return 0;
}

int inet_fast_set(struct inet_socket *inet, int name, int value)
{
    const enum tcp_stage stage = inet->tcp.stage;
    const bool is_switch = value == 0 || value == 1;
    switch (name) {
    case TCP_FASTOPEN:
        return queue_set(inet, value);
    case TCP_FASTOPEN_CONNECT:
        if (is_switch && !tcp_fast_may(TCP_FAST_CALLS)) {
            return -EOPNOTSUPP;
        }
        if (!is_switch || stage != TCP_STAGE_IDLE) {
            return -EINVAL;
        }
        inet->connects_fast = value != 0;
        return 0;
    case TCP_FASTOPEN_NO_COOKIE:
        if (!is_switch || stage == TCP_STAGE_CONNECTION) {
            return -EINVAL;
        }
        inet->tcp.has_no_cookies = value != 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int inet_fast_get(const struct inet_socket *inet, int name, union socket_option *value)
{
    const struct tcp_fast_queue *queue = inet->tcp.fast;
    switch (name) {
    case TCP_FASTOPEN:
        value->number = queue != NULL ? (int)queue->most : 0;
        return sizeof value->number;
    case TCP_FASTOPEN_CONNECT:
        value->number = inet->connects_fast;
        return sizeof value->number;
    case TCP_FASTOPEN_NO_COOKIE:
        value->number = inet->tcp.has_no_cookies;
        return sizeof value->number;
    case TCP_FASTOPEN_KEY: {
        const struct tcp_fast_keys keys = queue != NULL ? queue->keys : (struct tcp_fast_keys){0};
        _Static_assert(sizeof keys.keys <= sizeof value->words, "fits");
        memcpy(value->words, keys.keys, keys.count * KEY_SIZE);
        return (int)(keys.count * KEY_SIZE);
    }
    default:
        return -ENOPROTOOPT;
    }
}

int inet_fast_keys_set(struct inet_socket *inet, const void *user, uint32_t size)
{
    struct tcp_fast_keys keys = {.count = size / KEY_SIZE};
    if (size != KEY_SIZE && size != 2 * KEY_SIZE) {
        return -EINVAL;
    }
    const int error = user_read(keys.keys, user, size);
    if (error != 0) {
        return error;
    }
    mutex_lock(&inet->socket.lock);
    struct tcp_fast_queue *queue = tcp_fast_queue_of(&inet->tcp);
    if (queue != NULL) {
        queue->keys = keys;
    }
    mutex_unlock(&inet->socket.lock);
    return queue == NULL ? -ENOMEM : 0;
}

// ---- /proc/sys -------------------------------------------------------------

static size_t switches_make(char *text, size_t size, void *argument)
{
    (void)argument;
    return format(text, size, "%u\n",
                  atomic_load_explicit(&tcp_fast_switches, memory_order_relaxed));
}

static int switches_set(const char *text, void *argument)
{
    uint64_t number;
    (void)argument;
    if (setting_number(text, &number) != 0 || number > INT32_MAX) {
        return -EINVAL;
    }
    atomic_store_explicit(&tcp_fast_switches, (uint32_t)number, memory_order_relaxed);
    return 0;
}

static size_t keys_make(char *text, size_t size, void *argument)
{
    const struct tcp_fast_keys keys = tcp_fast_keys_get(false);
    struct writer writer = {text, size, 0};
    (void)argument;
    for (uint32_t i = 0; i < keys.count || i == 0; ++i) {
        const uint64_t *words = keys.keys[i].words;
        writer_put(&writer, "%s%08x-%08x-%08x-%08x", i > 0 ? "," : "", (uint32_t)words[0],
                   (uint32_t)(words[0] >> 32), (uint32_t)words[1], (uint32_t)(words[1] >> 32));
    }
    writer_put(&writer, "\n");
    return writer.length;
}

static int digit_of(char letter)
{
    const char low = letter | ' ';
    return letter >= '0' && letter <= '9' ? letter - '0'
           : low >= 'a' && low <= 'f'     ? low - 'a' + 10
                                          : -1;
}

// NULL: there is none, or it is too long.
static const char *part_read(const char *text, uint64_t *part)
{
    enum { DIGITS_MAX = 8 };
    int count = 0;
    for (*part = 0; count < DIGITS_MAX && digit_of(text[count]) >= 0; ++count) {
        *part = *part << 4 | (uint64_t)digit_of(text[count]);
    }
    return count == 0 || digit_of(text[count]) >= 0 ? NULL : text + count;
}

// NULL: it is none.
static const char *key_read(const char *text, struct siphash_key *key)
{
    *key = (struct siphash_key){{0, 0}};
    for (int i = 0; i < KEY_PARTS; ++i) {
        uint64_t part;
        if (i > 0 && *text++ != '-') {
            return NULL;
        }
        text = part_read(text, &part);
        if (text == NULL) {
            return NULL;
        }
        key->words[i / 2] |= part << 32 * (i % 2);
    }
    return text;
}

static int keys_set(const char *text, void *argument)
{
    struct tcp_fast_keys keys = {.count = 1};
    (void)argument;
    text = key_read(text, &keys.keys[0]);
    if (text != NULL && *text == ',') {
        keys.count = 2;
        text = key_read(text + 1, &keys.keys[1]);
    }
    if (text == NULL || *text != 0) {
        return -EINVAL;
    }
    tcp_fast_keys_set(&keys);
    return 0;
}

int fastfiles_add(void)
{
    static const struct procfs_setting settings[] = {
        {"sys/net/ipv4/tcp_fastopen", switches_make, switches_set, NULL},
        {"sys/net/ipv4/tcp_fastopen_key", keys_make, keys_set, NULL},
    };
    int error = procfs_add_setting(PROCFS_PROC, &settings[0]);
    return error != 0 ? error : procfs_add_private(PROCFS_PROC, &settings[1]);
}
