// SPDX-License-Identifier: BSD-3-Clause
// pfil.h: how a program sees packets before the network does: packet filters, which let them pass,
// drop, keep or answer them, as "Packet filter" of the OSv paper (Kivity et al., USENIX ATC 2014,
// 4.2) has them.
//
// For programs: <osv/pfil.h> by -I core/libc/include; C++ includes it within extern "C". The
// functions are weak, so that a program that uses them also starts on Linux, where they are NULL;
// tests/system/packets/filtering.c is an example.
#ifndef CORE_LIBC_INCLUDE_OSV_PFIL_H
#define CORE_LIBC_INCLUDE_OSV_PFIL_H

#include <stddef.h>
#include <stdint.h>

// A packet of IP for this machine that has come by an interface, lo included, as it was on the
// wire: header checksums are right, but those of UDP and TCP are the filter's business; on lo there
// are none. Fragments are not shown. Pieces of a packet may lie elsewhere: a large segment of TCP
// on lo has its headers at data, and no more than that is sure.
struct osv_packet {
    char *data;         // the IP header; the bytes may be changed
    size_t size;        // bytes at data
    size_t total;       // bytes of the packet, size of which lie at data
    uint32_t transport; // from data to the header behind IP's, and its options
    uint32_t interface; // as if_nametoindex has it
    uint8_t version;    // of IP: 4 or 6
    uint8_t protocol;   // IPPROTO_*
};

enum osv_verdict {
    OSV_PASS,    // to the next hook, and then to whom it is for
    OSV_DROP,    // it has never come
    OSV_CONSUME, // it is the program's until osv_packet_free
    OSV_ANSWER,  // what osv_packet_answer has made of it goes to whom sent it
};

struct osv_pfil;

// From now on hook(packet, argument) is called for each packet, one at a time, before sockets get
// it, behind the hooks that are there. It runs on a thread of the program in which all signals are
// blocked, and which takes the packets to their sockets, too: it may do all that a thread may, but
// while it waits nothing comes, and answers to what came just before do not go. While there are
// hooks, interrupts only hand packets to that thread.
//
// NULL: errno is EINVAL (no hook) or ENOMEM.
__attribute__((weak)) struct osv_pfil *
osv_pfil_add_hook(enum osv_verdict (*hook)(struct osv_packet *packet, void *argument),
                  void *argument);

// Returns when the hook does not run and will not run again; from within the hook, too, which then
// is not called again. NULL is nothing.
__attribute__((weak)) void osv_pfil_remove_hook(struct osv_pfil *pfil);

// Makes of a datagram of UDP, in its hook, the answer with size bytes of payload: ends are
// exchanged, lengths and checksums put in. payload may lie in the packet, whose data it may change.
// OSV_ANSWER, for the hook to return; OSV_PASS: it is none, or too long for its interface;
// OSV_DROP: no memory.
__attribute__((weak)) enum osv_verdict osv_packet_answer(struct osv_packet *packet,
                                                         const void *payload, size_t size);

// Of one that a hook has consumed.
__attribute__((weak)) void osv_packet_free(struct osv_packet *packet);

#endif
