// SPDX-License-Identifier: BSD-3-Clause
// group.c: see group.h.
#include "core/net/group.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"

#define SECOND UINT64_C(1000000000)

enum {
    REPORTS = 2,      // of each change: the robustness variable (RFC 3376, 8.1)
    OLD_SECONDS = 260 // after the last question by an older version (RFC 3376, 8.12)
};

#define REPORT_SPAN SECOND // between reports of a change (RFC 3376, 8.11)

static hal_ns random_below(struct groups *groups, hal_ns span)
{
    // xorshift64: it is enough that machines differ.
    groups->random ^= groups->random << 13;
    groups->random ^= groups->random >> 7;
    groups->random ^= groups->random << 17;
    return span == 0 ? 0 : groups->random % span;
}

bool group_is_silent(const struct net_address *address)
{
    static const uint8_t v4[ADDRESS_V4_SIZE] = {224, 0, 0, 1};
    const struct net_address all_v4 = address_of_v4(v4);
    const uint8_t *bytes = address_bytes(address);
    return address_is_equal(address, &all_v4) ||
           (!address_is_v4(address) &&
            ((bytes[1] & 15) < 2 || // of this machine alone
             (address->words[0] == 0x2ff && address->words[1] == UINT64_C(1) << 56)));
}

static bool is_free(const struct group *group)
{
    return group->count == 0 && group->reports == 0;
}

// With lock held.
static struct group *group_find(struct groups *groups, const struct net_address *address)
{
    for (uint32_t i = 0; i < GROUP_MAX; ++i) {
        if (!is_free(&groups->all[i]) && address_is_equal(&groups->all[i].address, address)) {
            return &groups->all[i];
        }
    }
    return NULL;
}

static struct group *group_make(struct groups *groups, const struct net_address *address)
{
    for (uint32_t i = 0; i < GROUP_MAX; ++i) {
        if (is_free(&groups->all[i])) {
            groups->all[i] =
                (struct group){.address = *address, .deadline = UINT64_MAX, .answer = UINT64_MAX};
            return &groups->all[i];
        }
    }
    return NULL;
}

static void change_tell(struct groups *groups, struct group *group, hal_ns now)
{
    if (groups->random != 0 && !group_is_silent(&group->address)) {
        group->reports = REPORTS;
        group->deadline = now;
    }
}

void groups_init(struct groups *groups, uint64_t random)
{
    groups->random = random;
}

int group_join(struct groups *groups, const struct net_address *address, hal_ns now)
{
    mutex_lock(&groups->lock);
    struct group *group = group_find(groups, address);
    group = group != NULL ? group : group_make(groups, address);
    if (group != NULL && group->count++ == 0) {
        change_tell(groups, group, now);
    }
    mutex_unlock(&groups->lock);
    return group != NULL ? 0 : -ENOBUFS;
}

void group_leave(struct groups *groups, const struct net_address *address, hal_ns now)
{
    mutex_lock(&groups->lock);
    struct group *group = group_find(groups, address);
    ASSERT(group != NULL && group->count > 0);
    if (--group->count == 0) {
        group->answer = UINT64_MAX;
        change_tell(groups, group, now);
    }
    mutex_unlock(&groups->lock);
}

bool group_is_joined(struct groups *groups, const struct net_address *address)
{
    mutex_lock(&groups->lock);
    const struct group *group = group_find(groups, address);
    const bool is_joined = group != NULL && group->count > 0;
    mutex_unlock(&groups->lock);
    return is_joined;
}

void group_asked(struct groups *groups, const struct net_address *address,
                 enum group_version version, hal_ns span, hal_ns now)
{
    const bool is_v4 = address_is_v4(address);
    mutex_lock(&groups->lock);
    if (version < GROUP_VERSION_3) {
        groups->old_until[is_v4][version] = now + OLD_SECONDS * SECOND;
    }
    for (uint32_t i = 0; i < GROUP_MAX; ++i) {
        struct group *group = &groups->all[i];
        const bool is_meant = address_is_any(address) ? address_is_v4(&group->address) == is_v4
                                                      : address_is_equal(&group->address, address);
        if (group->count > 0 && is_meant && !group_is_silent(&group->address)) {
            const hal_ns at = now + random_below(groups, span);
            group->answer = at < group->answer ? at : group->answer;
        }
    }
    mutex_unlock(&groups->lock);
}

// With lock held.
static enum group_version version_now(const struct groups *groups, bool is_v4, hal_ns now)
{
    const hal_ns *until = groups->old_until[is_v4];
    return now < until[GROUP_VERSION_1]   ? GROUP_VERSION_1
           : now < until[GROUP_VERSION_2] ? GROUP_VERSION_2
                                          : GROUP_VERSION_3;
}

enum group_version group_version_of(struct groups *groups, bool is_v4, hal_ns now)
{
    mutex_lock(&groups->lock);
    const enum group_version version = version_now(groups, is_v4, now);
    mutex_unlock(&groups->lock);
    return version;
}

uint32_t group_at(struct groups *groups, uint32_t place, struct net_address *address)
{
    mutex_lock(&groups->lock);
    const struct group *group = &groups->all[place];
    const uint32_t count = group->count;
    *address = group->address;
    mutex_unlock(&groups->lock);
    return count;
}

void group_heard(struct groups *groups, const struct net_address *address)
{
    mutex_lock(&groups->lock);
    struct group *group = group_find(groups, address);
    if (group != NULL) {
        group->answer = UINT64_MAX;
        group->was_last = false;
    }
    mutex_unlock(&groups->lock);
}

// ---- What is due ---------------------------------------------------------------------------

static hal_ns due(const struct group *group)
{
    const hal_ns change = group->reports > 0 ? group->deadline : UINT64_MAX;
    return change < group->answer ? change : group->answer;
}

// With lock held.
static enum group_act group_act(struct groups *groups, struct group *group, hal_ns now)
{
    if (group->reports == 0 || group->deadline > now) {
        group->answer = UINT64_MAX;
        group->was_last = true;
        return GROUP_IS_MEMBER;
    }
    const bool is_member = group->count > 0, was_last = group->was_last;
    const bool is_new = version_now(groups, address_is_v4(&group->address), now) == GROUP_VERSION_3;
    group->reports = is_member || is_new ? group->reports - 1 : 0; // the older leave once
    group->deadline = now + random_below(groups, REPORT_SPAN);
    group->was_last = is_member;
    return is_member ? GROUP_IS_JOINED : is_new || was_last ? GROUP_IS_LEFT : GROUP_NOTHING;
}

void group_timeout(struct groups *groups, hal_ns now, struct group_step *step)
{
    *step = (struct group_step){.act = GROUP_NOTHING};
    mutex_lock(&groups->lock);
    for (uint32_t i = 0; i < GROUP_MAX && step->act == GROUP_NOTHING; ++i) {
        struct group *group = &groups->all[i];
        if (!is_free(group) && due(group) <= now) {
            *step = (struct group_step){
                .version = version_now(groups, address_is_v4(&group->address), now),
                .address = group->address,
            };
            step->act = group_act(groups, group, now);
        }
    }
    mutex_unlock(&groups->lock);
}

hal_ns group_deadline(struct groups *groups)
{
    hal_ns first = UINT64_MAX;
    mutex_lock(&groups->lock);
    for (uint32_t i = 0; i < GROUP_MAX; ++i) {
        if (!is_free(&groups->all[i])) {
            const hal_ns at = due(&groups->all[i]);
            first = at < first ? at : first;
        }
    }
    mutex_unlock(&groups->lock);
    return first;
}
