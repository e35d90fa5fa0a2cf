// SPDX-License-Identifier: BSD-3-Clause
// mempolicy.c: on which node memory is wanted (set_mempolicy(2), mbind(2), and their kin). What is
// asked for is done when pages come (place.h); pages that are there stay where they are. Where all
// memory is node 0 policies are checked and kept, and come true by themselves.
//
// A policy is kept once, whoever has it: a thread, or a mapping in its flags (VM_POLICY). There are
// few, and they are never freed or changed: so a fault reads one without the lock.
#include "core/linux/mempolicy.h"

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/range.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/mem/frame.h"
#include "core/mem/frame_zones.h"
#include "core/vfs/proctext.h"
#include "core/vm/piece.h"
#include "core/vm/place.h"
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

// Those that have memory.
static uint64_t nodes_all(void)
{
    uint64_t nodes = 0;
    for (uint32_t node = 0; node < frame_node_count(); ++node) {
        nodes |= (uint64_t)(frame_zones.totals[node] != 0) << node;
    }
    return nodes;
}

static uint32_t node_first(uint64_t nodes)
{
    return (uint32_t)__builtin_ctzll(nodes);
}

// The n-th of them, which go round.
static uint32_t node_at(uint64_t nodes, uint64_t n)
{
    for (n %= (uint64_t)__builtin_popcountll(nodes); n > 0; --n) {
        nodes &= nodes - 1;
    }
    return node_first(nodes);
}

static unsigned kind_of(const struct policy *policy)
{
    return policy->mode & ~(unsigned)FLAGS_ALL;
}

// By number `page` where nodes take turns: for place.h.
static unsigned policy_place(const struct policy *policy, uint64_t page)
{
    const uint32_t nodes = (uint32_t)policy->nodes;
    const uint32_t home = policy->home < 0 ? HAL_NODE_MAX : (uint32_t)policy->home;
    switch (kind_of(policy)) {
    case MODE_PREFERRED:
        return frame_place(node_first(nodes), 0);
    case MODE_PREFERRED_MANY:
        return frame_place(home < HAL_NODE_MAX ? home : node_first(nodes), 0);
    case MODE_BIND:
        return frame_place(home, nodes);
    case MODE_INTERLEAVE:
        return frame_place(node_at(nodes, page), 0) | FRAME_PLACE_INTERLEAVED;
    default:
        return 0;
    }
}

// A mapping's, or else the thread's: a thread of core's has none.
static unsigned page_place(unsigned id, uintptr_t page)
{
    struct task *task = thread_self()->user;
    if (id != 0 || task == NULL) {
        return id == 0 ? 0 : policy_place(&policies[id], page);
    }
    return task->memory_policy == 0
               ? 0
               : policy_place(&policies[task->memory_policy], task->memory_turn++);
}

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
        if (frame_node_count() > 1) {
            place_tell(page_place);
        }
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

// Relative ones: the n-th is the n-th that there is, and they go round.
static uint64_t nodes_meant(uint64_t nodes, unsigned flags)
{
    const uint64_t all = nodes_all();
    uint64_t meant = 0;
    if ((flags & FLAG_RELATIVE) == 0) {
        return nodes & all;
    }
    for (; nodes != 0; nodes &= nodes - 1) {
        meant |= (uint64_t)1 << node_at(all, (uint64_t)__builtin_ctzll(nodes));
    }
    return meant;
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
    uint64_t meant = nodes_meant(nodes, flags);
    if (meant == 0 && kind != MODE_LOCAL) {
        return -EINVAL;
    }
    meant = kind == MODE_PREFERRED ? meant & -meant : meant;
    *policy = (struct policy){
        .mode = kind | flags, .user_nodes = named != 0 ? nodes : 0, .nodes = meant, .home = -1};
    return 0;
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

// -ENOENT: there is no page. What is no frame of ours, a device's, counts as node 0's.
static int page_node(char *va)
{
    hal_phys pa;
    unsigned prot;
    if (hal_translate(va, &pa, &prot) != 0) {
        return -ENOENT;
    }
    return pa - frame_first() < frame_span() ? (int)frame_node_of(pa) : 0;
}

static int node_get(char *va, unsigned flags, const struct policy *policy, int *answer)
{
    if ((flags & GET_ADDRESS) == 0) {
        const bool has_turns = kind_of(policy) == MODE_INTERLEAVE;
        *answer = has_turns ? (int)node_at(policy->nodes, task_self()->memory_turn) : 0;
        return has_turns ? 0 : -EINVAL;
    }
    va -= (uintptr_t)va % HAL_PAGE_SIZE;
    *answer = vm_populate(va, HAL_PAGE_SIZE, HAL_READ) != 0 ? -EFAULT : page_node(va);
    return *answer < 0 ? -EFAULT : 0;
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
    if ((user != NULL && bits < frame_node_count()) || (flags & ~7ul) != 0 ||
        ((how & GET_ALLOWED) != 0 && (how & (GET_NODE | GET_ADDRESS)) != 0)) {
        return -EINVAL;
    }
    uint64_t nodes = nodes_all();
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

// Whether pages are there that the policy, if it names nodes, would not have put there.
static bool range_is_misplaced(char *va, const char *end, const struct policy *policy)
{
    const uint64_t nodes = policy->nodes == 0 || frame_node_count() == 1 ? ~0ul : policy->nodes;
    for (; va < end && nodes != ~0ul; va += HAL_PAGE_SIZE) {
        const int node = page_node(va);
        if (node >= 0 && (nodes >> node & 1) == 0) {
            return true;
        }
    }
    return false;
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
    const bool is_misplaced = error == 0 && (flags & (MOVE_STRICT | MOVE | MOVE_ALL)) != 0 &&
                              range_is_misplaced(start, end, &policy);
    if (is_misplaced && (flags & (MOVE_STRICT | MOVE | MOVE_ALL)) == MOVE_STRICT) {
        error = -EIO;
    }
    const int id = error != 0 ? error : policy_keep(&policy);
    error = id < 0 ? id : vm_policy_set(start, (size_t)(end - start), (unsigned)id);
    return error == 0 && is_misplaced && (flags & MOVE_STRICT) != 0 ? -EIO : error;
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
    int error = flags != 0 || home >= NODES_NAMED || (nodes_all() >> home & 1) == 0
                    ? -EINVAL
                    : range_check(start, size, &end);
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

// ---- As text ---------------------------------------------------------------

void mempolicy_put(struct writer *writer, uint32_t id)
{
    static const char *const names[MODES] = {"default",    "prefer", "bind",
                                             "interleave", "local",  "prefer (many)"};
    const struct policy *policy = &policies[id != 0 ? id : task_self()->memory_policy];
    writer_put(writer, "%s", names[kind_of(policy)]);
    if ((policy->mode & (FLAG_STATIC | FLAG_RELATIVE)) != 0) {
        writer_put(writer, "=%s", (policy->mode & FLAG_STATIC) != 0 ? "static" : "relative");
    }
    const char *comma = ":";
    for (uint32_t first = 0; first < HAL_NODE_MAX; ++first) {
        uint32_t last = first;
        while ((policy->nodes >> first & 1) != 0 && (policy->nodes >> (last + 1) & 1) != 0) {
            ++last;
        }
        if ((policy->nodes >> first & 1) != 0) {
            writer_put(writer, last == first ? "%s%u" : "%s%u-%u", comma, first, last);
            comma = ",";
        }
        first = last;
    }
}

// ---- Moving, of which there is none ----------------------------------------

struct count {
    uint64_t nodes;
    size_t pages;
};

static bool area_count(const struct vm_area_info *area, const struct vm_pages *pages,
                       void *argument)
{
    (void)area;
    struct count *count = argument;
    for (uint32_t node = 0; node < frame_node_count(); ++node) {
        count->pages += (count->nodes >> node & 1) != 0 ? pages->nodes[node] : 0;
    }
    return true;
}

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
    if ((to & ~nodes_all()) != 0 && !credentials_may(CAPABILITY_SYS_NICE)) {
        return -EPERM;
    }
    if ((to & nodes_all()) == 0) {
        return -EINVAL;
    }
    struct count count = {.nodes = frame_node_count() == 1 ? 0 : from & ~to, .pages = 0};
    if (count.nodes != 0) {
        vm_walk_pages(area_count, &count);
    }
    return (long)count.pages; // that are not moved
}

static int page_status(char *va)
{
    struct vm_piece piece;
    va -= (uintptr_t)va % HAL_PAGE_SIZE;
    if ((uintptr_t)va > MEMORY_ADDRESS_MAX || !vm_piece_get(va, va + HAL_PAGE_SIZE, &piece)) {
        return -EFAULT;
    }
    vm_piece_put(&piece);
    return page_node(va);
}

static int page_move(char *const *user_page, const int *user_node, int *user_status)
{
    char *page;
    int node = 0;
    int error = user_read(&page, user_page, sizeof page);
    if (error == 0 && user_node != NULL) {
        error = user_read(&node, user_node, sizeof node);
        const bool is_there = node >= 0 && node < NODES_NAMED && (nodes_all() >> node & 1) != 0;
        error = error == 0 && !is_there ? -ENODEV : error;
    }
    if (error != 0) {
        return error;
    }
    int status = page_status(page);
    status = status >= 0 && user_node != NULL && status != node ? -EBUSY : status;
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
