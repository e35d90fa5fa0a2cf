// SPDX-License-Identifier: BSD-3-Clause
// merge_fuzz.c: frames of TCP by chance, most of which continue each other, put together: each byte
// of data goes on once, in the order in which it came, behind headers that say what its own said,
// and at its own place in its stream; all else goes on as it was.
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/checksum.h"
#include "core/net/ethernet.h"
#include "core/net/ip.h"
#include "core/net/merge.h"
#include "core/net/tcp_header.h"
#include "input.h"
#include "vfs_host.h"

enum { // of an item's head
    IS_V4 = 0x8000,
    IS_RAW = 0x4000,     // its bytes are the frame
    IS_OTHER = 0x2000,   // another connection
    CONTINUES = 0x1000,  // what came last of that
    HAS_NO_SUM = 0x0800, // the device has looked at it
};

enum { ENDS = 12, BYTES_MAX = ETHERNET_HEADER + IP_SIZE_MAX };

static struct merge merge;
static uint32_t next[4]; // of each connection: what follows what came last

// ---- What frames say -----------------------------------------------------------------

struct words { // a sum of what was said, in its order
    uint64_t mix;
    uint64_t count;
};

static void say(struct words *words, uint64_t what)
{
    words->mix = (words->mix ^ what) * UINT64_C(0x9e3779b97f4a7c15);
    words->mix ^= words->mix >> 29;
    ++words->count;
}

static void say_bytes(struct words *words, const char *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; ++i) {
        say(words, (uint8_t)bytes[i]);
    }
}

// Of a frame that says no more than that here is data: where TCP's header begins. 0: it is none.
static uint32_t data_find(const char *bytes, uint32_t size, bool is_trusted)
{
    struct ip_header header;
    const uint32_t kind =
        size < ETHERNET_HEADER ? 0 : (uint32_t)(uint8_t)bytes[12] << 8 | (uint8_t)bytes[13];
    const uint32_t length = kind == ETHERNET_V4 ? IP4_HEADER : IP6_HEADER;
    if ((kind != ETHERNET_V4 && kind != ETHERNET_V6) || size <= ETHERNET_HEADER ||
        ip_header_read(&header, bytes + ETHERNET_HEADER, size - ETHERNET_HEADER, false) != 0 ||
        header.protocol != IP_TCP || header.transport != length ||
        ((uint8_t)bytes[ETHERNET_HEADER] >> 4 == 4) != (kind == ETHERNET_V4) ||
        header.size + length + ETHERNET_HEADER != size) {
        return 0;
    }
    const char *tcp = bytes + ETHERNET_HEADER + length;
    const uint64_t ends = checksum_add_ends(0, &header.source, &header.target, IP_TCP, header.size);
    const bool is_data = tcp_header_is_whole(tcp, header.size) &&
                         tcp_header_length(tcp) < header.size && (tcp[13] & ~TCP_PSH) == TCP_ACK &&
                         (is_trusted || checksum_end(checksum_add(ends, tcp, header.size)) == 0);
    return is_data ? ETHERNET_HEADER + length : 0;
}

// All of the headers that is the same in what may be put together.
static void headers_say(struct words *words, const char *bytes, uint32_t tcp)
{
    const bool is_v4 = tcp == ETHERNET_HEADER + IP4_HEADER;
    const uint32_t ip = ETHERNET_HEADER, length = tcp_header_length(bytes + tcp);
    say_bytes(words, bytes, ip + 2);
    if (is_v4) { // not its size, number and sum
        say_bytes(words, bytes + ip + 6, 4);
        say_bytes(words, bytes + ip + 12, 8);
    } else { // not its size
        say_bytes(words, bytes + ip + 2, 2);
        say_bytes(words, bytes + ip + 6, tcp - ip - 6);
    }
    say_bytes(words, bytes + tcp, 4);      // the ports; not its sequence number
    say_bytes(words, bytes + tcp + 8, 5);  // not whether it is pushed
    say_bytes(words, bytes + tcp + 14, 2); // not its sum
    say_bytes(words, bytes + tcp + 18, length - 18);
}

static void frame_say(struct words *words, const struct packet *frame)
{
    static char bytes[BYTES_MAX];
    const uint32_t size = packet_size(frame);
    demand(size <= sizeof bytes, "a frame is no longer than IP has it");
    packet_copy(frame, bytes);
    const uint32_t tcp = data_find(bytes, size, frame->is_trusted);
    if (tcp == 0) {
        demand(frame->more == NULL, "what is put together is right");
        say_bytes(words, bytes, size);
        return;
    }
    uint32_t sequence;
    struct words headers = {0};
    memcpy(&sequence, bytes + tcp + 4, sizeof sequence);
    headers_say(&headers, bytes, tcp);
    const uint32_t data = tcp + tcp_header_length(bytes + tcp);
    for (uint32_t i = 0; i < size - data; ++i) {
        say(words, headers.mix);
        say(words, (uint64_t)(__builtin_bswap32(sequence) + i) << 8 | (uint8_t)bytes[data + i]);
    }
}

static void frames_take(struct words *words, struct packet *frame)
{
    while (frame != NULL) {
        struct packet *following = frame->next;
        frame_say(words, frame);
        packet_free(frame);
        frame = following;
    }
}

// ---- Frames --------------------------------------------------------------------------

static void sum_put(struct packet *packet, const struct ip_header *header)
{
    memset(packet->data + 16, 0, 2);
    const uint64_t ends =
        checksum_add_ends(0, &header->source, &header->target, IP_TCP, packet->size);
    const uint16_t sum = checksum_end(checksum_add(ends, packet->data, packet->size));
    memcpy(packet->data + 16, &sum, sizeof sum);
}

// The item is a header of TCP without ports, and data. Flags are mostly those of data.
static void segment_fill(struct packet *packet, const struct item *item)
{
    const bool is_v4 = (item->head & IS_V4) != 0, is_other = (item->head & IS_OTHER) != 0;
    const struct ip_header header = {
        .source = address_loopback(is_v4),
        .target = address_loopback(is_v4),
        .protocol = IP_TCP,
        .hops = 64,
    };
    uint32_t *place = &next[is_v4 * 2 + is_other];
    char *tcp = packet->data;
    memcpy(tcp, is_other ? "\0\1\0\2" : "\0\3\0\2", 4);
    tcp[13] = (char)(tcp[13] & 0x80 ? tcp[13] : TCP_ACK | (tcp[13] & TCP_PSH));
    uint32_t sequence;
    memcpy(&sequence, tcp + 4, sizeof sequence);
    sequence = (item->head & CONTINUES) != 0 ? *place : sequence;
    memcpy(tcp + 4, &(uint32_t){__builtin_bswap32(sequence)}, sizeof sequence);
    const uint32_t length = tcp_header_length(tcp);
    *place = sequence + (length < packet->size ? packet->size - length : 0);
    sum_put(packet, &header);
    ip_header_push(packet, &header);
    packet->data -= ETHERNET_HEADER;
    packet->size += ETHERNET_HEADER;
    memset(packet->data, 2, ENDS);
    memcpy(packet->data + ENDS, is_v4 ? "\x08\0" : "\x86\xdd", 2);
}

static struct packet *frame_of(const struct item *item)
{
    struct packet *packet = packet_alloc_block(item->size);
    demand(packet != NULL, "there is memory");
    memcpy(packet->data, item->data, item->size);
    packet->size = item->size;
    packet->is_trusted = (item->head & HAS_NO_SUM) != 0;
    if ((item->head & IS_RAW) == 0 && item->size >= TCP_HEADER_MIN) {
        segment_fill(packet, item);
    }
    return packet;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct words came = {0}, went = {0};
    struct item item;
    memset(next, 0, sizeof next);
    while (item_next(&item, &data, &size)) {
        struct packet *frame = frame_of(&item);
        frame_say(&came, frame);
        frames_take(&went, merge_frame(&merge, frame));
    }
    frames_take(&went, merge_end(&merge));
    demand(merge.held == NULL && merge_end(&merge) == NULL, "nothing is held at the end");
    demand(came.count == went.count && came.mix == went.mix, "all goes on as it came");
    demand(host_block_count() + host_frame_count() == 0, "memory is given back");
    return 0;
}
