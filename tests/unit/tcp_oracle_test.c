// SPDX-License-Identifier: BSD-3-Clause
// tcp_oracle_test.c: 1 to 50 connections of TCP share a bad network, in virtual time:
// it loses, duplicates, delays, reorders and corrupts, its queue is short, and what stands in the
// way strips options from SYNs. Each stream must arrive byte by byte, or end with an error that
// says so; nothing may stall. Each seed is another network. Arguments: the first, and how many.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/checksum.h"
#include "core/net/tcp_header.h"

enum {
    CONNECTIONS_MAX = 50,
    STREAM_MAX = 100000,
    FLYING_MAX = 20000,
    STEPS_MAX = 30000000,
    CHECKSUM_AT = 16,
    SEEDS = 20,
};

#define MILLISECOND UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define TIME_MAX (7200 * SECOND)

static struct side {
    struct tcp tcp;
    struct tcp_settings settings;
    uint64_t size; // to be sent
    bool may_break_off, refuses;
    uint8_t stored[STREAM_MAX / 8 + 1];
} sides[2 * CONNECTIONS_MAX];

static struct flying {
    hal_ns at;
    uint32_t to, size;
    char *data;
} * heap[FLYING_MAX];
static uint32_t heap_count, connection_count;
static hal_ns now, link_free_at;
static uint64_t state, dropped;
static uint32_t seed;

static struct {
    uint32_t loss, duplication, corruption, reordering, no_memory; // per mille
    hal_ns delay, jitter;
    uint64_t rate; // bytes per second
    hal_ns queue;  // at most
    bool strips;
} network;

static void fail(uint32_t which, const char *what)
{
    const struct tcp *tcp = &sides[which].tcp;
    printf("# seed %u: connection %u, side %u: %s; state %d, error %d, %llu of %llu sent, %llu "
           "received\n",
           seed, which / 2, which % 2, what, tcp->state, tcp->error,
           (unsigned long long)tcp_acknowledged(tcp), (unsigned long long)sides[which].size,
           (unsigned long long)tcp_received(tcp));
    printf("not ok 1 - seed %u\n1..1\n", seed);
    exit(1);
}

static uint32_t draw(uint32_t below)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((state >> 32) * below >> 32);
}

static bool happens(uint32_t per_mille)
{
    return draw(1000) < per_mille;
}

static char stream_byte(uint32_t which, uint64_t place)
{
    return (char)(place * 131 + (place >> 8) * 17 + which * 29 + 3);
}

// ---- The network ---------------------------------------------------------------------

static void heap_swap(uint32_t a, uint32_t b)
{
    struct flying *kept = heap[a];
    heap[a] = heap[b];
    heap[b] = kept;
}

static void heap_put(struct flying *item)
{
    uint32_t at = heap_count++;
    heap[at] = item;
    for (; at > 0 && heap[at]->at < heap[(at - 1) / 2]->at; at = (at - 1) / 2) {
        heap_swap(at, (at - 1) / 2);
    }
}

static struct flying *heap_take(void)
{
    struct flying *first = heap[0];
    heap[0] = heap[--heap_count];
    for (uint32_t at = 0;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_count; ++child) {
            least = heap[child]->at < heap[least]->at ? child : least;
        }
        if (least == at) {
            return first;
        }
        heap_swap(at, least);
        at = least;
    }
}

static void fly(uint32_t to, const char *data, uint32_t size)
{
    const hal_ns from = link_free_at > now ? link_free_at : now;
    if (heap_count == FLYING_MAX || from - now > network.queue || happens(network.loss)) {
        ++dropped;
        return;
    }
    struct flying *item = malloc(sizeof *item);
    link_free_at = from + (hal_ns)(size + 40) * SECOND / network.rate;
    *item = (struct flying){.at = link_free_at + network.delay, .to = to, .size = size};
    item->at += happens(network.reordering) ? draw((uint32_t)network.jitter + 1) : 0;
    item->data = malloc(size);
    memcpy(item->data, data, size);
    if (happens(network.corruption)) {
        item->data[draw(size)] ^= (char)(1 + draw(255));
    }
    heap_put(item);
}

static void piece_send(struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint32_t which = (uint32_t)((struct side *)tcp - sides);
    const struct tcp_ports ports = {(uint16_t)(1000 + which), (uint16_t)(1000 + (which ^ 1))};
    struct tcp_segment copy = *segment;
    static char data[TCP_HEADER_MAX + 65536];
    if (segment->size > 65000 || segment->from + segment->size > tcp->written) {
        fail(which, "a segment of bytes that are not there");
    }
    if (network.strips && (segment->flags & TCP_SYN)) {
        copy.may_sack &= (seed & 1) != 0;
        copy.has_timestamps &= (seed & 2) != 0;
        copy.scale = seed & 4 ? copy.scale : UINT8_MAX;
        copy.mss = seed & 8 ? copy.mss : 0;
    }
    const uint32_t length = tcp_header_write(data, &copy, &ports);
    for (uint32_t i = 0; i < segment->size; ++i) {
        data[length + i] = stream_byte(which, segment->from + i);
    }
    const uint16_t sum = checksum_end(checksum_add(0, data, length + segment->size));
    memcpy(data + CHECKSUM_AT, &sum, sizeof sum);
    fly(which ^ 1, data, length + segment->size);
    if (happens(network.duplication)) {
        fly(which ^ 1, data, length + segment->size);
    }
}

// As a device cuts them.
static void host_send(struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint32_t most = segment->piece == 0 ? segment->size : segment->piece;
    uint32_t at = 0;
    do {
        struct tcp_segment piece = *segment;
        piece.sequence += at;
        piece.from += at;
        piece.size = segment->size - at < most ? segment->size - at : most;
        at += piece.size;
        piece.flags &= (uint8_t)(at < segment->size ? ~(TCP_PSH | TCP_FIN) : UINT8_MAX);
        piece_send(tcp, &piece);
    } while (at < segment->size);
}

static bool host_store(struct tcp *tcp, const struct tcp_segment *segment, uint64_t from,
                       uint32_t skip, uint32_t size)
{
    struct side *side = (struct side *)tcp;
    const uint32_t which = (uint32_t)(side - sides);
    const char *data = segment->data;
    if (happens(network.no_memory)) {
        return false;
    }
    if (size == 0 || skip + size > segment->size || from + size > sides[which ^ 1].size) {
        fail(which, "bytes are stored that nobody has sent");
    }
    for (uint32_t i = 0; i < size; ++i) {
        if (data[skip + i] != stream_byte(which ^ 1, from + i)) {
            fail(which, "a byte is another's");
        }
        side->stored[(from + i) / 8] |= (uint8_t)(1 << (from + i) % 8);
    }
    return true;
}

// Some sides have no memory for more.
static struct tcp_space *host_space(struct tcp *tcp)
{
    static struct tcp_space spaces[2 * CONNECTIONS_MAX];
    const size_t which = (size_t)((struct side *)tcp - sides);
    return which % 5 == 0 ? NULL : &spaces[which];
}

static const struct tcp_host host = {.send = host_send, .store = host_store, .space = host_space};

static uint32_t arrive(void)
{
    struct flying *item = heap_take();
    struct side *side = &sides[item->to];
    struct tcp_segment segment;
    struct tcp_ports ports;
    now = item->at > now ? item->at : now;
    const bool is_right = checksum_end(checksum_add(0, item->data, item->size)) == 0 &&
                          tcp_header_read(&segment, &ports, item->data, item->size) == 0;
    if (is_right && side->tcp.host != NULL) {
        tcp_input(&side->tcp, &segment, now);
    } else if (is_right && (segment.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
        tcp_answer(&side->tcp, &host, &side->settings, draw(UINT32_MAX), &segment, now);
    }
    const uint32_t to = item->to;
    free(item->data);
    free(item);
    return to;
}

// ---- Programs ------------------------------------------------------------------------

static void received_check(uint32_t which)
{
    const struct side *side = &sides[which];
    const uint64_t received = tcp_received(&side->tcp);
    if (received > sides[which ^ 1].size) {
        fail(which, "more is in order than was sent");
    }
    for (uint64_t i = side->tcp.taken; i < received; ++i) {
        if (!(side->stored[i / 8] >> i % 8 & 1)) {
            fail(which, "bytes are in order that were not stored");
        }
    }
}

static bool is_done(const struct side *side)
{
    return side->tcp.host != NULL &&
           (side->tcp.state == TCP_STATE_CLOSED || side->tcp.state == TCP_STATE_TIME_WAIT);
}

static void work(uint32_t which)
{
    struct side *side = &sides[which];
    struct tcp *tcp = &side->tcp;
    if (tcp->host == NULL || is_done(side)) {
        return;
    }
    received_check(which);
    if (side->may_break_off && happens(1)) {
        tcp_abort(tcp, now);
        return;
    }
    if (tcp->written < side->size && tcp_acknowledged(tcp) + 40000 > tcp->written) {
        const uint64_t more = tcp->written + 1 + draw(20000);
        tcp_write(tcp, more < side->size ? more : side->size, now);
    }
    const uint64_t received = tcp_received(tcp);
    if (received > tcp->taken && draw(3) == 0) {
        tcp_read(tcp, received - draw((uint32_t)(received - tcp->taken)), now);
    }
    if (tcp->written == side->size && tcp->state != TCP_STATE_SYN_SENT) {
        tcp_close(tcp, now);
    }
    if (draw(4) > 0) { // else more comes together with this
        tcp_settle(tcp);
    }
}

// Who waits for neither time nor packet reads and writes on.
static hal_ns next_deadline(uint32_t *which)
{
    hal_ns first = UINT64_MAX;
    for (uint32_t i = 0; i < 2 * connection_count; ++i) {
        if (sides[i].tcp.host != NULL && sides[i].tcp.deadline < first) {
            first = sides[i].tcp.deadline;
            *which = i;
        }
    }
    return first;
}

static bool all_done(void)
{
    for (uint32_t i = 0; i < 2 * connection_count; ++i) {
        const bool is_peerless = sides[i].tcp.host == NULL && is_done(&sides[i ^ 1]);
        if (!is_done(&sides[i]) && !is_peerless) {
            return false;
        }
    }
    return true;
}

// ---- Runs ----------------------------------------------------------------------------

static void begin(void)
{
    memset(sides, 0, sizeof sides);
    state = seed;
    (void)draw(2);
    now = SECOND + draw(1000000);
    link_free_at = 0;
    const bool is_bad = draw(5) > 0;
    network.loss = is_bad ? draw(150) : 0;
    network.duplication = draw(3) == 0 ? draw(100) : 0;
    network.corruption = draw(3) == 0 ? draw(50) : 0;
    network.reordering = draw(2) == 0 ? draw(300) : 0;
    network.no_memory = draw(4) == 0 ? draw(50) : 0;
    network.delay = draw(4) == 0 ? draw(1000) * 1000 : draw(200) * MILLISECOND;
    network.jitter = draw(200) * MILLISECOND;
    network.rate = 20000 + (uint64_t)draw(1000) * draw(20000);
    network.queue = (20 + draw(500)) * MILLISECOND;
    network.strips = draw(2) == 0;
    connection_count = 1 + (draw(2) == 0 ? 0 : draw(CONNECTIONS_MAX));
    const bool may_break_off = draw(8) == 0;
    for (uint32_t i = 0; i < 2 * connection_count; ++i) {
        struct side *side = &sides[i];
        side->size = draw(draw(3) == 0 ? 2000 : connection_count > 5 ? 20000 : STREAM_MAX);
        side->may_break_off = may_break_off;
        side->settings = (struct tcp_settings){
            .mss = (uint16_t)(draw(4) == 0 ? 100 + draw(20000) : 1460),
            .room = 3000 + draw(200000),
            .room_max = draw(2) == 0 ? draw(1000000) : 0,
            .defer_tries = draw(4) == 0 ? draw(6) : 0,
            .has_no_delay = draw(2) == 0,
            .is_corked = draw(8) == 0,
            .is_kept_alive = true, // a reset may be lost, too
            .keep_idle = 60 * SECOND,
            .keep_interval = 10 * SECOND,
            .keep_count = 9,
            .control = draw(2) == 0 ? TCP_CONGESTION_CUBIC : TCP_CONGESTION_RENO,
            .pace = draw(8) == 0 ? 50000 + draw(1000000) : 0,
            .burst = draw(2) == 0 ? 65000 : 0,
            .is_settled = draw(2) == 0,
        };
    }
}

static void run(void)
{
    begin();
    for (uint32_t i = 0; i < connection_count; ++i) {
        tcp_connect(&sides[2 * i].tcp, &host, &sides[2 * i].settings, draw(UINT32_MAX), now);
    }
    for (uint32_t step = 0; !all_done(); ++step) {
        uint32_t which = 0;
        const hal_ns deadline = next_deadline(&which);
        const hal_ns event = heap_count > 0 ? heap[0]->at : UINT64_MAX;
        if (step == STEPS_MAX || now > TIME_MAX ||
            (deadline == UINT64_MAX && event == UINT64_MAX)) {
            uint32_t stuck = 0;
            while (is_done(&sides[stuck]) || sides[stuck].tcp.host == NULL) {
                ++stuck;
            }
            fail(stuck, deadline == UINT64_MAX && event == UINT64_MAX ? "nothing happens any more"
                                                                      : "it takes too long");
        }
        if (deadline < event) {
            now = deadline > now ? deadline : now;
            tcp_tick(&sides[which].tcp, now);
        } else {
            which = arrive();
        }
        work(which);
        work(draw(2 * connection_count));
    }
    while (heap_count > 0) {
        struct flying *item = heap_take();
        free(item->data);
        free(item);
    }
}

static void check(void)
{
    for (uint32_t i = 0; i < 2 * connection_count; ++i) {
        const struct side *side = &sides[i], *peer = &sides[i ^ 1];
        if (side->tcp.host == NULL) {
            continue;
        }
        received_check(i);
        const bool is_clean = side->tcp.error == 0 && peer->tcp.error == 0 && !side->may_break_off;
        if (is_clean && tcp_received(&side->tcp) != peer->size) {
            fail(i, "bytes are missing, and nobody says so");
        }
        if (is_clean && tcp_acknowledged(&side->tcp) != side->size) {
            fail(i, "bytes are not acknowledged, and nobody says so");
        }
    }
}

int main(int argc, char **argv)
{
    const uint32_t first = argc > 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    const uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : SEEDS;
    uint64_t connections = 0, errors = 0, resent = 0;
    for (seed = first; seed < first + count; ++seed) {
        run();
        check();
        connections += connection_count;
        for (uint32_t i = 0; i < 2 * connection_count; ++i) {
            errors += sides[i].tcp.error != 0;
            resent += sides[i].tcp.counts.resent_segments;
        }
    }
    printf("# %llu connections, %llu segments lost, %llu sent again, %llu errors\n",
           (unsigned long long)connections, (unsigned long long)dropped, (unsigned long long)resent,
           (unsigned long long)errors);
    printf("ok 1 - %u networks from seed %u\n1..1\n", count, first);
    return 0;
}
