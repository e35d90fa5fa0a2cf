// SPDX-License-Identifier: BSD-3-Clause
// dhcp.c: see dhcp.h.
//
// Times are RFC 2131's, but for the question whether somebody has the address, which takes 150 ms
// in place of RFC 5227's seconds: machines like this one live no longer than their program, and
// begin often.
#include "core/net/dhcp.h"

#include "core/lib/string.h"

#define SECOND UINT64_C(1000000000)
#define FIRST_WAIT (4 * SECOND) // then twice as long each time
#define WAIT_MAX (64 * SECOND)
#define AGAIN_MIN (60 * SECOND) // between requests for more time
#define DECLINED_WAIT (10 * SECOND)
#define ASK_WAIT (SECOND / 20)
#define ANSWER_WAIT (SECOND / 10)

enum { REQUESTS = 4, ASKS = 2, CONFIRMATIONS = 3 };

static uint64_t random_next(struct dhcp *dhcp) // Marsaglia's xorshift
{
    dhcp->random ^= dhcp->random << 13;
    dhcp->random ^= dhcp->random >> 7;
    dhcp->random ^= dhcp->random << 17;
    return dhcp->random;
}

static void begin(struct dhcp *dhcp, hal_ns at)
{
    dhcp->state = DHCP_SELECTING;
    dhcp->number = (uint32_t)(random_next(dhcp) >> 16);
    dhcp->tries = 0;
    dhcp->started = at;
    dhcp->deadline = at;
}

void dhcp_start(struct dhcp *dhcp, const uint8_t hardware[NETIF_HARDWARE_SIZE], uint64_t random,
                hal_ns now)
{
    *dhcp = (struct dhcp){.random = random};
    memcpy(dhcp->hardware, hardware, sizeof dhcp->hardware);
    begin(dhcp, now);
}

static void request_fill(struct dhcp *dhcp, enum dhcp_act act, enum dhcp_kind kind, hal_ns now,
                         struct dhcp_step *step)
{
    step->act = act;
    step->request = (struct dhcp_request){
        .kind = kind,
        .number = dhcp->number,
        .seconds = (uint16_t)((now - dhcp->started) / SECOND),
        .own = address_any(true),
        .wanted = address_any(true),
        .server = address_any(true),
    };
    memcpy(step->request.hardware, dhcp->hardware, sizeof dhcp->hardware);
    dhcp->sent = now;
}

// Twice as long each time, and a second more or less.
static hal_ns patience(struct dhcp *dhcp)
{
    hal_ns wait = FIRST_WAIT << (dhcp->tries < 5 ? dhcp->tries : 5);
    wait = wait > WAIT_MAX ? WAIT_MAX : wait;
    ++dhcp->tries;
    return wait - SECOND + random_next(dhcp) % (2 * SECOND);
}

// ---- What is due -----------------------------------------------------------------------

static void discover(struct dhcp *dhcp, hal_ns now, struct dhcp_step *step)
{
    request_fill(dhcp, DHCP_SEND_ALL, DHCP_DISCOVER, now, step);
    dhcp->deadline = now + patience(dhcp);
}

static void request_offer(struct dhcp *dhcp, hal_ns now, struct dhcp_step *step)
{
    if (dhcp->tries == REQUESTS) {
        begin(dhcp, now);
        discover(dhcp, now, step);
        return;
    }
    request_fill(dhcp, DHCP_SEND_ALL, DHCP_REQUEST, now, step);
    step->request.wanted = dhcp->lease.address;
    step->request.server = dhcp->lease.server;
    dhcp->deadline = now + patience(dhcp);
}

static void ask(struct dhcp *dhcp, hal_ns now, struct dhcp_step *step)
{
    if (dhcp->tries == ASKS) {
        dhcp->state = DHCP_BOUND;
        dhcp->deadline = dhcp->renewal;
        step->act = DHCP_TAKE;
        return;
    }
    step->act = DHCP_ASK;
    ++dhcp->tries;
    dhcp->deadline = now + (dhcp->tries == ASKS ? ANSWER_WAIT : ASK_WAIT);
}

// Half of what is left, but not too often (RFC 2131, 4.4.5).
static hal_ns halfway(hal_ns now, hal_ns end)
{
    const hal_ns wait = (end - now) / 2 > AGAIN_MIN ? (end - now) / 2 : AGAIN_MIN;
    return wait < end - now ? now + wait : end;
}

static void extend(struct dhcp *dhcp, hal_ns now, struct dhcp_step *step)
{
    if (now >= dhcp->end) {
        step->act = DHCP_LOSE;
        begin(dhcp, now);
        return;
    }
    if (dhcp->state == DHCP_BOUND) {
        dhcp->started = now;
        dhcp->number = (uint32_t)(random_next(dhcp) >> 16);
    }
    const bool is_late = now >= dhcp->rebinding;
    dhcp->state = is_late ? DHCP_REBINDING : DHCP_RENEWING;
    request_fill(dhcp, is_late ? DHCP_SEND_ALL : DHCP_SEND_SERVER, DHCP_REQUEST, now, step);
    step->request.own = dhcp->lease.address;
    dhcp->deadline = halfway(now, is_late ? dhcp->end : dhcp->rebinding);
}

// Where no server answers the lease is as good as it was.
static void confirm(struct dhcp *dhcp, hal_ns now, struct dhcp_step *step)
{
    if (now >= dhcp->end) {
        extend(dhcp, now, step);
        return;
    }
    if (dhcp->tries == CONFIRMATIONS) {
        dhcp->state = DHCP_BOUND;
        dhcp->deadline = dhcp->renewal;
        return;
    }
    request_fill(dhcp, DHCP_SEND_ALL, DHCP_REQUEST, now, step);
    step->request.wanted = dhcp->lease.address;
    const hal_ns next = now + patience(dhcp);
    dhcp->deadline = next < dhcp->end ? next : dhcp->end;
}

void dhcp_timeout(struct dhcp *dhcp, hal_ns now, struct dhcp_step *step)
{
    step->act = DHCP_NOTHING;
    if (now < dhcp->deadline) {
        return;
    }
    switch (dhcp->state) {
    case DHCP_WAITING:
        begin(dhcp, now);
        discover(dhcp, now, step);
        break;
    case DHCP_SELECTING:
        discover(dhcp, now, step);
        break;
    case DHCP_REQUESTING:
        request_offer(dhcp, now, step);
        break;
    case DHCP_PROBING:
        ask(dhcp, now, step);
        break;
    case DHCP_BOUND:
    case DHCP_RENEWING:
    case DHCP_REBINDING:
        extend(dhcp, now, step);
        break;
    case DHCP_CONFIRMING:
        confirm(dhcp, now, step);
        break;
    }
}

// ---- What comes ------------------------------------------------------------------------

static bool is_usable(const struct dhcp_reply *reply)
{
    const uint8_t first = address_v4_bytes(&reply->address)[0];
    return first != 0 && first != 127 && first < 224 && reply->lease_s != 0 &&
           !address_is_any(&reply->server);
}

// Times count from the request: the server's do not begin earlier.
static void lease_take(struct dhcp *dhcp, const struct dhcp_reply *reply)
{
    const uint64_t lease = reply->lease_s;
    uint64_t renewal = reply->renewal_s, rebinding = reply->rebinding_s;
    dhcp->lease = *reply;
    if (dhcp->lease.bits == 0) { // as networks were before they had masks
        const uint8_t first = address_v4_bytes(&reply->address)[0];
        dhcp->lease.bits = first < 128 ? 8 : first < 192 ? 16 : 24;
    }
    if (rebinding == 0 || rebinding > lease || renewal > rebinding) {
        renewal = 0;
        rebinding = lease * 7 / 8;
    }
    renewal = renewal == 0 ? (lease / 2 < rebinding ? lease / 2 : rebinding) : renewal;
    const bool ends = reply->lease_s != DHCP_FOR_EVER;
    dhcp->renewal = ends ? dhcp->sent + renewal * SECOND : UINT64_MAX;
    dhcp->rebinding = ends ? dhcp->sent + rebinding * SECOND : UINT64_MAX;
    dhcp->end = ends ? dhcp->sent + lease * SECOND : UINT64_MAX;
}

static void extended(struct dhcp *dhcp, const struct dhcp_reply *reply, hal_ns now,
                     struct dhcp_step *step)
{
    if (reply->kind == DHCP_NAK || !address_is_equal(&reply->address, &dhcp->lease.address)) {
        step->act = DHCP_LOSE;
        begin(dhcp, now);
        return;
    }
    step->former = dhcp->lease;
    step->act = DHCP_KEEP;
    lease_take(dhcp, reply);
    dhcp->state = DHCP_BOUND;
    dhcp->deadline = dhcp->renewal;
}

static void requested(struct dhcp *dhcp, const struct dhcp_reply *reply, hal_ns now)
{
    if (reply->kind == DHCP_NAK) {
        begin(dhcp, now + SECOND); // what is offered and refused again does not make a storm
        return;
    }
    lease_take(dhcp, reply);
    dhcp->state = DHCP_PROBING;
    dhcp->tries = 0;
    dhcp->deadline = now;
}

static bool is_extending(const struct dhcp *dhcp)
{
    return dhcp->state == DHCP_RENEWING || dhcp->state == DHCP_REBINDING ||
           dhcp->state == DHCP_CONFIRMING;
}

void dhcp_input(struct dhcp *dhcp, const struct dhcp_reply *reply, hal_ns now,
                struct dhcp_step *step)
{
    step->act = DHCP_NOTHING;
    if (reply->number != dhcp->number || (reply->kind != DHCP_NAK && !is_usable(reply))) {
        return;
    }
    const bool is_offer = reply->kind == DHCP_OFFER;
    if (dhcp->state == DHCP_SELECTING && is_offer) {
        dhcp->lease = *reply;
        dhcp->state = DHCP_REQUESTING;
        dhcp->tries = 0;
        dhcp->deadline = now;
    } else if (dhcp->state == DHCP_REQUESTING && !is_offer) {
        requested(dhcp, reply, now);
    } else if (is_extending(dhcp) && !is_offer) {
        extended(dhcp, reply, now, step);
    }
}

void dhcp_heard(struct dhcp *dhcp, const struct net_address *address, hal_ns now,
                struct dhcp_step *step)
{
    step->act = DHCP_NOTHING;
    if (dhcp->state != DHCP_PROBING || !address_is_equal(address, &dhcp->lease.address)) {
        return;
    }
    request_fill(dhcp, DHCP_SEND_ALL, DHCP_DECLINE, now, step);
    step->request.wanted = dhcp->lease.address;
    step->request.server = dhcp->lease.server;
    dhcp->state = DHCP_WAITING;
    dhcp->deadline = now + DECLINED_WAIT;
}

void dhcp_link_returned(struct dhcp *dhcp, hal_ns now)
{
    const bool has_lease = dhcp->state == DHCP_BOUND || is_extending(dhcp);
    begin(dhcp, now);
    dhcp->state = has_lease ? DHCP_CONFIRMING : dhcp->state;
}
