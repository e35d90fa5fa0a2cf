// SPDX-License-Identifier: BSD-3-Clause
// plain.c: what only the seeded machine does, where it is not: nothing, and nothing is late, cut
// short or told otherwise than the host says.
#include <errno.h>
#include <unistd.h>

#include "hal-linux/machine.h"
#include "hal-linux/syscall.h"

bool machine_is_seeded(void)
{
    return false;
}

// A fault is a signal, and costs as much as some pages.
size_t machine_eager_max(void)
{
    return 64 << 10;
}

void machine_init(const struct seed_options *options)
{
    (void)options;
}

int machine_network_add(const char *name, const struct seed_network *network)
{
    (void)name;
    (void)network;
    return -ENOTSUP;
}

uint64_t machine_watch(void)
{
    return UINT64_MAX;
}

int machine_end(enum hal_halt how, int code)
{
    (void)how;
    return code;
}

void machine_prepare(const struct hal_boot *boot)
{
    (void)boot;
}

void machine_object(const char *path, const char *base)
{
    (void)path;
    (void)base;
}

void machine_memory_renew(const void *start, size_t size)
{
    (void)start;
    (void)size;
}

void machine_status(struct stat *status, bool is_stream)
{
    (void)status;
    (void)is_stream;
}

void machine_fs_status(struct statfs *status)
{
    (void)status;
}

uint64_t machine_inode(uint64_t inode)
{
    return inode;
}

long machine_directory_read(int fd, uint64_t position, char *to, size_t size)
{
    long at = syscall3(SYS_lseek, fd, (long)position, SEEK_SET);
    return at < 0 ? at : syscall3(SYS_getdents64, fd, (long)to, (long)size);
}

void machine_directory_close(int fd)
{
    (void)fd;
}

void machine_stream_name(char *name, size_t *size)
{
    (void)name;
    (void)size;
}

int machine_stream_patience(uint32_t stream, uint32_t *events, bool waits)
{
    (void)stream;
    (void)events;
    (void)waits;
    return 0;
}

void machine_stream_lost(uint32_t stream)
{
    (void)stream;
}

void machine_stream_arrived(uint32_t stream, uint32_t events)
{
    (void)stream;
    (void)events;
}

void machine_stream_taken(uint32_t stream)
{
    (void)stream;
}

uint32_t machine_stream_events(uint32_t events)
{
    return events;
}

void machine_stream_note(const struct seed_answer *answer, const struct iovec *parts,
                         uint32_t part_count, size_t skip)
{
    (void)answer;
    (void)parts;
    (void)part_count;
    (void)skip;
}

bool machine_stream_known(uint32_t operation, uint32_t stream, size_t room,
                          struct seed_answer *answer)
{
    (void)operation;
    (void)stream;
    (void)room;
    (void)answer;
    return false;
}

void machine_stream_busy(bool is_busy)
{
    (void)is_busy;
}

bool machine_is_late(void)
{
    return false;
}

bool machine_is_failing(enum seed_fault kind)
{
    (void)kind;
    return false;
}

size_t machine_transfer(size_t size)
{
    return size;
}

bool machine_emulate(int signal, int code, greg_t *general)
{
    (void)signal;
    (void)code;
    (void)general;
    return false;
}
