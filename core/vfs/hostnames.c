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
// The table has sets of a few slots; a name replaces what is over, or what will be over first.
// Invariant: a slot in use has a reference to its directory, whose address thus means no other, and
// to its child, unless there is none. A kept child is never changed again. Source: Linux,
// Documentation/filesystems/fuse, and libfuse's options entry_timeout and negative_timeout.
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "core/vfs/hostfs.h"

enum { SET_COUNT = 128, SET_SIZE = 4, NAME_SIZE = 64 };

struct kept_name {
    struct vnode *directory; // counted; NULL: not in use
    struct vnode *child;     // counted; NULL: there is no such name
    hal_ns until;
    uint64_t changes; // host_changes when it was asked for
    char name[NAME_SIZE];
};

static struct mutex table_lock; // guards the table
static struct kept_name *table; // SET_COUNT * SET_SIZE, from the first use on
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
static struct kept_name *set_of(const struct vnode *directory, const char *name)
{
    uint64_t hash = directory->inode ^ directory->mount->device << 32;
    for (; *name != '\0'; ++name) {
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
    }
    return &table[(hash >> 32) % SET_COUNT * SET_SIZE];
}

static bool is_over(const struct kept_name *kept)
{
    return kept->changes != atomic_load(&host_changes) || hal_clock_ns() >= kept->until;
}

// The slot of the name, or NULL.
static struct kept_name *find_locked(const struct vnode *directory, const char *name)
{
    struct kept_name *set = set_of(directory, name);
    for (size_t i = 0; i < SET_SIZE; ++i) {
        if (set[i].directory == directory && strcmp(set[i].name, name) == 0) {
            return &set[i];
        }
    }
    return NULL;
}

bool host_name_find(struct vnode *directory, const char *name, struct vnode **child)
{
    if (!directory->mount->read_only) {
        return false;
    }
    mutex_lock(&table_lock);
    struct kept_name *kept = table == NULL ? NULL : find_locked(directory, name);
    bool is_known = kept != NULL && !is_over(kept);
    if (is_known) {
        *child = kept->child;
        if (kept->child != NULL) {
            vnode_get(kept->child);
        }
    }
    mutex_unlock(&table_lock);
    return is_known;
}

// Where the name goes: its own slot, one that is free or over, or the one that will be over first.
static struct kept_name *victim_locked(const struct vnode *directory, const char *name)
{
    struct kept_name *victim = find_locked(directory, name);
    struct kept_name *set = set_of(directory, name);
    for (size_t i = 0; victim == NULL && i < SET_SIZE; ++i) {
        victim = set[i].directory == NULL || is_over(&set[i]) ? &set[i] : NULL;
    }
    if (victim == NULL) {
        victim = set;
        for (size_t i = 1; i < SET_SIZE; ++i) {
            victim = set[i].until < victim->until ? &set[i] : victim;
        }
    }
    return victim;
}

void host_name_keep(struct vnode *directory, const char *name, struct vnode *child, hal_ns until,
                    uint64_t changes)
{
    if (strlen(name) >= NAME_SIZE) {
        return;
    }
    struct kept_name new = {directory, child, until, changes, ""};
    struct kept_name old = {0};
    memcpy(new.name, name, strlen(name) + 1);
    mutex_lock(&table_lock);
    if (table == NULL) {
        table = heap_alloc_zeroed(SET_COUNT * SET_SIZE * sizeof *table);
    }
    if (table != NULL) {
        struct kept_name *slot = victim_locked(directory, name);
        old = *slot;
        vnode_get(directory);
        if (child != NULL) {
            vnode_get(child);
        }
        *slot = new;
    }
    mutex_unlock(&table_lock);
    vnode_put(old.child); // may be a request
    vnode_put(old.directory);
}
