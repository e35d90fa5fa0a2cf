// SPDX-License-Identifier: BSD-3-Clause
// capture.h: a file of the frames that a network device has sent and received, with their times, as
// tcpdump and Wireshark read it (pcap, in nanoseconds).
#ifndef HAL_LINUX_DEV_CAPTURE_H
#define HAL_LINUX_DEV_CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { CAPTURE_PARTS_MAX = 17 };

// Hosted. Makes the file, or empties it. Its descriptor, or -errno.
int capture_open(const char *name);

// Adds the frame that lies in the parts, without skip bytes of the first; size: with these. Any
// thread, any context: raw system calls only. One of more than CAPTURE_PARTS_MAX parts, and what
// the host has no room for, is missing.
// capture_frame_at: at that time, in nanoseconds since 1970, in place of the host's.
void capture_frame(int fd, const struct iovec *parts, uint32_t count, size_t skip, size_t size);

void capture_frame_at(int fd, uint64_t time, const struct iovec *parts, uint32_t count, size_t skip,
                      size_t size);

#endif
