// SPDX-License-Identifier: BSD-3-Clause
// zcopy.h: how a program sends and receives bytes where they lie: its own memory is lent to the
// network until the receiver has it, and packets are lent to the program, many by one call, and
// given back when they have been read (zcopy_tx, zcopy_txclose, zcopy_rx and zcopy_rxgc of OSv).
//
// For programs: <osv/zcopy.h> by -I core/libc/include; C++ includes it within extern "C". The
// functions are weak, so that a program that uses them also starts on Linux, where they are NULL;
// lending.c, streams.c and loans.c of tests/system/packets are examples.
#ifndef CORE_LIBC_INCLUDE_OSV_ZCOPY_H
#define CORE_LIBC_INCLUDE_OSV_ZCOPY_H

#include <stddef.h>
#include <sys/socket.h>

struct osv_piece { // a datagram, or the next of a stream
    // size bytes. Those of a datagram are the program's, which may change them; those of a stream
    // are only to be read: who has sent them on this machine may have them, too.
    char *data;
    size_t size;
    struct sockaddr_storage from; // of a datagram: its first bytes are a sockaddr_in or _in6
    void *lent;                   // what it lies in
};

// Takes what the socket fd, of UDP or TCP, has received, up to count pieces, and waits for the
// first as recv does: flags is 0 or MSG_DONTWAIT, SO_RCVTIMEO and O_NONBLOCK hold, poll and epoll
// say when there is something. What is lent counts against SO_RCVBUF until it is given back, so
// that a sender of a stream waits; and it stays when fd is closed. Who has lent to it all that
// SO_RCVBUF allows, and waits for more, waits for itself.
//
// How many; 0: the stream's end, or the socket is shut. -1: errno is as recv's, or EOPNOTSUPP
// (another socket) or EINVAL (count is 0, other flags).
__attribute__((weak)) int osv_zcopy_rx(int fd, struct osv_piece *pieces, unsigned count, int flags);

// Gives back count of them, in any order, on any thread, once each.
__attribute__((weak)) void osv_zcopy_rxgc(const struct osv_piece *pieces, unsigned count);

// ---- Sending ---------------------------------------------------------------------

struct osv_sending;

// Sends what message says by the socket fd, of UDP or TCP, as sendmsg does with these flags, but
// the bytes are the network's until they are over: acknowledged, and read where the receiver is on
// this machine. Until then they are not to be changed, nor their memory freed. Copied, and over at
// once, are datagrams, fewer than 4096 bytes in one place, and what is not in a block of malloc's
// of less than 1 MiB: other pages may move.
//
// event: -1, or an eventfd, to which 1 is added when they are over. *sending, unless this fails, is
// for osv_zcopy_txclose, once.
//
// As sendmsg; errno also EOPNOTSUPP (another socket), and of event EBADF or EINVAL.
__attribute__((weak)) ssize_t osv_zcopy_tx(int fd, const struct msghdr *message, int flags,
                                           int event, struct osv_sending **sending);

// Waits until the bytes are over. flags: 0, or MSG_DONTWAIT. 0: they are, and sending is gone. -1:
// errno is EAGAIN, EINTR, or EINVAL (other flags), and sending is still there. Who will not wait
// for a peer breaks the connection off (SO_LINGER of 0 seconds, and close), which ends all it has.
__attribute__((weak)) int osv_zcopy_txclose(struct osv_sending *sending, int flags);

#endif
