// SPDX-License-Identifier: BSD-3-Clause
// credentials.h: who the process is: ids of user and group, supplementary groups, capabilities
// (credentials(7), capabilities(7)).
//
// They are the process's: a thread that changes them by a bare system call changes them for all,
// as glibc's setuid and its kin do.
#ifndef CORE_LINUX_CREDENTIALS_H
#define CORE_LINUX_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct credential_ids {
    uint32_t real, effective, saved, file;
};

enum capability { // Linux's numbers
    CAPABILITY_SETGID = 6,
    CAPABILITY_SETUID = 7,
    CAPABILITY_SETPCAP = 8,
    CAPABILITY_NET_BIND_SERVICE = 10,
    CAPABILITY_NET_ADMIN = 12,
    CAPABILITY_NET_RAW = 13,
    CAPABILITY_IPC_LOCK = 14,
    CAPABILITY_IPC_OWNER = 15,
    CAPABILITY_SYS_ADMIN = 21,
    CAPABILITY_SYS_NICE = 23,
    CAPABILITY_SYS_RESOURCE = 24,
    CAPABILITY_LAST = 40
};

void credentials_init(uint32_t uid, uint32_t gid);
struct credential_ids credentials_user(void);
struct credential_ids credentials_group(void);
bool credentials_is_member(uint32_t gid);                  // the effective one, or supplementary
bool credentials_is_within(uint32_t first, uint32_t last); // of one of these
bool credentials_may(enum capability capability);

struct capability_sets {
    uint64_t effective, permitted, inheritable, bounding, ambient; // bit n: capability n
};
struct capability_sets capabilities_get(void);

// What a change of the user's ids does to the sets, at their change and nowhere else.
void capabilities_follow(const struct credential_ids *before, const struct credential_ids *now);
void capabilities_init(bool is_superuser);

// prctl's operations on them; false: operation is none of those.
bool capability_control(int operation, unsigned long a, unsigned long b, unsigned long c,
                        unsigned long d, long *result);

// "Uid:" to "Groups:" or "CapInh:" to "CapAmb:" of /proc/self/status.
size_t credentials_format(char *text, size_t size);
size_t capabilities_format(char *text, size_t size);

#endif
