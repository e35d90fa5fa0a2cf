// SPDX-License-Identifier: BSD-3-Clause
// tcp_fast.h: Fast Open's cookies (RFC 7413): those that this machine gives, and those that it was
// given. Thread context, may block; the lock of a socket may be held.
#ifndef CORE_NET_TCP_FAST_H
#define CORE_NET_TCP_FAST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/lib/siphash.h"
#include "core/net/address.h"
#include "core/net/tcp.h"
#include "hal/hal.h"

enum tcp_fast_switch { // of net.ipv4.tcp_fastopen, as Linux has it
    TCP_FAST_CALLS = 1,
    TCP_FAST_ANSWERS = 2,
    TCP_FAST_CALLS_BARE = 4,      // bytes go with a SYN that says no cookie
    TCP_FAST_ANSWERS_ANY = 0x200, // and are taken
    TCP_FAST_LISTENERS = 0x400,   // all that listen answer, without TCP_FASTOPEN
};

enum { TCP_FAST_COOKIE = 8 /* bytes of ours */, TCP_FAST_KEYS_MAX = 2 };

extern _Atomic uint32_t tcp_fast_switches;

static inline bool tcp_fast_may(uint32_t which)
{
    return (atomic_load_explicit(&tcp_fast_switches, memory_order_relaxed) & which) != 0;
}

// ---- Given by this machine ---------------------------------------------------------------

struct tcp_fast_keys { // with the first of them cookies are made; those of all are right
    uint32_t count;
    struct siphash_key keys[TCP_FAST_KEYS_MAX];
};

// Those of all sockets that have none of their own. makes: a random one where there is none.
struct tcp_fast_keys tcp_fast_keys_get(bool makes);
void tcp_fast_keys_set(const struct tcp_fast_keys *keys);

// The cookie for remote, who calls local, with one of the keys: as Linux makes it.
void tcp_fast_make(uint8_t cookie[TCP_FAST_COOKIE], const struct siphash_key *key,
                   const struct net_address *local, const struct net_address *remote);

struct tcp_fast_queue {        // of a socket that listens, or will
    uint32_t most;             // calls that Fast Open takes before their third step; 0: none
    struct tcp_fast_keys keys; // count 0: all sockets'
    uint32_t count;            // of such calls; tcp_fast.c's, as the rest
    uint32_t reset_count;      // of these, those that were reset: they count for a while
    hal_ns reset_at;           // when the last was
};

struct tcp_fast_call { // what a SYN says, and between whom
    const struct tcp_segment *syn;
    const struct net_address *local, *remote;
    bool needs_no_cookie;
};

// What queue, NULL: none, makes of a call: *fast is for the answer.
void tcp_fast_judge(struct tcp_fast_queue *queue, const struct tcp_fast_call *call, hal_ns now,
                    struct tcp_fast *fast);
// A call that was taken at once counts; and its three steps are over, or it is reset before.
void tcp_fast_begin(struct tcp_fast_queue *queue);
void tcp_fast_end(struct tcp_fast_queue *queue, bool is_reset, hal_ns now);

// ---- Given to it -------------------------------------------------------------------------

struct tcp_fast_known {
    uint8_t cookie[TCP_FAST_COOKIE_MAX];
    uint8_t size; // 0: none
    uint16_t mss; // that the peer has said with it; 0: nothing is known of it
};

// What is known of a peer, who may be forgotten at any time.
struct tcp_fast_known tcp_fast_find(const struct net_address *peer);
// Its answer to our SYN; one without a cookie changes nothing.
void tcp_fast_learn(const struct net_address *peer, const struct tcp_segment *answer);
void tcp_fast_forget(const struct net_address *peer);

#endif
