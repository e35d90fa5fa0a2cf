// SPDX-License-Identifier: BSD-3-Clause
// tcp_cookie.c: see tcp_cookie.h. 5 bits of time, 3 bits that say which MSS, 24 bits of a hash that
// nobody outside can make.
#include "core/net/tcp_cookie.h"

#include "core/lib/siphash.h"
#include "core/lib/string.h"
#include "core/sync/mutex.h"

enum { TIME_BITS = 5, MSS_BITS = 3, HASH_BITS = 24, AGE_MAX = 2 };

#define PERIOD (64 * UINT64_C(1000000000))

static struct mutex key_lock;
static bool has_key;
static struct siphash_key key;

// Of paths that there are, and of the loopback network.
static const uint16_t sizes[1 << MSS_BITS] = {536, 1220, 1300, 1440, 1460, 4312, 8940, 65483};

void tcp_cookie_start(void)
{
    mutex_lock(&key_lock);
    if (!has_key) {
        hal_entropy(&key, sizeof key);
        has_key = true;
    }
    mutex_unlock(&key_lock);
}

static uint32_t hash_of(const struct net_end *local, const struct net_end *remote, uint32_t irs,
                        uint32_t head)
{
    uint64_t words[6];
    memcpy(&words[0], address_bytes(&local->address), ADDRESS_V6_SIZE);
    memcpy(&words[2], address_bytes(&remote->address), ADDRESS_V6_SIZE);
    words[4] = (uint64_t)local->port << 48 | (uint64_t)remote->port << 32 | irs;
    words[5] = head;
    return (uint32_t)siphash(&key, words, 6) & ((1u << HASH_BITS) - 1);
}

static uint32_t period_of(hal_ns now)
{
    return (uint32_t)(now / PERIOD) & ((1u << TIME_BITS) - 1);
}

uint32_t tcp_cookie_make(const struct net_end *local, const struct net_end *remote, uint32_t irs,
                         uint16_t mss, hal_ns now)
{
    uint32_t which = (1u << MSS_BITS) - 1;
    while (which > 0 && sizes[which] > mss) {
        --which;
    }
    const uint32_t head = period_of(now) << MSS_BITS | which;
    return head << HASH_BITS | hash_of(local, remote, irs, head);
}

bool tcp_cookie_check(uint32_t cookie, const struct net_end *local, const struct net_end *remote,
                      uint32_t irs, hal_ns now, uint16_t *mss)
{
    const uint32_t head = cookie >> HASH_BITS;
    const uint32_t age = (period_of(now) - (head >> MSS_BITS)) & ((1u << TIME_BITS) - 1);
    *mss = sizes[head & ((1u << MSS_BITS) - 1)];
    return age <= AGE_MAX &&
           (cookie & ((1u << HASH_BITS) - 1)) == hash_of(local, remote, irs, head);
}
