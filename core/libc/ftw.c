// SPDX-License-Identifier: BSD-3-Clause
// ftw.c: ftw and nftw over the walk of fts.c, with glibc's numbers and actions.
#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "core/libc/export.h"
#include "core/libc/fts.h"
#include "core/libc/memory.h"

enum flag { PHYSICAL = 1, MOUNT = 2, CHDIR = 4, DEPTH = 8, ACTIONS = 16, ALL_FLAGS = 31 };
enum kind { FILE_F, FILE_D, FILE_DNR, FILE_NS, FILE_SL, FILE_DP, FILE_SLN };
enum action { CONTINUE, STOP, SKIP_SUBTREE, SKIP_SIBLINGS };

struct place { // struct FTW
    int base, level;
};

struct visitor {
    int (*function)(const char *path, const struct stat *status, int kind, struct place *place);
    int (*plain)(const char *path, const struct stat *status, int kind); // of ftw
    int flags;
    struct fts *walk;
    void *directories; // of tsearch: those that have been walked, where links are followed
};

struct directory {
    dev_t device;
    ino_t inode;
};

// -1: the entry is not shown.
static int kind_of(const struct fts_entry *entry, int flags)
{
    bool is_depth = (flags & DEPTH) != 0;
    switch (entry->info) {
    case FTS_D: // the walk learns only later whether it can be read
        return is_depth ? -1 : access(entry->access_path, R_OK) == 0 ? FILE_D : FILE_DNR;
    case FTS_DP:
        return is_depth ? FILE_DP : -1;
    case FTS_DNR:
        return is_depth ? FILE_DNR : -1;
    case FTS_NS:
        return FILE_NS;
    case FTS_SL:
        return FILE_SL;
    case FTS_SLNONE:
        return FILE_SLN;
    case FTS_DC:
        return -1;
    default:
        return FILE_F;
    }
}

static int directory_enter(const char *path, size_t length)
{
    char *name = libc_malloc(length + 1);
    if (name == NULL) {
        return -1;
    }
    memcpy(name, path, length);
    name[length] = '\0';
    int result = length == 0 ? 0 : chdir(name);
    libc_free(name);
    return result;
}

// With CHDIR the caller's function runs in the entry's directory; the walk goes by the paths from
// where it began, which is therefore gone back to.
static int visit(const struct visitor *visitor, const struct fts_entry *entry, int kind)
{
    const char *path = entry->path;
    size_t end = entry->path_length;
    while (end > 1 && path[end - 1] == '/') {
        --end;
    }
    while (end > 0 && path[end - 1] != '/') {
        --end;
    }
    struct place place = {(int)end, entry->level};
    if (visitor->plain != NULL) {
        return visitor->plain(path, entry->status, kind == FILE_SLN ? FILE_NS : kind);
    }
    bool moves = (visitor->flags & CHDIR) != 0;
    char *before = moves ? getcwd(NULL, 0) : NULL;
    if (moves && (before == NULL || directory_enter(path, end) != 0)) {
        libc_free(before);
        return -1;
    }
    int result = visitor->function(path, entry->status, kind, &place);
    if (moves && chdir(before) != 0) {
        result = -1;
    }
    libc_free(before);
    return result;
}

// The rest of the entry's directory is left out.
static void siblings_skip(struct visitor *visitor, struct fts_entry *entry)
{
    glibc_fts_set(visitor->walk, entry, FTS_SKIP);
    for (struct fts_entry *next = entry->link; next != NULL; next = next->link) {
        glibc_fts_set(visitor->walk, next, FTS_SKIP);
    }
}

static int directory_compare(const void *one, const void *other)
{
    return memcmp(one, other, sizeof(struct directory));
}

// Whether a directory has been walked by another name; it has been from now on. -1: out of memory.
static int directory_seen(struct visitor *visitor, const struct fts_entry *entry)
{
    struct directory *directory = libc_malloc(sizeof *directory);
    if (directory == NULL) {
        return -1;
    }
    *directory = (struct directory){entry->device, entry->inode};
    struct directory **found = tsearch(directory, &visitor->directories, directory_compare);
    if (found == NULL || *found != directory) {
        libc_free(directory);
    }
    return found == NULL ? -1 : *found != directory;
}

// 0: the walk goes on.
static int entry_visit(struct visitor *visitor, struct fts_entry *entry)
{
    enum { SEEN = 1 }; // in entry->number, for when it comes again
    if (entry->info == FTS_D && (visitor->flags & PHYSICAL) == 0) {
        int seen = directory_seen(visitor, entry);
        if (seen < 0) {
            return -1;
        }
        if (seen) {
            entry->number = SEEN;
            glibc_fts_set(visitor->walk, entry, FTS_SKIP);
        }
    }
    if (entry->number == SEEN) {
        return 0;
    }
    int kind = kind_of(entry, visitor->flags);
    if (kind == FILE_NS && entry->error != EACCES && entry->error != ENOENT) {
        errno = entry->error;
        return -1;
    }
    if (kind < 0) {
        return 0;
    }
    int result = visit(visitor, entry, kind);
    if ((visitor->flags & ACTIONS) == 0 || result < 0) {
        return result;
    }
    if (result == SKIP_SUBTREE && kind == FILE_D) {
        glibc_fts_set(visitor->walk, entry, FTS_SKIP);
        return 0;
    }
    if (result == SKIP_SIBLINGS) {
        siblings_skip(visitor, entry);
        return 0;
    }
    return result == SKIP_SUBTREE ? 0 : result;
}

static int entries_visit(struct visitor *visitor)
{
    struct fts_entry *entry;
    int result = 0;
    while (result == 0 && (entry = glibc_fts_read(visitor->walk)) != NULL) {
        if (entry->level == 0 && entry->info == FTS_NS) {
            errno = entry->error;
            return -1;
        }
        result = entry_visit(visitor, entry);
    }
    return result;
}

static int tree_visit(const char *path, struct visitor *visitor)
{
    int options = (visitor->flags & PHYSICAL) != 0 ? FTS_PHYSICAL : FTS_LOGICAL;
    int before = errno, result = -1;
    size_t length = strlen(path);
    if (length == 0) {
        errno = ENOENT;
        return -1;
    }
    while (length > 1 && path[length - 1] == '/') {
        --length;
    }
    char *root = libc_malloc(length + 1);
    if (root == NULL) {
        return -1;
    }
    memcpy(root, path, length);
    root[length] = '\0';
    if ((visitor->flags & MOUNT) != 0) {
        options |= FTS_XDEV;
    }
    visitor->walk = glibc_fts_open((char *[]){root, NULL}, options, NULL);
    if (visitor->walk != NULL) {
        result = entries_visit(visitor);
        before = result == -1 ? errno : before;
        glibc_fts_close(visitor->walk);
        tdestroy(visitor->directories, libc_free);
        errno = before;
    }
    libc_free(root);
    return result;
}

EXPORT(int, nftw, const char *path,
       int (*function)(const char *, const struct stat *, int, struct place *), int fds, int flags)
{
    if ((flags & ~ALL_FLAGS) != 0) {
        errno = EINVAL;
        return -1;
    }
    struct visitor visitor = {.function = function, .flags = flags};
    return tree_visit(path, &visitor);
}

EXPORT(int, ftw, const char *path, int (*function)(const char *, const struct stat *, int), int fds)
{
    struct visitor visitor = {.plain = function};
    return tree_visit(path, &visitor);
}
