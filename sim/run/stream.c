// SPDX-License-Identifier: BSD-3-Clause
// stream.c: bytes on their way from one descriptor to another.
#include "sim/run/stream.h"

#include <errno.h>
#include <unistd.h>

long stream_read(struct stream *stream, int fd)
{
    const ssize_t got = read(fd, stream->bytes, sizeof stream->bytes);
    stream->from = 0;
    stream->to = got > 0 ? (size_t)got : 0;
    return got >= 0 ? got : errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

int stream_write(struct stream *stream, int fd)
{
    const ssize_t done = write(fd, stream->bytes + stream->from, stream->to - stream->from);
    if (done >= 0) {
        stream->from += (size_t)done;
        return 0;
    }
    return errno == EINTR || errno == EWOULDBLOCK ? 0 : -errno;
}
