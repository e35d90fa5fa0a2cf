// SPDX-License-Identifier: BSD-3-Clause
// stream.h: bytes on their way from one descriptor to another.
//
// Nothing here waits: where the far end does not take bytes now they stay, and no more are read.
#ifndef SIM_RUN_STREAM_H
#define SIM_RUN_STREAM_H

#include <stdbool.h>
#include <stddef.h>

enum { STREAM_SIZE = 4096 }; // at most PIPE_BUF: a pipe that poll() says is writable takes it all

struct stream {
    char bytes[STREAM_SIZE];
    size_t from, to; // what is there
};

// Then there is room to read into; otherwise something to write.
static inline bool stream_is_empty(const struct stream *stream)
{
    return stream->from == stream->to;
}

// Reads into an empty stream. 0: end of file; -EAGAIN: nothing there now; else -errno or the number
// of bytes.
long stream_read(struct stream *stream, int fd);

// Writes what it can. 0, or -errno where fd takes no more for ever.
int stream_write(struct stream *stream, int fd);

#endif
