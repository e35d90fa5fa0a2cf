// SPDX-License-Identifier: BSD-3-Clause
// net_sender_test.c: which frames go by a TAP as one, and what that one is. The TAP is a socket
// that keeps them apart. Each case is one of system calls, and one of a ring
// where the host has such.
#include "hal-linux/dev/net_sender.h"

#include <arpa/inet.h>
#include <check.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal-linux/dev/device.h"

enum { FRAMES = 70, ROOM = 1600, GSO_UDP_L4 = 5 };

struct frame { // with the largest headers that there are
    struct virtio_net_hdr_mrg_rxbuf header;
    uint8_t bytes[ROOM];
};

static struct frame frames[FRAMES];
static struct device_chain chains[FRAMES];
static uint32_t done_count, sent_count;
static int host;
static struct net_sender sender;
static struct uring uring;
static bool has_uring;
static uint8_t got[80000];

// The transport's; there is none here.
void device_chain_done(struct device_chain *chain, uint32_t written)
{
    ck_assert_ptr_eq(chain, &chains[done_count++]); // in order, once each
    ck_assert_uint_eq(written, 0);
}

bool device_chain_has_next(const struct device_chain *chain)
{
    return chain + 1 < chains + sent_count;
}

size_t device_gather(const struct iovec *parts, uint32_t count, size_t offset, void *target,
                     size_t size)
{
    ck_assert(count == 1 && offset == 0);
    size = size < parts[0].iov_len ? size : parts[0].iov_len;
    memcpy(target, parts[0].iov_base, size);
    return size;
}

static uint32_t sum_of(const void *data, size_t size, uint32_t sum)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i += 2) {
        sum += (uint32_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0u);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

static size_t udp_put(uint8_t *at, uint32_t size, uint32_t ends, uint8_t fill)
{
    struct udphdr udp = {.source = htons(11211), .dest = htons(4000)};
    udp.len = htons((uint16_t)(size + sizeof udp));
    udp.check = htons((uint16_t)sum_of(&udp.len, sizeof udp.len, ends + IPPROTO_UDP));
    memcpy(at, &udp, sizeof udp);
    memset(at + sizeof udp, fill, size);
    return sizeof udp + size;
}

// A datagram of size bytes, all of which are its index.
static void datagram_make(uint32_t index, uint32_t size, bool is_v6)
{
    struct frame *frame = &frames[index];
    uint8_t *ip = frame->bytes + ETH_HLEN;
    size_t heads = ETH_HLEN;
    memset(frame, 2, sizeof *frame);
    if (is_v6) {
        struct ip6_hdr header = {.ip6_hlim = 64, .ip6_nxt = IPPROTO_UDP};
        header.ip6_vfc = 6 << 4;
        header.ip6_plen = htons((uint16_t)(size + sizeof(struct udphdr)));
        memcpy(ip, &header, sizeof header);
        heads += sizeof header;
    } else {
        struct iphdr header = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
        header.id = htons((uint16_t)index);
        header.saddr = htonl(0x0a020002);
        header.daddr = htonl(0x0a020001);
        header.tot_len = htons((uint16_t)(size + sizeof header + sizeof(struct udphdr)));
        header.check = htons((uint16_t)~sum_of(&header, sizeof header, 0));
        memcpy(ip, &header, sizeof header);
        heads += sizeof header;
    }
    const uint16_t kind = htons(is_v6 ? ETH_P_IPV6 : ETH_P_IP);
    memcpy(ip - sizeof kind, &kind, sizeof kind);
    frame->header = (struct virtio_net_hdr_mrg_rxbuf){.hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                                              .csum_start = (uint16_t)heads,
                                                              .csum_offset = 6}};
    const uint32_t ends = is_v6 ? 0 : sum_of(ip + 12, 8, 0);
    chains[index].in_count = 1;
    chains[index].parts[0] =
        (struct iovec){frame, sizeof frame->header + heads +
                                  udp_put(frame->bytes + heads, size, ends, (uint8_t)index)};
}

// Whether one of them was long.
static bool all_send(uint32_t count)
{
    sent_count = count;
    for (uint32_t i = 0; i < count; ++i) {
        net_sender_send(&sender, &chains[i]);
    }
    const bool has_long = net_sender_flush(&sender);
    ck_assert_uint_eq(done_count, count);
    return has_long;
}

// The next frame that went; 0: there is none.
static size_t next(void)
{
    const ssize_t size = recv(host, got, sizeof got, MSG_DONTWAIT);
    return size < 0 ? 0 : (size_t)size;
}

static struct virtio_net_hdr next_header(void)
{
    struct virtio_net_hdr header;
    ck_assert_uint_gt(next(), sizeof header);
    memcpy(&header, got, sizeof header);
    return header;
}

static void alone_check(uint32_t index)
{
    ck_assert_uint_eq(next(), chains[index].parts[0].iov_len);
    ck_assert_mem_eq(got, &frames[index], chains[index].parts[0].iov_len);
}

static void start(void)
{
    int ends[2];
    const int room = 1 << 20;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    sender = (struct net_sender){.fd = ends[0], .ring = has_uring ? &uring : NULL};
    if (has_uring) {
        ck_assert_int_eq(io_uring_queue_init(URING_MAX, &uring.ring, 0), 0);
    }
    host = ends[1];
    done_count = 0;
}

static void stop(void)
{
    ck_assert_uint_eq(next(), 0);
    if (has_uring) {
        ck_assert_uint_eq(uring.count, 0);
        io_uring_queue_exit(&uring.ring);
    }
    close(sender.fd);
    close(host);
}

static void start_with_ring(void)
{
    has_uring = true;
    start();
}

// Sizes and sums are those of all together, and the host is told how to cut it.
START_TEST(datagrams_of_one_size_go_as_one)
{
    enum { COUNT = 5, SIZE = 100 };
    const bool is_v6 = _i != 0;
    const size_t ip = sizeof(struct virtio_net_hdr_mrg_rxbuf) + ETH_HLEN;
    const size_t udp = ip + (is_v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr));
    const uint32_t payload = (COUNT - 1) * SIZE + 7;
    uint16_t udp_size, sum;
    for (uint32_t i = 0; i < COUNT; ++i) {
        datagram_make(i, i < COUNT - 1 ? SIZE : 7, is_v6);
    }
    all_send(COUNT);
    const struct virtio_net_hdr header = next_header();
    ck_assert_uint_eq(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    ck_assert_uint_eq(header.gso_type, GSO_UDP_L4);
    ck_assert_uint_eq(header.gso_size, SIZE);
    ck_assert_uint_eq(header.csum_start, udp - ip + ETH_HLEN);
    ck_assert_uint_eq(header.hdr_len, udp - ip + ETH_HLEN + sizeof(struct udphdr));
    memcpy(&udp_size, got + udp + 4, sizeof udp_size);
    memcpy(&sum, got + udp + 6, sizeof sum);
    ck_assert_uint_eq(ntohs(udp_size), payload + sizeof(struct udphdr));
    const uint32_t ends = is_v6 ? 0 : sum_of(got + ip + 12, 8, 0);
    ck_assert_uint_eq(ntohs(sum), sum_of(&udp_size, sizeof udp_size, ends + IPPROTO_UDP));
    if (is_v6) {
        ck_assert_mem_eq(got + ip + 4, &udp_size, sizeof udp_size);
    } else {
        ck_assert_uint_eq(sum_of(got + ip, sizeof(struct iphdr), 0), 0xffff);
        ck_assert_uint_eq((uint32_t)got[ip + 2] << 8 | got[ip + 3], payload + 28);
    }
    for (uint32_t i = 0; i < payload; ++i) {
        ck_assert_uint_eq(got[udp + sizeof(struct udphdr) + i], i / SIZE);
    }
}
END_TEST

// A shorter one is the last; no more than the host takes.
START_TEST(what_goes_as_one_has_an_end)
{
    for (uint32_t i = 0; i < 3; ++i) {
        datagram_make(i, i == 1 ? 9 : 10, false);
    }
    all_send(3);
    ck_assert_uint_eq(next_header().gso_size, 10);
    alone_check(2);
    done_count = 0;
    for (uint32_t i = 0; i < NET_SENDER_MAX + 2; ++i) {
        datagram_make(i, 10, false);
    }
    all_send(NET_SENDER_MAX + 2);
    ck_assert_uint_eq(next_header().gso_size, 10);
    ck_assert_uint_eq(next_header().gso_size, 10);
    done_count = 0;
    for (uint32_t i = 0; i < 50; ++i) { // 72 000 bytes
        datagram_make(i, 1440, false);
    }
    all_send(50);
    ck_assert_uint_eq(next_header().gso_size, 1440);
    ck_assert_uint_eq(next_header().gso_size, 1440);
}
END_TEST

static void spoil(uint32_t how)
{
    struct frame *frame = &frames[1];
    uint8_t *ip = frame->bytes + ETH_HLEN, *udp = ip + sizeof(struct iphdr);
    switch (how) {
    case 0: // another receiver
        frame->bytes[0] ^= 1;
        break;
    case 1: // of another address
        ip[19] ^= 1;
        break;
    case 2: // another port
        udp[3] ^= 1;
        break;
    case 3: // no UDP
        ip[9] = IPPROTO_TCP;
        break;
    case 4: // a fragment
        ip[6] = 0x20;
        break;
    case 5: // its sum is there, right or wrong
        frame->header.hdr.flags = 0;
        break;
    case 6: // longer than those before
        datagram_make(1, 11, false);
        break;
    case 7: // another kind of service
        ip[1] = 4;
        break;
    case 8: // in parts
        chains[1].in_count = 2;
        chains[1].parts[1] = (struct iovec){frame, 1};
        break;
    case 9: // IP's size is not the frame's
        ip[3] ^= 1;
        break;
    case 10: // UDP's is not IP's
        udp[5] ^= 1;
        break;
    default: // shorter than any
        chains[1].parts[0].iov_len = 20;
        break;
    }
}

START_TEST(what_differs_goes_alone_and_in_its_order)
{
    for (uint32_t i = 0; i < 3; ++i) {
        datagram_make(i, 10, false);
    }
    spoil((uint32_t)_i);
    all_send(3);
    alone_check(0);
    if (_i == 8) {
        ck_assert_uint_eq(next(), chains[1].parts[0].iov_len + 1);
        alone_check(2);
    } else if (_i == 6) { // but what follows is shorter, and its last
        ck_assert_uint_eq(next_header().gso_size, 11);
    } else {
        alone_check(1);
        alone_check(2);
    }
}
END_TEST

// Such a host says so once.
// Whose parts are two: what is behind the headers lies elsewhere.
START_TEST(a_long_frame_is_told_of_once)
{
    enum { HEADS = 12 + ETH_HLEN + 20 };
    for (uint32_t i = 0; i < 3; ++i) {
        datagram_make(i, 100, false);
    }
    const size_t size = chains[1].parts[0].iov_len;
    chains[1].parts[0].iov_len = HEADS;
    chains[1].parts[1] = (struct iovec){(char *)&frames[1] + HEADS, size - HEADS};
    chains[1].in_count = 2;
    ck_assert(all_send(3));
    alone_check(0);
    ck_assert_uint_eq(next(), size);
    ck_assert_mem_eq(got, &frames[1], size);
    alone_check(2);
    done_count = 0;
    chains[1] = chains[0];
    ck_assert(!all_send(2));
    ck_assert_uint_eq(next_header().gso_size, 100);
}
END_TEST

START_TEST(a_host_that_knows_no_such_frames_gets_each)
{
    const int tap = sender.fd;
    for (uint32_t i = 0; i < 3; ++i) {
        datagram_make(i, 10, false);
    }
    sender.fd = eventfd(0, EFD_NONBLOCK); // EINVAL
    all_send(3);
    close(sender.fd);
    sender.fd = tap;
    ck_assert(sender.is_alone);
    done_count = 0;
    all_send(3);
    for (uint32_t i = 0; i < 3; ++i) {
        alone_check(i);
    }
}
END_TEST

// More than one submission takes; the last of them alone.
START_TEST(what_one_kick_brings_is_submitted_together)
{
    enum { COUNT = URING_MAX + 1 };
    for (uint32_t i = 0; i < COUNT; ++i) {
        datagram_make(i, 10, false);
        frames[i].header.hdr.flags = 0;
    }
    sender.is_alone = true;
    all_send(COUNT);
    ck_assert_uint_eq(uring.ring.sq.sqe_tail, URING_MAX);
    for (uint32_t i = 0; i < COUNT; ++i) {
        alone_check(i);
    }
}
END_TEST

// It takes what it has room for, and the rest when that has been read.
START_TEST(what_would_wait_does_so)
{
    enum { COUNT = 3 };
    const int room = 1; // of two frames of 4 KiB, or so
    pid_t reader;
    ck_assert_int_eq(setsockopt(sender.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    for (uint32_t i = 0; i < COUNT; ++i) {
        datagram_make(i, 1400, false);
    }
    sender.is_alone = true;
    reader = fork();
    if (reader == 0) {
        for (uint32_t i = 0; i < COUNT; ++i) {
            if (recv(host, got, sizeof got, 0) != (ssize_t)chains[i].parts[0].iov_len ||
                memcmp(got, &frames[i], chains[i].parts[0].iov_len) != 0) {
                _exit(1);
            }
        }
        _exit(0);
    }
    all_send(COUNT);
    int status;
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert_int_eq(status, 0);
}
END_TEST

static void tests_add(TCase *tcase)
{
    tcase_add_loop_test(tcase, datagrams_of_one_size_go_as_one, 0, 2);
    tcase_add_test(tcase, what_goes_as_one_has_an_end);
    tcase_add_loop_test(tcase, what_differs_goes_alone_and_in_its_order, 0, 12);
    tcase_add_test(tcase, a_long_frame_is_told_of_once);
    tcase_add_test(tcase, a_host_that_knows_no_such_frames_gets_each);
    tcase_add_test(tcase, what_would_wait_does_so);
}

int main(void)
{
    struct io_uring probe;
    Suite *suite = suite_create("net_sender");
    TCase *tcase = tcase_create("calls");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, start, stop);
    tests_add(tcase);
    if (io_uring_queue_init(1, &probe, 0) == 0) {
        io_uring_queue_exit(&probe);
        tcase = tcase_create("ring");
        suite_add_tcase(suite, tcase);
        tcase_add_checked_fixture(tcase, start_with_ring, stop);
        tests_add(tcase);
        tcase_add_test(tcase, what_one_kick_brings_is_submitted_together);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
