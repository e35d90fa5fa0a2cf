// SPDX-License-Identifier: BSD-3-Clause
// tree.h: what the root of an image will hold: names, and which file of the host each is a copy of.
#ifndef SIM_IMAGE_TREE_H
#define SIM_IMAGE_TREE_H

#include <stdbool.h>
#include <sys/stat.h>

enum node_kind { NODE_DIRECTORY, NODE_FILE, NODE_LINK, NODE_FIFO };

struct node {
    enum node_kind kind;
    char *name;   // the root's is empty
    char *text;   // NODE_FILE: the host's file; NODE_LINK: where it leads
    mode_t mode;  // permissions
    dev_t device; // of the host's file, as the next: equal for two names of one file
    ino_t inode;
    bool is_shared;       // the host's file has other names
    struct timespec time; // of the last change
    struct node *parent;  // the root's is the root
    struct node *first;   // of a directory, sorted by name
    struct node *next;    // in the same directory
};

// A root with /tmp, /dev, /proc and /sys, on which the kernel mounts file systems.
struct node *tree_new(void);

// The host's file or directory, with all that is in it, as path, an absolute one of the image.
// Links are kept, but for host itself. Directories that path needs are made; what in it the kernel
// would mount over is left out, as are sockets and devices. A path that it would mount over ends
// the run.
void tree_add(struct node *root, const char *host, const char *path);

// What path leads to, through links; NULL: nothing.
struct node *tree_find(struct node *root, const char *path);

// The same, but what the tree lacks on the way is taken from the host, where it has the same path:
// a link as a link, a directory without what is in it, a file; one that the kernel would mount over
// ends the run.
struct node *tree_pack(struct node *root, const char *path);

// A link in the directory that path names, which is made where need be; nothing where the name is
// taken.
void tree_link(struct node *root, const char *path, const char *target);

// An empty file, in the same way; nothing, too, where a part of the path is no directory.
void tree_file(struct node *root, const char *path);

// The absolute path, for free().
char *tree_path(const struct node *node);

#endif
