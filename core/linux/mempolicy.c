// SPDX-License-Identifier: BSD-3-Clause
// mempolicy.c: on which node memory is wanted (set_mempolicy(2), mbind(2), and their kin). All
// memory is node 0: policies are checked and kept, and come true by themselves.
//
// A policy is kept once, whoever has it: a thread, or a mapping in its flags (VM_POLICY). There are
// few, and they are never freed.
#include "core/linux/mempolicy.h"

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/range.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/vm/piece.h"
#include "core/vm/vm.h"

enum mode {
    MODE_DEFAULT,
    MODE_PREFERRED,
    MODE_BIND,
    MODE_INTERLEAVE,
    MODE_LOCAL,
    MODE_PREFERRED_MANY,
    MODES, // of Linux 6.1
};

enum {
    FLAG_BALANCING = 1 << 13,
    FLAG_RELATIVE = 1 << 14,
    FLAG_STATIC = 1 << 15,
    FLAGS_ALL = FLAG_BALANCING | FLAG_RELATIVE | FLAG_STATIC,

    GET_NODE = 1,
    GET_ADDRESS = 2,
    GET_ALLOWED = 4,

    MOVE_STRICT = 1,
    MOVE = 2,
    MOVE_ALL = 4,

    NODES = 1,
    NODES_NAMED = 64, // that a mask may name
    MASK_BITS_MAX = 8 * HAL_PAGE_SIZE,
    POLICIES_MAX = VM_POLICY_MASK >> VM_POLICY_SHIFT,
};

struct policy {
    unsigned mode;
    uint64_t user_nodes; // as they were given
    uint64_t nodes;      // of these, those that are meant here
    int home;
};

static struct mutex lock;
static struct policy policies[POLICIES_MAX + 1]; // 0: the default. Under lock
static uint32_t policy_count = 1;

static const struct policy default_policy = {.mode = MODE_DEFAULT};

static struct policy policy_get(uint32_t id)
{
    mutex_lock(&lock);
    const struct policy policy = policies[id];
    mutex_unlock(&lock);
    return id == 0 ? default_policy : policy;
}

static bool is_same(const struct policy *a, const struct policy *b)
{
    return a->mode == b->mode && a->user_nodes == b->user_nodes && a->nodes == b->nodes &&
           a->home == b->home;
}

// Answers its number, or -ENOMEM.
static int policy_keep(const struct policy *policy)
{
    if (policy->mode == MODE_DEFAULT) {
        return 0;
    }
    mutex_lock(&lock);
    uint32_t id = 1;
    while (id < policy_count && !is_same(&policies[id], policy)) {
        ++id;
    }
    const bool is_new = id == policy_count && id <= POLICIES_MAX;
    if (is_new) {
        policies[policy_count++] = *policy;
    }
    const bool is_kept = id < policy_count;
    mutex_unlock(&lock);
    return is_kept ? (int)id : -ENOMEM;
}

// ---- What is given ---------------------------------------------------------

// The nodes that are named; more than can be is -EINVAL.
static int nodes_read(uint64_t *nodes, const uint64_t *user, unsigned long bits)
{
    *nodes = 0;
    --bits;
    if (bits == 0 || user == NULL) {
        return 0;
    }
    if (bits > MASK_BITS_MAX) {
        return -EINVAL;
    }
    for (unsigned long at = 0; at < bits; at += 64) {
        uint64_t word;
        int error = user_read(&word, &user[at / 64], sizeof word);
        if (error != 0) {
            return error;
        }
        word &= bits - at < 64 ? ((uint64_t)1 << (bits - at)) - 1 : ~(uint64_t)0;
        if (at >= NODES_NAMED && word != 0) {
            return -EINVAL;
        }
        *nodes |= at < NODES_NAMED ? word : 0;
    }
    return 0;
}

static int mode_check(unsigned mode)
{
    const unsigned flags = mode & FLAGS_ALL, kind = mode & ~(unsigned)FLAGS_ALL;
    const bool is_both = (flags & FLAG_STATIC) != 0 && (flags & FLAG_RELATIVE) != 0;
    const bool is_balanced = (flags & FLAG_BALANCING) != 0;
    return kind >= MODES || is_both || (is_balanced && kind != MODE_BIND) ? -EINVAL : 0;
}

// The mode has been checked.
static int policy_make(struct policy *policy, unsigned mode, uint64_t nodes)
{
    const unsigned flags = mode & FLAGS_ALL, named = mode & (FLAG_STATIC | FLAG_RELATIVE);
    unsigned kind = mode & ~(unsigned)FLAGS_ALL;
    const bool may_be_none =
        kind == MODE_DEFAULT || kind == MODE_LOCAL || (kind == MODE_PREFERRED && named == 0);
    const bool must_be_none = kind == MODE_DEFAULT || kind == MODE_LOCAL;
    if ((nodes == 0 && !may_be_none) || (nodes != 0 && must_be_none) ||
        (kind == MODE_LOCAL && named != 0)) {
        return -EINVAL;
    }
    if (kind == MODE_DEFAULT) {
        *policy = default_policy;
        return 0;
    }
    kind = nodes == 0 ? MODE_LOCAL : kind;
    const uint64_t meant = (flags & FLAG_RELATIVE) != 0 && nodes != 0 ? 1 : nodes & NODES;
    if (meant == 0 && kind != MODE_LOCAL) {
        return -EINVAL;
    }
    *policy = (struct policy){
        .mode = kind | flags, .user_nodes = named != 0 ? nodes : 0, .nodes = meant, .home = -1};
    return 0;
}

static unsigned kind_of(const struct policy *policy)
{
    return policy->mode & ~(unsigned)FLAGS_ALL;
}

// ---- Of a thread -----------------------------------------------------------

long linux_set_mempolicy(int mode, const uint64_t *user, unsigned long bits)
{
    uint64_t nodes;
    struct policy policy;
    int error = mode_check((unsigned)mode);
    error = error != 0 ? error : nodes_read(&nodes, user, bits);
    error = error != 0 ? error : policy_make(&policy, (unsigned)mode, nodes);
    const int id = error != 0 ? error : policy_keep(&policy);
    if (id >= 0) {
        task_self()->memory_policy = (uint8_t)id;
    }
    return id < 0 ? id : 0;
}

static int nodes_write(uint64_t *user, unsigned long bits, uint64_t nodes)
{
    const unsigned long size = (bits - 1 + 63) / 64 * 8;
    if (size > HAL_PAGE_SIZE) {
        return -EINVAL;
    }
    int error = 0;
    for (unsigned long at = 0; at < size && error == 0; at += 8) {
        const uint64_t word = at == 0 ? nodes : 0;
        error = user_write((char *)user + at, &word, sizeof word);
    }
    return error;
}

// The policy of the mapping at va. -EFAULT: there is none.
static int mapping_policy(char *va, struct policy *policy)
{
    struct vm_piece piece;
    va -= (uintptr_t)va % HAL_PAGE_SIZE;
    if ((uintptr_t)va > MEMORY_ADDRESS_MAX || !vm_piece_get(va, va + HAL_PAGE_SIZE, &piece)) {
        return -EFAULT;
    }
    vm_piece_put(&piece);
    *policy = policy_get((piece.flags & VM_POLICY_MASK) >> VM_POLICY_SHIFT);
    return 0;
}

static int node_get(char *va, unsigned flags, const struct policy *policy, int *answer)
{
    *answer = 0;
    if ((flags & GET_ADDRESS) == 0) {
        return kind_of(policy) == MODE_INTERLEAVE ? 0 : -EINVAL;
    }
    va -= (uintptr_t)va % HAL_PAGE_SIZE;
    return vm_populate(va, HAL_PAGE_SIZE, HAL_READ) != 0 ? -EFAULT : 0;
}

static int policy_find(char *va, unsigned flags, struct policy *policy)
{
    if ((flags & GET_ADDRESS) != 0) {
        return mapping_policy(va, policy);
    }
    *policy = policy_get(task_self()->memory_policy);
    return va != NULL ? -EINVAL : 0;
}

long linux_get_mempolicy(int *user_mode, uint64_t *user, unsigned long bits, char *va,
                         unsigned long flags)
{
    struct policy policy = default_policy;
    int answer = 0, error = 0;
    const unsigned how = (unsigned)flags;
    if ((user != NULL && bits < NODES) || (flags & ~7ul) != 0 ||
        ((how & GET_ALLOWED) != 0 && (how & (GET_NODE | GET_ADDRESS)) != 0)) {
        return -EINVAL;
    }
    uint64_t nodes = NODES;
    if ((how & GET_ALLOWED) == 0) {
        error = policy_find(va, how, &policy);
        if (error == 0 && (how & GET_NODE) != 0) {
            error = node_get(va, how, &policy, &answer);
        } else {
            answer = (int)policy.mode;
        }
        nodes = policy.user_nodes != 0 ? policy.user_nodes : policy.nodes;
    }
    if (error == 0 && user_mode != NULL) {
        error = user_write(user_mode, &answer, sizeof answer);
    }
    return error == 0 && user != NULL ? nodes_write(user, bits, nodes) : error;
}

// ---- Of mappings -----------------------------------------------------------

// What both calls on a range look at; *end is start where there is nothing to do.
static int range_check(char *start, size_t size, char **end)
{
    const size_t whole = memory_round(size);
    *end = (char *)((uintptr_t)start + whole);
    return !memory_is_aligned(start) || *end < start ? -EINVAL : 0;
}

// Without a hole, or -EFAULT.
static int range_is_whole(char *va, char *end)
{
    struct vm_piece piece;
    while (va < end && vm_piece_get(va, end, &piece)) {
        vm_piece_put(&piece);
        if (piece.start > va) {
            return -EFAULT;
        }
        va = piece.end;
    }
    return va < end ? -EFAULT : 0;
}

long linux_mbind(char *start, size_t size, int mode, const uint64_t *user, unsigned long bits,
                 unsigned flags)
{
    uint64_t nodes;
    struct policy policy;
    char *end = start;
    int error = mode_check((unsigned)mode);
    error = error != 0 ? error : nodes_read(&nodes, user, bits);
    if (error == 0 && (flags & ~(unsigned)(MOVE_STRICT | MOVE | MOVE_ALL)) != 0) {
        error = -EINVAL;
    }
    if (error == 0 && (flags & MOVE_ALL) != 0 && !credentials_may(CAPABILITY_SYS_NICE)) {
        error = -EPERM;
    }
    error = error != 0 ? error : range_check(start, size, &end);
    if (error != 0 || end == start) {
        return error;
    }
    error = policy_make(&policy, (unsigned)mode, nodes);
    error = error != 0 ? error : range_is_whole(start, end);
    const int id = error != 0 ? error : policy_keep(&policy);
    return id < 0 ? id : vm_policy_set(start, (size_t)(end - start), (unsigned)id);
}

// Of one mapping. 1: it has no policy.
static int home_set(const struct vm_piece *piece, int home)
{
    struct policy policy = policy_get((piece->flags & VM_POLICY_MASK) >> VM_POLICY_SHIFT);
    if (policy.mode == MODE_DEFAULT) {
        return 1;
    }
    if (kind_of(&policy) != MODE_BIND && kind_of(&policy) != MODE_PREFERRED_MANY) {
        return -EOPNOTSUPP;
    }
    policy.home = home;
    const int id = policy_keep(&policy);
    return id < 0 ? id
                  : vm_policy_set(piece->start, (size_t)(piece->end - piece->start), (unsigned)id);
}

long linux_set_mempolicy_home_node(char *start, size_t size, unsigned long home,
                                   unsigned long flags)
{
    char *end;
    int error = flags != 0 || home >= NODES ? -EINVAL : range_check(start, size, &end);
    if (error != 0 || end == start) {
        return error;
    }
    struct vm_piece piece;
    error = -ENOENT;
    for (char *va = start; va < end && vm_piece_get(va, end, &piece); va = piece.end) {
        const int one = home_set(&piece, (int)home);
        vm_piece_put(&piece);
        error = one <= 0 ? one : error;
        if (one < 0) {
            break;
        }
    }
    return error;
}

// ---- Moving, of which there is none ----------------------------------------

long linux_migrate_pages(int32_t id, unsigned long bits, const uint64_t *user_from,
                         const uint64_t *user_to)
{
    uint64_t from, to;
    int error = nodes_read(&from, user_from, bits);
    error = error != 0 ? error : nodes_read(&to, user_to, bits);
    if (error != 0) {
        return error;
    }
    if (task_thread(id) == NULL) {
        return -ESRCH;
    }
    if ((to & ~(uint64_t)NODES) != 0 && !credentials_may(CAPABILITY_SYS_NICE)) {
        return -EPERM;
    }
    return (to & NODES) == 0 ? -EINVAL : 0;
}

static int page_status(char *va)
{
    struct vm_piece piece;
    hal_phys pa;
    unsigned prot;
    va -= (uintptr_t)va % HAL_PAGE_SIZE;
    if ((uintptr_t)va > MEMORY_ADDRESS_MAX || !vm_piece_get(va, va + HAL_PAGE_SIZE, &piece)) {
        return -EFAULT;
    }
    vm_piece_put(&piece);
    return hal_translate(va, &pa, &prot) == 0 ? 0 : -ENOENT;
}

static int page_move(char *const *user_page, const int *user_node, int *user_status)
{
    char *page;
    int node = 0;
    int error = user_read(&page, user_page, sizeof page);
    if (error == 0 && user_node != NULL) {
        error = user_read(&node, user_node, sizeof node);
        error = error == 0 && (node < 0 || node >= NODES) ? -ENODEV : error;
    }
    if (error != 0) {
        return error;
    }
    const int status = page_status(page);
    return user_write(user_status, &status, sizeof status);
}

long linux_move_pages(int32_t id, unsigned long count, char *const *user_pages,
                      const int *user_nodes, int *user_status, int flags)
{
    if ((flags & ~(MOVE | MOVE_ALL)) != 0) {
        return -EINVAL;
    }
    if ((flags & MOVE_ALL) != 0 && !credentials_may(CAPABILITY_SYS_NICE)) {
        return -EPERM;
    }
    if (task_thread(id) == NULL) {
        return -ESRCH;
    }
    int error = 0;
    for (unsigned long i = 0; i < count && error == 0; ++i) {
        error =
            page_move(&user_pages[i], user_nodes == NULL ? NULL : &user_nodes[i], &user_status[i]);
    }
    return error;
}
