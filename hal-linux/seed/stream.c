// SPDX-License-Identifier: BSD-3-Clause
// stream.c: the standard streams as input of a run: when what comes is there, and what is written
// down of it.
//
// Nothing may depend on how fast the host is. So whoever waits for input learns that it is there
// from the wait (jobs.c), in which the machine stands still, and not before; what is asked without
// a wait, and output, has PATIENCE_MS for the host to get ready. A host that takes longer changes
// the run; that is said, unless a recording knows of it.
//
// A worker's answer is written down by the machine's own thread, once that sees that it is there.
#include <linux/fuse.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "hal-linux/dev/device.h"
#include "hal-linux/seed/seed.h"
#include "hal-linux/seed/tape.h"
#include "hal-linux/syscall.h"

enum { STREAMS = 3, PATIENCE_MS = 1000, OPERATIONS = 64, PIECE_SIZE = 256 };

// ---- What is there when --------------------------------------------------------------

static _Atomic bool is_arrived[STREAMS]; // input that somebody waited for, and nobody has read
static _Atomic bool is_slow[STREAMS];    // it took longer

int machine_stream_patience(uint32_t stream, uint32_t *events, bool waits)
{
    const bool is_both = (*events & POLLIN) != 0 && (*events & POLLOUT) != 0;
    if (waits && !is_arrived[stream]) {
        *events &= ~(uint32_t)(POLLIN | POLLPRI);
    } else if (is_both) {
        return 0; // a terminal: of the two one is there, and the other need not be wanted
    }
    return is_slow[stream] ? 0 : PATIENCE_MS;
}

void machine_stream_lost(uint32_t stream)
{
    is_slow[stream] = true;
    if (!record_is_on) {
        point_spoil("a standard stream was not ready within a second");
    }
}

void machine_stream_arrived(uint32_t stream, uint32_t events)
{
    if ((events & ~(uint32_t)POLLOUT) != 0) {
        is_arrived[stream] = true;
    }
}

void machine_stream_taken(uint32_t stream)
{
    is_arrived[stream] = false;
}

// Whether the other end has hung up behind what is still to be read is chance.
uint32_t machine_stream_events(uint32_t events)
{
    return (events & POLLIN) != 0 ? events & ~(uint32_t)POLLHUP : events;
}

void machine_stream_busy(bool is_busy)
{
    watch_pause(is_busy);
}

// ---- Writing down --------------------------------------------------------------------

// An answer that a worker gave, with its bytes behind it.
static struct late {
    struct late *next;
    struct seed_answer answer;
    char data[];
} * _Atomic lates;

static void late_add(const struct seed_answer *answer, const struct iovec *parts,
                     uint32_t part_count, size_t skip)
{
    long memory = syscall6(SYS_mmap, 0, (long)(sizeof(struct late) + answer->size),
                           PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory < 0 && memory > -4096) {
        return; // the replay will say that it is another run
    }
    struct late *late = (struct late *)memory;
    late->answer = *answer;
    late->answer.data = late->data;
    (void)device_gather(parts, part_count, skip, late->data, answer->size);
    late->next = atomic_load(&lates);
    while (!atomic_compare_exchange_weak(&lates, &late->next, late)) {
    }
}

void stream_note_late(void)
{
    struct late *late = atomic_load(&lates) == NULL ? NULL : atomic_exchange(&lates, NULL);
    while (late != NULL) {
        struct late *next = late->next;
        record_answer(&late->answer);
        record_bytes(late->data, late->answer.size);
        syscall3(SYS_munmap, (long)late, (long)(sizeof *late + late->answer.size), 0);
        late = next;
    }
}

void machine_stream_note(const struct seed_answer *answer, const struct iovec *parts,
                         uint32_t part_count, size_t skip)
{
    char piece[PIECE_SIZE];
    if (!record_is_on) {
        return;
    }
    if (vcpu_self()->index == VCPU_HOSTED) {
        late_add(answer, parts, part_count, skip);
        return;
    }
    record_answer(answer);
    for (size_t done = 0, size; done < answer->size; done += size) {
        size = answer->size - done < sizeof piece ? answer->size - done : sizeof piece;
        (void)device_gather(parts, part_count, skip + done, piece, size);
        record_bytes(piece, size);
    }
}

// ---- Known from a recording ----------------------------------------------------------

static const struct seed_recording *recording; // or NULL

// Of an operation on a stream: the answers from `next` on are still to come; of that, so much has
// been read.
static struct known {
    size_t next, used;
    const struct seed_answer *last; // that was given
} knowns[OPERATIONS][STREAMS];

void stream_init(const struct seed_options *options)
{
    recording = options->replay;
}

bool machine_stream_known(uint32_t operation, uint32_t stream, size_t room,
                          struct seed_answer *answer)
{
    if (recording == NULL || operation >= OPERATIONS) {
        return false;
    }
    struct known *known = &knowns[operation][stream];
    const struct seed_answer *answers = recording->answers;
    while (known->next < recording->answer_count &&
           (answers[known->next].operation != operation || answers[known->next].stream != stream)) {
        ++known->next;
    }
    bool is_over = known->next == recording->answer_count;
    bool is_flow = operation == FUSE_READ || operation == FUSE_WRITE || operation == FUSE_POLL;
    known->last = !is_over ? &answers[known->next] : is_flow ? NULL : known->last;
    *answer = known->last == NULL ? (struct seed_answer){0} : *known->last;
    if (operation == FUSE_READ && answer->size > known->used + room) {
        answer->data += known->used;
        answer->size = room;
        known->used += room;
        return true;
    }
    if (operation == FUSE_READ) {
        answer->data += known->used;
        answer->size -= known->used;
        known->used = 0;
    }
    known->next += !is_over;
    return true;
}
