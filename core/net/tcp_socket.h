// SPDX-License-Identifier: BSD-3-Clause
// tcp_socket.h: the sockets of TCP: its connections (tcp.h) with the bytes that they have under
// way.
//
// Thread context, may block; a wait ends early with -EINTR, and with -EAGAIN where the caller's
// patience does. The caller holds no lock of the network's.
#ifndef CORE_NET_TCP_SOCKET_H
#define CORE_NET_TCP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/list.h"
#include "core/net/send_queue.h"
#include "core/net/socket.h"
#include "core/net/tcp.h"
#include "core/sync/alarm.h"
#include "hal/hal.h"

struct flow;
struct ip_header;
struct packet;
struct tcp_fast_queue;
struct tcp_ports;

enum { TCP_ROOM = 262144, TCP_SEND_ROOM = 524288 }; // to receive, to send, where nobody has set it

enum tcp_stage { TCP_STAGE_IDLE, TCP_STAGE_LISTENING, TCP_STAGE_CONNECTION };

struct tcp_socket {
    struct net_socket socket; // first, and its lock guards the rest
    enum tcp_stage stage;
    struct tcp tcp;          // of a connection
    struct tcp_space *space; // its, once it has needed that
    bool is_alive;           // the connection is not over: it counts as one that uses the socket
    bool is_told;            // how an attempt to connect ended
    bool awaits_bytes;       // its SYN goes with the first of them
    bool has_no_cookies;     // Fast Open does without, in both directions
    bool is_fast_counted;    // by its parent's tcp_fast_queue
    bool is_orphan;          // its file is gone
    bool is_waiting;         // in TIME-WAIT, and counted as that
    bool is_left_to_alarm;   // which is about to ring: what uses the socket after its connection
    bool is_counted_orphan;
    uint32_t settled;     // tcp_run.c's: how it stood when that was looked at last
    bool is_far;          // it has no peer, and will have none
    bool was_short;       // somebody wants more room than there is to send
    uint32_t changes;     // how often something that a thread may wait for has changed
    unsigned news;        // enum net_news, for who polls
    uint64_t urgent_told; // the place behind the urgent byte that was told of; 0: none
    struct tcp_settings settings;
    uint32_t send_limit; // bytes not acknowledged, at most
    uint32_t send_max;   // what that may become; less: it stays
    uint32_t grown;      // by so much more than at first it and the receive buffer are, together
    uint32_t charged;    // tcp_memory.c's, bytes
    bool is_room_fixed, is_send_fixed; // its program has set their sizes
    uint32_t receive_least;            // bytes that a receive waits for
    uint32_t unsent_limit;             // bytes not sent, of which nothing more is taken; 0: any
    uint16_t mss_limit;                // that its program has set, as the next; 0: none
    uint32_t window_limit;             // of the receive buffer, however large it is
    bool is_slow;                      // acknowledgements are delayed, by its program's wish
    hal_ns orphan_span;                // how long FIN-WAIT-2 lasts without a file
    hal_ns linger;                     // of close; UINT64_MAX: it does not wait
    struct send_queue sending;
    uint32_t lent;          // bytes received that are lent, of earlier connections, too
    hal_ns now;             // tcp_now's; 0: not asked since tcp_enter
    struct packet *running; // the one whose segment is looked at; NULL: it has been kept
    struct packet *outbox, *outbox_last;
    // What is sent goes to this one, kept as long as the socket is there; or NULL.
    struct flow *peer;
    struct flow *left; // of the connection that was its last, and is over: dropped with the socket
    struct alarm alarm;
    hal_ns alarm_at;

    // Of a socket that listens.
    // A socket like this one for a connection that comes. NULL: no memory.
    struct tcp_socket *(*child_make)(const struct tcp_socket *listener);
    struct list children, ready; // not accepted: all but those in ready; ready
    struct tcp_socket
        *begun; // the child that was made last, counted, and entered: tcp_leave leaves it
    uint32_t child_count, ready_count, backlog;
    bool is_closed;
    struct tcp_fast_queue *fast; // of children that begin with Fast Open; NULL: none do
    hal_ns cookie_at;            // when the last was sent; 0: never
    // Of one that a listening socket has made.
    struct tcp_socket *parent; // counted, for good
    struct list node;          // under the parent's lock
    bool is_listed;            // the same: it is in one of the two
    bool is_embryo;            // nobody has been told that it is there
};

// The maker sets child_make, socket.ready and socket.release, and the rest is 0.
void tcp_socket_init(struct tcp_socket *tcp, bool is_v4);
void tcp_socket_close(struct tcp_socket *tcp);   // its file is gone
void tcp_socket_release(struct tcp_socket *tcp); // in the maker's release

// -EADDRINUSE. -EINVAL: it is connected.
HAL_MUST_CHECK int tcp_listen(struct tcp_socket *tcp, int backlog);
// *accepted's reference is the caller's. -EINVAL: it does not listen.
HAL_MUST_CHECK int tcp_accept(struct tcp_socket *tcp, const struct net_patience *patience,
                              struct tcp_socket **accepted);
// -EINPROGRESS, -EALREADY, -EISCONN; -EOPNOTSUPP: it listens; -ECONNREFUSED, -ETIMEDOUT ...
HAL_MUST_CHECK int tcp_connect_to(struct tcp_socket *tcp, const struct net_end *remote,
                                  const struct net_patience *patience);
// The same with Fast Open: *done bytes of message went with the SYN. remote NULL: to whom the next
// has said. -ENOBUFS; -EINVAL: nobody has.
HAL_MUST_CHECK int tcp_connect_fast_to(struct tcp_socket *tcp, const struct net_end *remote,
                                       const struct net_message *message, size_t *done);
// Asks for a cookie; where one is known, it is done, and connects with what is sent first.
HAL_MUST_CHECK int tcp_connect_later_to(struct tcp_socket *tcp, const struct net_end *remote,
                                        const struct net_patience *patience);
// To nobody: what there was is broken off, and it may be connected again.
void tcp_disconnect(struct tcp_socket *tcp);
HAL_MUST_CHECK int tcp_shutdown(struct tcp_socket *tcp, unsigned what); // -ENOTCONN

// -EPIPE. An error that has come.
HAL_MUST_CHECK int tcp_send(struct tcp_socket *tcp, const struct net_message *message,
                            size_t *done);
// 0 bytes: the end. waits_for_all: until all is there, else for receive_least. drops: what is read
// is not copied.
HAL_MUST_CHECK int tcp_receive(struct tcp_socket *tcp, struct net_message *message,
                               bool waits_for_all, bool drops, size_t *done);

// As tcp_receive, without copying: *first is what there is, at most count packets, linked by next,
// and their readers': data, size. NULL: the end. They count for the window, and keep the socket,
// until they are given back. -ENOBUFS.
HAL_MUST_CHECK int tcp_lend(struct tcp_socket *tcp, const struct net_patience *patience,
                            uint32_t count, struct packet **first);
void tcp_give_back(struct tcp_socket *tcp, struct packet *first); // any of them, linked by next

// The urgent byte alone. *done 0: the end. -EINVAL: there is none, or it is one of the stream's.
// -EAGAIN: it has not come yet.
HAL_MUST_CHECK int tcp_receive_urgent(struct tcp_socket *tcp, bool only_looks, char *byte,
                                      size_t *done);
bool tcp_is_at_mark(struct tcp_socket *tcp); // the urgent byte is the next to be read

enum tcp_events {
    TCP_READABLE = 1,
    TCP_WRITABLE = 2,
    TCP_FAILED = 4,
    TCP_ENDED = 8,   // nothing more will come
    TCP_BROKEN = 16, // and nothing more can be sent
    TCP_URGENT = 32,
};

unsigned tcp_poll(struct tcp_socket *tcp); // looks at what has come
int tcp_error_take(struct tcp_socket *tcp);
size_t tcp_input_size(struct tcp_socket *tcp);
uint32_t tcp_input_left(struct tcp_socket *tcp); // bytes, as they were looked at last; and the end
size_t tcp_output_size(struct tcp_socket *tcp);  // not acknowledged
bool tcp_is_connected(struct tcp_socket *tcp);   // has a peer, as getpeername has it
// True: that was all; false: what follows is to be called, too, without the lock.
bool tcp_settings_changed_locked(struct tcp_socket *tcp);
void tcp_settings_changed(struct tcp_socket *tcp);
void tcp_quick_set(struct tcp_socket *tcp, bool is_quick); // as tcp_quicken

// A packet has come, and is taken. Answers one to be sent back, or NULL.
struct packet *tcp_packet_input(struct packet *packet, const struct ip_header *header);

// A message of ICMP says error (icmp_error_read) about a segment that we sent. False: the caller
// keeps it.
bool tcp_error_input(struct packet *packet, const struct ip_header *about, uint32_t quoted);

// ---- Of the sockets' own files ----------------------------------------------------

static inline struct tcp_socket *tcp_socket_of(struct net_socket *socket)
{
    return (struct tcp_socket *)socket;
}

// tcp_run.c. Between the two the lock is held. enter looks at what has come; leave sends what is to
// be sent, and tells those who wait. The caller has a reference until after tcp_leave.
void tcp_enter(struct tcp_socket *tcp);
void tcp_leave(struct tcp_socket *tcp);
void tcp_enter_at(struct tcp_socket *tcp, hal_ns now); // hal_clock_ns of just now, or 0: not asked
void tcp_enter_to_write(struct tcp_socket *tcp);       // what is held waits for that
void tcp_leave_and_run(struct tcp_socket *tcp);        // and net_run
hal_ns tcp_now(struct tcp_socket *tcp);                // between the two always the same
// Waits until something has changed since changes; on return the lock is not held.
HAL_MUST_CHECK int tcp_await(struct tcp_socket *tcp, uint32_t changes,
                             const struct net_patience *patience);
// The same between the two, where nothing has happened that tcp_leave is to tell. -EAGAIN also: it
// has, or what others brought waits to be run.
HAL_MUST_CHECK int tcp_await_within(struct tcp_socket *tcp, const struct net_patience *patience);
extern const struct tcp_host tcp_socket_host;

uint16_t tcp_mss_for(const struct tcp_socket *tcp, const struct net_address *target);
// Adds one to what is to be sent: an answer to a packet with that header.
void tcp_refusal_add(struct tcp_socket *tcp, const struct ip_header *header,
                     const struct tcp_ports *ports, const struct tcp_segment *refusal);

// tcp_socket.c: nobody will read or write any more. False: the connection is broken off.
bool tcp_connection_end(struct tcp_socket *tcp);

// tcp_error.c: what a message of ICMP does, with the lock held.
void tcp_error_run(struct tcp_socket *tcp, const struct packet *packet);

// tcp_grow.c, with the lock held: a connection begins; its buffers are to be as at first; the send
// buffer is full. True: it has become larger.
void tcp_growth_begin(struct tcp_socket *tcp, const struct net_address *target);
void tcp_grown_end(struct tcp_socket *tcp);
bool tcp_send_grow(struct tcp_socket *tcp);
bool tcp_room_may_grow(struct tcp *connection, uint32_t size);

// tcp_memory.c: what all may hold together.
enum { TCP_HELD_LEAST = 4096 }; // bytes that each may, in each direction
extern _Atomic bool tcp_memory_is_short;
static inline bool tcp_memory_is_over(void) // nobody gets more than that
{
    return atomic_load_explicit(&tcp_memory_is_short, memory_order_relaxed);
}
// With the lock held: it holds so many bytes now. One without a file may be broken off for that.
void tcp_memory_charge(struct tcp_socket *tcp, uint32_t held);
// The packet that is looked at, whose bytes are the stream's from `from` on.
bool tcp_memory_may_keep(const struct tcp_socket *tcp, uint64_t from);

// tcp_listen.c
// Of a packet whose headers say that. True: it is another's by now.
bool tcp_listener_packet(struct tcp_socket *tcp, struct packet *packet,
                         const struct ip_header *header, const struct tcp_ports *ports,
                         const struct tcp_segment *segment);
void tcp_child_offer(struct tcp_socket *child); // it is established; no lock is held
void tcp_child_forget(struct tcp_socket *child);
void tcp_children_abort(struct tcp_socket *tcp);
// With the lock held: that of tcp, which is made if there is none. NULL: no memory.
struct tcp_fast_queue *tcp_fast_queue_of(struct tcp_socket *tcp);

// tcp_stream.c
// Of a connection with urgent.is_known: what may be read at once, which ends at the urgent byte or
// begins behind it. With the lock held.
struct tcp_part {
    uint64_t start, end;
    bool is_cut; // there is more behind it
};
struct tcp_part tcp_urgent_part(const struct tcp_socket *tcp);
// The same of any socket. Why there is nothing to be read: 0: the end; -EAGAIN: not yet.
struct tcp_part tcp_stream_part(const struct tcp_socket *tcp);
int tcp_stream_check(struct tcp_socket *tcp);
// What lies before place has been read, and its packets are gone.
void tcp_stream_read(struct tcp_socket *tcp, uint64_t place);
void tcp_ask_more(struct tcp_socket *tcp);    // who has read all looks for more
void tcp_urgent_note(struct tcp_socket *tcp); // news of an urgent byte, if one has come
// Bytes [skip, skip + size) of packet, which is gone, are the stream's from `from` on.
void tcp_stream_keep(struct tcp_socket *tcp, struct packet *packet, uint32_t skip, uint32_t size,
                     uint64_t from);
void tcp_stream_acknowledged(struct tcp_socket *tcp);
bool tcp_stream_is_enough(const struct tcp_socket *tcp, uint64_t size); // bytes to be read
// The beginning of a stream, at most so many bytes of message; answers how many.
uint32_t tcp_stream_begin(struct tcp_socket *tcp, const struct net_message *message, uint32_t most);
uint32_t tcp_stream_limit(const struct tcp_socket *tcp); // bytes not acknowledged, at most, now
uint32_t tcp_stream_room(const struct tcp_socket *tcp);
void tcp_stream_end(struct tcp_socket *tcp); // gives back what it holds

#endif
