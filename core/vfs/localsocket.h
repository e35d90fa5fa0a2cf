// SPDX-License-Identifier: BSD-3-Clause
// localsocket.h: local sockets, as unix(7) and socketpair(2) have them.
//
// Thread context, may block; a wait ends early with -EINTR, and with -EAGAIN where the file does
// not wait or a time out has passed. read and write of file.h are a receive and a send without
// options.
#ifndef CORE_VFS_LOCALSOCKET_H
#define CORE_VFS_LOCALSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vfs/file.h"
#include "core/vfs/socketoptions.h"
#include "hal/hal.h"

struct vnode;

enum localsocket_type { // as Linux numbers them
    LOCALSOCKET_STREAM = 1,
    LOCALSOCKET_DATAGRAM = 2,
    LOCALSOCKET_PACKET = 5, // messages in their order, and an end: SOCK_SEQPACKET
};

enum {
    LOCALSOCKET_FILES_MAX = 253, // that go with a message (SCM_MAX_FD of Linux)
    LOCALSOCKET_NAME_MAX = 108,  // bytes of a name (sun_path)
};

// What a socket is found by: a node of a file system, or, where there is none, bytes that begin
// with 0 and have no other meaning ("abstract").
struct localsocket_name {
    struct vnode *vnode; // NULL: abstract. The caller's
    size_t size;         // 0: no name
    char bytes[LOCALSOCKET_NAME_MAX];
};

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
    bool never_waits;                  // whatever the file's flags say
    const struct localsocket_name *to; // of a send; NULL: to who is connected
    // Of a receive.
    struct localsocket_name *from; // answer: the sender's name, or size 0; NULL: nobody asks
    bool only_looks;               // what is read stays
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

// A socket that is neither bound nor connected. -ENOMEM.
HAL_MUST_CHECK int localsocket_create(struct file **file, enum localsocket_type type,
                                      uint32_t flags);

// Is it one? The rest is for such files.
bool file_is_localsocket(const struct file *file);
enum localsocket_type localsocket_type_of(const struct file *file);

// -EINVAL: it has a name already. -EADDRINUSE: another socket has this one. -ENOMEM.
HAL_MUST_CHECK int localsocket_bind(struct file *file, const struct localsocket_name *name);
HAL_MUST_CHECK int localsocket_bind_any(struct file *file); // to an abstract name that is free

// At most backlog connections wait to be accepted, and one more. -EOPNOTSUPP: of datagrams.
// -EINVAL: it has no name, or is connected.
HAL_MUST_CHECK int localsocket_listen(struct file *file, int backlog);

// A connection waits for room among those not accepted. to NULL, of datagrams: connected to nobody.
// -ECONNREFUSED: nobody listens there. -EPROTOTYPE: a socket of another type. -EISCONN. -EINVAL: it
// listens. -EPERM: of datagrams, that one is connected to another.
HAL_MUST_CHECK int localsocket_connect(struct file *file, const struct localsocket_name *to);

// The next connection, as a file with flags (OPEN_NONBLOCK). -EINVAL: it does not listen, or shut
// down. -EOPNOTSUPP.
HAL_MUST_CHECK int localsocket_accept(struct file *file, uint32_t flags, struct file **accepted);

// The names of the two ends; size 0: it has none. -ENOTCONN: there is no other end.
void localsocket_name_of(const struct file *file, struct localsocket_name *name);
HAL_MUST_CHECK int localsocket_peer_name(struct file *file, struct localsocket_name *name);

bool localsocket_is_listening(const struct file *file);
bool localsocket_has_peer(const struct file *file); // knows who made the other end

// -EPIPE: nobody will read it (no signal is sent). -ECONNREFUSED: of datagrams, nobody is there.
// -EMSGSIZE: longer than what may be under way. -ENOTCONN; -EISCONN, -EOPNOTSUPP: a stream is not
// told where to. -EPROTOTYPE, -EPERM: as localsocket_connect.
HAL_MUST_CHECK int localsocket_send(struct file *file, struct localsocket_message *message,
                                    size_t *done);

// 0 bytes: the end, or an empty message. -ECONNRESET, once: the other end was closed with unread
// data. -EINVAL, of packets -ENOTCONN: it is not connected.
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

struct localsocket_view { // what others are told of a socket that has a file
    enum localsocket_type type;
    bool is_listening, has_peer;
    bool is_connected;    // has a peer, or is one, of datagrams
    unsigned shut;        // enum localsocket_shut
    uint64_t inode, peer; // of the files; peer 0: that one has none any more, or not yet
    uint32_t user;        // who made it
    size_t input, output; // bytes: as FIONREAD and TIOCOUTQ have it; of one that listens: how many
                          // connections wait, and may wait
    const struct socket_options *options;
    struct localsocket_name name;    // without its node, which these say
    uint64_t name_device, name_inode; // 0: it has none
    const uint32_t *waiting; // of one that listens: the inodes of who waits; input of them
};

// Calls visit for each socket that has a file, which stays meanwhile; visit uses none of them.
// -ENOMEM: not for all.
HAL_MUST_CHECK int localsocket_walk(void (*visit)(const struct localsocket_view *view,
                                                  void *argument),
                                    void *argument);

struct socket_options *localsocket_options(struct file *file);
int localsocket_error_take(struct file *file); // 0 or -errno, which is cleared

#endif
