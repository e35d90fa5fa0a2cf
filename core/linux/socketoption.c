// SPDX-License-Identifier: BSD-3-Clause
// socketoption.c: the options of sockets of all families, level SOL_SOCKET.
#include "core/lib/errno.h"
#include "core/linux/socketcalls.h"
#include "core/linux/user.h"

enum {
    LIMIT_MIN = 4608,   // SOCK_MIN_SNDBUF
    RECEIVE_MIN = 2304, // SOCK_MIN_RCVBUF
    LIMIT_MAX = 212992, // net.core.wmem_max
    FILTER_FACTS_END = 64, // SKF_AD_MAX
};

static hal_ns span_of(const struct timeval *time)
{
    return (hal_ns)time->tv_sec * 1000000000 + (hal_ns)time->tv_usec * 1000;
}

static struct timeval time_of(hal_ns span)
{
    return (struct timeval){.tv_sec = (time_t)(span / 1000000000),
                            .tv_usec = (suseconds_t)(span % 1000000000 / 1000)};
}

static int timeout_set(_Atomic hal_ns *timeout, const void *user, uint32_t size)
{
    struct timeval time;
    if (size < sizeof time) {
        return -EINVAL;
    }
    int error = user_read(&time, user, sizeof time);
    if (error != 0) {
        return error;
    }
    if (time.tv_usec < 0 || time.tv_usec >= 1000000) {
        return -EDOM;
    }
    atomic_store(timeout, time.tv_sec < 0 ? 0 : span_of(&time));
    return 0;
}

static uint32_t limit_of(int wanted, uint32_t least)
{
    const uint32_t size = wanted < 0 || wanted > LIMIT_MAX ? LIMIT_MAX : (uint32_t)wanted;
    return size * 2 < least ? least : size * 2;
}

// Those that are kept, and that a family may look at.
static bool is_switch(int name)
{
    enum {
        SWITCHES = 1 << SO_DEBUG | 1 << SO_REUSEADDR | 1 << SO_DONTROUTE | 1 << SO_BROADCAST |
                   1 << SO_KEEPALIVE | 1 << SO_OOBINLINE | 1 << SO_REUSEPORT,
    };
    return name >= 0 && name < 32 && (SWITCHES >> name & 1) != 0;
}

static void switch_set(struct socket_options *options, int name, bool is_on)
{
    if (is_on) {
        atomic_fetch_or(&options->switches, 1u << name);
    } else {
        atomic_fetch_and(&options->switches, ~(1u << name));
    }
}

int option_set(struct file *file, int name, const void *user, uint32_t size)
{
    const struct socket_calls *calls = socket_calls_of(file);
    struct socket_options *options = calls->options(file);
    int value;
    if (name == SO_RCVTIMEO || name == SO_SNDTIMEO) {
        const bool is_send = name == SO_SNDTIMEO;
        return timeout_set(is_send ? &options->send_timeout : &options->receive_timeout, user,
                           size);
    }
    if (name == SO_BINDTODEVICE || name == SO_BINDTOIFINDEX) {
        return netif_option_set(file, name, user, size);
    }
    if (size < sizeof value) {
        return -EINVAL;
    }
    int error = user_read(&value, user, sizeof value);
    if (error != 0) {
        return error;
    }
    switch (name) {
    case SO_SNDBUF:
        atomic_store(&options->send_limit, limit_of(value, LIMIT_MIN));
        break;
    case SO_RCVBUF:
        atomic_store(&options->receive_limit, limit_of(value, RECEIVE_MIN));
        break;
    case SO_ATTACH_FILTER:
    case SO_DETACH_FILTER:
    case SO_LOCK_FILTER:
        return filter_option_set(file, name, value, user, size);
    case SO_RCVLOWAT:
        atomic_store(&options->receive_least, value < 0 ? INT32_MAX : (uint32_t)value);
        break;
    default:
        if (!is_switch(name)) {
            error = calls->option_set(file, SOL_SOCKET, name, user, size);
            return error == -ENOPROTOOPT && name == SO_ZEROCOPY ? -EOPNOTSUPP : error;
        }
        switch_set(options, name, value != 0);
        break;
    }
    if (calls->options_changed != NULL) {
        calls->options_changed(file);
    }
    return 0;
}

int option_get(struct file *file, int name, union socket_option *value)
{
    const struct socket_calls *calls = socket_calls_of(file);
    struct socket_options *options = calls->options(file);
    switch (name) {
    case SO_ERROR:
        value->number = -calls->error_take(file);
        return sizeof value->number;
    case SO_SNDBUF:
        value->number = (int)atomic_load(&options->send_limit);
        return sizeof value->number;
    case SO_RCVBUF:
        value->number = (int)atomic_load(&options->receive_limit);
        return sizeof value->number;
    case SO_RCVLOWAT:
    case SO_SNDLOWAT: // which cannot be set
        value->number = name == SO_RCVLOWAT ? (int)atomic_load(&options->receive_least) : 1;
        value->number = value->number == 0 ? 1 : value->number;
        return sizeof value->number;
    case SO_RCVTIMEO:
        value->time = time_of(atomic_load(&options->receive_timeout));
        return sizeof value->time;
    case SO_SNDTIMEO:
        value->time = time_of(atomic_load(&options->send_timeout));
        return sizeof value->time;
    case SO_LOCK_FILTER:
        value->number = atomic_load(&options->is_filter_locked);
        return sizeof value->number;
    case SO_BPF_EXTENSIONS:
        value->number = FILTER_FACTS_END;
        return sizeof value->number;
    default:
        if (!is_switch(name)) {
            return calls->option_get(file, SOL_SOCKET, name, value);
        }
        value->number = (int)(atomic_load(&options->switches) >> name & 1);
        return sizeof value->number;
    }
}
