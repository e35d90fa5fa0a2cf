// SPDX-License-Identifier: BSD-3-Clause
// wait.c: poll and select.
#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/clock.h"
#include "core/linux/signal.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/poll.h"

_Static_assert(POLL_IN == POLLIN && POLL_PRIORITY == POLLPRI && POLL_OUT == POLLOUT, "poll events");
_Static_assert(POLL_IN_NORMAL == POLLRDNORM && POLL_OUT_NORMAL == POLLWRNORM &&
                   POLL_READ_HANG_UP == POLLRDHUP,
               "poll events");
_Static_assert(POLL_ERROR == POLLERR && POLL_HANG_UP == POLLHUP && POLL_INVALID == POLLNVAL,
               "poll events");

enum { ITEM_FEW = 8 };

static void items_put(struct poll_item *items, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        if (items[i].file != NULL) {
            file_put(items[i].file);
        }
    }
}

// fds and items have count elements each.
static long poll_run(struct pollfd *fds, struct poll_item *items, size_t count, hal_ns deadline)
{
    int invalid = 0;
    for (size_t i = 0; i < count; ++i) {
        items[i] = (struct poll_item){.wanted = (unsigned short)fds[i].events};
        fds[i].revents = 0;
        if (fds[i].fd >= 0 && fd_get(fds[i].fd, &items[i].file) != 0) {
            items[i].file = NULL;
            fds[i].revents = POLLNVAL;
            ++invalid;
        }
    }
    long result = poll_wait(items, count, invalid > 0 ? 0 : deadline);
    for (size_t i = 0; i < count; ++i) {
        if (items[i].file != NULL) {
            fds[i].revents = (short)items[i].ready;
        }
    }
    items_put(items, count);
    return result < 0 ? result : result + invalid;
}

static long poll_call(struct pollfd *user, size_t count, hal_ns deadline)
{
    if (count > FD_MAX) {
        return -EINVAL;
    }
    size_t fds_size = count * sizeof(struct pollfd);
    char few[ITEM_FEW * (sizeof(struct pollfd) + sizeof(struct poll_item))]
        __attribute__((aligned(16)));
    char *memory = few;
    if (count > ITEM_FEW &&
        (memory = heap_alloc(fds_size + count * sizeof(struct poll_item))) == NULL) {
        return -ENOMEM;
    }
    struct poll_item *items = (struct poll_item *)memory;
    struct pollfd *fds = (struct pollfd *)(memory + count * sizeof(struct poll_item));
    long result = user_read(fds, user, fds_size);
    if (result == 0) {
        result = poll_run(fds, items, count, deadline);
    }
    if (result >= 0 && user_write(user, fds, fds_size) != 0) {
        result = -EFAULT;
    }
    if (memory != few) {
        heap_free(memory);
    }
    return result;
}

long linux_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
    hal_ns deadline = timeout_ms < 0 ? UINT64_MAX : hal_clock_ns() + (hal_ns)timeout_ms * 1000000;
    return poll_call(fds, count, timeout_ms == 0 ? 0 : deadline);
}

long linux_ppoll(struct pollfd *fds, size_t count, struct timespec *timeout, const uint64_t *mask,
                 size_t mask_size)
{
    hal_ns deadline;
    int error = clock_span_read(&deadline, timeout);
    if (error == 0) {
        error = signal_mask_push(mask, mask_size);
    }
    if (error != 0) {
        return error;
    }
    long result = poll_call(fds, count, deadline);
    signal_mask_pop(mask, result == -EINTR);
    clock_rest_write(timeout, deadline);
    return result;
}

// ---- select on poll --------------------------------------------------------

enum { SELECT_MAX = 1024, SELECT_WORDS = SELECT_MAX / 64 };

struct select_sets {
    uint64_t words[3][SELECT_WORDS]; // read, write, exceptional
};

static bool bit_get(const uint64_t *words, int bit)
{
    return (words[bit / 64] >> (bit % 64) & 1) != 0;
}

static int sets_read(struct select_sets *sets, fd_set *const users[3], size_t size)
{
    memset(sets, 0, sizeof *sets);
    for (int i = 0; i < 3; ++i) {
        int error = users[i] == NULL ? 0 : user_read(sets->words[i], users[i], size);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int sets_write(const struct select_sets *sets, fd_set *const users[3], size_t size)
{
    for (int i = 0; i < 3; ++i) {
        int error = users[i] == NULL ? 0 : user_write(users[i], sets->words[i], size);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static unsigned select_events(const struct select_sets *sets, int fd)
{
    unsigned wanted = 0;
    wanted |= bit_get(sets->words[0], fd) ? POLL_IN | POLL_HANG_UP | POLL_ERROR : 0;
    wanted |= bit_get(sets->words[1], fd) ? POLL_OUT | POLL_ERROR : 0;
    wanted |= bit_get(sets->words[2], fd) ? POLL_PRIORITY : 0;
    return wanted;
}

static int items_fill(struct poll_item *items, int fd_count, const struct select_sets *sets)
{
    for (int fd = 0; fd < fd_count; ++fd) {
        items[fd] = (struct poll_item){.wanted = select_events(sets, fd)};
        if (items[fd].wanted != 0 && fd_get(fd, &items[fd].file) != 0) {
            items[fd].file = NULL;
            items_put(items, (size_t)fd);
            return -EBADF;
        }
    }
    return 0;
}

static long sets_answer(struct select_sets *sets, const struct poll_item *items, int fd_count)
{
    static const unsigned events[3] = {POLL_IN | POLL_HANG_UP | POLL_ERROR, POLL_OUT | POLL_ERROR,
                                       POLL_PRIORITY};
    long count = 0;
    for (int i = 0; i < 3; ++i) {
        for (int fd = 0; fd < fd_count; ++fd) {
            uint64_t bit = (uint64_t)1 << (fd % 64);
            if (!bit_get(sets->words[i], fd)) {
                continue;
            }
            if ((items[fd].ready & events[i]) != 0) {
                ++count;
            } else {
                sets->words[i][fd / 64] &= ~bit;
            }
        }
    }
    return count;
}

static long select_call(int fd_count, fd_set *const users[3], hal_ns deadline)
{
    struct select_sets sets;
    if (fd_count < 0) {
        return -EINVAL;
    }
    fd_count = fd_count < SELECT_MAX ? fd_count : SELECT_MAX;
    size_t size = ((size_t)fd_count + 63) / 64 * 8;
    long result = sets_read(&sets, users, size);
    struct poll_item *items = NULL;
    if (result == 0 && fd_count > 0 &&
        (items = heap_alloc((size_t)fd_count * sizeof *items)) == NULL) {
        return -ENOMEM;
    }
    if (result == 0 && (result = items_fill(items, fd_count, &sets)) == 0) {
        result = poll_wait(items, (size_t)fd_count, deadline);
        if (result >= 0) {
            result = sets_answer(&sets, items, fd_count);
        }
        items_put(items, (size_t)fd_count);
    }
    if (result >= 0 && sets_write(&sets, users, size) != 0) {
        result = -EFAULT;
    }
    heap_free(items);
    return result;
}

long linux_select(int fd_count, fd_set *reads, fd_set *writes, fd_set *exceptions,
                  struct timeval *timeout)
{
    hal_ns deadline = UINT64_MAX;
    if (timeout != NULL) {
        struct timeval span;
        int error = user_read(&span, timeout, sizeof span);
        if (error != 0 || span.tv_sec < 0 || span.tv_usec < 0) {
            return error != 0 ? error : -EINVAL;
        }
        deadline = hal_clock_ns() + (hal_ns)span.tv_sec * 1000000000 + (hal_ns)span.tv_usec * 1000;
    }
    long result = select_call(fd_count, (fd_set *const[3]){reads, writes, exceptions}, deadline);
    if (timeout != NULL) {
        struct timespec rest = clock_rest(deadline);
        const struct timeval left = {rest.tv_sec, rest.tv_nsec / 1000};
        int error = user_write(timeout, &left, sizeof left);
        (void)error; // the call's own answer counts, as on Linux
    }
    return result;
}

long linux_pselect6(int fd_count, fd_set *reads, fd_set *writes, fd_set *exceptions,
                    struct timespec *timeout, const struct linux_pselect_mask *mask)
{
    struct linux_pselect_mask how = {0};
    hal_ns deadline;
    int error = clock_span_read(&deadline, timeout);
    if (error == 0 && mask != NULL) {
        error = user_read(&how, mask, sizeof how);
    }
    if (error == 0) {
        error = signal_mask_push(how.mask, how.size);
    }
    if (error != 0) {
        return error;
    }
    long result = select_call(fd_count, (fd_set *const[3]){reads, writes, exceptions}, deadline);
    signal_mask_pop(how.mask, result == -EINTR);
    clock_rest_write(timeout, deadline);
    return result;
}
