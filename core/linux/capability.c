// SPDX-License-Identifier: BSD-3-Clause
// capability.c: the process's capabilities (capabilities(7)). The superuser begins with all, others
// with none. There is no execve by which a file could give some.
#include <stdatomic.h>
#include <sys/prctl.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/process.h"
#include "core/linux/user.h"
#include "core/sync/mutex.h"

static const uint64_t all = (UINT64_C(1) << (CAPABILITY_LAST + 1)) - 1;

// CAP_CHOWN to CAP_FSETID, LINUX_IMMUTABLE, MKNOD, MAC_OVERRIDE: those that go by the file-system
// id.
static const uint64_t of_files = 0x1f | 1u << 9 | 1u << 27 | UINT64_C(1) << 32;

static struct capability_sets sets;
static _Atomic uint64_t effective; // the set's, for who asks without the lock
static bool keeps;                 // PR_SET_KEEPCAPS
static struct mutex lock;          // of sets and keeps

bool credentials_may(enum capability capability)
{
    return (atomic_load_explicit(&effective, memory_order_relaxed) >> capability & 1) != 0;
}

static void sets_store(const struct capability_sets *now)
{
    sets = *now;
    atomic_store_explicit(&effective, now->effective, memory_order_relaxed);
}

void capabilities_init(bool is_superuser)
{
    const uint64_t own = is_superuser ? all : 0;
    sets_store(
        &(const struct capability_sets){.effective = own, .permitted = own, .bounding = all});
}

struct capability_sets capabilities_get(void)
{
    mutex_lock(&lock);
    struct capability_sets now = sets;
    mutex_unlock(&lock);
    return now;
}

static bool is_any_superuser(const struct credential_ids *ids)
{
    return ids->real == 0 || ids->effective == 0 || ids->saved == 0;
}

void capabilities_follow(const struct credential_ids *before, const struct credential_ids *now)
{
    mutex_lock(&lock);
    struct capability_sets next = sets;
    if (is_any_superuser(before) && !is_any_superuser(now)) {
        next.permitted = keeps ? next.permitted : 0;
        next.effective = keeps ? next.effective : 0;
        next.ambient = 0;
    }
    if (before->effective == 0 && now->effective != 0) {
        next.effective = 0;
    } else if (before->effective != 0 && now->effective == 0) {
        next.effective = next.permitted;
    } else if (before->effective == now->effective && before->file == 0 && now->file != 0) {
        next.effective &= ~of_files;
    } else if (before->effective == now->effective && before->file != 0 && now->file == 0) {
        next.effective |= next.permitted & of_files;
    }
    sets_store(&next);
    mutex_unlock(&lock);
}

// ---- capget and capset ---------------------------------------------------

struct header {
    uint32_t version;
    int32_t id;
};

// Of version 1 there is one, of the others two: the low and the high halves.
struct words {
    uint32_t effective, permitted, inheritable;
};

// How many struct words follow; 0: of a version that is unknown, and the user has been told which
// is not.
static int words_count(struct header *user, struct header *header, int *error)
{
    enum { VERSION_1 = 0x19980330, VERSION_2 = 0x20071026, VERSION_3 = 0x20080522 };
    *error = user_read(header, user, sizeof *header);
    if (*error != 0) {
        return 0;
    }
    switch (header->version) {
    case VERSION_1:
        return 1;
    case VERSION_2:
    case VERSION_3:
        return 2;
    default:
        header->version = VERSION_3;
        *error = user_write(user, header, sizeof *header);
        *error = *error != 0 ? *error : -EINVAL;
        return 0;
    }
}

long linux_capget(void *user_header, void *user_data)
{
    struct header header;
    int error, count = words_count(user_header, &header, &error);
    if (count == 0) {
        return error == -EINVAL && user_data == NULL ? 0 : error;
    }
    if (header.id < 0) {
        return -EINVAL;
    }
    if (header.id != 0 && task_thread(header.id) == NULL) {
        return -ESRCH;
    }
    const struct capability_sets now = capabilities_get();
    struct words words[2];
    for (int i = 0; i < 2; ++i) {
        words[i] =
            (struct words){(uint32_t)(now.effective >> 32 * i), (uint32_t)(now.permitted >> 32 * i),
                           (uint32_t)(now.inheritable >> 32 * i)};
    }
    return user_data == NULL ? 0 : user_write(user_data, words, (size_t)count * sizeof *words);
}

long linux_capset(void *user_header, const void *user_data)
{
    struct header header;
    struct words words[2] = {{0}};
    int error, count = words_count(user_header, &header, &error);
    if (count == 0) {
        return error;
    }
    if (header.id != 0 && header.id != linux_gettid()) {
        return -EPERM;
    }
    error = user_read(words, user_data, (size_t)count * sizeof *words);
    if (error != 0) {
        return error;
    }
    mutex_lock(&lock);
    struct capability_sets next = sets;
    next.effective = (words[0].effective | (uint64_t)words[1].effective << 32) & all;
    next.permitted = (words[0].permitted | (uint64_t)words[1].permitted << 32) & all;
    next.inheritable = (words[0].inheritable | (uint64_t)words[1].inheritable << 32) & all;
    next.ambient &= next.permitted & next.inheritable;
    const uint64_t may_inherit =
        sets.inheritable | (credentials_may(CAPABILITY_SETPCAP) ? sets.bounding : sets.permitted);
    const bool is_allowed = (next.inheritable & ~may_inherit) == 0 &&
                            (next.inheritable & ~(sets.inheritable | sets.bounding)) == 0 &&
                            (next.permitted & ~sets.permitted) == 0 &&
                            (next.effective & ~next.permitted) == 0;
    if (is_allowed) {
        sets_store(&next);
    }
    mutex_unlock(&lock);
    return is_allowed ? 0 : -EPERM;
}

// ---- prctl ---------------------------------------------------------------

static long ambient_control(unsigned long what, unsigned long capability)
{
    const uint64_t bit = capability <= CAPABILITY_LAST ? UINT64_C(1) << capability : 0;
    if (what == PR_CAP_AMBIENT_CLEAR_ALL) {
        sets.ambient = 0;
        return capability == 0 ? 0 : -EINVAL;
    }
    if (bit == 0 || what < PR_CAP_AMBIENT_IS_SET || what > PR_CAP_AMBIENT_LOWER) {
        return -EINVAL;
    }
    if (what == PR_CAP_AMBIENT_IS_SET) {
        return (sets.ambient & bit) != 0;
    }
    if (what == PR_CAP_AMBIENT_RAISE && (sets.permitted & sets.inheritable & bit) == 0) {
        return -EPERM;
    }
    sets.ambient = what == PR_CAP_AMBIENT_RAISE ? sets.ambient | bit : sets.ambient & ~bit;
    return 0;
}

static long bounding_drop(unsigned long capability)
{
    if (!credentials_may(CAPABILITY_SETPCAP)) {
        return -EPERM;
    }
    if (capability > CAPABILITY_LAST) {
        return -EINVAL;
    }
    sets.bounding &= ~(UINT64_C(1) << capability);
    return 0;
}

static bool control(int operation, unsigned long a, unsigned long b, unsigned long c,
                    unsigned long d, long *result)
{
    switch (operation) {
    case PR_GET_KEEPCAPS:
        *result = keeps;
        return true;
    case PR_SET_KEEPCAPS:
        keeps = a <= 1 ? a == 1 : keeps;
        *result = a <= 1 ? 0 : -EINVAL;
        return true;
    case PR_CAPBSET_READ:
        *result = a <= CAPABILITY_LAST ? (long)(sets.bounding >> a & 1) : -EINVAL;
        return true;
    case PR_CAPBSET_DROP:
        *result = bounding_drop(a);
        return true;
    case PR_GET_SECUREBITS:
        *result = 0;
        return true;
    case PR_CAP_AMBIENT:
        *result = (c | d) != 0 ? -EINVAL : ambient_control(a, b);
        return true;
    default:
        return false;
    }
}

bool capability_control(int operation, unsigned long a, unsigned long b, unsigned long c,
                        unsigned long d, long *result)
{
    mutex_lock(&lock);
    bool is_known = control(operation, a, b, c, d, result);
    mutex_unlock(&lock);
    return is_known;
}

size_t capabilities_format(char *text, size_t size)
{
    const struct capability_sets now = capabilities_get();
    return format(text, size,
                  "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n"
                  "CapAmb:\t%016lx\n",
                  now.inheritable, now.permitted, now.effective, now.bounding, now.ambient);
}
