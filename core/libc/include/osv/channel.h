// SPDX-License-Identifier: BSD-3-Clause
// channel.h: how a program has a network channel of its own: packets go from the interrupt that
// receives them into it, without a lock, and from it to the thread that waits, as they came. No
// protocol of the system is between them; the program sends packets of its own making.
//
// For programs: <osv/channel.h> by -I core/libc/include; C++ includes it within extern "C". The
// functions are weak, so that a program that uses them also starts on Linux, where they are NULL;
// tests/system/packets/channels.c is an example.
//
// A channel is a socket of Linux's, and is set up, waited for and closed as such: SO_RCVBUF and
// SO_ATTACH_FILTER, poll, select and epoll, SO_RCVTIMEO, O_NONBLOCK, close. What it gets is said by
// its kind:
//
//   AF_INET or AF_INET6, SOCK_DGRAM: datagrams for the ends that bind and connect say, as a hash of
//   them finds it, and messages of ICMP about what it has sent. They begin with the header of IP,
//   and are whole: fragments have been put together.
//
//   AF_PACKET, with protocol 0: frames of the interface and the protocol that bind says (ETH_P_ALL:
//   all), and that its filter lets through (SO_ATTACH_FILTER; it may be changed at any time). They
//   are the channel's alone: packet filters (osv/pfil.h), other sockets and the system's own
//   protocols never see them. Of several such channels the newest has the first choice.
#ifndef CORE_LIBC_INCLUDE_OSV_CHANNEL_H
#define CORE_LIBC_INCLUDE_OSV_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct osv_frame {
    char *data;         // size bytes, which are the program's, and may be changed
    uint32_t size;      // without what Ethernet puts behind short packets
    uint16_t link;      // bytes of the link's header at data: 14 (Ethernet), or 0: IP's is there
    uint16_t transport; // from data to the header behind IP's and its options
    uint8_t version;    // of IP: 4 or 6; 0: it is no packet of IP, or damaged
    uint8_t protocol;   // IPPROTO_*; 0: not known, or of a fragment
    // The checksum of UDP or TCP is not to be looked at: a device has done so, or the packet has
    // not left the machine, and it is not there. Of what is sent: it is to be put in.
    bool is_trusted;
    uint32_t interface; // as if_nametoindex has it
    void *lent;         // what it lies in
};

// Makes a channel of the socket fd, which neither has a port nor gets frames yet. From then on
// recv and its kin answer EOPNOTSUPP; what it sends by them goes as always.
//
// 0; -1: errno is EBADF, ENOTSOCK, EOPNOTSUPP (another kind of socket), EINVAL (it has a port, gets
// frames or has a ring) or EPERM (without CAP_NET_RAW).
__attribute__((weak)) int osv_channel_open(int fd);

// Takes what has come, up to count frames, and waits for the first as recv does: flags is 0 or
// MSG_DONTWAIT. A thread that waits is woken once for all that comes before it looks. What is taken
// counts against SO_RCVBUF until it is sent or freed, and stays when fd is closed.
//
// How many; 0: the socket is shut. -1: errno is as recv's, or EINVAL (no channel, count is 0, other
// flags).
__attribute__((weak)) int osv_channel_receive(int fd, struct osv_frame *frames, unsigned count,
                                              int flags);

// Sends frames, of this channel or another or of osv_frame_alloc, from the first on. Those that are
// sent are gone. Each is size bytes at data, which lie within what was taken. With link 0 it is a
// whole packet of IP, and goes where that is addressed, by the machine's routes; with link 14 it
// goes by its interface as it is. version, protocol and transport are not looked at.
//
// How many were sent, before one that is wrong. -1: the first is; errno is EINVAL (it is not as
// said above, or fd is no channel), ENXIO (no such interface, or link 14 on lo) or EMSGSIZE (it is
// longer than its interface's MTU, with link 14).
__attribute__((weak)) int osv_channel_send(int fd, const struct osv_frame *frames, unsigned count);

// A frame of the program's own, of size bytes, at most 65549, which it writes; the rest is 0. -1:
// errno is EMSGSIZE or ENOMEM.
__attribute__((weak)) int osv_frame_alloc(struct osv_frame *frame, size_t size);

// Makes of a datagram of UDP that was taken, unchanged, the answer with size bytes of payload: ends
// are exchanged, those of the link, too, and lengths put in; the checksum is when it is sent. The
// payload may lie in the frame. -1: errno is EINVAL (it is none, or was for many), EMSGSIZE (too
// long for its interface) or ENOMEM, and the frame is as before.
__attribute__((weak)) int osv_frame_answer(struct osv_frame *frame, const void *payload,
                                           size_t size);

// Gives back count of them, in any order, on any thread, once each.
__attribute__((weak)) void osv_frames_free(const struct osv_frame *frames, unsigned count);

#endif
