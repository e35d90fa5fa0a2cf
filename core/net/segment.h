// SPDX-License-Identifier: BSD-3-Clause
// segment.h: packets of TCP that are cut into segments late, where the device does not do it.
#ifndef CORE_NET_SEGMENT_H
#define CORE_NET_SEGMENT_H

struct ip_header;
struct packet;

// The packet, which has a segment_size and whose IP header *header is, as packets of one part with
// so many bytes of data each, one behind the other by next; their checksums are as missing as its
// own. It is gone. NULL: no memory for any; what there was none for is missing, and is counted. Any
// context.
struct packet *segments_cut(struct packet *packet, const struct ip_header *header);

#endif
