// SPDX-License-Identifier: BSD-3-Clause
// fs_stream.c: the far end of a file system: requests about the standard streams.
//
// What the host answers them is input of a run, and not the same another time. So the machine is
// told of each answer, and may know it from a recording; then the host is asked for nothing, and of
// the host's streams nothing changes but that what is written appears there.
//
// A request about a stream is known by note[3] of its chain: flags, the stream, the operation, and
// the error of an answer that a worker is to give.
#include <errno.h>
#include <poll.h>

#include "hal-linux/dev/fs_request.h"
#include "hal-linux/machine.h"
#include "hal-linux/syscall.h"

enum {
    STREAM_SHIFT = 8,
    STREAM_MASK = 3,
    OPERATION_SHIFT = 16,
    OPERATION_MASK = 0xffff,
    ERROR_SHIFT = 32
};

static uint32_t operation_of(const struct device_chain *chain)
{
    return (uint32_t)(chain->note[3] >> OPERATION_SHIFT) & OPERATION_MASK;
}

static uint32_t stream_of(const struct device_chain *chain)
{
    return (uint32_t)(chain->note[3] >> STREAM_SHIFT) & STREAM_MASK;
}

static long events_ask(int fd, uint32_t events, int patience_ms, uint32_t *ready)
{
    struct pollfd item = {.fd = fd, .events = (short)events};
    long count;
    do {
        count = syscall3(SYS_poll, (long)&item, 1, patience_ms);
    } while (count == -EINTR);
    *ready = count > 0 ? (uint32_t)(unsigned short)item.revents : 0;
    return count;
}

uint32_t fs_events_now(int fd, uint32_t kind, uint32_t events, bool waits)
{
    const bool is_ours = (kind & FS_STREAM) != 0;
    uint32_t asked = events, ready;
    int patience_ms = is_ours ? machine_stream_patience((uint32_t)fd, &asked, waits) : 0;
    if (asked == 0) {
        return 0;
    }
    if (events_ask(fd, asked, 0, &ready) == 0 && patience_ms > 0) {
        machine_stream_busy(true);
        if (events_ask(fd, asked, patience_ms, &ready) == 0) {
            machine_stream_lost((uint32_t)fd);
        }
        machine_stream_busy(false);
    }
    // Whether the other end of what is read has hung up is not known before it has been waited for.
    ready = asked == events ? ready : ready & ~(uint32_t)POLLHUP;
    return is_ours ? machine_stream_events(ready) : ready;
}

size_t fs_stream_part(struct device_chain *chain, size_t size)
{
    if (chain->note[3] != 0) {
        chain->note[3] |= FS_IS_CUT;
    }
    return machine_transfer(size);
}

void fs_stream_note(const struct device_chain *chain, int error, size_t size)
{
    const struct seed_answer answer = {.operation = operation_of(chain),
                                       .stream = stream_of(chain),
                                       .is_late = (chain->note[3] & FS_IS_LATE) != 0,
                                       .is_cut = (chain->note[3] & FS_IS_CUT) != 0,
                                       .error = error,
                                       .size = size};
    machine_stream_note(&answer, &chain->parts[chain->in_count], chain->out_count,
                        sizeof(struct fuse_out_header));
}

// ---- Answers from a recording --------------------------------------------------------

// All of it, however long the host takes; where that cannot be, nothing is done.
static void write_out(uint32_t stream, const struct iovec *data, uint32_t count, size_t size)
{
    uint32_t ready;
    machine_stream_busy(true);
    for (uint32_t i = 0; i < count && size > 0; ++i) {
        const char *at = data[i].iov_base;
        size_t left = data[i].iov_len < size ? data[i].iov_len : size;
        size -= left;
        while (left > 0) {
            long done = syscall3(SYS_write, (long)stream, (long)at, (long)left);
            if (done == -EAGAIN && events_ask((int)stream, POLLOUT, -1, &ready) > 0) {
                continue;
            }
            if (done < 0 && done != -EINTR) {
                size = left = 0;
            } else if (done > 0) {
                at += done;
                left -= (size_t)done;
            }
        }
    }
    machine_stream_busy(false);
}

static void written_show(const struct device_chain *chain, size_t size)
{
    const struct iovec *data;
    uint32_t count;
    if (fs_parts_after(chain->parts, chain->in_count,
                       sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in), &data,
                       &count)) {
        write_out(stream_of(chain), data, count, size);
    }
}

// Beyond the recording: the input is at its end, and what is written is taken.
static void unknown_answer(struct fs_request *request)
{
    struct device_chain *chain = request->chain;
    struct fuse_write_out written = {.size = ((struct fuse_write_in *)request->body)->size};
    struct fuse_poll_out ready = {.revents = ((struct fuse_poll_in *)request->body)->events};
    switch (operation_of(chain)) {
    case FUSE_READ:
        fs_answer_data(chain, 0);
        break;
    case FUSE_WRITE:
        written_show(chain, written.size);
        fs_answer(chain, 0, &written, sizeof written);
        break;
    case FUSE_POLL:
        fs_answer(chain, 0, &ready, sizeof ready);
        break;
    default:
        fs_fail(request, -EIO);
    }
}

static void known_answer(struct device_chain *chain, const struct seed_answer *answer)
{
    if (operation_of(chain) == FUSE_WRITE && answer->size == sizeof(struct fuse_write_out)) {
        written_show(chain, ((const struct fuse_write_out *)answer->data)->size);
    }
    fs_answer(chain, answer->error, answer->data, answer->size);
}

static void known_answer_deferred(struct device_chain *chain)
{
    const struct seed_answer answer = {.error = -(int)(chain->note[3] >> ERROR_SHIFT),
                                       .data = (const char *)chain->note[1],
                                       .size = chain->note[2]};
    known_answer(chain, &answer);
}

// Which of them it is about; no stream: -1.
static int stream_asked(const struct fs_request *request)
{
    uint64_t number = request->header->nodeid - fs_node_of(0);
    switch (request->header->opcode) {
    case FUSE_LOOKUP:
        number = (uint64_t)(unsigned char)request->body[0] - '0';
        break;
    case FUSE_READ:
    case FUSE_WRITE:
    case FUSE_POLL:
    case FUSE_IOCTL:
    case FUSE_LSEEK:
    case FUSE_FSYNC:
    case FUSE_FALLOCATE:
    case FUSE_RELEASE:
        number = *(const uint64_t *)request->body; // the handle
        break;
    default:
        break;
    }
    return number <= 2 ? (int)number : -1;
}

bool fs_stream_serve(struct fs_request *request)
{
    struct device_chain *chain = request->chain;
    const uint32_t operation = request->header->opcode;
    int stream = stream_asked(request);
    if (stream < 0 || operation == FUSE_FORGET) {
        return false;
    }
    chain->note[3] = (uint64_t)operation << OPERATION_SHIFT | (uint64_t)stream << STREAM_SHIFT;
    size_t size = ((const struct fuse_read_in *)request->body)->size; // of a READ or WRITE
    struct seed_answer answer;
    if (!machine_stream_known(operation, (uint32_t)stream, size, &answer)) {
        return false;
    }
    if (answer.operation == 0) {
        unknown_answer(request);
        return true;
    }
    if (answer.is_cut) {
        (void)fs_stream_part(chain, size);
    }
    if (answer.is_late) {
        chain->note[1] = (uint64_t)answer.data;
        chain->note[2] = answer.size;
        chain->note[3] |= (uint64_t)-answer.error << ERROR_SHIFT;
        fs_defer(chain, known_answer_deferred);
    } else {
        known_answer(chain, &answer);
    }
    return true;
}
