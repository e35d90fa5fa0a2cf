// SPDX-License-Identifier: BSD-3-Clause
// fts.h: walking file trees: the entries as programs lay them out, which are glibc's, for ftw.c
// too.
#ifndef CORE_LIBC_FTS_H
#define CORE_LIBC_FTS_H

#include <sys/stat.h>
#include <sys/types.h>

enum fts_option {
    FTS_COMFOLLOW = 1,
    FTS_LOGICAL = 2,
    FTS_NOCHDIR = 4,
    FTS_NOSTAT = 8,
    FTS_PHYSICAL = 16,
    FTS_SEEDOT = 32,
    FTS_XDEV = 64,
    FTS_OPTIONMASK = 255,
    FTS_NAMEONLY = 256, // of fts_children
};

enum fts_info {
    FTS_D = 1,
    FTS_DC,
    FTS_DEFAULT,
    FTS_DNR,
    FTS_DOT,
    FTS_DP,
    FTS_ERR,
    FTS_F,
    FTS_INIT,
    FTS_NS,
    FTS_NSOK,
    FTS_SL,
    FTS_SLNONE,
};

enum fts_instruction { FTS_AGAIN = 1, FTS_FOLLOW, FTS_NOINSTR, FTS_SKIP };

struct fts_entry { // FTSENT
    struct fts_entry *cycle, *parent, *link;
    long number;
    void *pointer;
    char *access_path, *path;
    int error;
    int link_fd;
    unsigned short path_length, name_length;
    ino_t inode;
    dev_t device;
    nlink_t link_count;
    short level;
    unsigned short info, flags, instruction;
    struct stat *status;
    char name[];
};

struct fts { // FTS
    struct fts_entry *current, *child, **array;
    dev_t device;
    char *path;
    int root_fd, path_size, array_count;
    int (*compare)(const struct fts_entry **, const struct fts_entry **);
    int options;
};

struct fts *glibc_fts_open(char *const *paths, int options,
                           int (*compare)(const struct fts_entry **, const struct fts_entry **));
struct fts_entry *glibc_fts_read(struct fts *walk);
int glibc_fts_set(struct fts *walk, struct fts_entry *entry, int instruction);
int glibc_fts_close(struct fts *walk);

#endif
