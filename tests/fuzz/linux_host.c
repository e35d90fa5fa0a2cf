// SPDX-License-Identifier: BSD-3-Clause
// linux_host.c: what the sockets of core/linux need of the rest of that room, where no program
// runs: a process that may do all.
#include "core/lib/errno.h"
#include "core/linux/credentials.h"
#include "core/linux/netfiles.h"
#include "core/linux/socketcalls.h"
#include "core/linux/transfer.h"

enum { PROCESS = 7 };

long linux_getpid(void);

long linux_getpid(void)
{
    return PROCESS;
}

struct credential_ids credentials_user(void)
{
    return (struct credential_ids){0};
}

struct credential_ids credentials_group(void)
{
    return (struct credential_ids){0};
}

bool credentials_is_within(uint32_t first, uint32_t last)
{
    return first == 0 && last >= first;
}

bool credentials_may(enum capability capability)
{
    (void)capability;
    return true;
}

uint32_t interface_flags(const struct netif *netif)
{
    (void)netif;
    return 1; // up
}

struct net_timer net_timer_of(const struct tcp *tcp, hal_ns now)
{
    (void)tcp, (void)now;
    return (struct net_timer){0};
}

bool breaks_silently(const struct file *file)
{
    (void)file;
    return true;
}

long transfer_failed(int error)
{
    return error;
}

// Nobody reads or writes them as files.
int socket_file_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)file, (void)offset, (void)data, (void)size, (void)done;
    return -ENOSYS;
}

int socket_file_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    (void)file, (void)offset, (void)data, (void)size, (void)done;
    return -ENOSYS;
}
