// SPDX-License-Identifier: BSD-3-Clause
// net_receiver.c: see net_receiver.h.
//
// Buffers wait in a ring for who reads: from the descriptor into as many as the longest frame
// takes, of which it keeps those that are not filled. That is the vCPU that the queue interrupts
// while it idles, so that a frame wakes who is to see it and nobody else; and a worker while that
// is busy.
//
// With a ring, those that follow the first of a burst come by submissions of several reads, each
// with a frame's worth of buffers, which are given in the order of the reads.
//
// READER_NONE is the vCPU's to take: when it idles, and now and then when it sends long frames,
// because who sends much is answered. When it goes on nothing is done at first: it will soon idle
// again. The worker looks each REST_NS, and takes over where it has not been the reader since; once
// it has idled as long it sleeps (READER_VCPU_ALONE) until it is told that it goes on. The worker
// gives it back behind a frame, if the vCPU has idled meanwhile.
#include "hal-linux/dev/net_receiver.h"

#include <errno.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/virtio_net.h>
#include <time.h>

#include "hal-linux/dev/net.h"
#include "hal-linux/entry.h"
#include "hal-linux/syscall.h"

enum {
    REST_NS = 1000000,
    SEVERAL_MIN = 2, // frames of a submission
    SEVERAL_MAX = 32,
    QUICK_CYCLES = 2500,  // fewer than a wait takes
    LOOK_CYCLES = 250000, // about a tenth of REST_NS
};

enum reader {
    READER_WORKER, // or nobody yet
    READER_NONE,
    READER_VCPU,
    READER_VCPU_ALONE, // and the worker is to be woken when it ends
};

static void word_wait(_Atomic uint32_t *word, uint32_t value)
{
    (void)syscall6(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value, 0, 0, 0);
}

static void word_wake(_Atomic uint32_t *word)
{
    (void)syscall3(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, INT_MAX);
}

// ---- Frames, by whoever reads -----------------------------------------------------------------

static void buffer_add(struct net_receiver *receiver, struct device_chain *chain)
{
    if (chain->in_count != 0 || chain->parts[0].iov_len <= NET_VIRTIO_HEADER) {
        device_chain_done(chain, 0);
        return;
    }
    receiver->chains[receiver->held] = chain; // room for all that the queue has
    receiver->parts[receiver->held++] = chain->parts[0];
}

static bool buffer_take(struct net_receiver *receiver)
{
    const uint32_t taken = receiver->taken;
    if (atomic_load(&receiver->given) == taken) {
        return false;
    }
    struct device_chain *chain = receiver->ring[taken % DEVICE_RING_MAX];
    atomic_store(&receiver->taken, taken + 1);
    buffer_add(receiver, chain);
    return true;
}

// Whether there are buffers for a frame.
static bool buffers_take(struct net_receiver *receiver)
{
    while (receiver->size < receiver->frame_max && receiver->count < NET_RECEIVER_BUFFERS) {
        const uint32_t at = receiver->first + receiver->count;
        if (at < receiver->held) {
            receiver->size += receiver->parts[at].iov_len;
            ++receiver->count;
        } else if (!buffer_take(receiver)) {
            return false;
        }
    }
    return true;
}

// Gives the driver those of the buffers that a frame has filled, of count that begin there; the
// answer is how many.
static uint32_t buffers_give(struct net_receiver *receiver, uint32_t at, uint32_t count,
                             size_t size)
{
    const struct iovec *parts = receiver->parts + at;
    struct virtio_net_hdr_mrg_rxbuf *header = parts[0].iov_base;
    uint32_t used = 0;
    if (receiver->capture != 0) {
        capture_frame(receiver->capture, parts, count, NET_VIRTIO_HEADER, size);
    }
    for (size_t left = size; used == 0 || left > 0; ++used) {
        const size_t part = left < parts[used].iov_len ? left : parts[used].iov_len;
        receiver->chains[at + used]->done_written = (uint32_t)part;
        left -= part;
    }
    header->num_buffers = (uint16_t)used;
    device_chains_done(receiver->chains + at, used);
    return used;
}

// Those in [from, end) go to place; the answer is where they end.
static uint32_t buffers_move(struct net_receiver *receiver, uint32_t place, uint32_t from,
                             uint32_t end)
{
    for (; from < end; ++from, ++place) {
        receiver->chains[place] = receiver->chains[from];
        receiver->parts[place] = receiver->parts[from];
    }
    return place;
}

static void frame_give(struct net_receiver *receiver, size_t size)
{
    const uint32_t used = buffers_give(receiver, 0, receiver->count, size);
    for (uint32_t i = 0; i < used; ++i) {
        receiver->size -= receiver->parts[i].iov_len;
    }
    receiver->count -= used;
    receiver->held = buffers_move(receiver, 0, used, receiver->held);
}

// ---- Several frames ---------------------------------------------------------------------------

// Asks for at most that many, as there are buffers. The answer is how many; counts: their buffers.
static uint32_t several_ask(struct net_receiver *receiver, uint32_t most, uint8_t *counts)
{
    uint32_t asked = 0;
    while (asked < most && buffers_take(receiver)) {
        uring_read(receiver->several, receiver->fd, receiver->parts + receiver->first,
                   receiver->count);
        counts[asked++] = (uint8_t)receiver->count;
        receiver->first += receiver->count;
        receiver->count = 0;
        receiver->size = 0;
    }
    return asked;
}

// 0, or -errno of one that there was not.
static long several_give(struct net_receiver *receiver, uint32_t asked, const uint8_t *counts)
{
    uint32_t at = 0, kept = 0;
    long failure = 0;
    for (uint32_t i = 0; i < asked; ++i) {
        const long size = receiver->several->results[i];
        uint32_t used = 0;
        if (size >= 0) {
            used = buffers_give(receiver, at, counts[i], (size_t)size);
            ++receiver->burst;
        } else {
            failure = size;
        }
        kept = buffers_move(receiver, kept, at + used, at + counts[i]);
        at += counts[i];
    }
    receiver->held = buffers_move(receiver, kept, at, receiver->held);
    receiver->first = receiver->count = 0;
    receiver->size = 0;
    return failure;
}

// All that are there, in submissions that grow; 0: there are no more buffers. Or -errno.
static long several_take(struct net_receiver *receiver)
{
    uint8_t counts[SEVERAL_MAX];
    uint32_t most = SEVERAL_MIN, asked;
    long failure = 0;
    while (failure == 0 && (asked = several_ask(receiver, most, counts)) > 0) {
        (void)uring_run(receiver->several);
        failure = several_give(receiver, asked, counts);
        most = most < SEVERAL_MAX ? 2 * most : most;
    }
    return failure;
}

// ---- The vCPU ---------------------------------------------------------------------------------

static struct net_receiver *receiver_of(struct vcpu_source *source)
{
    return (struct net_receiver *)((char *)source - offsetof(struct net_receiver, source));
}

static bool vcpu_enter(struct vcpu_source *source)
{
    struct net_receiver *receiver = receiver_of(source);
    uint32_t none = READER_NONE;
    const bool is_ours = atomic_compare_exchange_strong(&receiver->reader, &none, READER_VCPU);
    if (!is_ours) {
        atomic_store_explicit(&receiver->is_wanted, true, memory_order_relaxed);
    }
    return is_ours;
}

static void vcpu_leave(struct vcpu_source *source)
{
    struct net_receiver *receiver = receiver_of(source);
    const uint32_t idles = atomic_load_explicit(&receiver->idles, memory_order_relaxed);
    atomic_store_explicit(&receiver->idles, idles + 1, memory_order_relaxed);
    receiver->looked = __builtin_ia32_rdtsc();
    if (atomic_exchange(&receiver->reader, receiver->is_cut ? READER_WORKER : READER_NONE) ==
            READER_VCPU_ALONE ||
        receiver->is_cut) {
        word_wake(&receiver->reader);
    }
}

// Whether there was a frame, of that size or -errno.
static bool frame_take(struct net_receiver *receiver, long size)
{
    if (size >= 0) {
        frame_give(receiver, (size_t)size);
        ++receiver->burst;
        return true;
    }
    receiver->is_cut = size != -EINTR && size != -EAGAIN;
    return false;
}

static void frames_take(struct net_receiver *receiver)
{
    while (buffers_take(receiver) &&
           frame_take(receiver, syscall6(SYS_preadv2, receiver->fd, (long)receiver->parts,
                                         receiver->count, -1, -1, RWF_NOWAIT))) {
        if (receiver->several != NULL) {
            const long failure = several_take(receiver);
            receiver->is_cut = failure != 0 && failure != -EAGAIN;
            return;
        }
    }
}

static void vcpu_look(struct vcpu_source *source)
{
    struct net_receiver *receiver = receiver_of(source);
    receiver->burst = 0;
    frames_take(receiver);
}

// Looks for more behind the first frame only where it is likely to be there: more were there the
// last time, or this one was.
static bool vcpu_wait(struct vcpu_source *source)
{
    struct net_receiver *receiver = receiver_of(source);
    while (atomic_load(&receiver->vcpu->pending) == 0) {
        if (!buffers_take(receiver) || receiver->is_cut) {
            return false;
        }
        bool is_likely = receiver->burst > 1;
        const uint64_t began = __builtin_ia32_rdtsc();
        if (!frame_take(receiver, entry_read(receiver->fd, receiver->parts, receiver->count))) {
            continue;
        }
        is_likely = is_likely || __builtin_ia32_rdtsc() - began < QUICK_CYCLES;
        receiver->burst = 1;
        if (is_likely) {
            frames_take(receiver);
        }
    }
    return true;
}

void net_receiver_sent(struct net_receiver *receiver)
{
    if (receiver->can_look && receiver->vcpu == vcpu_self() &&
        __builtin_ia32_rdtsc() - receiver->looked > LOOK_CYCLES && vcpu_enter(&receiver->source)) {
        vcpu_look(&receiver->source);
        vcpu_leave(&receiver->source);
    }
}

// ---- The worker -------------------------------------------------------------------------------

// Until the driver uses the queue.
static void use_await(struct net_receiver *receiver)
{
    while (atomic_load(&receiver->is_used) == 0) {
        word_wait(&receiver->is_used, 0);
    }
}

// Its size with the header, or -errno.
static long frame_read(struct net_receiver *receiver)
{
    long size;
    do {
        use_await(receiver);
        size = syscall3(SYS_readv, receiver->fd, (long)receiver->parts, receiver->count);
    } while (size == -EINTR || (size == -EBADFD && atomic_load(&receiver->is_used) == 0));
    return size;
}

static void buffers_await(struct net_receiver *receiver)
{
    while (!buffers_take(receiver)) {
        const uint32_t taken = atomic_load(&receiver->taken);
        if (atomic_load(&receiver->given) == taken) {
            word_wait(&receiver->given, taken);
        }
    }
}

// The vCPU may have it, until it is the worker's again.
static void worker_rest(struct net_receiver *receiver)
{
    const struct timespec rest = {.tv_nsec = REST_NS};
    uint32_t before = atomic_load(&receiver->idles);
    atomic_store(&receiver->reader, READER_NONE);
    vcpu_source_free(receiver->vcpu);
    for (;;) {
        (void)syscall3(SYS_nanosleep, (long)&rest, 0, 0);
        const uint32_t idles = atomic_load(&receiver->idles);
        uint32_t reader = atomic_load(&receiver->reader);
        if (reader == READER_WORKER) {
            return;
        }
        if (idles != before) {
            before = idles;
        } else if (reader == READER_NONE) {
            if (atomic_compare_exchange_strong(&receiver->reader, &reader, READER_WORKER)) {
                return;
            }
        } else if (atomic_compare_exchange_strong(&receiver->reader, &reader, READER_VCPU_ALONE)) {
            while (atomic_load(&receiver->reader) == READER_VCPU_ALONE) {
                word_wait(&receiver->reader, READER_VCPU_ALONE);
            }
        }
    }
}

// On a worker, for ever; with the first buffer.
static void worker_run(struct device_chain *chain)
{
    struct net_receiver *receiver = (struct net_receiver *)(uintptr_t)chain->note[0];
    buffer_add(receiver, chain);
    for (;;) {
        buffers_await(receiver);
        const bool were_several = receiver->burst > 1;
        const uint64_t began = __builtin_ia32_rdtsc();
        const long size = frame_read(receiver);
        if (size < 0) {
            return; // the wire is cut: the buffers stay here
        }
        frame_give(receiver, (size_t)size);
        receiver->burst = 1;
        if (receiver->several != NULL &&
            (were_several || __builtin_ia32_rdtsc() - began < QUICK_CYCLES)) {
            (void)several_take(receiver); // what has failed does so again
        }
        if (receiver->can_look && atomic_exchange(&receiver->is_wanted, false)) {
            worker_rest(receiver);
        }
    }
}

// ---- For net.c --------------------------------------------------------------------------------

// One of several devices of a vCPU's is its source; the others have their workers.
static void source_offer(struct net_receiver *receiver, uint32_t cpu)
{
    struct vcpu_source *none = NULL;
    receiver->vcpu = &vcpus[cpu];
    receiver->can_look =
        receiver->can_look &&
        atomic_compare_exchange_strong(&receiver->vcpu->source, &none, &receiver->source);
}

void net_receiver_serve(struct net_receiver *receiver, struct device_chain *chain)
{
    if (!receiver->is_served) {
        receiver->is_served = true;
        source_offer(receiver, device_chain_cpu(chain));
        chain->note[0] = (uintptr_t)receiver;
        device_chain_defer(chain, worker_run);
        return;
    }
    const uint32_t given = receiver->given; // the ring has room for all that the queue has
    receiver->ring[given % DEVICE_RING_MAX] = chain;
    atomic_store(&receiver->given, given + 1);
    // seq_cst: a worker that is the reader by then sees the buffer, or waits already.
    if (atomic_load(&receiver->reader) == READER_WORKER && atomic_load(&receiver->taken) == given) {
        word_wake(&receiver->given);
    }
}

void net_receiver_frame_max(struct net_receiver *receiver, size_t size)
{
    receiver->frame_max = size;
}

void net_receiver_use(struct net_receiver *receiver, bool is_used)
{
    atomic_store(&receiver->is_used, is_used);
    word_wake(&receiver->is_used);
}

void net_receiver_init(struct net_receiver *receiver, int fd, int capture, struct uring *several)
{
    char byte;
    const struct iovec part = {&byte, 1};
    receiver->fd = fd;
    receiver->capture = capture;
    receiver->can_look =
        syscall6(SYS_preadv2, fd, (long)&part, 1, -1, -1, RWF_NOWAIT) != -EOPNOTSUPP;
    receiver->several = receiver->can_look ? several : NULL;
    receiver->source = (struct vcpu_source){vcpu_enter, vcpu_look, vcpu_wait, vcpu_leave};
}
