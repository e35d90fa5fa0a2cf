// SPDX-License-Identifier: BSD-3-Clause
// hostnames.c: names of read-only file systems, kept as long as the far end says that they hold.
//
// The rule is that of FUSE: an answer to LOOKUP says for how long the name and its attributes may
// be kept, and so does the answer that there is none (an entry without a node). Until then neither
// is asked for again: what somebody else changes on the host is seen at the latest when that time
// is over. Whatever the program itself changes on any of the host's file systems ends it for all
// names at once, as the same directory may be mounted in two places. A file system that the program
// may write to keeps nothing: each question there is a request.
//
// The table has sets of a few names; a new one replaces one that is over, or what will be over
// first. It is read without a lock, so a name is never changed, and is freed when nobody reads it
// any more (core/sync/rcu.h). Invariant: a name has a reference to its directory, whose address
// thus means no other, and to its child, unless there is none. Source: Linux,
// Documentation/filesystems/fuse, and libfuse's options entry_timeout and negative_timeout.
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"
#include "core/sync/rcu_list.h"
#include "core/sync/shrinker.h"
#include "core/vfs/hostfs.h"

enum { SET_BITS = 7, SET_SIZE = 4, NAME_SIZE = 64 };

struct kept_name {
    struct rcu_node node; // in its set
    struct rcu_head end;
    struct vnode *directory; // counted
    struct vnode *child;     // counted; NULL: there is no such name
    hal_ns until;
    uint64_t changes; // host_changes when it was asked for
    char name[NAME_SIZE];
};

static struct mutex table_lock; // guards changes of the table
static struct rcu_list sets[1 << SET_BITS];
static const struct rcu_hash table = {sets, SET_BITS};
static _Atomic uint64_t host_changes;

void host_names_changed(void)
{
    atomic_fetch_add(&host_changes, 1);
}

uint64_t host_names_state(void)
{
    return atomic_load(&host_changes);
}

// By the number of the directory, which is the same in each run, and not by its address.
static struct rcu_list *set_of(const struct vnode *directory, const char *name)
{
    uint64_t hash = directory->inode ^ directory->mount->device << 32;
    for (; *name != '\0'; ++name) {
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
    }
    return rcu_hash_list(&table, hash);
}

static bool is_over(const struct kept_name *kept)
{
    return kept->changes != atomic_load(&host_changes) || hal_clock_ns() >= kept->until;
}

static struct kept_name *kept_of(struct rcu_node *node)
{
    return container_of(node, struct kept_name, node);
}

// NULL: it is not kept. For readers, and under the lock.
static struct kept_name *find(const struct vnode *directory, const char *name)
{
    struct rcu_node *node;
    rcu_list_for_each(node, set_of(directory, name))
    {
        struct kept_name *kept = kept_of(node);
        if (kept->directory == directory && strcmp(kept->name, name) == 0) {
            return kept;
        }
    }
    return NULL;
}

bool host_name_find(struct vnode *directory, const char *name, struct vnode **child)
{
    if (!directory->mount->read_only) {
        return false;
    }
    rcu_read_begin();
    const struct kept_name *kept = find(directory, name);
    bool is_known = kept != NULL && !is_over(kept);
    if (is_known) {
        *child = kept->child;
        if (kept->child != NULL) {
            vnode_get(kept->child);
        }
    }
    rcu_read_end();
    return is_known;
}

// What goes when the name comes: what was kept of it, or of a full set one that is over or the one
// that will be over first. NULL: nothing.
static struct kept_name *victim_locked(const struct vnode *directory, const char *name)
{
    struct kept_name *victim = find(directory, name);
    if (victim != NULL) {
        return victim;
    }
    unsigned count = 0;
    struct rcu_node *node;
    rcu_list_for_each(node, set_of(directory, name))
    {
        struct kept_name *kept = kept_of(node);
        if (victim == NULL || is_over(kept) || (!is_over(victim) && kept->until < victim->until)) {
            victim = kept;
        }
        ++count;
    }
    return count < SET_SIZE ? NULL : victim;
}

// Putting a vnode may be a request.
static void kept_end(struct rcu_head *end)
{
    struct kept_name *kept = container_of(end, struct kept_name, end);
    vnode_put(kept->child);
    vnode_put(kept->directory);
    heap_free(kept);
}

// Takes the first name out of a set. NULL: there is none, or somebody changes the table and is not
// to be waited for.
static struct kept_name *name_take(struct rcu_list *set, bool may_wait)
{
    if (may_wait) {
        mutex_lock(&table_lock);
    } else if (!mutex_try_lock(&table_lock)) {
        return NULL;
    }
    struct rcu_node *first = rcu_list_first(set);
    if (first != NULL) {
        rcu_list_remove(set, first);
    }
    mutex_unlock(&table_lock);
    return first != NULL ? kept_of(first) : NULL;
}

// A name is only a request away, and holds two vnodes.
static size_t names_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait)
{
    (void)shrinker;
    size_t freed = 0;
    for (size_t i = 0; i < (size_t)1 << SET_BITS; ++i) {
        struct kept_name *name;
        while (freed < wanted && (name = name_take(&sets[i], may_wait)) != NULL) {
            rcu_defer(&name->end, kept_end);
            freed += sizeof *name;
        }
    }
    return freed;
}

static void shrinker_add_locked(void)
{
    static struct shrinker names = {.name = "names of files", .shrink = names_shrink};
    static bool is_added;
    if (!is_added) {
        is_added = true;
        shrinker_register(&names);
    }
}

void host_name_keep(struct vnode *directory, const char *name, struct vnode *child, hal_ns until,
                    uint64_t changes)
{
    struct kept_name *new = strlen(name) < NAME_SIZE ? heap_alloc(sizeof *new) : NULL;
    if (new == NULL) {
        return;
    }
    *new = (struct kept_name){
        .directory = directory, .child = child, .until = until, .changes = changes};
    memcpy(new->name, name, strlen(name) + 1);
    vnode_get(directory);
    if (child != NULL) {
        vnode_get(child);
    }
    struct rcu_list *set = set_of(directory, name);
    mutex_lock(&table_lock);
    shrinker_add_locked();
    struct kept_name *old = victim_locked(directory, name);
    rcu_list_push(set, &new->node); // found before the old one
    if (old != NULL) {
        rcu_list_remove(set, &old->node);
    }
    mutex_unlock(&table_lock);
    if (old != NULL) {
        rcu_defer(&old->end, kept_end);
    }
}
