// SPDX-License-Identifier: BSD-3-Clause
// zcopy.c: datagrams and pieces of streams that are lent to the program (include/osv/zcopy.h). Each
// holds a reference to its socket, for it counts against that one's limit.
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/libc/export.h"
#include "core/libc/include/osv/zcopy.h"
#include "core/linux/socketcalls.h"
#include "core/linux/socketinet.h"
#include "core/net/datagram.h"
#include "core/net/tcp_socket.h"

static void datagram_tell(struct inet_socket *inet, const struct datagram_lent *lent,
                          struct osv_piece *piece)
{
    struct socket_address from;
    inet_address_tell(inet, &lent->from, lent->netif, &from);
    *piece = (struct osv_piece){.data = lent->data, .size = lent->size, .lent = lent->packet};
    memcpy(&piece->from, &from.local, from.size);
}

// How many; -errno.
static int datagrams_lend(struct inet_socket *inet, const struct net_patience *first,
                          struct osv_piece *pieces, unsigned count)
{
    struct net_patience patience = *first;
    unsigned done = 0;
    while (done < count) {
        struct datagram_lent lent;
        const int error = datagram_lend(&inet->socket, &patience, &lent);
        if (done > 0 && error != 0 && error != -EAGAIN) { // told by the next call
            mutex_lock(&inet->socket.lock);
            inet->socket.error = error;
            mutex_unlock(&inet->socket.lock);
        }
        if (error != 0 || lent.packet == NULL) {
            return done > 0 ? (int)done : error;
        }
        datagram_tell(inet, &lent, &pieces[done++]);
        patience.waits = false;
    }
    return (int)done;
}

static int stream_lend(struct inet_socket *inet, const struct net_patience *patience,
                       struct osv_piece *pieces, unsigned count)
{
    struct packet *packet;
    unsigned done = 0;
    const int error = tcp_lend(&inet->tcp, patience, count, &packet);
    for (; error == 0 && packet != NULL; packet = packet->next) {
        pieces[done++] =
            (struct osv_piece){.data = packet->data, .size = packet->size, .lent = packet};
    }
    return error != 0 ? error : (int)done;
}

static int pieces_lend(struct file *file, struct osv_piece *pieces, unsigned count, int flags)
{
    if (!file_is_inetsocket(file) || inet_is_raw(inet_of(file))) {
        return -EOPNOTSUPP;
    }
    if (count == 0 || (flags & ~MSG_DONTWAIT) != 0) {
        return -EINVAL;
    }
    struct inet_socket *inet = inet_of(file);
    const struct net_patience patience = inet_patience(file, flags, &inet->options.receive_timeout);
    return inet_is_stream(inet) ? stream_lend(inet, &patience, pieces, count)
                                : datagrams_lend(inet, &patience, pieces, count);
}

EXPORT(int, osv_zcopy_rx, int fd, struct osv_piece *pieces, unsigned count, int flags)
{
    struct file *file;
    int result = socket_get(fd, &file);
    if (result == 0) {
        result = pieces_lend(file, pieces, count, flags);
        file_put(file);
    }
    if (result < 0) {
        errno = -result;
        return -1;
    }
    return result;
}

static struct net_socket *socket_of(const struct osv_piece *piece)
{
    return (struct net_socket *)(uintptr_t)((struct packet *)piece->lent)->place;
}

// How many of a stream's follow each other: they are one change of its window.
static unsigned stream_give_back(const struct osv_piece *pieces, unsigned count)
{
    struct net_socket *socket = socket_of(pieces);
    struct packet *first = NULL;
    unsigned done = 0;
    for (; done < count && socket_of(&pieces[done]) == socket; ++done) {
        struct packet *packet = pieces[done].lent;
        packet->next = first;
        first = packet;
    }
    tcp_give_back(tcp_socket_of(socket), first);
    return done;
}

EXPORT(void, osv_zcopy_rxgc, const struct osv_piece *pieces, unsigned count)
{
    for (unsigned i = 0; i < count;) {
        if (socket_of(&pieces[i])->protocol == IP_TCP) {
            i += stream_give_back(pieces + i, count - i);
        } else {
            datagram_give_back(pieces[i++].lent);
        }
    }
}
