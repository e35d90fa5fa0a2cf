// SPDX-License-Identifier: BSD-3-Clause
// files.c: the world of files: random operations on a folder in memory, through a few descriptors.
//
// The folder is one of /dev/shm, which is in memory on Linux, too: what a host's file system does
// is its own affair. Sizes of folders, times, blocks and inodes are not said.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "differ.h"

enum { FD_COUNT = 5, SIZE_MAX_BYTES = 40000, NAMES_MAX = 64, TRIES = 50 };

struct files {
    char path[64];
    int folder;
    int fds[FD_COUNT]; // -1: closed
};

static const char *const names[] = {
    "a", "a",   "b",   "b",   "c",      "d",      "d", "d/x",    "d/x", "d/y",  "e",          "e/z",
    ".", "d/.", "a/x", "b/.", "d/../a", "none/x", "",  "d/../b", "a/",  "d/e/", "d/x/../../c"};

static struct files *files_of(struct run *run)
{
    return run->state;
}

static const char *name_random(struct run *run)
{
    const char *name = names[random_below(run, sizeof names / sizeof names[0])];
    say(run, " '%s'", name);
    return name;
}

static int *slot_random(struct run *run)
{
    uint32_t slot = random_below(run, FD_COUNT);
    say(run, " [%u]", slot);
    return &files_of(run)->fds[slot];
}

static off_t offset_random(struct run *run)
{
    static const int edges[] = {0, 1, 4095, 4096, 4097, 8192, 12288, 20000};
    off_t offset = random_chance(run, 2) ? edges[random_below(run, 8)]
                                         : (off_t)random_below(run, SIZE_MAX_BYTES);
    offset = random_chance(run, 25) ? -offset : offset;
    say(run, " %ld", (long)offset);
    return offset;
}

// Makes it once more where it may have failed by chance.
#define MAKE(result, call)                                                                         \
    do {                                                                                           \
        result = call;                                                                             \
    } while (result == -1 && (errno == ENOMEM || errno == ENOSPC) && run_again(run))

static void make_open(struct run *run)
{
    static const int extras[] = {0,
                                 0,
                                 O_CREAT,
                                 O_CREAT,
                                 O_CREAT,
                                 O_CREAT | O_EXCL,
                                 O_TRUNC,
                                 O_CREAT | O_TRUNC,
                                 O_DIRECTORY,
                                 O_NOFOLLOW,
                                 O_CREAT | O_NOFOLLOW,
                                 O_PATH,
                                 O_PATH | O_NOFOLLOW};
    int *slot = slot_random(run);
    const char *name = name_random(run);
    int access = random_chance(run, 3) ? (int)random_below(run, 3) : O_RDWR;
    int flags = access | extras[random_below(run, sizeof extras / sizeof extras[0])];
    int mode = random_chance(run, 4) ? (int)random_below(run, 01000) | 0600 : 0644;
    say(run, " flags %x mode %o", (unsigned)flags, mode);
    int fd;
    MAKE(fd, openat(files_of(run)->folder, name, flags | O_CLOEXEC, mode));
    say_result(run, fd >= 0 ? 0 : fd);
    if (fd >= 0) {
        if (*slot >= 0) {
            close(*slot);
        }
        *slot = fd;
    }
}

static void make_close(struct run *run)
{
    int *slot = slot_random(run);
    say_result(run, close(*slot));
    *slot = -1;
}

static void make_dup(struct run *run)
{
    int *from = slot_random(run), *to = slot_random(run);
    int fd;
    MAKE(fd, dup(*from));
    say_result(run, fd >= 0 ? 0 : fd);
    if (fd >= 0) {
        if (*to >= 0) {
            close(*to);
        }
        *to = fd;
    }
}

static void make_read(struct run *run)
{
    int fd = *slot_random(run);
    size_t size = random_below(run, SIZE_MAX_BYTES);
    bool has_offset = random_chance(run, 2);
    off_t offset = has_offset ? offset_random(run) : 0;
    char *copy = memory_allocate(SIZE_MAX_BYTES);
    ssize_t done;
    MAKE(done, has_offset ? pread(fd, copy, size, offset) : read(fd, copy, size));
    say(run, " size %zu", size);
    say_result(run, done);
    say(run, " %016llx",
        (unsigned long long)hash_bytes(HASH_EMPTY, copy, done > 0 ? (size_t)done : 0));
    free(copy);
}

static void make_write(struct run *run)
{
    int fd = *slot_random(run);
    size_t size = random_below(run, random_chance(run, 2) ? 200 : SIZE_MAX_BYTES / 2);
    int pattern = (int)random_below(run, 256);
    bool has_offset = random_chance(run, 2);
    off_t offset = has_offset ? offset_random(run) : 0;
    char *data = memory_allocate(size + 1);
    for (size_t i = 0; i < size; ++i) {
        data[i] = (char)(pattern + (int)(i / 7));
    }
    size_t whole = 0;
    ssize_t done;
    do { // as much as there is memory for
        done = has_offset ? pwrite(fd, data + whole, size - whole, offset + (off_t)whole)
                          : write(fd, data + whole, size - whole);
        whole += done > 0 ? (size_t)done : 0;
    } while ((done > 0 ? whole < size : done == -1 && (errno == ENOSPC || errno == ENOMEM)) &&
             run_again(run));
    say(run, " size %zu", size);
    say_result(run, whole > 0 ? (long)whole : done);
    free(data);
}

static void make_seek(struct run *run)
{
    int fd = *slot_random(run);
    off_t offset = offset_random(run);
    // Whether what fallocate has made is a hole each file system says for itself.
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END, 5};
    int whence = whences[random_below(run, 4)];
    offset = random_chance(run, 3) ? -offset : offset;
    say(run, " whence %d", whence);
    struct stat status;
    bool is_folder = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
    if (is_folder && (whence != SEEK_SET || offset != 0)) {
        say(run, " left out"); // places in folders are the file system's own
        return;
    }
    say_result(run, lseek(fd, offset, whence));
}

static void make_truncate(struct run *run)
{
    bool by_name = random_chance(run, 4);
    int result;
    if (by_name) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", files_of(run)->path, name_random(run));
        off_t size = offset_random(run);
        MAKE(result, truncate(path, size));
    } else {
        int fd = *slot_random(run);
        off_t size = offset_random(run);
        MAKE(result, ftruncate(fd, size));
    }
    say_result(run, result);
}

static void make_allocate(struct run *run)
{
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
                                FALLOC_FL_PUNCH_HOLE, 0x40};
    int fd = *slot_random(run);
    int mode = modes[random_below(run, 5)];
    off_t from = offset_random(run), size = offset_random(run);
    say(run, " mode %x", (unsigned)mode);
    int result;
    MAKE(result, fallocate(fd, mode, from, size));
    say_result(run, result);
}

// Two names.
static void make_rename(struct run *run)
{
    static const unsigned flags[] = {0, 0, 0, 0, 1 /* NOREPLACE */, 2 /* EXCHANGE */, 3};
    int folder = files_of(run)->folder, result;
    const char *from = name_random(run), *to = name_random(run);
    unsigned flag = flags[random_below(run, 7)];
    say(run, " flags %x", flag);
    MAKE(result, renameat2(folder, from, folder, to, flag));
    say_result(run, result);
}

static void make_link(struct run *run)
{
    int folder = files_of(run)->folder, result;
    const char *from = name_random(run), *to = name_random(run);
    int how = (int)random_below(run, 3);
    // One that leads to a folder above would lead out of ours.
    how = how == 0 && strpbrk(from, "./") != NULL ? 1 : how;
    say(run, " how %d", how);
    MAKE(result, how == 0 ? symlinkat(from, folder, to)
                          : linkat(folder, from, folder, to, how == 1 ? 0 : AT_SYMLINK_FOLLOW));
    say_result(run, result);
}

// One name.
static void make_unlink(struct run *run)
{
    const char *name = name_random(run);
    int flags = random_chance(run, 3) ? AT_REMOVEDIR : 0, result;
    say(run, " flags %x", (unsigned)flags);
    MAKE(result, unlinkat(files_of(run)->folder, name, flags));
    say_result(run, result);
}

static void make_folder(struct run *run)
{
    const char *name = name_random(run);
    int result;
    MAKE(result, mkdirat(files_of(run)->folder, name, 0755));
    say_result(run, result);
}

static void say_status(struct run *run, const struct stat *status)
{
    say(run, " %o %d", status->st_mode, S_ISDIR(status->st_mode) ? 0 : (int)status->st_nlink);
    if (!S_ISDIR(status->st_mode)) {
        say(run, " %ld", (long)status->st_size);
    } else {
        say(run, " %d", (int)status->st_nlink);
    }
}

static void make_status(struct run *run)
{
    const char *name = name_random(run);
    struct stat status;
    char target[128] = "";
    int flags = random_chance(run, 2) ? AT_SYMLINK_NOFOLLOW : 0, result;
    MAKE(result, fstatat(files_of(run)->folder, name, &status, flags));
    say_result(run, result);
    if (result == 0) {
        say_status(run, &status);
    }
    MAKE(result, (int)readlinkat(files_of(run)->folder, name, target, sizeof target - 1));
    say_result(run, result);
    say(run, " %s", target);
    MAKE(result, faccessat(files_of(run)->folder, name, (int)random_below(run, 8), 0));
    say_result(run, result);
}

static const struct operation operations[] = {
    {"open", 20, make_open},        {"close", 5, make_close},        {"dup", 2, make_dup},
    {"read", 8, make_read},         {"write", 14, make_write},       {"lseek", 8, make_seek},
    {"truncate", 5, make_truncate}, {"fallocate", 4, make_allocate}, {"rename", 8, make_rename},
    {"link", 7, make_link},         {"unlink", 7, make_unlink},      {"mkdir", 5, make_folder},
    {"stat", 6, make_status},
};

// ---- What is there -------------------------------------------------------

struct listing {
    char names[NAMES_MAX][32];
    int count;
};

static int name_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

// False: it has come to an end too early.
static bool listing_try(struct run *run, int folder, struct listing *listing)
{
    int fd;
    DIR *stream = NULL;
    listing->count = 0;
    do {
        fd = openat(folder, ".", O_RDONLY | O_DIRECTORY);
        stream = fd >= 0 ? fdopendir(fd) : NULL;
        if (stream == NULL && fd >= 0) {
            close(fd);
        }
    } while (stream == NULL && run->may_fail);
    errno = 0;
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        bool is_own = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!is_own && listing->count < NAMES_MAX) {
            snprintf(listing->names[listing->count++], sizeof listing->names[0], "%.31s",
                     entry->d_name);
        }
    }
    bool is_whole = errno == 0;
    if (stream != NULL) {
        closedir(stream);
    }
    return is_whole || !run->may_fail;
}

static void listing_read(struct run *run, int folder, struct listing *listing)
{
    while (!listing_try(run, folder, listing)) {
    }
    qsort(listing->names, (size_t)listing->count, sizeof listing->names[0], name_compare);
}

static int folder_open(struct run *run, int parent, const char *name)
{
    int fd;
    do {
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    } while (fd < 0 && run->may_fail && errno == ENOMEM);
    return fd;
}

static void say_content(struct run *run, int folder, const char *name)
{
    char data[4096];
    uint64_t hash = HASH_EMPTY;
    int fd = openat(folder, name, O_RDONLY);
    while (fd < 0 && run->may_fail && errno == ENOMEM) {
        fd = openat(folder, name, O_RDONLY);
    }
    for (ssize_t part; fd >= 0 && (part = read(fd, data, sizeof data)) > 0;) {
        hash = hash_bytes(hash, data, (size_t)part);
    }
    if (fd >= 0) {
        close(fd);
    }
    say(run, " %016llx", (unsigned long long)hash);
}

// Or, with removes, takes it all away. No deeper than the names go.
static void tree_visit(struct run *run, int folder, int depth, bool removes)
{
    enum { DEPTH_MAX = 6 };
    struct listing listing;
    listing_read(run, folder, &listing);
    for (int i = 0; i < listing.count; ++i) {
        const char *name = listing.names[i];
        struct stat status;
        while (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 && run->may_fail) {
        }
        if (!removes) {
            say(run, " %s", name);
            say_status(run, &status);
        }
        if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX) {
            int fd = folder_open(run, folder, name);
            say(run, "%s", removes ? "" : " (");
            tree_visit(run, fd, depth + 1, removes);
            say(run, "%s", removes ? "" : " )");
            close(fd);
        } else if (S_ISREG(status.st_mode) && !removes) {
            say_content(run, folder, name);
        }
        while (removes && unlinkat(folder, name, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0) != 0 &&
               run->may_fail) {
        }
    }
}

static void files_look(struct run *run)
{
    struct files *files = files_of(run);
    tree_visit(run, files->folder, 0, false);
    for (int i = 0; i < FD_COUNT; ++i) {
        struct stat status;
        if (files->fds[i] < 0 || fstat(files->fds[i], &status) != 0) {
            continue;
        }
        say(run, "; [%d] %x", i, (unsigned)fcntl(files->fds[i], F_GETFL));
        say_status(run, &status);
        if (!S_ISDIR(status.st_mode)) {
            say_result(run, lseek(files->fds[i], 0, SEEK_CUR));
        }
    }
}

static void *files_open(unsigned thread)
{
    struct files *files = memory_allocate(sizeof *files);
    umask(022);
    snprintf(files->path, sizeof files->path, "/dev/shm/differ.%x.%u.files", own_number(), thread);
    int error = -1;
    for (int i = 0; i < TRIES && error != 0; ++i) { // memory may fail by chance
        error = mkdir(files->path, 0755);
    }
    if (error != 0) {
        perror(files->path);
        exit(3);
    }
    files->folder = -1;
    for (int i = 0; i < TRIES && files->folder < 0; ++i) {
        files->folder = open(files->path, O_RDONLY | O_DIRECTORY);
    }
    memset(files->fds, -1, sizeof files->fds);
    return files;
}

static void files_begin(struct run *run)
{
    struct files *files = files_of(run);
    for (int i = 0; i < FD_COUNT; ++i) {
        if (files->fds[i] >= 0) {
            close(files->fds[i]);
        }
        files->fds[i] = -1;
    }
    tree_visit(run, files->folder, 0, true);
}

static void files_close(void *state)
{
    struct run run = {.state = state};
    struct files *files = state;
    files_begin(&run);
    close(files->folder);
    rmdir(files->path);
    free(files);
}

const struct world files_world = {
    .name = "files",
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .open = files_open,
    .begin = files_begin,
    .look = files_look,
    .close = files_close,
};
