// SPDX-License-Identifier: BSD-3-Clause
// zcopy.h: how a program receives where the bytes lie: packets themselves are lent to it, many by
// one call, and given back when they have been read (zcopy_rx and zcopy_rxgc of the OSv paper,
// Kivity et al., USENIX ATC 2014, 4.3).
//
// For programs: <osv/zcopy.h> by -I core/libc/include; C++ includes it within extern "C". The
// functions are weak, so that a program that uses them also starts on Linux, where they are NULL;
// tests/system/packets/lending.c and streams.c are examples.
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

#endif
