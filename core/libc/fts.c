// SPDX-License-Identifier: BSD-3-Clause
// fts.c: BSD's walk through file trees, one entry per call.
//
// The walk never changes the working directory, as its options may forbid but do not demand:
// access_path is the path. current is the entry that fts_read gave last; its parents are kept, and
// the siblings behind it, through link. child: the entries of current that fts_children has listed.
#include "core/libc/fts.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"

_Static_assert(offsetof(struct fts_entry, name) == 112, "glibc's FTSENT");
_Static_assert(sizeof(struct fts) == 72, "glibc's FTS");

enum { ROOT_PARENT_LEVEL = -1, ROOT_LEVEL = 0, PATH_SIZE = 4096 };

static struct fts_entry *entry_new(struct fts *walk, const char *name, size_t length)
{
    size_t head = (sizeof(struct fts_entry) + length + 1 + 15) / 16 * 16;
    struct fts_entry *entry = libc_calloc(1, head + sizeof(struct stat));
    if (entry != NULL) {
        memcpy(entry->name, name, length);
        entry->name_length = (unsigned short)length;
        entry->status = (struct stat *)((char *)entry + head);
        entry->path = walk->path;
        entry->access_path = walk->path;
        entry->instruction = FTS_NOINSTR;
    }
    return entry;
}

static void list_free(struct fts_entry *entry)
{
    while (entry != NULL) {
        struct fts_entry *next = entry->link;
        libc_free(entry);
        entry = next;
    }
}

// Room for a path of that length. Entries point to the path: they are moved along.
static bool path_fit(struct fts *walk, size_t length)
{
    if (length < (size_t)walk->path_size) {
        return true;
    }
    if (length > UINT16_MAX - PATH_SIZE) {
        errno = ENAMETOOLONG;
        return false;
    }
    size_t size = length + PATH_SIZE;
    char *old = walk->path, *path = libc_realloc(old, size);
    if (path == NULL) {
        return false;
    }
    walk->path = path;
    walk->path_size = (int)size;
    struct fts_entry *lists[2] = {walk->current, walk->child};
    for (int i = 0; i < 2; ++i) {
        for (struct fts_entry *e = lists[i]; e != NULL; e = e->link != NULL ? e->link : e->parent) {
            e->path = e->access_path = path;
        }
    }
    return true;
}

static unsigned short cycle_or_directory(struct fts_entry *entry)
{
    for (struct fts_entry *up = entry->parent; up != NULL && up->level >= ROOT_LEVEL;
         up = up->parent) {
        if (up->inode == entry->inode && up->device == entry->device) {
            entry->cycle = up;
            return FTS_DC;
        }
    }
    return FTS_D;
}

// What is at path. follow: through a symbolic link.
static unsigned short classify(struct fts *walk, struct fts_entry *entry, const char *path,
                               bool follow)
{
    struct stat *status = entry->status;
    follow |= (walk->options & FTS_LOGICAL) != 0;
    if ((follow ? stat : lstat)(path, status) != 0) {
        int error = errno;
        if (follow && lstat(path, status) == 0) {
            errno = 0;
            return FTS_SLNONE;
        }
        entry->error = error;
        memset(status, 0, sizeof *status);
        return FTS_NS;
    }
    entry->device = status->st_dev;
    entry->inode = status->st_ino;
    entry->link_count = status->st_nlink;
    if (S_ISDIR(status->st_mode)) {
        bool is_dot = strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0;
        return is_dot && entry->level > ROOT_LEVEL ? FTS_DOT : cycle_or_directory(entry);
    }
    return S_ISLNK(status->st_mode) ? FTS_SL : S_ISREG(status->st_mode) ? FTS_F : FTS_DEFAULT;
}

void glibc_qsort_r(void *array, size_t count, size_t size,
                   int (*compare)(const void *, const void *, void *), void *argument); // sort.c

static int by_caller(const void *one, const void *other, void *walk)
{
    return ((struct fts *)walk)
        ->compare((const struct fts_entry **)(uintptr_t)one,
                  (const struct fts_entry **)(uintptr_t)other);
}

// The list in the caller's order; as it is where there is no memory to sort.
static struct fts_entry *list_sort(struct fts *walk, struct fts_entry *head, size_t count)
{
    struct fts_entry **array =
        walk->compare == NULL || count < 2 ? NULL : libc_malloc(count * sizeof *array);
    if (array == NULL) {
        return head;
    }
    for (size_t i = 0; i < count; ++i, head = head->link) {
        array[i] = head;
    }
    glibc_qsort_r(array, count, sizeof *array, by_caller, walk);
    for (size_t i = 0; i < count; ++i) {
        array[i]->link = i + 1 < count ? array[i + 1] : NULL;
    }
    head = array[0];
    libc_free(array);
    return head;
}

EXPORT(struct fts *, fts_open, char *const *paths, int options,
       int (*compare)(const struct fts_entry **, const struct fts_entry **))
{
    if ((options & ~FTS_OPTIONMASK) != 0) {
        errno = EINVAL;
        return NULL;
    }
    struct fts *walk = libc_calloc(1, sizeof *walk);
    if (walk == NULL) {
        return NULL;
    }
    walk->compare = compare;
    walk->options = options | FTS_NOCHDIR;
    walk->root_fd = -1;
    struct fts_entry *first = NULL, **link = &first, *parent = NULL;
    if (!path_fit(walk, PATH_SIZE) || (parent = entry_new(walk, "", 0)) == NULL ||
        (walk->current = entry_new(walk, "", 0)) == NULL) {
        goto failed;
    }
    parent->level = ROOT_PARENT_LEVEL;
    size_t count = 0;
    for (; paths[count] != NULL; ++count) {
        size_t length = strlen(paths[count]);
        struct fts_entry *entry = entry_new(walk, paths[count], length);
        if (length == 0 || entry == NULL) {
            libc_free(entry);
            errno = length == 0 ? ENOENT : errno;
            goto failed;
        }
        entry->parent = parent;
        entry->level = ROOT_LEVEL;
        entry->access_path = entry->name;
        entry->info = classify(walk, entry, entry->name, (options & FTS_COMFOLLOW) != 0);
        if (entry->info == FTS_DOT) {
            entry->info = FTS_D;
        }
        *link = entry;
        link = &entry->link;
    }
    walk->current->info = FTS_INIT;
    walk->current->parent = parent;
    walk->current->link = list_sort(walk, first, count);
    return walk;
failed:
    list_free(first);
    libc_free(parent);
    libc_free(walk->current);
    libc_free(walk->path);
    libc_free(walk);
    return NULL;
}

// The entry's own name behind its parent's path.
static bool path_set(struct fts *walk, struct fts_entry *entry)
{
    struct fts_entry *parent = entry->parent;
    size_t length = 0;
    if (entry->level > ROOT_LEVEL) {
        length = parent->path_length;
        length -= length > 0 && walk->path[length - 1] == '/';
    }
    if (!path_fit(walk, length + 1 + entry->name_length + 1)) {
        return false;
    }
    if (entry->level > ROOT_LEVEL) {
        walk->path[length++] = '/';
    }
    memcpy(walk->path + length, entry->name, entry->name_length + 1u);
    entry->path_length = (unsigned short)(length + entry->name_length);
    entry->path = entry->access_path = walk->path;
    return true;
}

// Of a root, what stands behind its last slash, unless it is "/".
static void root_name_cut(struct fts_entry *root)
{
    const char *slash = strrchr(root->name, '/');
    if (slash != NULL && (slash != root->name || slash[1] != '\0')) {
        root->name_length = (unsigned short)strlen(slash + 1);
        memmove(root->name, slash + 1, root->name_length + 1u);
    }
}

static struct fts_entry *entry_of(struct fts *walk, struct fts_entry *directory,
                                  const struct dirent *found, bool names_only)
{
    struct fts_entry *entry = entry_new(walk, found->d_name, strlen(found->d_name));
    if (entry == NULL) {
        return NULL;
    }
    entry->parent = directory;
    entry->level = (short)(directory->level + 1);
    entry->inode = found->d_ino;
    bool is_known = (walk->options & FTS_NOSTAT) != 0 && found->d_type != DT_DIR &&
                    found->d_type != DT_UNKNOWN &&
                    (found->d_type != DT_LNK || (walk->options & FTS_LOGICAL) == 0);
    if (names_only || is_known) {
        entry->info = FTS_NSOK;
    } else if (path_set(walk, entry)) {
        entry->info = classify(walk, entry, walk->path, false);
    } else {
        entry->info = FTS_NS;
        entry->error = errno;
    }
    return entry;
}

// The entries of a directory. NULL: none, or directory->info says why.
static struct fts_entry *directory_list(struct fts *walk, struct fts_entry *directory,
                                        bool names_only)
{
    DIR *stream = opendir(directory->access_path);
    if (stream == NULL) {
        directory->info = FTS_DNR;
        directory->error = errno;
        return NULL;
    }
    struct fts_entry *first = NULL, **link = &first;
    const struct dirent *found;
    size_t count = 0;
    while ((found = readdir(stream)) != NULL) {
        bool is_dot = strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0;
        if (is_dot && (walk->options & FTS_SEEDOT) == 0) {
            continue;
        }
        struct fts_entry *entry = entry_of(walk, directory, found, names_only);
        if (entry == NULL) {
            list_free(first);
            closedir(stream);
            directory->info = FTS_ERR;
            directory->error = ENOMEM;
            return NULL;
        }
        *link = entry;
        link = &entry->link;
        ++count;
    }
    closedir(stream);
    walk->path[directory->path_length] = '\0';
    return list_sort(walk, first, count);
}

// The first entry of the current directory, or NULL: the directory has been walked.
static struct fts_entry *descend(struct fts *walk)
{
    struct fts_entry *directory = walk->current;
    bool is_elsewhere = (walk->options & FTS_XDEV) != 0 && directory->device != walk->device;
    if (directory->instruction == FTS_SKIP || is_elsewhere) {
        list_free(walk->child);
        walk->child = NULL;
        directory->info = FTS_DP;
        return NULL;
    }
    if (walk->child != NULL && (walk->options & FTS_NAMEONLY) != 0) {
        list_free(walk->child);
        walk->child = NULL;
    }
    walk->options &= ~FTS_NAMEONLY;
    struct fts_entry *first = walk->child;
    walk->child = NULL;
    if (first == NULL) {
        first = directory_list(walk, directory, false);
    }
    if (first == NULL && directory->info == FTS_D) {
        directory->info = FTS_DP;
    }
    return first;
}

// The entry behind the current one, which is done with: a sibling, or the parent for the second
// time.
static struct fts_entry *advance(struct fts *walk)
{
    struct fts_entry *entry = walk->current, *next;
    while ((next = entry->link) != NULL) {
        libc_free(entry);
        walk->current = entry = next;
        if (entry->instruction != FTS_SKIP) {
            return entry;
        }
    }
    next = entry->parent;
    libc_free(entry);
    walk->current = next;
    if (next->level == ROOT_PARENT_LEVEL) {
        return NULL;
    }
    walk->path[next->path_length] = '\0';
    next->info = next->error != 0 ? FTS_ERR : FTS_DP;
    return next;
}

static void follow_link(struct fts *walk, struct fts_entry *entry)
{
    entry->info = classify(walk, entry, entry->access_path, true);
}

EXPORT(struct fts_entry *, fts_read, struct fts *walk)
{
    struct fts_entry *entry = walk->current;
    if (entry == NULL || entry->level == ROOT_PARENT_LEVEL) {
        return NULL;
    }
    unsigned instruction = entry->instruction;
    bool is_link = entry->info == FTS_SL || entry->info == FTS_SLNONE;
    if (instruction == FTS_AGAIN) {
        entry->instruction = FTS_NOINSTR;
        entry->info = classify(walk, entry, entry->access_path, false);
        return entry;
    }
    if (instruction == FTS_FOLLOW && is_link) {
        entry->instruction = FTS_NOINSTR;
        follow_link(walk, entry);
        return entry;
    }
    if (entry->info == FTS_D) {
        struct fts_entry *first = descend(walk);
        if (first == NULL) {
            entry->instruction = FTS_NOINSTR;
            return entry; // again: FTS_DP, FTS_DNR or FTS_ERR
        }
        // A place before the first, so that all siblings are reached alike.
        struct fts_entry *before = entry_new(walk, "", 0);
        if (before == NULL) {
            list_free(first);
            return NULL;
        }
        before->link = first;
        before->parent = entry;
        walk->current = before;
    }
    entry = advance(walk);
    if (entry == NULL || entry->info == FTS_DP || entry->info == FTS_ERR) {
        errno = entry == NULL ? 0 : errno;
        return entry;
    }
    if (!path_set(walk, entry)) {
        return NULL;
    }
    if (entry->level == ROOT_LEVEL) {
        root_name_cut(entry);
        walk->device = entry->device;
    }
    if (entry->instruction == FTS_FOLLOW) {
        entry->instruction = FTS_NOINSTR;
        follow_link(walk, entry);
    }
    return entry;
}

EXPORT(int, fts_set, struct fts *walk, struct fts_entry *entry, int instruction)
{
    if (instruction < 0 || instruction > FTS_SKIP) {
        errno = EINVAL;
        return 1;
    }
    entry->instruction = (unsigned short)instruction;
    return 0;
}

// The entries of the directory that fts_read gave last; before its first call: the roots.
EXPORT(struct fts_entry *, fts_children, struct fts *walk, int options)
{
    struct fts_entry *entry = walk->current;
    if (options != 0 && options != FTS_NAMEONLY) {
        errno = EINVAL;
        return NULL;
    }
    errno = 0;
    if (entry == NULL) {
        return NULL;
    }
    if (entry->info == FTS_INIT) {
        return entry->link;
    }
    if (entry->info != FTS_D) {
        return NULL;
    }
    list_free(walk->child);
    walk->options &= ~FTS_NAMEONLY;
    walk->options |= options;
    walk->child = directory_list(walk, entry, options != 0);
    return walk->child;
}

EXPORT(int, fts_close, struct fts *walk)
{
    struct fts_entry *entry = walk->current;
    while (entry != NULL) {
        struct fts_entry *next = entry->link != NULL ? entry->link : entry->parent;
        libc_free(entry);
        entry = next;
    }
    list_free(walk->child);
    libc_free(walk->path);
    libc_free(walk);
    return 0;
}
