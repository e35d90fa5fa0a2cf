// SPDX-License-Identifier: BSD-3-Clause
// session.c: one run of a machine, with its streams connected to ours.
//
// One loop over poll(). The machine's end is said by up to three voices: a channel of its own (the
// status), the backend (why), and the end of all channels (nothing more will come). The run is over
// when the backend says that the machine is gone and the channels are read to their end; the first
// reason given counts.
//
// The end of standard input goes on by shutdown(): close() would make QEMU drop what it has not
// read yet.
#include "sim/run/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sim/run/backend.h"
#include "sim/run/failure.h"
#include "sim/run/machine.h"
#include "sim/run/scratch.h"
#include "sim/run/stream.h"

#define SECOND_NS 1000000000l

enum {
    GONE_SECONDS = 10, // from a status to the end of QEMU
    STATUS_MAX = 0xff,
    INPUT_KEPT = 64 << 10, // of standard input, for another run
    DESCRIPTORS = 3 + 2 * CHANNEL_COUNT,
};

struct channel {
    int listener, fd; // -1: closed
    int output;       // where its bytes go, or -1
    struct stream stream;
};

struct session {
    const struct backend *backend;
    struct session_outcome *outcome;
    struct channel channels[CHANNEL_COUNT];
    int code; // what has come of it on its channel
    bool has_end, is_gone, is_input_closed;
    int64_t deadline_ns, start_ns, gone_ns;
};

static const char *const channel_names[CHANNEL_COUNT] = {
    [CHANNEL_CONSOLE] = "console", [CHANNEL_SIGN] = "sign",     [CHANNEL_CODE] = "code",
    [CHANNEL_INPUT] = "stdin",     [CHANNEL_OUTPUT] = "stdout",
};

static int signals = -1;

// Standard input is one for all runs.
static struct {
    struct stream stream;
    char kept[INPUT_KEPT];
    size_t kept_size, replayed;
    bool is_over;    // the machine gets no more
    bool is_dropped; // more than fits in kept
} input;

int64_t session_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

void session_signals_block(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        fail(STATUS_CANNOT, "signals: %s", strerror(errno));
    }
    signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void end_set(struct session *session, enum session_end end, int code)
{
    if (!session->has_end) {
        session->has_end = true;
        session->outcome->end = end;
        session->outcome->code = code;
        session->gone_ns = session_now_ns() + GONE_SECONDS * SECOND_NS;
    }
}

// A line with the exit status.
static void code_take(struct session *session, const struct stream *stream)
{
    for (size_t i = stream->from; i < stream->to; ++i) {
        if (stream->bytes[i] == '\n') {
            end_set(session, END_STATUS, session->code);
        } else {
            session->code = (10 * session->code + stream->bytes[i] - '0') & STATUS_MAX;
        }
    }
}

static void channel_read(struct session *session, struct channel *channel)
{
    const long got = stream_read(&channel->stream, channel->fd);
    if (got == -EAGAIN) {
        return;
    }
    if (got <= 0) {
        close(channel->fd);
        channel->fd = -1;
    } else if (channel->output >= 0) {
        session->outcome->has_said = true;
    } else {
        if (channel == &session->channels[CHANNEL_CODE]) {
            code_take(session, &channel->stream);
        }
        session->outcome->has_started = true;
        channel->stream.from = channel->stream.to;
    }
}

static void channel_accept(struct channel *channel)
{
    int fd = accept4(channel->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        close(channel->listener);
        channel->listener = -1;
        channel->fd = fd;
    }
}

static void output_write(struct session *session, struct channel *channel)
{
    const int error = stream_write(&channel->stream, channel->output);
    if (error == -EPIPE) {
        end_set(session, END_OUTPUT_CLOSED, SIGPIPE);
    } else if (error != 0) {
        fail(STATUS_CANNOT, "writing what the machine says: %s", strerror(-error));
    }
}

static void input_keep(void)
{
    const size_t size = input.stream.to;
    if (size > sizeof input.kept - input.kept_size) {
        input.is_dropped = true;
        return;
    }
    memcpy(input.kept + input.kept_size, input.stream.bytes, size);
    input.kept_size += size;
    input.replayed = input.kept_size;
}

static void input_read(void)
{
    const long got = stream_read(&input.stream, STDIN_FILENO);
    if (got > 0) {
        input_keep();
    } else if (got != -EAGAIN) {
        input.is_over = true;
    }
}

// What an earlier run had goes first.
static void input_replay(void)
{
    if (stream_is_empty(&input.stream) && input.replayed < input.kept_size) {
        size_t size = input.kept_size - input.replayed;
        size = size > STREAM_SIZE ? STREAM_SIZE : size;
        memcpy(input.stream.bytes, input.kept + input.replayed, size);
        input.stream.from = 0;
        input.stream.to = size;
        input.replayed += size;
    }
}

static bool input_wanted(const struct session *session)
{
    return !input.is_over && !session->has_end && session->channels[CHANNEL_INPUT].fd >= 0 &&
           stream_is_empty(&input.stream);
}

static void signal_take(struct session *session)
{
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
        session->has_end = false; // this counts, whatever came before
        end_set(session, END_SIGNAL, (int)info.ssi_signo);
    }
}

static void backend_take(struct session *session)
{
    static const enum session_end ends[] = {
        [EVENT_RESET] = END_RESET,
        [EVENT_OFF] = END_OFF,
        [EVENT_STOPPED] = END_STOPPED,
        [EVENT_KILLED] = END_KILLED,
    };
    const enum backend_event event = session->backend->event_take();
    if (event == EVENT_GONE) {
        session->is_gone = true;
    } else if (event != EVENT_NONE) {
        end_set(session, ends[event], 0);
    }
}

struct descriptors {
    struct pollfd list[DESCRIPTORS];
    nfds_t count;
};

static void descriptor_add(struct descriptors *descriptors, int fd, short events)
{
    descriptors->list[descriptors->count++] = (struct pollfd){.fd = fd, .events = events};
}

// Whether poll() said something of fd.
static bool descriptor_is_ready(const struct descriptors *descriptors, int fd, short events)
{
    for (nfds_t i = 0; i < descriptors->count; ++i) {
        const struct pollfd *entry = &descriptors->list[i];
        if (entry->fd == fd && (entry->events & events) != 0 && entry->revents != 0) {
            return true;
        }
    }
    return false;
}

static void descriptors_make(const struct session *session, struct descriptors *descriptors)
{
    descriptors->count = 0;
    descriptor_add(descriptors, signals, POLLIN);
    if (!session->is_gone) {
        descriptor_add(descriptors, session->backend->event_fd(), POLLIN);
    }
    if (input_wanted(session)) {
        descriptor_add(descriptors, STDIN_FILENO, POLLIN);
    }
    for (size_t i = 0; i < CHANNEL_COUNT; ++i) {
        const struct channel *channel = &session->channels[i];
        if (channel->listener >= 0) {
            descriptor_add(descriptors, channel->listener, POLLIN);
        } else if (!stream_is_empty(&channel->stream)) {
            descriptor_add(descriptors, channel->output, POLLOUT);
        } else if (channel->fd >= 0) {
            const bool has_input =
                channel == &session->channels[CHANNEL_INPUT] && !stream_is_empty(&input.stream);
            descriptor_add(descriptors, channel->fd, POLLIN);
            if (has_input) {
                descriptor_add(descriptors, channel->fd, POLLOUT);
            }
        }
    }
}

static void channel_turn(struct session *session, struct channel *channel,
                         const struct descriptors *descriptors)
{
    if (channel->listener >= 0) {
        if (descriptor_is_ready(descriptors, channel->listener, POLLIN)) {
            channel_accept(channel);
        }
    } else if (!stream_is_empty(&channel->stream)) {
        if (descriptor_is_ready(descriptors, channel->output, POLLOUT)) {
            output_write(session, channel);
        }
    } else if (channel->fd >= 0 && descriptor_is_ready(descriptors, channel->fd, POLLIN)) {
        channel_read(session, channel);
    }
}

static void input_turn(struct session *session, const struct descriptors *descriptors)
{
    const int fd = session->channels[CHANNEL_INPUT].fd;
    if (fd < 0) {
        return;
    }
    input_replay();
    if (input_wanted(session) && descriptor_is_ready(descriptors, STDIN_FILENO, POLLIN)) {
        input_read();
    }
    if (!stream_is_empty(&input.stream) && stream_write(&input.stream, fd) != 0) {
        input.stream.from = input.stream.to; // the machine ends
        input.is_over = true;
    }
    if (input.is_over && stream_is_empty(&input.stream) && input.replayed == input.kept_size &&
        !session->is_input_closed) {
        session->is_input_closed = true;
        (void)shutdown(fd, SHUT_WR);
    }
}

static void session_turn(struct session *session, const struct descriptors *descriptors)
{
    if (descriptor_is_ready(descriptors, signals, POLLIN)) {
        signal_take(session);
    }
    for (size_t i = 0; i < CHANNEL_COUNT; ++i) {
        channel_turn(session, &session->channels[i], descriptors);
    }
    input_turn(session, descriptors);
    if (!session->is_gone) {
        backend_take(session); // behind the channels: a status counts more than that QEMU ended
    }
}

// -1 for ever.
static int wait_ms(const struct session *session, int64_t *next_ns)
{
    int64_t next = session->deadline_ns;
    if (session->has_end && session->gone_ns < next) {
        next = session->gone_ns;
    }
    if (!session->outcome->has_started && session->start_ns < next) {
        next = session->start_ns;
    }
    *next_ns = next;
    if (next == INT64_MAX) {
        return -1;
    }
    const int64_t left = next - session_now_ns();
    return left <= 0 ? 0 : left > 1000 * SECOND_NS ? 1000000 : (int)(left / 1000000) + 1;
}

// Nothing more will come: the machine is gone and all is written.
static bool is_drained(const struct session *session)
{
    for (size_t i = 0; i < CHANNEL_COUNT; ++i) {
        const struct channel *channel = &session->channels[i];
        if (channel->fd >= 0 || !stream_is_empty(&channel->stream)) {
            return false;
        }
    }
    return session->is_gone;
}

static bool ends_at_once(enum session_end end)
{
    return end == END_SIGNAL || end == END_OUTPUT_CLOSED || end == END_TIMEOUT ||
           end == END_STOPPED || end == END_NOT_STARTED;
}

static void session_loop(struct session *session)
{
    for (;;) {
        struct descriptors descriptors;
        int64_t next_ns;
        descriptors_make(session, &descriptors);
        const int wait = wait_ms(session, &next_ns);
        if (poll(descriptors.list, descriptors.count, wait) < 0 && errno != EINTR) {
            fail(STATUS_CANNOT, "poll: %s", strerror(errno));
        }
        session_turn(session, &descriptors);
        if ((session->has_end && ends_at_once(session->outcome->end)) || is_drained(session)) {
            return;
        }
        const int64_t now = session_now_ns();
        if (now >= session->deadline_ns) {
            end_set(session, END_TIMEOUT, 0);
            return;
        }
        if (now >= session->start_ns && !session->outcome->has_started) {
            end_set(session, END_NOT_STARTED, 0);
            return;
        }
        if (session->has_end && now >= session->gone_ns) {
            return;
        }
    }
}

static void channels_open(struct session *session, struct machine *machine)
{
    for (size_t i = 0; i < CHANNEL_COUNT; ++i) {
        struct channel *channel = &session->channels[i];
        *channel = (struct channel){.listener = -1, .fd = -1, .output = -1};
        if ((i != CHANNEL_INPUT && i != CHANNEL_OUTPUT) || machine->has_streams) {
            channel->listener = scratch_listen(channel_names[i], &machine->sockets[i]);
        }
    }
    session->channels[CHANNEL_CONSOLE].output =
        machine->has_streams ? STDERR_FILENO : STDOUT_FILENO;
    session->channels[CHANNEL_OUTPUT].output = STDOUT_FILENO;
}

static void channels_close(struct session *session, struct machine *machine)
{
    for (size_t i = 0; i < CHANNEL_COUNT; ++i) {
        struct channel *channel = &session->channels[i];
        if (channel->listener >= 0) {
            close(channel->listener);
        }
        if (channel->fd >= 0) {
            close(channel->fd);
        }
        if (machine->sockets[i] != NULL) {
            (void)unlink(machine->sockets[i]);
        }
        free(machine->sockets[i]);
        machine->sockets[i] = NULL;
    }
}

void session_run(const struct backend *backend, struct machine *machine, int64_t deadline_ns,
                 int64_t start_ns, struct session_outcome *outcome)
{
    static struct session session;
    session = (struct session){
        .backend = backend, .outcome = outcome, .deadline_ns = deadline_ns, .start_ns = start_ns};
    *outcome = (struct session_outcome){.end = END_KILLED};
    input.replayed = 0;
    input.stream.from = input.stream.to = 0;
    channels_open(&session, machine);
    char *wrong = backend->start(machine);
    if (wrong == NULL) {
        session_loop(&session);
    }
    (void)snprintf(outcome->explanation, sizeof outcome->explanation, "%s",
                   wrong == NULL ? backend->explanation() : wrong);
    free(wrong);
    backend->stop();
    channels_close(&session, machine);
    outcome->can_be_repeated = !outcome->has_said && !input.is_dropped;
}
