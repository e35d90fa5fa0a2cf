// SPDX-License-Identifier: BSD-3-Clause
// tcp_script_test.c: one connection of TCP against a scripted peer, segment by segment, in
// virtual time, as the FILEs say that it is given. tests/unit/tcp/README.md says how the scripts
// are written.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/tcp.h"
#include "script_segments.h"
#include "script_words.h"

enum {
    SENT_MAX = 512,
    STREAM_MAX = 4 << 20,
    MSS = 1460,
    WINDOW = 50000,
};

static struct tcp tcp;
static struct tcp_settings settings;
static struct tcp_segment sent[SENT_MAX];
static uint32_t sent_count, sent_seen;
static uint8_t stored[STREAM_MAX / 8]; // one bit for each byte that was stored
static hal_ns now;
static bool is_begun, is_store_refused;
static uint32_t growth_left; // of the receive buffer
static uint32_t learned;     // bytes of cookie that an answer said
static struct tcp_fast fast; // of our SYN, or our answer
static struct {
    uint32_t acknowledgement, window;
    uint8_t scale; // of what is written as win
    bool has_timestamps;
} peer;

// ---- The connection's host -----------------------------------------------------------

static uint8_t stream_byte(uint64_t place)
{
    return (uint8_t)(place * 31 + (place >> 8) * 7 + 1);
}

static void script_send(struct tcp *from, const struct tcp_segment *segment)
{
    if (segment->size > 0) {
        const uint32_t first = segment->sequence + ((segment->flags & TCP_SYN) != 0);
        number_check("place of what is sent", (uint32_t)segment->from, first - ISS - 1);
        if (segment->from + segment->size > from->written) {
            fail("more is sent than was written");
        }
    }
    if (sent_count == SENT_MAX) {
        fail("more than %d segments", SENT_MAX);
        return;
    }
    sent[sent_count++] = *segment;
}

static bool script_store(struct tcp *to, const struct tcp_segment *segment, uint64_t from,
                         uint32_t skip, uint32_t size)
{
    const uint8_t *data = segment->data;
    if (is_store_refused) {
        is_store_refused = false;
        return false;
    }
    if (size == 0 || from + size > STREAM_MAX || skip + size > segment->size) {
        fail("bytes %llu+%u of the stream are stored", (unsigned long long)from, size);
        return false;
    }
    for (uint32_t i = 0; i < size; ++i) {
        if (data[skip + i] != stream_byte(from + i)) {
            fail("byte %llu of the stream is another's", (unsigned long long)(from + i));
            return true;
        }
        stored[(from + i) / 8] |= (uint8_t)(1 << (from + i) % 8);
    }
    return true;
}

static bool script_may_grow(struct tcp *which, uint32_t size)
{
    (void)which;
    return size <= growth_left ? (growth_left -= size, true) : false;
}

static void script_learn(struct tcp *of, const struct tcp_segment *answer)
{
    (void)of;
    learned = answer->has_cookie ? answer->cookie_size : NOTHING;
}

static struct tcp_space *script_space(struct tcp *of)
{
    static struct tcp_space space;
    (void)of;
    return &space;
}

static _Atomic bool is_short;
static const struct tcp_host host = {
    .send = script_send,
    .store = script_store,
    .may_grow = script_may_grow,
    .learn = script_learn,
    .space = script_space,
    .is_short = &is_short,
};

// What is in order must have been stored.
static void received_check(void)
{
    if (tcp.state == TCP_STATE_CLOSED || tcp.state == TCP_STATE_SYN_SENT) {
        return;
    }
    const uint64_t received = tcp_received(&tcp);
    for (uint64_t i = tcp.taken; i < received; ++i) {
        if (!(stored[i / 8] >> i % 8 & 1)) {
            fail("byte %llu is in order and was not stored", (unsigned long long)i);
            return;
        }
    }
}

// ---- Segments ------------------------------------------------------------------------

static void expect(void)
{
    struct pattern pattern = pattern_read(ISS, IRS);
    for (uint32_t i = 0; i < pattern.count && !has_failed; ++i) {
        if (sent_seen == sent_count) {
            fail("nothing is sent (%u of %u came)", i, pattern.count);
        } else if (!script_segment_is(&sent[sent_seen], &pattern)) {
            fail("it is %s", script_segment_text(&sent[sent_seen]));
        }
        ++sent_seen;
        pattern.segment.sequence += pattern.segment.size;
    }
}

static void silence_check(void)
{
    if (sent_seen < sent_count) {
        fail("unexpected, %u in all: %s", sent_count - sent_seen,
             script_segment_text(&sent[sent_seen]));
    }
    sent_count = sent_seen = 0;
}

static uint32_t clock_time(void)
{
    return (uint32_t)(now / 1000000);
}

static void begin(const struct tcp_segment *syn)
{
    is_begun = true;
    if (syn == NULL) {
        tcp_connect(&tcp, &host, &settings, ISS, now);
    } else {
        tcp_answer_fast(&tcp, &host, &settings, ISS, syn, &fast, now);
    }
    if (syn != NULL && fast.is_open) {
        tcp_input(&tcp, syn, now);
    }
}

static void bring(struct tcp_segment *segment)
{
    char *data = malloc(segment->size + 1); // so that a sanitizer sees who reads beyond
    for (uint32_t i = 0; i < segment->size; ++i) {
        data[i] =
            (char)stream_byte(segment->sequence - IRS - 1 + i + ((segment->flags & TCP_SYN) != 0));
    }
    segment->data = data;
    if (is_begun) {
        tcp_input(&tcp, segment, now);
    } else {
        begin(segment);
    }
    free(data);
}

static void inject(void)
{
    struct pattern pattern = pattern_read(IRS, ISS);
    struct tcp_segment *segment = &pattern.segment;
    if ((segment->flags & TCP_ACK) && !pattern.has_acknowledgement) {
        segment->acknowledgement = peer.acknowledgement;
    }
    if (segment->flags & TCP_ACK) {
        peer.acknowledgement = segment->acknowledgement;
    }
    segment->window = pattern.has_window ? segment->window : peer.window;
    const bool is_syn = (segment->flags & TCP_SYN) != 0;
    if (is_syn) {
        peer.has_timestamps |= pattern.has_times;
    } else if (peer.has_timestamps && !pattern.has_times && !pattern.has_no_times) {
        segment->has_timestamps = true;
        segment->time = clock_time();
        segment->echo = clock_time();
    }
    for (uint32_t i = 0; i < pattern.count && !has_failed; ++i) {
        bring(segment);
        received_check();
        segment->sequence += pattern.stride != 0 ? pattern.stride : segment->size;
    }
}

// ---- Statements ----------------------------------------------------------------------

static void advance(hal_ns by)
{
    const hal_ns end = now + by;
    for (int turn = 0; is_begun && tcp.deadline <= end && !has_failed; ++turn) {
        if (turn == 100000) {
            fail("its deadlines never end");
        }
        now = tcp.deadline > now ? tcp.deadline : now;
        tcp_tick(&tcp, now);
    }
    now = end;
}

// Three steps with what the peer can: ts, sackok, scale N, mss N, win N, rtt SPAN.
static void open_with_peer(bool is_active)
{
    struct tcp_segment syn = {
        .flags = TCP_SYN, .sequence = IRS, .window = WINDOW, .scale = UINT8_MAX, .mss = MSS};
    hal_ns rtt = 0;
    while (token_next < token_count && !has_failed) {
        if (word_is("ts")) {
            syn.has_timestamps = peer.has_timestamps = true;
            syn.time = syn.echo = clock_time();
        } else if (word_is("sackok")) {
            syn.may_sack = true;
        } else if (word_is("scale")) {
            syn.scale = peer.scale = (uint8_t)number();
        } else if (word_is("mss")) {
            syn.mss = (uint16_t)number();
        } else if (word_is("win")) {
            syn.window = peer.window = number();
        } else if (word_is("rtt")) {
            rtt = span();
        } else {
            fail("'%s' says nothing of a peer", tokens[token_next]);
        }
    }
    if (is_active) {
        begin(NULL);
        syn.flags |= TCP_ACK;
        syn.acknowledgement = ISS + 1;
        advance(rtt);
        bring(&syn);
    } else {
        bring(&syn);
        advance(rtt);
        struct tcp_segment acknowledgement = {.flags = TCP_ACK,
                                              .sequence = IRS + 1,
                                              .acknowledgement = ISS + 1,
                                              .window = peer.window,
                                              .scale = UINT8_MAX,
                                              .has_timestamps = peer.has_timestamps,
                                              .time = clock_time(),
                                              .echo = syn.time};
        bring(&acknowledgement);
    }
    number_check("state", tcp.state, TCP_STATE_ESTABLISHED);
    number_check("segments of the handshake", sent_count, is_active ? 2 : 1);
    sent_seen = sent_count;
}

static struct tcp_fast fast_with(uint32_t size)
{
    struct tcp_fast with = {.has_cookie = size != NOTHING};
    if (with.has_cookie) {
        with.cookie_size = (uint8_t)size;
        memcpy(with.cookie, script_cookie, sizeof script_cookie);
    }
    return with;
}

static void connect_statement(void)
{
    begin(NULL);
}

// A call with Fast Open: so many bytes, and a cookie of so many.
static void fast_statement(void)
{
    const uint32_t size = number();
    fast = fast_with(number());
    fast.size = size;
    is_begun = true;
    tcp_connect_fast(&tcp, &host, &settings, ISS, &fast, now);
}

static void open_statement(void)
{
    open_with_peer(true);
}

static void accept_statement(void)
{
    open_with_peer(false);
}

static void soon_statement(void)
{
    tcp.writes_soon = true;
}

static void write_statement(void)
{
    tcp_write(&tcp, tcp.written + number(), now);
    tcp.writes_soon = false;
}

static void urge_statement(void)
{
    const uint64_t written = tcp.written + number();
    tcp_urge(&tcp, written);
    tcp_write(&tcp, written, now);
}

static void read_statement(void)
{
    tcp_read(&tcp, word_is("all") ? tcp_received(&tcp) : tcp.taken + number(), now);
}

static void close_statement(void)
{
    tcp_close(&tcp, now);
}

static void abort_statement(void)
{
    tcp_abort(&tcp, now);
}

static void orphan_statement(void)
{
    tcp_orphan(&tcp, span(), now);
}

static void quick_statement(void)
{
    tcp_quicken(&tcp, number() != 0, now);
}

static void settle_statement(void)
{
    tcp_settle(&tcp);
}

static void ask_statement(void)
{
    if (tcp_ask_counts(&tcp)) {
        tcp_ask(&tcp, now);
    }
}

static void refuse_statement(void)
{
    is_store_refused = true;
}

static void skip_statement(void)
{
    sent_seen = sent_count;
}

static void window_statement(void)
{
    peer.window = number();
}

static const struct {
    const char *name;
    enum tcp_state state;
} states[] = {
    {"established", TCP_STATE_ESTABLISHED},
    {"syn-sent", TCP_STATE_SYN_SENT},
    {"syn-received", TCP_STATE_SYN_RECEIVED},
    {"fin-wait-1", TCP_STATE_FIN_WAIT_1},
    {"fin-wait-2", TCP_STATE_FIN_WAIT_2},
    {"time-wait", TCP_STATE_TIME_WAIT},
    {"closed", TCP_STATE_CLOSED},
    {"close-wait", TCP_STATE_CLOSE_WAIT},
    {"last-ack", TCP_STATE_LAST_ACK},
    {"closing", TCP_STATE_CLOSING},
};

static void state_statement(void)
{
    const char *name = word();
    for (unsigned i = 0; i < sizeof states / sizeof *states; ++i) {
        if (states[i].state == tcp.state && (name == NULL || strcmp(name, states[i].name) != 0)) {
            fail("it is in state %s", states[i].name);
        }
    }
}

static int error_word(void)
{
    const char *name = word();
    for (int error = 0; name != NULL && error < 200; ++error) {
        const char *its = error == 0 ? "none" : strerrorname_np(error);
        if (its != NULL && strcmp(name, its) == 0) {
            return -error;
        }
    }
    fail("what error?");
    return 0;
}

static void error_statement(void)
{
    number_check("error", (uint64_t)-tcp.error, (uint64_t)-error_word());
}

static void unreachable_statement(void)
{
    const int error = error_word();
    tcp_unreachable(&tcp, error, tcp.iss + number(), now);
}

static void path_statement(void)
{
    const uint16_t mss = (uint16_t)number();
    tcp_path_learn(&tcp, mss, tcp.iss + number(), now);
}

static void set_statement(void)
{
    if (word_is("mss")) {
        settings.mss = (uint16_t)number();
    } else if (word_is("roommax")) {
        settings.room_max = number();
    } else if (word_is("room")) {
        settings.room = number();
    } else if (word_is("inline")) {
        settings.has_urgent_inline = number() != 0;
    } else if (word_is("grant")) { // our answer says a cookie
        fast = fast_with(number());
    } else if (word_is("trust")) { // the peer's cookie is right
        fast = (struct tcp_fast){.is_open = number() != 0};
    } else if (word_is("short")) {
        is_short = number() != 0;
    } else if (word_is("growth")) {
        growth_left = number();
    } else if (word_is("nodelay")) {
        settings.has_no_delay = number() != 0;
    } else if (word_is("settled")) {
        settings.is_settled = number() != 0;
    } else if (word_is("burst")) {
        settings.burst = number();
    } else if (word_is("cork")) {
        settings.is_corked = number() != 0;
    } else if (word_is("timeout")) {
        settings.give_up = span();
    } else if (word_is("pace")) {
        settings.pace = number();
    } else if (word_is("reno")) {
        settings.control = TCP_CONGESTION_RENO;
    } else if (word_is("synretries")) {
        settings.syn_retries = number();
    } else if (word_is("defer")) {
        settings.defer_tries = number();
    } else if (word_is("keep")) {
        settings.is_kept_alive = true;
        settings.keep_idle = span();
        settings.keep_interval = span();
        settings.keep_count = number();
    } else {
        fail("'%s' is no setting", tokens[token_next]);
    }
    if (is_begun) {
        tcp_adjust(&tcp, &settings, now);
    }
}

static void is_statement(void)
{
    const struct {
        const char *name;
        uint64_t value;
    } values[] = {
        {"received", tcp_received(&tcp)},
        {"acknowledged", tcp_acknowledged(&tcp)},
        {"congestion", tcp.congestion},
        {"threshold", tcp.threshold},
        {"room", tcp.settings.room},
        {"mss", tcp.mss},
        {"window", tcp.window},
        {"fast", tcp.is_fast},
        {"learned", learned},
        {"failure", fast.failure},
        {"begun", tcp_has_begun(&tcp)},
        {"recent", tcp.recent_time},
        {"timeouts", tcp.counts.timeouts},
        {"resent", tcp.counts.resent_segments},
        {"recoveries", tcp.counts.fast_recoveries},
        {"duplicate", tcp.counts.duplicate},
        {"dropped", tcp.counts.dropped},
        {"strange", tcp.counts.out_of_window},
        {"challenges", tcp.counts.challenges},
        {"tailprobes", tcp.counts.tail_probes},
        {"unsent", tcp_unsent(&tcp)},
        {"resentbytes", tcp.counts.resent_bytes},
        {"datasent", tcp.counts.data_sent},
        {"datareceived", tcp.counts.data_received},
        {"held", tcp.counts.held},
        {"urgent", tcp_is_urgent(&tcp)},
        {"mark", tcp.urgent.is_known ? tcp.urgent.place : UINT32_MAX},
        {"taken", tcp.taken},
        {"undonetimeouts", tcp.counts.undone_timeouts},
        {"doubtedtimeouts", tcp.counts.doubted_timeouts},
        {"undonerecoveries", tcp.counts.undone_recoveries},
        {"undonerepeated", tcp.counts.undone_repeated},
    };
    static const struct {
        const char *name;
        const hal_ns *span;
    } spans[] = {{"timeout", &tcp.timeout}, {"rtt", &tcp.rtt}, {"variation", &tcp.rtt_variation}};
    for (unsigned i = 0; i < sizeof values / sizeof *values; ++i) {
        if (word_is(values[i].name)) {
            number_check(values[i].name, values[i].value, number());
            return;
        }
    }
    for (unsigned i = 0; i < sizeof spans / sizeof *spans; ++i) {
        if (word_is(spans[i].name)) {
            number_check(spans[i].name, *spans[i].span, span());
            return;
        }
    }
    if (word_is("idle")) {
        number_check("deadline", tcp.deadline, UINT64_MAX);
        return;
    }
    fail("'%s' is no figure", tokens[token_next]);
}

static const struct statement {
    const char *name;
    void (*run)(void);
    bool is_event; // after which something may be sent: what was sent before must be expected
} statements[] = {
    {">", expect, false},
    {"<", inject, true},
    {"...", skip_statement, false},
    {"connect", connect_statement, true},
    {"fast", fast_statement, true},
    {"open", open_statement, true},
    {"accept", accept_statement, true},
    {"write", write_statement, true},
    {"urge", urge_statement, true},
    {"read", read_statement, true},
    {"close", close_statement, true},
    {"abort", abort_statement, true},
    {"orphan", orphan_statement, true},
    {"quick", quick_statement, true},
    {"settle", settle_statement, true},
    {"ask", ask_statement, true},
    {"soon", soon_statement, true},
    {"unreachable", unreachable_statement, true},
    {"path", path_statement, true},
    {"set", set_statement, true},
    {"window", window_statement, false},
    {"nomemory", refuse_statement, false},
    {"state", state_statement, false},
    {"error", error_statement, false},
    {"is", is_statement, false},
};

static void statement_run(void)
{
    if (*tokens[0] == '+') {
        silence_check();
        advance(span_of(tokens[0] + 1));
        return;
    }
    for (unsigned i = 0; i < sizeof statements / sizeof *statements; ++i) {
        if (strcmp(tokens[0], statements[i].name) == 0) {
            if (statements[i].is_event) {
                silence_check();
            }
            token_next = 1;
            statements[i].run();
            if (token_next < token_count) {
                fail("what is '%s'?", tokens[token_next]);
            }
            return;
        }
    }
    fail("'%s' is no statement", tokens[0]);
}

// ---- Files ---------------------------------------------------------------------------

static void case_begin(const char *name)
{
    snprintf(case_name, sizeof case_name, "%s", name);
    has_failed = is_begun = is_store_refused = false;
    sent_count = sent_seen = 0;
    memset(stored, 0, sizeof stored);
    memset(&peer, 0, sizeof peer);
    peer.window = WINDOW;
    peer.acknowledgement = ISS + 1;
    now = 1000000000;
    growth_left = UINT32_MAX;
    is_short = false;
    learned = UINT32_MAX;
    fast = (struct tcp_fast){.has_cookie = false};
    settings = (struct tcp_settings){.mss = MSS, .room = 60000};
}

static void case_end(void)
{
    if (case_name[0] == 0) {
        return;
    }
    if (!has_failed) {
        silence_check();
    }
    const char *base = strrchr(file_name, '/');
    printf("%sok %u - %s: %s\n", has_failed ? "not " : "", ++case_count,
           base != NULL ? base + 1 : file_name, case_name);
    failed_count += has_failed;
    case_name[0] = 0;
}

static void line_run(char *line)
{
    char *rest = NULL;
    if (strncmp(line, "case ", 5) == 0) {
        case_end();
        line[strcspn(line, "\n")] = 0;
        case_begin(line + 5);
        return;
    }
    line[strcspn(line, "#\n")] = 0;
    token_count = token_next = 0;
    for (char *token = strtok_r(line, " \t", &rest); token != NULL && token_count < TOKENS_MAX;
         token = strtok_r(NULL, " \t", &rest)) {
        tokens[token_count++] = token;
    }
    if (token_count > 0 && !has_failed) {
        statement_run();
    }
}

static void file_run(const char *name)
{
    char line[LINE_MAX_SIZE];
    FILE *file = fopen(name, "r");
    file_name = name;
    line_number = 0;
    if (file == NULL) {
        printf("not ok %u - %s: %s\n", ++case_count, name, strerror(errno));
        ++failed_count;
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        ++line_number;
        line_run(line);
    }
    case_end();
    fclose(file);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; ++i) {
        file_run(argv[i]);
    }
    printf("1..%u\n", case_count);
    return failed_count == 0 && case_count > 0 ? 0 : 1;
}
