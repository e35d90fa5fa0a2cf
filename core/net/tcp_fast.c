// SPDX-License-Identifier: BSD-3-Clause
// tcp_fast.c: see tcp_fast.h. A cookie is a hash of both addresses. What was given has one place
// for each address, which it shares with others: who comes later has it.
#include "core/net/tcp_fast.h"

#include "core/lib/string.h"
#include "core/net/counts.h"
#include "core/sync/mutex.h"

enum { PLACES = 64 };

// As long a call that was reset counts as one that is not over: who forges the addresses of others
// makes them reset what they did not begin (RFC 7413, 5.1).
#define RESET_SPAN (60 * UINT64_C(1000000000))

_Atomic uint32_t tcp_fast_switches = TCP_FAST_CALLS;

static struct mutex lock;
// Under it.
static struct tcp_fast_keys common;
static struct place {
    struct net_address peer;
    struct tcp_fast_known known;
} places[PLACES];

// ---- Given by this machine ---------------------------------------------------------------

struct tcp_fast_keys tcp_fast_keys_get(bool makes)
{
    mutex_lock(&lock);
    if (makes && common.count == 0) {
        hal_entropy(&common.keys[0], sizeof common.keys[0]);
        common.count = 1;
    }
    const struct tcp_fast_keys keys = common;
    mutex_unlock(&lock);
    return keys;
}

void tcp_fast_keys_set(const struct tcp_fast_keys *keys)
{
    mutex_lock(&lock);
    common = *keys;
    mutex_unlock(&lock);
}

void tcp_fast_make(uint8_t cookie[TCP_FAST_COOKIE], const struct siphash_key *key,
                   const struct net_address *local, const struct net_address *remote)
{
    uint64_t words[4] = {remote->words[0], remote->words[1], local->words[0], local->words[1]};
    size_t count = 4;
    if (address_is_v4(remote)) {
        words[0] = remote->words[1] >> 32 | (local->words[1] >> 32) << 32;
        count = 1;
    }
    const uint64_t hash = siphash_2_4(key, words, count);
    memcpy(cookie, &hash, TCP_FAST_COOKIE);
}

// The current cookie is the answer's. The number of the key that the call's was made with, from 1
// on; 0: none.
static uint32_t cookie_check(const struct tcp_fast_keys *own, const struct tcp_fast_call *call,
                             struct tcp_fast *fast)
{
    const struct tcp_segment *syn = call->syn;
    const struct tcp_fast_keys keys = own->count > 0 ? *own : tcp_fast_keys_get(true);
    uint32_t right = 0;
    for (uint32_t i = 0; i < keys.count && right == 0; ++i) {
        uint8_t cookie[TCP_FAST_COOKIE];
        tcp_fast_make(cookie, &keys.keys[i], call->local, call->remote);
        if (i == 0) {
            memcpy(fast->cookie, cookie, sizeof cookie);
            fast->cookie_size = sizeof cookie;
        }
        if (syn->cookie_size == sizeof cookie && memcmp(syn->cookie, cookie, sizeof cookie) == 0) {
            right = i + 1;
        }
    }
    return right;
}

static bool has_room(struct tcp_fast_queue *queue, hal_ns now)
{
    mutex_lock(&lock);
    if (queue->count >= queue->most && now - queue->reset_at >= RESET_SPAN) {
        queue->count -= queue->reset_count;
        queue->reset_count = 0;
    }
    const bool has = queue->count < queue->most;
    mutex_unlock(&lock);
    return has;
}

void tcp_fast_judge(struct tcp_fast_queue *queue, const struct tcp_fast_call *call, hal_ns now,
                    struct tcp_fast *fast)
{
    const struct tcp_segment *syn = call->syn;
    const bool has_cookie = syn->has_cookie;
    *fast = (struct tcp_fast){.has_cookie = false};
    if (has_cookie && syn->cookie_size == 0) {
        net_count(NET_TCP_FAST_ASKED);
    }
    if (queue == NULL || queue->most == 0 || (!has_cookie && syn->size == 0) ||
        !tcp_fast_may(TCP_FAST_ANSWERS)) {
        return;
    }
    if (!has_room(queue, now)) {
        net_count(NET_TCP_FAST_FULL);
        return;
    }
    if (call->needs_no_cookie || tcp_fast_may(TCP_FAST_ANSWERS_ANY)) {
        fast->is_open = true;
    } else if (has_cookie) {
        const uint32_t key = cookie_check(&queue->keys, call, fast);
        fast->is_open = key != 0;
        fast->has_cookie = key != 1; // one of an earlier key is replaced
        if (key > 1) {
            net_count(NET_TCP_FAST_OLD);
        } else if (key == 0 && syn->cookie_size > 0) {
            net_count(NET_TCP_FAST_WRONG);
        }
    }
    if (fast->is_open) {
        net_count(NET_TCP_FAST_TAKEN);
    }
}

void tcp_fast_begin(struct tcp_fast_queue *queue)
{
    mutex_lock(&lock);
    ++queue->count;
    mutex_unlock(&lock);
}

void tcp_fast_end(struct tcp_fast_queue *queue, bool is_reset, hal_ns now)
{
    mutex_lock(&lock);
    if (is_reset) {
        queue->reset_at = now;
        ++queue->reset_count;
    } else {
        --queue->count;
    }
    mutex_unlock(&lock);
}

// ---- Given to it -------------------------------------------------------------------------

static struct place *place_of(const struct net_address *peer)
{
    const uint64_t mixed = (peer->words[0] ^ peer->words[1] * 3) * UINT64_C(0x9e3779b97f4a7c15);
    return &places[mixed >> 58];
}

struct tcp_fast_known tcp_fast_find(const struct net_address *peer)
{
    struct tcp_fast_known known = {.size = 0};
    const struct place *place = place_of(peer);
    mutex_lock(&lock);
    if (address_is_equal(&place->peer, peer)) {
        known = place->known;
    }
    mutex_unlock(&lock);
    return known;
}

void tcp_fast_learn(const struct net_address *peer, const struct tcp_segment *answer)
{
    if (!answer->has_cookie || answer->cookie_size == 0) {
        return;
    }
    struct place *place = place_of(peer);
    mutex_lock(&lock);
    place->peer = *peer;
    place->known.size = answer->cookie_size;
    place->known.mss = answer->mss != 0 ? answer->mss : TCP_MSS_UNSAID;
    memcpy(place->known.cookie, answer->cookie, answer->cookie_size);
    mutex_unlock(&lock);
}

void tcp_fast_forget(const struct net_address *peer)
{
    struct place *place = place_of(peer);
    mutex_lock(&lock);
    if (address_is_equal(&place->peer, peer)) {
        place->known.size = 0;
    }
    mutex_unlock(&lock);
}
