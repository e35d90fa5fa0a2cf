// SPDX-License-Identifier: BSD-3-Clause
// walks.c: fts and nftw over a tree that it makes, with all their options.
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const FTSENT **one, const FTSENT **other)
{
    return strcmp((*one)->fts_name, (*other)->fts_name);
}

static void file(const char *path)
{
    close(open(path, O_CREAT | O_WRONLY, 0644));
}

static int has_status;

static void entry_show(const FTSENT *entry)
{
    printf("%d %s %s %d %d %d %d", entry->fts_info, entry->fts_path, entry->fts_name,
           entry->fts_level, entry->fts_pathlen, entry->fts_namelen, entry->fts_errno);
    if (entry->fts_info != FTS_NSOK && entry->fts_info != FTS_NS && has_status) {
        printf(" %o", entry->fts_statp->st_mode & S_IFMT);
    }
    puts(entry->fts_info == FTS_DC ? entry->fts_cycle->fts_name : "");
}

static void walk(const char *what, char *const *paths, int options)
{
    printf("-- %s\n", what);
    has_status = (options & FTS_NOSTAT) == 0;
    FTS *fts = fts_open(paths, options, (void *)by_name);
    if (fts == NULL) {
        printf("%d\n", errno);
        return;
    }
    FTSENT *entry;
    for (errno = 0; (entry = fts_read(fts)) != NULL; errno = 0) {
        entry_show(entry);
        if (strcmp(entry->fts_name, "skipped") == 0 && entry->fts_info == FTS_D) {
            printf("set %d\n", fts_set(fts, entry, FTS_SKIP));
        }
        if (strcmp(entry->fts_name, "link") == 0 && entry->fts_info == FTS_SL) {
            printf("set %d\n", fts_set(fts, entry, FTS_FOLLOW));
        }
        if (strcmp(entry->fts_name, "again") == 0 && entry->fts_number++ == 0) {
            printf("set %d %d\n", fts_set(fts, entry, FTS_AGAIN), fts_set(fts, entry, 99));
        }
        if (strcmp(entry->fts_name, "deep") == 0 && entry->fts_info == FTS_D) {
            for (FTSENT *child = fts_children(fts, 0); child != NULL; child = child->fts_link) {
                printf("child %s\n", child->fts_name);
            }
        }
    }
    printf("end %d %d\n", errno, fts_close(fts));
}

static int actions;

static int visit(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    struct stat here;
    printf("%s %d %d %d", path, kind, place->base, place->level);
    printf(" %d\n", lstat(path + place->base, &here) == 0);
    if (actions != 0 && strcmp(path + place->base, "deep") == 0) {
        return actions;
    }
    return 0;
}

static int visit_plain(const char *path, const struct stat *status, int kind)
{
    printf("%s %d\n", path, kind);
    return strcmp(path, "tree/one/only") == 0 ? 7 : 0;
}

static void new_walk(const char *what, const char *path, int flags)
{
    printf("-- nftw %s\n", what);
    int result = nftw(path, visit, 5, flags);
    printf("%d %d\n", result, result == -1 ? errno : 0);
}

int main(void)
{
    char *tree[] = {"tree", NULL}, *several[] = {"tree/some", "none", "tree/link", "tree/", NULL},
         *no_name[] = {"", NULL};
    mkdir("tree", 0755);
    mkdir("tree/deep", 0755);
    mkdir("tree/deep/deeper", 0755);
    mkdir("tree/skipped", 0755);
    mkdir("tree/one", 0755);
    file("tree/deep/deeper/bottom");
    file("tree/deep/again");
    file("tree/skipped/unseen");
    file("tree/some");
    file("tree/one/only");
    symlink("deep", "tree/link");
    symlink("nowhere", "tree/dangling");
    symlink("..", "tree/deep/up");
    walk("physical", tree, FTS_PHYSICAL);
    walk("no chdir", tree, FTS_PHYSICAL | FTS_NOCHDIR);
    walk("logical", tree, FTS_LOGICAL);
    walk("no stat", tree, FTS_PHYSICAL | FTS_NOSTAT | FTS_NOCHDIR);
    walk("dots", tree, FTS_PHYSICAL | FTS_SEEDOT | FTS_XDEV);
    walk("several", several, FTS_PHYSICAL);
    walk("several, followed", several, FTS_PHYSICAL | FTS_COMFOLLOW);
    walk("wrong", tree, 0x1000);
    walk("no name", no_name, FTS_PHYSICAL);
    FTS *fts = fts_open(several, FTS_PHYSICAL, NULL);
    for (FTSENT *root = fts_children(fts, 0); root != NULL; root = root->fts_link) {
        printf("root %s %d\n", root->fts_name, root->fts_info);
    }
    printf("%d\n", fts_close(fts));
    new_walk("one", "tree/one", FTW_PHYS);
    new_walk("depth", "tree/one", FTW_PHYS | FTW_DEPTH);
    new_walk("chdir", "tree/one", FTW_PHYS | FTW_CHDIR | FTW_MOUNT);
    new_walk("deeper", "tree/deep/deeper/", FTW_DEPTH);
    new_walk("file", "tree/some", 0);
    new_walk("link", "tree/link", FTW_PHYS);
    new_walk("dangling", "tree/dangling", 0);
    new_walk("none", "tree/none", 0);
    new_walk("wrong", "tree", 1 << 20);
    for (actions = FTW_STOP; actions <= FTW_SKIP_SIBLINGS; ++actions) {
        new_walk("actions", "tree/deep", FTW_PHYS | FTW_ACTIONRETVAL);
        new_walk("actions", "tree/deep/deeper", FTW_ACTIONRETVAL);
    }
    printf("%d\n", ftw("tree/one", visit_plain, 1));
    return 0;
}
