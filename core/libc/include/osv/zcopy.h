// SPDX-License-Identifier: BSD-3-Clause
// zcopy.h: how a program receives datagrams of UDP where they lie: the packets themselves are lent
// to it, many by one call, and given back when they have been read (OSv's zcopy_rx and zcopy_rxgc).
//
// For programs: <osv/zcopy.h> by -I core/libc/include; C++ includes it within extern "C". The
// functions are weak, so that a program that uses them also starts on Linux, where they are NULL;
// tests/system/packets/lending.c is an example.
#ifndef CORE_LIBC_INCLUDE_OSV_ZCOPY_H
#define CORE_LIBC_INCLUDE_OSV_ZCOPY_H

#include <stddef.h>
#include <sys/socket.h>

struct osv_datagram {
    char *data; // size bytes, which are the program's: it may change them
    size_t size;
    struct sockaddr_storage from; // whose first bytes are a sockaddr_in or sockaddr_in6
    void *lent;                   // what it lies in
};

// Takes what the UDP socket fd has received, up to count datagrams, and waits for the first as recv
// does: flags is 0 or MSG_DONTWAIT, SO_RCVTIMEO and O_NONBLOCK hold, poll and epoll say when there
// is something. What is lent counts against SO_RCVBUF until it is given back, and stays when fd is
// closed.
//
// How many; 0: the socket is shut. -1: errno is as recv's, or EOPNOTSUPP (not a socket of UDP) or
// EINVAL (count is 0, other flags).
__attribute__((weak)) int osv_zcopy_rx(int fd, struct osv_datagram *datagrams, unsigned count,
                                       int flags);

// Gives back count of them, in any order, on any thread, once each.
__attribute__((weak)) void osv_zcopy_rxgc(const struct osv_datagram *datagrams, unsigned count);

#endif
