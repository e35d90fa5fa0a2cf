// SPDX-License-Identifier: BSD-3-Clause
// sockets_fuzz.c: any bytes at all as what a program says to sockets in messages that have a form:
// netlink's requests, and messages of control that go along with datagrams, of local sockets and
// the Internet's. The first byte chooses, and stays. What is answered has a form, too, and fits
// where it is written; what was made is taken away, and no memory is lost.
#include <string.h>

#include "core/lib/errno.h"
#include "core/linux/netlink.h"
#include "core/linux/socketcalls.h"
#include "core/net/address_text.h"
#include "core/net/ethernet.h"
#include "core/net/interface.h"
#include "core/net/route.h"
#include "core/net/run.h"
#include "core/net/socket.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/file.h"
#include "input.h"
#include "core/dev/packet.h"
#include "hal/unit_hal.h"
#include "vfs_host.h"

enum kind { ROUTE, DIAG, LOCAL, INET, KINDS };

enum { IS_RAW = 0x8000, IS_V4 = 0x4000 }; // of an item's head: sizes are as they come

enum { FILES = 2, PORT = 80, ITEMS_MAX = 8, ROUNDS_MAX = 16, ROUND = 1000000000 };

static struct file *netlinks[2], *locals[2], *inets[2];   // route, diag; a pair; of IPv6, IPv4
static struct route_address addresses[ROUTE_ADDRESS_MAX]; // as they were
static struct route_entry entries[ROUTE_MAX];
static uint32_t address_count, entry_count;
static size_t memory_at_rest;

// ---- What core/linux needs of the rest -------------------------------------------------

static void transmit(struct ethernet *ethernet, struct packet *frame)
{
    (void)ethernet;
    packet_free(frame);
}

static struct ethernet wire = {
    .netif = {.name = "eth0", .mtu = 1500, .hardware = {2, 0, 0, 0, 0, 1}},
    .transmit = transmit,
};

static const struct file_ops nothing_ops = {0};

static void start(void)
{
    const char *const texts[] = {"fd00::1/64,fd00::fe", "10.0.0.1/24,10.0.0.254"};
    demand(net_start() == 0 && ethernet_start(&wire) == 0, "the network starts");
    for (int i = 0; i < 2; ++i) {
        struct interface_address address;
        demand(interface_address_read(&address, texts[i]) == 0 &&
                   interface_address_set(&wire, &address) == 0,
               "the interface has an address");
    }
    for (int i = 0; i < FILES; ++i) {
        struct file *file;
        demand(file_create(&file, &nothing_ops, OPEN_READ_WRITE, NULL) == 0 &&
                   fd_install(file, 0, false) == i,
               "there are files");
    }
    address_count = route_address_list(addresses);
    entry_count = route_list(entries);
}

static void sockets_open(void)
{
    const struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = net_order16(PORT)};
    const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = net_order16(PORT + 1)};
    const int one = 1;
    demand(netlink_create(&netlinks[0], SOCK_RAW, NETLINK_ROUTE, OPEN_NONBLOCK) == 0 &&
               netlink_create(&netlinks[1], SOCK_RAW, NETLINK_SOCK_DIAG, OPEN_NONBLOCK) == 0 &&
               localsocket_pair(locals, LOCALSOCKET_DATAGRAM, OPEN_NONBLOCK) == 0 &&
               inet_create(&inets[0], AF_INET6, SOCK_DGRAM, 0, OPEN_NONBLOCK) == 0 &&
               inet_create(&inets[1], AF_INET, SOCK_DGRAM, 0, OPEN_NONBLOCK) == 0,
           "there are sockets");
    demand(inet_calls.bind(inets[0], &v6, sizeof v6) == 0 &&
               inet_calls.bind(inets[1], &v4, sizeof v4) == 0,
           "ports are free");
    demand(local_calls.option_set(locals[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0,
           "an option is set");
}

// ---- Netlink -----------------------------------------------------------------------------

// Messages one after the other, as their sizes say it.
static void messages_look(const char *data, size_t size)
{
    struct netlink_header head;
    for (size_t at = 0; at < size;) {
        demand(size - at >= sizeof head, "a message has a header");
        memcpy(&head, data + at, sizeof head);
        demand(head.size >= sizeof head && head.size <= size - at, "a message is whole");
        at += (head.size + NETLINK_ALIGN - 1) & ~(size_t)(NETLINK_ALIGN - 1);
    }
}

static void answers_read(struct file *file)
{
    static char data[1 << 18];
    const struct io_vector vector = {data, sizeof data};
    long got;
    do {
        struct socket_message message = {.vectors = &vector, .count = 1, .flags = MSG_DONTWAIT};
        got = netlink_calls.receive(file, &message);
        if (got > 0) {
            demand((message.answer_flags & MSG_TRUNC) == 0, "an answer has an end");
            messages_look(data, (size_t)got);
        }
    } while (got > 0 || got == -ENOBUFS);
    demand(got == -EAGAIN, "nothing is left");
}

static void switches_set(struct file *file, uint8_t switches)
{
    static const int names[] = {NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK};
    for (int i = 0; i < 3; ++i) {
        const int value = switches >> i & 1;
        demand(netlink_calls.option_set(file, SOL_NETLINK, names[i], &value, sizeof value) == 0,
               "a switch is set");
    }
    for (int group = 1; group <= 12; ++group) {
        const int error = netlink_calls.option_set(file, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
                                                   &group, sizeof group);
        demand(error == 0, "a group is joined");
    }
}

static void request_send(struct file *file, const struct item *item)
{
    char data[ITEM_SIZE_MAX];
    memcpy(data, item->data, item->size);
    if ((item->head & IS_RAW) == 0 && item->size >= sizeof(struct netlink_header)) {
        memcpy(data, &item->size, sizeof item->size);
    }
    const struct io_vector vector = {data, item->size};
    const struct socket_message message = {.vectors = &vector, .count = 1};
    const long sent = netlink_calls.send(file, &message);
    demand(sent == (long)item->size || (sent == -ENODATA && item->size == 0), "all is taken");
    answers_read(file);
}

// Addresses and routes that were not there go, and those that were return.
static void routes_reset(void)
{
    struct route_address now_addresses[ROUTE_ADDRESS_MAX];
    struct route_entry now_entries[ROUTE_MAX];
    const uint32_t count = route_address_list(now_addresses);
    const uint32_t now_count = route_list(now_entries);
    if (count == address_count && now_count == entry_count &&
        memcmp(now_addresses, addresses, count * sizeof *addresses) == 0 &&
        memcmp(now_entries, entries, now_count * sizeof *entries) == 0) {
        return;
    }
    for (uint32_t i = 0; i < now_count; ++i) {
        demand(route_remove(&now_entries[i]) == 0, "a route goes");
    }
    for (uint32_t i = 0; i < count; ++i) {
        demand(route_address_remove(&now_addresses[i].address) == 0, "an address goes");
    }
    for (uint32_t i = 0; i < address_count; ++i) {
        demand(route_address_add(&addresses[i]) == 0, "an address returns");
    }
    for (uint32_t i = 0; i < entry_count; ++i) {
        demand(route_add(&entries[i]) == 0, "a route returns");
    }
}

// ---- Messages of control -----------------------------------------------------------------

static void controls_read(const struct socket_calls *calls, struct file *file, size_t room)
{
    char data[4], control[256];
    const struct io_vector vector = {data, sizeof data};
    long got;
    room = room < sizeof control ? room : sizeof control;
    char *copy = malloc(room + 1); // what is written behind it is found
    do {
        struct controls controls = {.data = copy, .size = room};
        struct socket_message message = {
            .vectors = &vector, .count = 1, .flags = MSG_DONTWAIT, .controls = &controls};
        got = calls->receive(file, &message);
        demand(controls.done <= room, "messages of control fit");
    } while (got >= 0);
    demand(got == -EAGAIN, "nothing is left");
    free(copy);
}

// Those that have come along: they are the lowest that were free.
static void files_close(void)
{
    for (int fd = FILES; fd_close(fd) == 0;) {
        ++fd;
    }
}

static void control_send(enum kind kind, const struct item *item)
{
    static char byte = 'x';
    const bool is_v4 = (item->head & IS_V4) != 0;
    const struct io_vector vector = {&byte, 1};
    const struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = net_order16(PORT), .sin_addr = {0x0100007f}};
    const struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = net_order16(PORT + 1), .sin6_addr = {{{[15] = 1}}}};
    char data[ITEM_SIZE_MAX];
    memcpy(data, item->data, item->size);
    if ((item->head & IS_RAW) == 0 && item->size >= sizeof(struct cmsghdr)) {
        const size_t size = item->size;
        memcpy(data, &size, sizeof size);
    }
    struct socket_message message = {
        .vectors = &vector, .count = 1, .control = data, .control_size = item->size};
    if (kind == LOCAL) {
        (void)local_calls.send(locals[0], &message);
        controls_read(&local_calls, locals[1], item->head >> 11 & 7 ? 256 : item->size);
        files_close();
        return;
    }
    message.name = is_v4 ? (const void *)&v4 : &v6;
    message.name_size = is_v4 ? sizeof v4 : sizeof v6;
    (void)inet_calls.send(inets[is_v4], &message);
    controls_read(&inet_calls, inets[is_v4], item->size);
}

// ---- Inputs ------------------------------------------------------------------------------

static void run(enum kind kind, uint8_t switches, const uint8_t *data, size_t size)
{
    struct item item;
    sockets_open();
    switches_set(netlinks[0], switches);
    for (int i = 0; i < ITEMS_MAX && item_next(&item, &data, &size); ++i) {
        if (kind == ROUTE || kind == DIAG) {
            request_send(netlinks[kind == DIAG], &item);
        } else {
            control_send(kind, &item);
        }
    }
    for (int i = 0; i < 2; ++i) {
        file_put(netlinks[i]);
        file_put(locals[i]);
        file_put(inets[i]);
    }
    routes_reset();
}

// What waits for a neighbour goes after its time.
static void memory_check(void)
{
    for (int round = 0; host_block_count() + host_frame_count() > memory_at_rest; ++round) {
        demand(round < ROUNDS_MAX, "memory is given back");
        unit_clock_ns += ROUND;
        host_thread_run(); // alarms
        net_run();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_started;
    if (!is_started) {
        start();
        run(ROUTE, 0, NULL, 0);
        memory_at_rest = host_block_count() + host_frame_count();
        is_started = true;
    }
    if (size >= 2) {
        run((enum kind)(data[0] % KINDS), data[1], data + 2, size - 2);
        memory_check();
    }
    return 0;
}
