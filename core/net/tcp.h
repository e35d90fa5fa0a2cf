// SPDX-License-Identifier: BSD-3-Clause
// tcp.h: one connection of TCP (RFC 9293) as a state machine. It knows no lock, no clock, no packet
// and no memory: it is told the time, the segments that came and what the program did, and says
// what is to be sent, which bytes are in order, and when it wants to be called again.
//
// Streams are counted in bytes from 0 on, both ways; who has the connection keeps the bytes. What
// it has sent it may have to send again until it is acknowledged (tcp_acknowledged).
//
// Also: options of RFC 7323 (window scaling, timestamps, PAWS), selective acknowledgements (RFC
// 2018, 2883), loss by time and probes of the tail (RFC 8985), timer and round-trip times of RFC
// 6298, proportional rate reduction (RFC 6937), CUBIC (RFC 9438) or the congestion control of RFC
// 5681 and 6582, challenge acknowledgements of RFC 5961, losses that were none (RFC 3522, 3708,
// 5682).
#ifndef CORE_NET_TCP_H
#define CORE_NET_TCP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

enum tcp_flags { // as in the header
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32,
};

enum {
    TCP_SACK_MAX = 4,
    TCP_RANGES_FEW = 2, // that a connection has room for; and with a struct tcp_space
    TCP_RANGES_MAX = 32,
    TCP_FLIGHTS_FEW = 4, // the same
    TCP_FLIGHTS_MAX = 64,
    TCP_SCALE_MAX = 14,
    TCP_MSS_UNSAID = 536,
    TCP_MSS_MIN = 48, // Linux's TCP_MIN_SND_MSS
    TCP_ROOM_SHORT = 8192,
    TCP_FAST_COOKIE_MIN = 4, // bytes (RFC 7413, 2)
    TCP_FAST_COOKIE_MAX = 16,
};

struct tcp_range { // of sequence numbers, or of bytes of a stream: [start, end)
    uint32_t start, end;
};

struct tcp_segment {
    uint32_t sequence, acknowledgement; // the latter with TCP_ACK
    uint32_t window;                    // as in the header: not scaled
    uint8_t flags;                      // enum tcp_flags
    bool has_timestamps, may_sack;
    uint8_t scale; // UINT8_MAX: not said
    uint8_t cookie_size;
    bool has_cookie; // Fast Open's (RFC 7413), of cookie_size bytes; of none: one is wanted
    uint16_t mss;    // 0: not said
    uint32_t time, echo;
    uint32_t sack_count;
    union { // segments with a SYN have no ranges, and others no cookie
        struct tcp_range sacks[TCP_SACK_MAX];
        const uint8_t *cookie; // with has_cookie
    };
    uint16_t urgent; // with TCP_URG: bytes from its own number to behind the urgent byte
    uint16_t piece;  // of one to be sent: cut into ones with so many bytes of data; 0: it is one
    uint32_t size;   // bytes of data
    uint64_t from;   // of a segment to be sent: where its data begins in the stream
    void *data;      // of one that came: its receiver's own
};

enum tcp_state { // as Linux numbers them
    TCP_STATE_ESTABLISHED = 1,
    TCP_STATE_SYN_SENT,
    TCP_STATE_SYN_RECEIVED,
    TCP_STATE_FIN_WAIT_1,
    TCP_STATE_FIN_WAIT_2,
    TCP_STATE_TIME_WAIT,
    TCP_STATE_CLOSED,
    TCP_STATE_CLOSE_WAIT,
    TCP_STATE_LAST_ACK,
    TCP_STATE_LISTEN, // of no connection
    TCP_STATE_CLOSING,
};

struct tcp;

struct tcp_host { // what a connection stands on
    void (*send)(struct tcp *tcp, const struct tcp_segment *segment);
    // Bytes [skip, skip + size) of the data of segment are the stream's from `from` on, in order or
    // not. False: no memory; they count as not received.
    bool (*store)(struct tcp *tcp, const struct tcp_segment *segment, uint64_t from, uint32_t skip,
                  uint32_t size);
    // May the receive buffer take so many bytes more? NULL: it may.
    bool (*may_grow)(struct tcp *tcp, uint32_t size);
    // The peer has answered our SYN, of Fast Open. NULL: nobody wants to know.
    void (*learn)(struct tcp *tcp, const struct tcp_segment *answer);
    // For what is lost or out of order; stays until the connection is over. NULL: no memory, and
    // it makes do with what it has.
    struct tcp_space *(*space)(struct tcp *tcp);
    // While it is true receive buffers count as small (TCP_ROOM_SHORT). NULL: never.
    const _Atomic bool *is_short;
};

enum tcp_flight_state {
    TCP_FLIGHT_SACKED = 1, // the peer says that it has it
    TCP_FLIGHT_LOST = 2,   // it is to be sent again
    TCP_FLIGHT_RESENT = 4, // it has been sent more than once
};

struct tcp_flight { // what was sent alike: from the end of the one before to its own
    uint32_t end;
    uint32_t sent_at; // last, in microseconds
    uint32_t state;
};

struct tcp_space {
    struct tcp_flight flights[TCP_FLIGHTS_MAX];
    struct tcp_range held[TCP_RANGES_MAX];
};

enum tcp_recovery {
    TCP_RECOVERY_NONE,
    TCP_RECOVERY_FAST,    // of what acknowledgements have shown as lost
    TCP_RECOVERY_TIMEOUT, // of all, after a timeout
};

enum tcp_doubt { // whether a timeout was of a loss (RFC 5682)
    TCP_DOUBT_NONE,
    TCP_DOUBT_FIRST,  // the first acknowledgement is waited for
    TCP_DOUBT_SECOND, // and that of what is new
};

enum tcp_congestion { TCP_CONGESTION_CUBIC, TCP_CONGESTION_RENO };

struct tcp_cubic {
    hal_ns epoch;              // 0: none has begun
    uint32_t top, k, estimate; // W_max; milliseconds; W_est
    uint32_t prior;
};

enum tcp_fast_failure { // as Linux numbers them
    TCP_FAST_NO_COOKIE = 1,
    TCP_FAST_NOT_TAKEN, // what our SYN brought
    TCP_FAST_SENT_AGAIN,
};

struct tcp_fast { // Fast Open (RFC 7413)
    bool has_cookie; // our SYN, or our answer to one, says one; of no bytes: it wants one
    uint8_t cookie_size;
    uint8_t cookie[TCP_FAST_COOKIE_MAX];
    bool is_open;    // what the peer's SYN brings is taken, and answered at once
    uint8_t failure; // of ours: enum tcp_fast_failure; 0: none
    uint32_t size;   // bytes of the stream that our SYN brings
};

struct tcp_settings {
    uint16_t mss;      // the most that the path takes, without the header's options
    uint32_t burst;    // bytes of data that the host takes at once, and cuts; 0: it does not cut
    uint32_t room;     // of the receive buffer, bytes
    uint32_t room_max; // what that becomes where its program reads so fast; less: it stays
    bool has_no_delay; // Nagle's rule is off
    bool is_corked;    // only whole segments
    bool has_urgent_inline; // the urgent byte is read like others
    bool is_near; // the peer is on this machine: its end alone is acknowledged with ours, if that
                  // comes soon, as Linux does everywhere
    bool is_settled; // the host calls tcp_settle once it has done with what came together: till then
                     // data in order waits for its acknowledgement
    bool is_kept_alive; // with the next three
    hal_ns keep_idle, keep_interval;
    uint32_t keep_count;
    hal_ns give_up;       // 0: after as many retransmissions as Linux makes
    uint32_t syn_retries; // 0: as many as Linux makes
    uint32_t defer_tries; // of answers to a SYN, for whose caller data must come; then none need
    enum tcp_congestion control;
    uint64_t pace; // bytes per second, at most; 0: any
};

struct tcp {
    const struct tcp_host *host;
    struct tcp_settings settings;
    enum tcp_state state;
    int error;       // -errno why it is closed; 0: in peace
    int obstacle;    // -errno that the network has told since something was acknowledged; or 0
    hal_ns deadline; // call tcp_tick then; UINT64_MAX: never

    // Sending. Sequence numbers: the SYN is iss, the first byte iss + 1.
    uint32_t iss, una, next;
    uint64_t written; // bytes of the stream
    bool is_caller, is_closing, has_sent_fin;
    bool is_deferred; // the peer has acknowledged our SYN, and data is waited for
    bool is_quick;    // until something is sent, data is acknowledged at once
    bool is_answered; // what the peer has sent last had an answer soon
    bool is_urgent;   // what lies before urgent_end is
    bool is_fast;     // a SYN has brought bytes that were taken
    struct tcp_fast *fast; // the caller's, as long as there is the connection. NULL: without
    uint32_t urgent_end;
    uint32_t window, window_sequence, window_acknowledgement, window_max;
    uint8_t send_scale, receive_scale;
    uint16_t mss; // that we send, at most
    hal_ns sent_at;

    // Receiving.
    struct {                    // what the peer has said last of urgent data (RFC 6093)
        bool is_known, is_read; // is_read: the byte alone
        uint64_t place;         // of the byte, which is the last of them, in the stream
    } urgent;
    uint32_t irs, expected; // the next byte in order
    uint32_t announced;     // right edge of the window that we have told
    uint32_t kept;  // bytes that the program has read and still has: they keep the window small
    uint64_t taken; // bytes that the program has read
    uint64_t taken_before; // when the last round of reading began, at
    hal_ns taken_at;
    struct tcp_range *held; // received out of order, ascending, beyond expected
    uint32_t held_count, held_room;
    uint32_t newest_held;       // a sequence number in the range that came last
    struct tcp_range repeated;  // came twice, and is to be told (RFC 2883); empty: none
    bool has_fin, is_fin_known; // the peer's end is in order; or is at fin
    uint32_t fin;
    bool has_scale, has_timestamps, may_sack;
    uint32_t recent_time; // RFC 7323: TS.Recent
    hal_ns recent_at;
    uint32_t last_acknowledged; // what we have acknowledged last
    uint64_t freed_told;        // how far the stream had been read then, without what was kept
    uint32_t owed;              // segments with data since then
    bool owes_each;             // one of them has an acknowledgement of its own

    // Times.
    hal_ns now;
    hal_ns rtt, rtt_variation, timeout; // RFC 6298; rtt 0: none yet
    hal_ns retransmit_at, tail_at, reorder_at, acknowledge_at, probe_at, keep_at, end_at;
    hal_ns pace_at;    // the next segment goes; without a pace: what is held behind a burst
    uint64_t hold_end; // the stream was so long then
    bool has_burst;    // the last that was sent was as much as the host takes at once
    bool writes_soon;  // the host's to say: tcp_write follows at once, most likely
    hal_ns end_after; // of FIN-WAIT-2, when nobody will read what comes; 0: it may last
    uint32_t retries, probes, probe_backoff, keeps;
    hal_ns first_try, heard_at, data_at; // data_at: data came last

    // What is under way, from una to next.
    struct tcp_flight *flights;
    uint32_t flight_count, flight_room;
    uint32_t sacked, lost; // bytes of those

    // Loss by time (RFC 8985): of the flight that was sent last and has arrived.
    struct {
        bool is_known, sees_reordering;
        uint32_t sent_at, end;
        uint32_t rtt, rtt_min; // microseconds
        uint32_t highest;      // beyond all that has arrived
        bool has_round;        // the window has grown by a repetition, until round is acknowledged
        uint32_t round, multiplier, persist;
    } rack;
    struct { // the probe of the tail
        bool is_out, is_resent;
        uint32_t end;
    } tail;

    // Congestion: bytes.
    uint32_t congestion, threshold;
    bool is_limited;     // by that, when something was sent last
    uint32_t duplicates; // acknowledgements in a row
    enum tcp_recovery recovery;
    uint32_t recovery_end;
    enum tcp_doubt doubt;
    uint32_t before, delivered, out; // RFC 6937: the window before; in this recovery
    struct tcp_cubic cubic;
    struct { // a reduction that may turn out to be of no loss
        bool is_on;
        bool is_original;   // the segment that is looked at answers what was sent first
        uint32_t count;     // segments that were sent again, and not told of as repeated
        uint32_t start;     // una when it began
        uint32_t resent_at; // the first of them, in milliseconds
        uint32_t congestion, threshold;
        struct tcp_cubic cubic;
    } undo;

    // RFC 5961: challenges per second.
    hal_ns challenges_since;
    uint32_t challenges;
    hal_ns strange_at; // when what lay out of the window was answered last; 0: never

    struct tcp_counts {
        uint64_t segments_sent, segments_received, resent_segments, dropped, duplicate;
        uint64_t timeouts, fast_recoveries, out_of_window, challenges;
        uint64_t tail_probes, repeated;    // repeated: of ours, as the peer tells
        uint64_t old;                      // RFC 7323, 5.3; in out_of_window, too
        uint64_t calls, answers, failures; // failures: calls and answers that came to nothing
        uint64_t resets_sent, resets_received, given_up;
        uint64_t data_sent, data_received, held; // segments with data; those out of order
        uint64_t resent_bytes;
        uint64_t undone_timeouts, undone_recoveries, undone_repeated; // losses that were none
        uint64_t doubted_timeouts; // of those, as RFC 5682 has shown
    } counts;

    struct tcp_flight few_flights[TCP_FLIGHTS_FEW];
    struct tcp_range few_held[TCP_RANGES_FEW];
};

// Begins a connection: sends a SYN. iss is to be unpredictable (RFC 6528).
void tcp_connect(struct tcp *tcp, const struct tcp_host *host, const struct tcp_settings *settings,
                 uint32_t iss, hal_ns now);
// The same with Fast Open: fast->size bytes are written already, and go with the SYN.
void tcp_connect_fast(struct tcp *tcp, const struct tcp_host *host,
                      const struct tcp_settings *settings, uint32_t iss, struct tcp_fast *fast,
                      hal_ns now);
// The same, and nothing is sent: it begins once more when there are bytes.
void tcp_connect_later(struct tcp *tcp, const struct tcp_host *host,
                       const struct tcp_settings *settings, hal_ns now);
// The same for one that begins with syn, which a peer has sent: answers it.
void tcp_answer(struct tcp *tcp, const struct tcp_host *host, const struct tcp_settings *settings,
                uint32_t iss, const struct tcp_segment *syn, hal_ns now);
// The same for one whose SYN was answered already, by another.
void tcp_resume(struct tcp *tcp, const struct tcp_host *host, const struct tcp_settings *settings,
                uint32_t iss, const struct tcp_segment *syn, hal_ns now);

// The same as tcp_answer with Fast Open. fast->is_open: tcp_input is called with the whole SYN next,
// and answers.
void tcp_answer_fast(struct tcp *tcp, const struct tcp_host *host,
                     const struct tcp_settings *settings, uint32_t iss,
                     const struct tcp_segment *syn, struct tcp_fast *fast, hal_ns now);

static inline bool tcp_is_open(const struct tcp *tcp) // by Fast Open
{
    return tcp->fast != NULL && tcp->fast->is_open;
}

// Bytes may flow: the three steps have been made, or Fast Open's first.
static inline bool tcp_has_begun(const struct tcp *tcp)
{
    return tcp->state != TCP_STATE_SYN_SENT &&
           (tcp->state != TCP_STATE_SYN_RECEIVED || tcp_is_open(tcp));
}

void tcp_input(struct tcp *tcp, const struct tcp_segment *segment, hal_ns now);
void tcp_tick(struct tcp *tcp, hal_ns now); // also before the deadline

// After segments that came together, and what the program has done with them: one acknowledgement
// tells of all, and of the room that there is by then. See settings.is_settled.
void tcp_settle(struct tcp *tcp);

// What the network says of the segment that begins at sequence, which is not believed where that is
// not under way: it has not arrived for error, which ends an attempt to connect, and what others
// give up with later; or segments may have no more than mss bytes with their options.
void tcp_unreachable(struct tcp *tcp, int error, uint32_t sequence, hal_ns now);
bool tcp_is_under_way(const struct tcp *tcp, uint32_t sequence);
void tcp_path_learn(struct tcp *tcp, uint16_t mss, uint32_t sequence, hal_ns now);

// The same as tcp_adjust where nothing comes of it now. False: something might, and nothing is
// done.
HAL_MUST_CHECK bool tcp_adjust_idle(struct tcp *tcp, const struct tcp_settings *settings);
void tcp_adjust(struct tcp *tcp, const struct tcp_settings *settings,
                hal_ns now);                                   // not their mss
void tcp_write(struct tcp *tcp, uint64_t written, hal_ns now); // the stream is so long by now
void tcp_urge(struct tcp *tcp, uint64_t written);              // before tcp_write: it is urgent
void tcp_read(struct tcp *tcp, uint64_t taken, hal_ns now);    // so much of it has been read
void tcp_keep(struct tcp *tcp, uint32_t kept, hal_ns now);     // before tcp_read, where it is more
void tcp_close(struct tcp *tcp, hal_ns now);                   // nothing more will be written
void tcp_abort(struct tcp *tcp, hal_ns now);                   // tells the peer, unless it is over
// Nobody will read either: it closes, and FIN-WAIT-2 lasts for span. 0: as short as it can.
void tcp_orphan(struct tcp *tcp, hal_ns span, hal_ns now);
// What is to be acknowledged is so now, and until something is sent at once; or as ever.
void tcp_quicken(struct tcp *tcp, bool is_quick, hal_ns now);

// The program has read all and asks for more. What is held goes. As long as the connection is
// young, what is owed is acknowledged then: the peer may wait for that with what is missing
// (Nagle's rule). Later it waits for company, as ever. Call tcp_ask where that says so.
enum { TCP_YOUNG_SEGMENTS = 16 }; // that have brought data; Linux's TCP_MAX_QUICKACKS
static inline bool tcp_has_held(const struct tcp *tcp)
{
    return tcp->pace_at != UINT64_MAX && tcp->settings.pace == 0;
}
static inline bool tcp_ask_counts(const struct tcp *tcp)
{
    return (tcp->owed > 0 && tcp->counts.data_received <= TCP_YOUNG_SEGMENTS) || tcp_has_held(tcp);
}
void tcp_ask(struct tcp *tcp, hal_ns now);

// The urgent byte has been received, and nobody has read it alone.
bool tcp_is_urgent(const struct tcp *tcp);

// Bytes of the stream that the peer has, and that are in order here.
uint64_t tcp_acknowledged(const struct tcp *tcp);
uint64_t tcp_received(const struct tcp *tcp);
uint32_t tcp_payload_max(const struct tcp *tcp);   // of a segment that we send
uint32_t tcp_flight_resent(const struct tcp *tcp); // bytes under way that were sent again
uint32_t tcp_unsent(const struct tcp *tcp); // of a connection: bytes written, and not sent yet

// What segment, which is for no connection, is answered with. False: nothing.
HAL_MUST_CHECK bool tcp_refuse(const struct tcp_segment *segment, struct tcp_segment *answer);

// ---- Of the connection's own files ---------------------------------------------

// Sequence numbers are compared modulo 2^32 (RFC 9293, 3.4).
static inline bool tcp_is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline uint32_t tcp_later(uint32_t a, uint32_t b)
{
    return tcp_is_before(a, b) ? b : a;
}

// tcp_range.c: ascending ranges that do not touch. False: there is no room for another.
bool tcp_range_add(struct tcp_range *ranges, uint32_t *count, uint32_t room,
                   struct tcp_range range);
bool tcp_range_fits(const struct tcp_range *ranges, uint32_t count, uint32_t room,
                    struct tcp_range range);
void tcp_range_cut(struct tcp_range *ranges, uint32_t *count,
                   uint32_t start); // forget what is before

// tcp_output.c
void tcp_output(struct tcp *tcp);      // sends what may be sent now
void tcp_acknowledge(struct tcp *tcp); // at once
void tcp_syn_send(struct tcp *tcp);
bool tcp_tail_send(struct tcp *tcp);   // a probe of the tail; true: it was new
bool tcp_forced_send(struct tcp *tcp); // into a window that is small
void tcp_reset_send(struct tcp *tcp, uint32_t sequence);
uint32_t tcp_window_now(const struct tcp *tcp);  // to be announced, bytes
uint32_t tcp_pipe(const struct tcp *tcp);        // bytes under way, as far as is known
uint32_t tcp_window_left(const struct tcp *tcp); // bytes that the peer takes behind next
void tcp_deadline_set(struct tcp *tcp);
void tcp_timeout_restart(struct tcp *tcp);
void tcp_end(struct tcp *tcp, int error);                            // it is closed
void tcp_peer_learn(struct tcp *tcp, const struct tcp_segment *syn); // what a SYN says of the peer

// tcp_acknowledged.c: what acknowledgement and window of a segment do. False: it is done with.
bool tcp_acknowledgement_take(struct tcp *tcp, const struct tcp_segment *segment);
void tcp_rtt_take(struct tcp *tcp, hal_ns sample);
void tcp_challenge(struct tcp *tcp); // tcp_input.c

// tcp_flight.c: what is under way.
void tcp_space_use(struct tcp *tcp); // from now on, if there is memory
void tcp_flight_sent(struct tcp *tcp, uint32_t start, uint32_t end); // just now
struct tcp_arrival {   // what an acknowledgement has shown
    uint32_t bytes;    // that are known to have arrived from now on
    bool has_resent;   // some of them were sent twice
    bool has_original; // while a timeout is doubted: some that were there then were sent once
    uint32_t sent_at;  // the first of them
};
void tcp_flight_advance(struct tcp *tcp, uint32_t una, struct tcp_arrival *arrival);
void tcp_flight_sacked(struct tcp *tcp, struct tcp_range range, struct tcp_arrival *arrival);
void tcp_flight_lose(struct tcp *tcp, uint32_t index);
void tcp_flight_lose_first(struct tcp *tcp, uint32_t size);
void tcp_flight_distrust(struct tcp *tcp); // what was said to have arrived
bool tcp_flight_lost(const struct tcp *tcp, struct tcp_range *range); // the first that is lost

// tcp_loss.c
void tcp_loss_arrived(struct tcp *tcp, const struct tcp_flight *flight, uint32_t end);
void tcp_loss_acknowledged(struct tcp *tcp, const struct tcp_arrival *arrival, bool has_advanced,
                           const struct tcp_segment *segment, bool is_repeated);
void tcp_loss_timeout(struct tcp *tcp);
void tcp_loss_tick(struct tcp *tcp);
void tcp_tail_restart(struct tcp *tcp);

void tcp_flight_find_again(struct tcp *tcp); // nothing is lost

// tcp_undo.c: the window is about to shrink for a loss; a segment is sent again. The rest only
// while undo.count is not 0: a segment came, with an acknowledgement; that has advanced; range came
// twice.
void tcp_undo_begin(struct tcp *tcp);
void tcp_undo_resent(struct tcp *tcp);
void tcp_undo_look(struct tcp *tcp, const struct tcp_segment *segment);
void tcp_undo_advanced(struct tcp *tcp, const struct tcp_arrival *arrival);
void tcp_undo_repeated(struct tcp *tcp, struct tcp_range range);
// While doubt is not TCP_DOUBT_NONE: an acknowledgement came.
void tcp_undo_doubted(struct tcp *tcp, const struct tcp_arrival *arrival, bool has_advanced);

// tcp_congestion.c
void tcp_congestion_begin(struct tcp *tcp);
void tcp_congestion_acknowledged(struct tcp *tcp, uint32_t bytes);
void tcp_congestion_lost(struct tcp *tcp); // lowers the threshold
void tcp_congestion_idle(struct tcp *tcp); // before something is sent after a while

#endif
