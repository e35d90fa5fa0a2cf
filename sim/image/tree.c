// SPDX-License-Identifier: BSD-3-Clause
// tree.c: what the root of an image will hold.
//
// The names of a directory are kept sorted, so that the same files make the same image wherever
// they come from.
#include "sim/image/tree.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/image/fail.h"
#include "sim/image/scratch.h"

enum { LINKS_MAX = 40, MODE_DIRECTORY = 0755, MODE_FILE = 0644, MODE_LINK = 0777 };

// ---- Names in a directory --------------------------------------------------------

char *tree_path(const struct node *node)
{
    char *path = text_make("%s", node->parent == node ? "/" : "");
    for (; node->parent != node; node = node->parent) {
        char *longer = text_make("/%s%s", node->name, path);
        free(path);
        path = longer;
    }
    return path;
}

static bool is_mounted_over(const struct node *directory)
{
    return directory->parent->parent == directory->parent && directory->parent != directory &&
           (strcmp(directory->name, "dev") == 0 || strcmp(directory->name, "proc") == 0 ||
            strcmp(directory->name, "sys") == 0 || strcmp(directory->name, "tmp") == 0);
}

// The place in the list where name is or belongs.
static struct node **place_of(struct node *directory, const char *name)
{
    struct node **place = &directory->first;
    while (*place != NULL && strcmp((*place)->name, name) < 0) {
        place = &(*place)->next;
    }
    return place;
}

static struct node *child_of(struct node *directory, const char *name)
{
    struct node *node = *place_of(directory, name);
    return node != NULL && strcmp(node->name, name) == 0 ? node : NULL;
}

// What the program could never see ends the run: the mount point or what is below it.
static void visible_check(struct node *directory, const char *name)
{
    const struct node *child = child_of(directory, name);
    const struct node *node = child != NULL && is_mounted_over(child) ? child : directory;
    while (node->parent != node && !is_mounted_over(node)) {
        node = node->parent;
    }
    if (is_mounted_over(node)) {
        char *path = tree_path(directory);
        fail(EXIT_FAILED,
             "%s/%s: the kernel mounts a file system of its own over /%s, which hides what the "
             "image has there; give it another place, by --file HOST:GUEST",
             path[1] == 0 ? "" : path, name, node->name);
    }
}

// name must not be taken.
static struct node *child_new(struct node *directory, const char *name, enum node_kind kind,
                              mode_t mode)
{
    struct node **place = place_of(directory, name);
    struct node *node = memory_new(sizeof *node);
    node->kind = kind;
    node->name = text_make("%s", name);
    node->mode = mode;
    node->parent = directory;
    node->next = *place;
    *place = node;
    return node;
}

static char *link_read(const char *path, size_t size)
{
    char *text = memory_new(size + 2); // more than it says: whether it has grown
    const ssize_t length = readlink(path, text, size + 1);
    if (length < 0 || (size_t)length > size) {
        fail_errno(path);
    }
    return text;
}

// A copy of the host's file as name in directory. NULL: it is of a kind that is left out.
static struct node *child_copy(struct node *directory, const char *name, const char *host,
                               const struct stat *status)
{
    static const struct {
        mode_t type;
        enum node_kind kind;
    } kinds[] = {{S_IFDIR, NODE_DIRECTORY},
                 {S_IFREG, NODE_FILE},
                 {S_IFLNK, NODE_LINK},
                 {S_IFIFO, NODE_FIFO}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
        if (kinds[i].type == (status->st_mode & S_IFMT)) {
            if (kinds[i].kind != NODE_DIRECTORY) { // one on the way to what is looked for
                visible_check(directory, name);
            }
            struct node *node =
                child_new(directory, name, kinds[i].kind, status->st_mode & ~(mode_t)S_IFMT);
            node->device = status->st_dev;
            node->inode = status->st_ino;
            node->is_shared = status->st_nlink > 1;
            node->time = status->st_mtim;
            node->text = node->kind == NODE_FILE   ? text_make("%s", host)
                         : node->kind == NODE_LINK ? link_read(host, (size_t)status->st_size)
                                                   : NULL;
            return node;
        }
    }
    return NULL;
}

// ---- Paths -------------------------------------------------------------------------

static struct node *root_of(struct node *node)
{
    while (node->parent != node) {
        node = node->parent;
    }
    return node;
}

// What to do about a name that a directory lacks: the new node, or NULL.
static struct node *none_made(struct node *directory, const char *name)
{
    (void)directory;
    (void)name;
    return NULL;
}

static struct node *directory_made(struct node *directory, const char *name)
{
    return child_new(directory, name, NODE_DIRECTORY, MODE_DIRECTORY);
}

// Other names of the directory are not there, so neither is its time of the last change.
static struct node *host_copied(struct node *directory, const char *name)
{
    struct stat status;
    char *parent = tree_path(directory);
    char *host = text_make("%s/%s", parent[1] == 0 ? "" : parent, name);
    struct node *node =
        lstat(host, &status) == 0 ? child_copy(directory, name, host, &status) : NULL;
    if (node != NULL && node->kind == NODE_DIRECTORY) {
        node->time = (struct timespec){.tv_sec = 0};
    }
    free(parent);
    free(host);
    return node;
}

// The first name of *rest, which is left behind it; NULL: no more.
static char *name_take(char **rest)
{
    char *name = *rest + strspn(*rest, "/");
    if (*name == 0) {
        return NULL;
    }
    char *end = name + strcspn(name, "/");
    *rest = end + (*end != 0);
    *end = 0;
    return name;
}

// Follows path from directory on.
static struct node *path_walk(struct node *directory, const char *path,
                              struct node *(*lacking)(struct node *directory, const char *name))
{
    struct node *at = path[0] == '/' ? root_of(directory) : directory;
    char *text = text_make("%s", path), *rest = text, *name;
    unsigned link_count = 0;
    while (at != NULL && (name = name_take(&rest)) != NULL) {
        if (at->kind != NODE_DIRECTORY) {
            at = NULL;
        } else if (strcmp(name, "..") == 0) {
            at = at->parent;
        } else if (strcmp(name, ".") != 0) {
            struct node *child = child_of(at, name);
            child = child != NULL ? child : lacking(at, name);
            if (child != NULL && child->kind == NODE_LINK) {
                char *longer = text_make("%s/%s", child->text, rest);
                at = ++link_count > LINKS_MAX ? NULL : child->text[0] == '/' ? root_of(at) : at;
                free(text);
                text = rest = longer;
            } else {
                at = child;
            }
        }
    }
    free(text);
    return at;
}

struct node *tree_find(struct node *root, const char *path)
{
    return path_walk(root, path, none_made);
}

struct node *tree_pack(struct node *root, const char *path)
{
    return path_walk(root, path, host_copied);
}

// The directory of path, and its last name.
static struct node *parent_make(struct node *root, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    char *directory = text_make("%.*s", (int)(slash - path), path);
    struct node *parent = path_walk(root, directory, directory_made);
    if (parent == NULL || parent->kind != NODE_DIRECTORY) {
        fail(EXIT_FAILED, "%s: a part of the path is no directory", path);
    }
    free(directory);
    *name = slash + 1;
    return parent;
}

void tree_link(struct node *root, const char *path, const char *target)
{
    const char *name;
    struct node *parent = parent_make(root, path, &name);
    if (child_of(parent, name) == NULL) {
        child_new(parent, name, NODE_LINK, MODE_LINK)->text = text_make("%s", target);
    }
}

void tree_file(struct node *root, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    char *directory = text_make("%.*s", (int)(name - 1 - path), path);
    struct node *parent = path_walk(root, directory, directory_made);
    if (parent != NULL && parent->kind == NODE_DIRECTORY && child_of(parent, name) == NULL) {
        child_new(parent, name, NODE_FILE, MODE_FILE)->text = text_make("/dev/null");
    }
    free(directory);
}

// ---- The host's files ------------------------------------------------------------------

struct node *tree_new(void)
{
    static const char *const mounts[] = {"dev", "proc", "sys", "tmp"};
    struct node *root = memory_new(sizeof *root);
    root->name = text_make("%s", "");
    root->mode = MODE_DIRECTORY;
    root->parent = root;
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; ++i) {
        directory_made(root, mounts[i]);
    }
    return root;
}

// Directories whose names are still to be read.
struct pending {
    struct node *directory;
    char *host;
    struct pending *next;
};

static void pending_add(struct pending **list, struct node *directory, const char *host)
{
    struct pending *pending = memory_new(sizeof *pending);
    *pending = (struct pending){directory, text_make("%s", host), *list};
    *list = pending;
}

// What is there as a directory stays one, with the host's rights. Anything else gives way.
static struct node *child_place(struct node *directory, const char *name, const char *host,
                                const struct stat *status)
{
    struct node *old = child_of(directory, name);
    if (old != NULL && old->kind == NODE_DIRECTORY && S_ISDIR(status->st_mode)) {
        old->mode = status->st_mode & ~(mode_t)S_IFMT;
        old->time = status->st_mtim;
        return old;
    }
    if (old != NULL && old->kind == NODE_DIRECTORY) {
        char *path = tree_path(old);
        fail(EXIT_FAILED, "%s: cannot take the place of the directory %s", host, path);
    }
    if (old != NULL) {
        *place_of(directory, name) = old->next;
    }
    return child_copy(directory, name, host, status);
}

static void child_add(struct pending **list, struct node *directory, const char *name,
                      const char *host, const struct stat *status)
{
    struct node *node = child_place(directory, name, host, status);
    if (node != NULL && node->kind == NODE_DIRECTORY && !is_mounted_over(node)) {
        pending_add(list, node, host);
    }
}

static void directory_read(struct pending **list, const struct pending *pending)
{
    DIR *stream = opendir(pending->host);
    if (stream == NULL) {
        fail_errno(pending->host);
    }
    scratch_check();
    for (struct dirent *entry; errno = 0, (entry = readdir(stream)) != NULL;) {
        const char *name = entry->d_name;
        struct stat status;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            continue;
        }
        char *host = text_make("%s/%s", pending->host, name);
        if (lstat(host, &status) != 0) {
            fail_errno(host);
        }
        child_add(list, pending->directory, name, host, &status);
        free(host);
    }
    if (errno != 0) {
        fail_errno(pending->host);
    }
    closedir(stream);
}

static void pending_read(struct pending *list)
{
    while (list != NULL) {
        struct pending *pending = list;
        list = list->next;
        directory_read(&list, pending);
        free(pending->host);
        free(pending);
    }
}

void tree_add(struct node *root, const char *host, const char *path)
{
    struct pending *list = NULL;
    struct stat status;
    const char *name;
    if (stat(host, &status) != 0) {
        fail_errno(host);
    }
    if (tree_find(root, path) == root) {
        if (!S_ISDIR(status.st_mode)) {
            fail(EXIT_FAILED, "%s: is no directory", host);
        }
        root->mode = status.st_mode & ~(mode_t)S_IFMT;
        root->time = status.st_mtim;
        pending_add(&list, root, host);
    } else {
        struct node *parent = parent_make(root, path, &name);
        visible_check(parent, name);
        child_add(&list, parent, name, host, &status);
    }
    pending_read(list);
}
