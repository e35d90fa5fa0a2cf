// SPDX-License-Identifier: BSD-3-Clause
// capture.c: see capture.h. A frame is one write to the end of the file, so that those of several
// threads do not mix.
#include "hal-linux/dev/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "hal-linux/syscall.h"

enum { LONGEST = 262144, IS_ETHERNET = 1 };

static const struct { // draft-ietf-opsawg-pcap, 4
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, precision, longest, link;
} file_header = {0xa1b23c4d, 2, 4, 0, 0, LONGEST, IS_ETHERNET};

struct record { // 5
    uint32_t seconds, nanoseconds, kept, size;
};

int capture_open(const char *name)
{
    const long fd = syscall4(SYS_openat, AT_FDCWD, (long)name,
                             O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) {
        return (int)fd;
    }
    const long size = syscall3(SYS_write, fd, (long)&file_header, sizeof file_header);
    if (size != (long)sizeof file_header) {
        (void)syscall3(SYS_close, fd, 0, 0);
        return size < 0 ? (int)size : -ENOSPC;
    }
    return (int)fd;
}

void capture_frame_at(int fd, uint64_t time, const struct iovec *parts, uint32_t count, size_t skip,
                      size_t size)
{
    enum { SECOND = 1000000000 };
    struct record record = {(uint32_t)(time / SECOND), (uint32_t)(time % SECOND), 0, 0};
    struct iovec all[1 + CAPTURE_PARTS_MAX] = {{&record, sizeof record}};
    if (count == 0 || count > CAPTURE_PARTS_MAX || parts[0].iov_len < skip || size < skip ||
        size > LONGEST) {
        return;
    }
    size_t left = size;
    for (uint32_t i = 0; i < count; ++i) {
        const size_t part = parts[i].iov_len < left ? parts[i].iov_len : left;
        all[1 + i] = (struct iovec){parts[i].iov_base, part};
        left -= part;
    }
    all[1].iov_base = (char *)all[1].iov_base + skip;
    all[1].iov_len -= skip;
    record.kept = record.size = (uint32_t)(size - left - skip);
    (void)syscall3(SYS_writev, fd, (long)all, 1 + (long)count);
}

void capture_frame(int fd, const struct iovec *parts, uint32_t count, size_t skip, size_t size)
{
    struct timespec now;
    (void)syscall3(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0);
    const uint64_t time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    capture_frame_at(fd, time, parts, count, skip, size);
}
