// SPDX-License-Identifier: BSD-3-Clause
// localsocket.h: connected pairs of local sockets, as unix(7) and socketpair(2) have them.
//
// Thread context, may block; a wait ends early with -EINTR. read and write of file.h are a receive
// and a send without options.
#ifndef CORE_VFS_LOCALSOCKET_H
#define CORE_VFS_LOCALSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vfs/file.h"
#include "hal/hal.h"

enum localsocket_type { // as Linux numbers them
    LOCALSOCKET_STREAM = 1,
    LOCALSOCKET_DATAGRAM = 2,
    LOCALSOCKET_PACKET = 5, // messages in their order, and an end: SOCK_SEQPACKET
};

enum { LOCALSOCKET_FILES_MAX = 253 }; // that go with a message (SCM_MAX_FD of Linux)

struct localsocket_credentials {
    int32_t process;
    uint32_t user, group;
};

enum localsocket_sender {
    LOCALSOCKET_SENDER_OURS,
    LOCALSOCKET_SENDER_SAID,    // by who sent it
    LOCALSOCKET_SENDER_UNKNOWN, // nobody wanted to know when it was sent
};

struct localsocket_message {
    const struct io_vector *vectors;
    size_t count;
    bool never_waits; // whatever the file's flags say
    // Of a receive.
    bool only_looks; // what is read stays
    bool waits_for_all;
    bool is_cut;      // answer: it was longer, and the rest is gone
    size_t full_size; // answer: of the message, bytes
    // Sent along: counted references. A send that succeeds takes them over; a receive gives them to
    // the caller.
    struct file *files[LOCALSOCKET_FILES_MAX];
    uint32_t file_count;
    enum localsocket_sender sender;
    struct localsocket_credentials credentials; // of LOCALSOCKET_SENDER_SAID
};

// flags: OPEN_NONBLOCK. -ENOMEM.
HAL_MUST_CHECK int localsocket_pair(struct file *ends[2], enum localsocket_type type,
                                    uint32_t flags);

// Is it one? The rest is for such files.
bool file_is_localsocket(const struct file *file);
enum localsocket_type localsocket_type_of(const struct file *file);

// -EPIPE: nobody will read it (no signal is sent). -ECONNREFUSED: of datagrams, the other end is
// closed. -EMSGSIZE: longer than what may be under way. -EAGAIN: it would wait, or has waited for
// as long as it may.
HAL_MUST_CHECK int localsocket_send(struct file *file, struct localsocket_message *message,
                                    size_t *done);

// 0 bytes: the end, or an empty message. -ECONNRESET, once: the other end was closed with unread
// data.
HAL_MUST_CHECK int localsocket_receive(struct file *file, struct localsocket_message *message,
                                       size_t *done);

// One message's bytes: what read and write do, with several buffers. Files that came along are
// closed.
HAL_MUST_CHECK int localsocket_read(struct file *file, const struct io_vector *vectors,
                                    size_t count, size_t *done);
HAL_MUST_CHECK int localsocket_write(struct file *file, const struct io_vector *vectors,
                                     size_t count, size_t *done);

enum localsocket_shut { LOCALSOCKET_SHUT_READ = 1, LOCALSOCKET_SHUT_WRITE = 2 };
void localsocket_shutdown(struct file *file, unsigned what);

// What setsockopt(2) sets. Read and written by anybody, one by one.
struct localsocket_options {
    _Atomic hal_ns receive_timeout, send_timeout; // 0: none
    _Atomic uint32_t send_limit, receive_limit;   // bytes, Linux's way of counting them: doubled
    _Atomic bool passes_credentials;
    _Atomic uint32_t switches; // by their numbers: kept for who asks
};

struct localsocket_options *localsocket_options(struct file *file);
int localsocket_error_take(struct file *file); // 0 or -errno, which is cleared

#endif
