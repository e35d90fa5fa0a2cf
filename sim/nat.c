// SPDX-License-Identifier: BSD-3-Clause
// nat.c: see nat.h.
//
// The work is libslirp's, the library that QEMU's user network is: TCP between a guest and host
// sockets is a protocol implementation of its own, outside of the kernel, and this one is kept by
// others. It is loaded when it is wanted, so that osv-sim starts without it, and without glib.
//
// One thread does it all: it waits for the wire, the sockets and the time. It never waits for the
// machine to take a frame, as the machine may be waiting for us: what does not go at once is kept.
#include "sim/nat.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "sim/nat_plan.h"
#include "sim/options.h"
#include "sim/tool/port.h"

enum {
    HEADER_MAX = 16,
    FRAME_MAX = 65536 + 64,
    FRAMES_AT_ONCE = 64,
    KEPT_MAX = 4 << 20, // bytes of frames that the machine has not taken; more are lost
    TIMER_MAX = 4,
    FOR_EVER = -1,
};

struct frame { // one that waits for room on the wire
    struct frame *next;
    size_t size;
    char data[];
};

struct timer {
    SlirpTimerCb run;
    void *argument;
    int64_t due_ms; // INT64_MAX: it is not set
};

static struct {
    typeof(slirp_new) *make;
    typeof(slirp_input) *input;
    typeof(slirp_pollfds_fill) *fill;
    typeof(slirp_pollfds_poll) *poll;
    typeof(slirp_add_hostxfwd) *publish;
} library;

static Slirp *slirp;
static int wire;
static size_t header; // bytes
static struct frame *kept_first, **kept_last = &kept_first;
static size_t kept_size;
static struct timer timers[TIMER_MAX];
static struct pollfd *polled; // the wire, and what libslirp waits for
static size_t polled_count, polled_max;

// ---- The wire ----------------------------------------------------------------------------

static bool frame_send(const void *data, size_t size)
{
    static const char zeros[HEADER_MAX];
    struct iovec parts[] = {{(void *)(uintptr_t)zeros, header}, {(void *)(uintptr_t)data, size}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return sendmsg(wire, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN;
}

static ssize_t packet_send(const void *data, size_t size, void *unused)
{
    (void)unused;
    if (kept_first == NULL && frame_send(data, size)) {
        return (ssize_t)size;
    }
    struct frame *frame = kept_size + size > KEPT_MAX ? NULL : malloc(sizeof *frame + size);
    if (frame != NULL) {
        *frame = (struct frame){.size = size};
        memcpy(frame->data, data, size);
        *kept_last = frame;
        kept_last = &frame->next;
        kept_size += size;
    }
    return (ssize_t)size; // or it is lost, as on any wire
}

static void kept_send(void)
{
    struct frame *frame;
    while ((frame = kept_first) != NULL && frame_send(frame->data, frame->size)) {
        kept_first = frame->next;
        kept_last = kept_first == NULL ? &kept_first : kept_last;
        kept_size -= frame->size;
        free(frame);
    }
}

static void frames_take(void)
{
    static uint8_t data[FRAME_MAX];
    ssize_t size;
    for (int i = 0; i < FRAMES_AT_ONCE && (size = recv(wire, data, sizeof data, MSG_DONTWAIT)) > 0;
         ++i) {
        if ((size_t)size > header) {
            library.input(slirp, data + header, (int)((size_t)size - header));
        }
    }
}

// ---- What libslirp asks for --------------------------------------------------------------

static int64_t clock_ns(void *unused)
{
    struct timespec now;
    (void)unused;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void *timer_new(SlirpTimerCb run, void *argument, void *unused)
{
    (void)unused;
    for (struct timer *timer = timers; timer < timers + TIMER_MAX; ++timer) {
        if (timer->run == NULL) {
            *timer = (struct timer){run, argument, INT64_MAX};
            return timer;
        }
    }
    abort(); // it has one
}

static void timer_free(void *timer, void *unused)
{
    (void)unused;
    *(struct timer *)timer = (struct timer){.due_ms = INT64_MAX};
}

static void timer_set(void *timer, int64_t due_ms, void *unused)
{
    (void)unused;
    ((struct timer *)timer)->due_ms = due_ms;
}

static void guest_error(const char *message, void *unused)
{
    (void)unused;
    (void)message; // a program may send what it likes
}

static void fd_note(int fd, void *unused)
{
    (void)fd;
    (void)unused;
}

static void notify(void *unused)
{
    (void)unused; // there is but this thread
}

static const SlirpCb callbacks = {
    .send_packet = packet_send,
    .guest_error = guest_error,
    .clock_get_ns = clock_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_set,
    .register_poll_fd = fd_note,
    .unregister_poll_fd = fd_note,
    .notify = notify,
};

// ---- Waiting -----------------------------------------------------------------------------

// Bits of from[i] as those of to[i].
static int events_map(int events, const int from[5], const int to[5])
{
    int mapped = 0;
    for (int i = 0; i < 5; ++i) {
        mapped |= (events & from[i]) != 0 ? to[i] : 0;
    }
    return mapped;
}

static const int library_events[] = {SLIRP_POLL_IN, SLIRP_POLL_OUT, SLIRP_POLL_PRI, SLIRP_POLL_ERR,
                                     SLIRP_POLL_HUP};
static const int host_events[] = {POLLIN, POLLOUT, POLLPRI, POLLERR, POLLHUP};

// What does not fit is looked at in the next turn.
static int poll_add(int fd, int events, void *unused)
{
    (void)unused;
    if (polled_count == polled_max) {
        struct pollfd *more = realloc(polled, (2 * polled_max + 8) * sizeof *more);
        if (more == NULL) {
            return -1;
        }
        polled = more;
        polled_max = 2 * polled_max + 8;
    }
    polled[polled_count] =
        (struct pollfd){.fd = fd, .events = (short)events_map(events, library_events, host_events)};
    return (int)polled_count++;
}

static int poll_tell(int index, void *unused)
{
    (void)unused;
    return index < 0 ? 0 : events_map(polled[index].revents, host_events, library_events);
}

// Milliseconds until the next timer, limit at most.
static uint32_t timers_wait(uint32_t limit)
{
    const int64_t now = clock_ns(NULL) / 1000000;
    for (const struct timer *timer = timers; timer < timers + TIMER_MAX; ++timer) {
        const int64_t left = timer->due_ms <= now ? 0 : timer->due_ms - now;
        limit = timer->run != NULL && left < limit ? (uint32_t)left : limit;
    }
    return limit;
}

static void timers_run(void)
{
    const int64_t now = clock_ns(NULL) / 1000000;
    for (struct timer *timer = timers; timer < timers + TIMER_MAX; ++timer) {
        if (timer->run != NULL && timer->due_ms <= now) {
            timer->due_ms = INT64_MAX;
            timer->run(timer->argument);
        }
    }
}

static void *nat_run(void *unused)
{
    for (;;) {
        uint32_t wait = UINT32_MAX;
        polled_count = 0;
        (void)poll_add(wire, SLIRP_POLL_IN | (kept_first != NULL ? SLIRP_POLL_OUT : 0), NULL);
        library.fill(slirp, &wait, poll_add, NULL);
        wait = timers_wait(wait);
        const int count = poll(polled, polled_count, wait > INT32_MAX ? FOR_EVER : (int)wait);
        kept_send();
        frames_take();
        library.poll(slirp, count < 0, poll_tell, NULL);
        timers_run();
    }
    return unused;
}

// ---- Beginning ---------------------------------------------------------------------------

static void library_load(void)
{
    static const struct {
        const char *name;
        void *place;
    } functions[] = {{"slirp_new", &library.make},
                     {"slirp_input", &library.input},
                     {"slirp_pollfds_fill", &library.fill},
                     {"slirp_pollfds_poll", &library.poll},
                     {"slirp_add_hostxfwd", &library.publish}};
    void *file = dlopen("libslirp.so.0", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; ++i) {
        void *function = file == NULL ? NULL : dlsym(file, functions[i].name);
        if (function == NULL) {
            options_fail(EXIT_USAGE, "--net user: %s; apt-get install libslirp0 gives it",
                         dlerror());
        }
        memcpy(functions[i].place, &function, sizeof function);
    }
}

static void slirp_make(const struct nat_plan *plan, unsigned mtu)
{
    const SlirpConfig config = {
        .version = SLIRP_CONFIG_VERSION_MIN,
        .in_enabled = true,
        .vnetwork = plan->network,
        .vnetmask = plan->mask,
        .vhost = plan->gateway,
        .vdhcp_start = plan->machine,
        .vnameserver = plan->names,
        .in6_enabled = true,
        .vprefix_addr6 = plan->prefix,
        .vprefix_len = (uint8_t)plan->prefix_bits,
        .vhost6 = plan->gateway6,
        .vnameserver6 = plan->names6,
        .if_mtu = mtu,
        .if_mru = mtu,
    };
    slirp = library.make(&config, &callbacks, NULL);
    if (slirp == NULL) {
        options_fail(EXIT_USAGE, "--net user: libslirp does not start");
    }
}

// An address of the host's leads to the machine's of the same version.
static int port_add(const struct port *port, const struct nat_plan *plan)
{
    const int kind = port->is_datagrams ? SLIRP_HOSTFWD_UDP : 0;
    if (port->is_v6) {
        struct sockaddr_in6 from = {.sin6_family = AF_INET6, .sin6_port = htons(port->host)};
        const struct sockaddr_in6 to = {
            .sin6_family = AF_INET6, .sin6_port = htons(port->guest), .sin6_addr = plan->machine6};
        (void)inet_pton(AF_INET6, port->address, &from.sin6_addr);
        return library.publish(slirp, (const struct sockaddr *)&from, sizeof from,
                               (const struct sockaddr *)&to, sizeof to,
                               kind | SLIRP_HOSTFWD_V6ONLY);
    }
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(port->host)};
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port->guest), .sin_addr = plan->machine};
    (void)inet_pton(AF_INET, port->address, &from.sin_addr);
    return library.publish(slirp, (const struct sockaddr *)&from, sizeof from,
                           (const struct sockaddr *)&to, sizeof to, kind);
}

static void port_publish(const struct port *port, const struct nat_plan *plan)
{
    if (port_add(port, plan) == 0) {
        return;
    }
    const char *remedy =
        errno == EACCES ? "; ports below 1024 are root's: give another" : "; give another";
    options_fail(EXIT_USAGE, "--publish: port %u of %s: %s%s", port->host, port->address,
                 errno == EADDRINUSE ? "is taken" : strerror(errno), remedy);
}

static void thread_start(void)
{
    pthread_t thread;
    sigset_t all, before; // process signals are the main thread's
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&thread, NULL, nat_run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        options_fail(EXIT_USAGE, "--net user: %s", strerror(error));
    }
    pthread_detach(thread);
}

int nat_start(const struct nat_options *options, size_t header_size)
{
    struct nat_plan plan;
    int ends[2];
    const char *narrow = nat_plan_make(&plan, options->addresses, options->address_count);
    if (narrow != NULL) {
        options_fail(EXIT_USAGE,
                     "--ip %s: --net user needs room for a gateway and a name server on the "
                     "network: at most /29, or /125",
                     narrow);
    }
    header = header_size;
    library_load();
    slirp_make(&plan, options->mtu);
    for (size_t i = 0; i < options->port_count; ++i) {
        port_publish(&options->ports[i], &plan);
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        options_fail(EXIT_USAGE, "--net user: %s", strerror(errno));
    }
    wire = ends[0];
    thread_start();
    return ends[1];
}
