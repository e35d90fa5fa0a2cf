// SPDX-License-Identifier: BSD-3-Clause
// localqueue.h: a local socket, as localsocket.c and its queue of messages, localqueue.c, know it.
//
// Each socket has a lock of its own, and nobody holds those of two: what concerns both ends is done
// at one, then at the other. A socket's lock guards what waits to be received there, and is what
// its senders wait under; shut is read without it.
#ifndef CORE_VFS_LOCALQUEUE_H
#define CORE_VFS_LOCALQUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/list.h"
#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/localsocket.h"
#include "core/vfs/nameless.h"
#include "core/vfs/poll.h"

struct localname;

enum localsocket_state {
    LOCALSOCKET_IDLE, // datagrams always are
    LOCALSOCKET_CONNECTING,
    LOCALSOCKET_CONNECTED, // for good; the other end may be closed
    LOCALSOCKET_LISTENING,
};

struct localsocket {
    struct mutex lock;
    _Atomic uint32_t reference_count; // its file, its peer, its name's finders, messages from it
    enum localsocket_type type;
    _Atomic uint32_t state; // enum localsocket_state; out of IDLE by who sets it first
    // The other end, counted. Of a connection it stays until this end is closed; of datagrams it
    // changes with lock held.
    _Atomic(struct localsocket *) peer;
    _Atomic(struct localname *) name; // set once
    _Atomic uint32_t shut;            // enum localsocket_shut; changed with lock held
    _Atomic bool has_known_peer;      // who made the other end is known

    // What follows is guarded by lock.
    struct list messages; // to this socket
    size_t message_count;
    size_t byte_count;        // not yet taken, of all messages
    size_t cost;              // of all messages
    struct waitqueue readers; // who waits for a message, or to accept
    struct waitqueue writers; // who waits for room here, or to be accepted
    bool is_closed;
    int error; // to be told once

    struct list clients; // of datagrams: sockets whose peer this is
    size_t client_count;
    struct list pending; // of a listening socket: connections not yet accepted
    size_t pending_count, backlog;
    struct list node; // in the pending of another

    struct mutex peering;    // of datagrams: one change of peer at a time. Taken before other locks
    struct list client_node; // in the peer's clients

    // Of one that has a file: in localsocket.c's list, under its lock.
    struct list all_node;
    bool is_listed;

    struct poll_list poll;
    struct socket_options options;
    struct nameless nameless;
};

void localsocket_get(struct localsocket *socket);
void localsocket_put(struct localsocket *socket);

static inline bool localsocket_has_end(const struct localsocket *socket) // that the peer is told of
{
    return socket->type != LOCALSOCKET_DATAGRAM;
}

// The peer, counted, or NULL.
struct localsocket *localsocket_peer_get(struct localsocket *socket);

// Of datagrams: forgets peer if it still is the peer, and puts it.
void localsocket_disconnect(struct localsocket *socket, struct localsocket *peer);

// ---- localqueue.c --------------------------------------------------------------

struct local_patience {
    bool waits;
    hal_ns deadline;
};

static inline struct local_patience local_patience_of(const struct file *file, bool never_waits,
                                                      const _Atomic hal_ns *timeout)
{
    const uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed);
    const hal_ns span = atomic_load_explicit(timeout, memory_order_relaxed);
    return (struct local_patience){
        .waits = !never_waits && (flags & OPEN_NONBLOCK) == 0,
        .deadline = span == 0 ? UINT64_MAX : hal_clock_ns() + span,
    };
}

// Waits for a wake of queue with lock, that of socket, held. -EAGAIN, -EINTR.
HAL_MUST_CHECK int local_wait(struct localsocket *socket, struct waitqueue *queue,
                              const struct local_patience *patience);

// lock is held: moves all messages to left; and frees them, without a lock.
void localqueue_take_all(struct localsocket *socket, struct list *left);
void localqueue_free(struct list *left);

bool localqueue_has_room(struct localsocket *to, const struct localsocket *from); // as poll has it

size_t localqueue_input(struct localsocket *socket); // what FIONREAD answers
size_t localqueue_cost(struct localsocket *socket);  // of all messages

#endif
