// SPDX-License-Identifier: BSD-3-Clause
// plain.c: what only the seeded machine does, where it is not: nothing, and nothing is late, cut
// short or told otherwise than the host says.
#include "hal-linux/machine.h"

bool machine_is_seeded(void)
{
    return false;
}

void machine_init(const struct seed_options *options)
{
    (void)options;
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

void machine_status(struct stat *status)
{
    (void)status;
}

void machine_fs_status(struct statfs *status)
{
    (void)status;
}

uint64_t machine_inode(uint64_t inode)
{
    return inode;
}

bool machine_is_late(void)
{
    return false;
}

bool machine_is_failing(void)
{
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
