// SPDX-License-Identifier: BSD-3-Clause
// zcopy.c: datagrams that are lent to the program (include/osv/zcopy.h). Each holds a reference to
// its socket, for it counts against that one's limit.
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/include/osv/zcopy.h"
#include "core/linux/socketcalls.h"
#include "core/linux/socketinet.h"
#include "core/net/datagram.h"

static bool is_udp(const struct file *file)
{
    return file_is_inetsocket(file) && inet_of(file)->socket.kind == NET_TRANSPORT &&
           inet_of(file)->socket.protocol == IPPROTO_UDP;
}

static void datagram_tell(struct inet_socket *inet, const struct datagram_lent *lent,
                          struct osv_datagram *datagram)
{
    struct socket_address from;
    inet_address_tell(inet, &lent->from, &from);
    *datagram = (struct osv_datagram){.data = lent->data, .size = lent->size, .lent = lent->packet};
    memcpy(&datagram->from, &from.local, from.size);
}

// How many; -errno.
static int datagrams_lend(struct file *file, struct osv_datagram *datagrams, unsigned count,
                          int flags)
{
    struct inet_socket *inet = inet_of(file);
    struct net_patience patience = inet_patience(file, flags, &inet->options.receive_timeout);
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
        datagram_tell(inet, &lent, &datagrams[done++]);
        patience.waits = false;
    }
    return (int)done;
}

EXPORT(int, osv_zcopy_rx, int fd, struct osv_datagram *datagrams, unsigned count, int flags)
{
    struct file *file;
    int result = socket_get(fd, &file);
    if (result == 0) {
        result = !is_udp(file) ? -EOPNOTSUPP
                 : count == 0 || (flags & ~MSG_DONTWAIT) != 0
                     ? -EINVAL
                     : datagrams_lend(file, datagrams, count, flags);
        file_put(file);
    }
    if (result < 0) {
        errno = -result;
        return -1;
    }
    return result;
}

EXPORT(void, osv_zcopy_rxgc, const struct osv_datagram *datagrams, unsigned count)
{
    for (unsigned i = 0; i < count; ++i) {
        datagram_give_back(datagrams[i].lent);
    }
}
