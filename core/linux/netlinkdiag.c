// SPDX-License-Identifier: BSD-3-Clause
// netlinkdiag.c: what sock_diag(7) says of sockets of TCP and UDP, as ss(8) lists them; of local
// ones, netlinkunix.c.
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/linux/credentials.h"
#include "core/linux/netfiles.h"
#include "core/linux/netlink.h"
#include "core/linux/socketinet.h"
#include "core/mem/heap.h"
#include "core/net/flow.h"

enum { STATE_CONNECTED = 1, STATE_IDLE = 7, FAMILIES = 46 /* AF_MAX */ };

struct found { // sockets, each counted
    struct net_socket **all;
    uint32_t count, room;
    bool is_v4, is_short;
};

static void socket_find(const struct flow *flow, void *argument)
{
    struct found *found = argument;
    if (flow->socket->is_v4 != found->is_v4) {
        return;
    }
    if (found->count == found->room) {
        const uint32_t room = found->room == 0 ? 64 : 2 * found->room;
        struct net_socket **all = heap_realloc(found->all, room * sizeof *all);
        if (all == NULL) {
            found->is_short = true;
            return;
        }
        found->all = all;
        found->room = room;
    }
    net_socket_get(flow->socket);
    found->all[found->count++] = flow->socket;
}

// ---- One socket ----------------------------------------------------------------------------

static void end_fill(uint16_t *port, uint8_t address[ADDRESS_V6_SIZE], const struct net_end *end,
                     bool is_v4)
{
    *port = net_order16(end->port);
    if (is_v4) {
        memcpy(address, address_v4_bytes(&end->address), ADDRESS_V4_SIZE);
    } else {
        memcpy(address, address_bytes(&end->address), ADDRESS_V6_SIZE);
    }
}

static void owner_fill(struct diag_head *head, const struct inet_socket *inet)
{
    head->uid = inet->nameless.uid;
    head->inode = (uint32_t)inet->nameless.inode;
}

// With its lock held.
static void stream_fill(struct diag_head *head, const struct inet_socket *inet)
{
    const struct tcp_socket *socket = &inet->tcp;
    const struct tcp *tcp = &socket->tcp;
    if (inet_has_file(inet)) {
        owner_fill(head, inet);
    }
    if (socket->stage == TCP_STAGE_LISTENING) {
        head->state = TCP_STATE_LISTEN;
        head->received = socket->ready_count;
        head->sent = (uint32_t)socket->backlog;
        return;
    }
    if (socket->stage != TCP_STAGE_CONNECTION) { // bound only
        head->state = STATE_IDLE;
        return;
    }
    const struct net_timer timer = net_timer_of(tcp, hal_clock_ns());
    head->state = (uint8_t)tcp->state;
    head->timer = (uint8_t)timer.kind;
    head->retries = (uint8_t)tcp->retries;
    head->expires = (uint32_t)(timer.left_ns / 1000000);
    head->received = (uint32_t)(tcp_received(tcp) - tcp->taken);
    head->sent = (uint32_t)(tcp->written - tcp_acknowledged(tcp));
}

static void head_fill(struct diag_head *head, struct inet_socket *inet)
{
    struct net_socket *socket = &inet->socket;
    const bool is_v4 = socket->is_v4;
    *head = (struct diag_head){.family = is_v4 ? AF_INET : AF_INET6};
    mutex_lock(&socket->lock);
    end_fill(&head->id.local_port, head->id.local, &socket->local, is_v4);
    end_fill(&head->id.remote_port, head->id.remote, &socket->remote, is_v4);
    if (inet_is_stream(inet)) {
        stream_fill(head, inet);
    } else {
        owner_fill(head, inet);
        head->state = socket->remote.port != 0 ? STATE_CONNECTED : STATE_IDLE;
        head->received = channel_cost(&socket->channel);
    }
    head->id.index = net_socket_netif(socket);
    mutex_unlock(&socket->lock);
    memset(head->id.cookie, 0, sizeof head->id.cookie);
    memcpy(head->id.cookie, &inet->nameless.inode, sizeof inet->nameless.inode);
}

static void option_put(struct netlink_answer *answer, uint16_t type, struct inet_socket *inet,
                       int name)
{
    union socket_option value = {.number = 0};
    const int size = stream_option_get(inet, name, &value);
    if (size > 0) {
        netlink_put(answer, type, &value, (size_t)size);
    }
}

static bool wants(const struct diag_request *request, int extension)
{
    return (request->extensions >> (extension - 1) & 1) != 0;
}

static void socket_put(struct netlink_answer *answer, const struct diag_request *request,
                       struct inet_socket *inet)
{
    struct diag_head head;
    head_fill(&head, inet);
    if ((request->states >> head.state & 1) == 0) {
        return;
    }
    void *to = netlink_begin(answer, SOCK_DIAG_BY_FAMILY, sizeof head);
    if (to != NULL) {
        memcpy(to, &head, sizeof head);
    }
    mutex_lock(&inet->socket.lock);
    netlink_put_byte(answer, INET_DIAG_SHUTDOWN, (uint8_t)inet->socket.shut);
    if (!inet->socket.is_v4) {
        netlink_put_byte(answer, INET_DIAG_SKV6ONLY, inet->socket.options.is_v6_only);
    }
    if (wants(request, INET_DIAG_TOS)) {
        netlink_put_byte(answer, INET_DIAG_TOS, inet->socket.options.service);
    }
    mutex_unlock(&inet->socket.lock);
    const bool has_more = inet_is_stream(inet) && head.state != STATE_IDLE; // not one only bound
    if (has_more && wants(request, INET_DIAG_INFO)) {
        option_put(answer, INET_DIAG_INFO, inet, TCP_INFO);
    }
    if (has_more && wants(request, INET_DIAG_CONG)) {
        option_put(answer, INET_DIAG_CONG, inet, TCP_CONGESTION);
    }
}

// ---- All -----------------------------------------------------------------------------------

int netlink_diag_asked(const struct netlink_request *request, struct netlink_answer *answer)
{
    struct diag_request asked;
    const bool is_dump = (request->header->flags & NLM_F_DUMP) != 0;
    if (request->header->type != SOCK_DIAG_BY_FAMILY) {
        return -EINVAL;
    }
    if (request->size < 2) {
        return -EINVAL;
    }
    const uint8_t family = (uint8_t)request->body[0];
    if (family == AF_UNIX) {
        return netlink_unix_asked(request, answer);
    }
    if (family != AF_INET && family != AF_INET6) {
        return family >= FAMILIES ? -EINVAL : -ENOENT; // who asks looks into /proc/net then
    }
    if (request->size < sizeof asked) {
        return -EINVAL;
    }
    memcpy(&asked, request->body, sizeof asked);
    if (asked.protocol != IP_TCP && asked.protocol != IP_UDP) {
        return -ENOENT;
    }
    if (!is_dump) {
        return -EOPNOTSUPP;
    }
    struct found found = {.is_v4 = family == AF_INET};
    answer->is_dump = true;
    flow_walk(asked.protocol, socket_find, &found);
    for (uint32_t i = 0; i < found.count; ++i) {
        socket_put(answer, &asked, container_of(found.all[i], struct inet_socket, socket));
        net_socket_put(found.all[i]);
    }
    heap_free(found.all);
    return found.is_short ? -ENOMEM : 0;
}
