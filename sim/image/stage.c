// SPDX-License-Identifier: BSD-3-Clause
// stage.c: from a tree to a file system in EROFS format, by way of a copy: mkfs.erofs writes a
// directory as it finds it.
//
// Nothing that differs between two hosts goes into the image: owner and group are root's, the
// volume has no name of its own, its date follows that of its youngest file, and there are no
// attributes.
#include "sim/image/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/image/command.h"
#include "sim/image/fail.h"
#include "sim/image/scratch.h"

enum { MODE_OPEN = 0700, MODE_NEW = 0600, COPY_SIZE = 1 << 20 };

struct stage {
    const char *directory;
    const struct node **files; // that are shared, each once: other names of it become links
    size_t file_count;
    struct timespec youngest;
    time_t epoch; // -1: none
};

// ---- One node ------------------------------------------------------------------------

static char *place_of(const struct stage *stage, const struct node *node)
{
    char *path = tree_path(node);
    char *place = text_make("%s%s", stage->directory, path);
    free(path);
    return place;
}

static const struct node *same_file(const struct stage *stage, const struct node *node)
{
    for (size_t i = 0; node->is_shared && i < stage->file_count; ++i) {
        if (stage->files[i]->inode == node->inode && stage->files[i]->device == node->device) {
            return stage->files[i];
        }
    }
    return NULL;
}

static void data_copy(int from, int to, const char *host, const char *place)
{
    static char buffer[COPY_SIZE];
    ssize_t size;
    while ((size = read(from, buffer, sizeof buffer)) != 0) {
        scratch_check();
        if (size < 0 && errno != EINTR) {
            fail_errno(host);
        }
        for (ssize_t done = 0, part; done < size; done += part) {
            part = write(to, buffer + done, (size_t)(size - done));
            if (part < 0) {
                fail_errno(place);
            }
        }
    }
}

static void file_make(struct stage *stage, const struct node *node, const char *place)
{
    const struct node *same = same_file(stage, node);
    if (same != NULL) {
        char *first = place_of(stage, same);
        if (link(first, place) != 0) {
            fail_errno(place);
        }
        free(first);
        return;
    }
    const int from = open(node->text, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        fail_errno(node->text);
    }
    const int to = open(place, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE_NEW);
    if (to < 0) {
        fail_errno(place);
    }
    data_copy(from, to, node->text, place);
    close(from);
    if (close(to) != 0) {
        fail_errno(place);
    }
    if (node->is_shared) {
        stage->files = memory_resize(stage->files, (stage->file_count + 1) * sizeof *stage->files);
        stage->files[stage->file_count++] = node;
    }
}

static void node_make(struct stage *stage, const struct node *node)
{
    char *place = place_of(stage, node);
    if (node->kind == NODE_FILE) {
        file_make(stage, node, place);
    } else if ((node->kind == NODE_DIRECTORY && mkdir(place, MODE_OPEN) != 0) ||
               (node->kind == NODE_LINK && symlink(node->text, place) != 0) ||
               (node->kind == NODE_FIFO && mkfifo(place, MODE_NEW) != 0)) {
        fail_errno(place);
    }
    free(place);
}

// Once everything in it is there.
static void node_finish(struct stage *stage, const struct node *node)
{
    struct timespec time = node->time;
    if (stage->epoch >= 0 && time.tv_sec >= stage->epoch) {
        time = (struct timespec){.tv_sec = stage->epoch};
    }
    if (time.tv_sec > stage->youngest.tv_sec) {
        stage->youngest = time;
    }
    char *place = place_of(stage, node);
    const struct timespec times[2] = {time, time};
    if ((node->kind != NODE_LINK && chmod(place, node->mode) != 0) ||
        utimensat(AT_FDCWD, place, times, AT_SYMLINK_NOFOLLOW) != 0) {
        fail_errno(place);
    }
    free(place);
}

// ---- All of them -----------------------------------------------------------------------

// The next node, directories before what is in them; those that end on the way are finished.
static const struct node *node_next(struct stage *stage, const struct node *node)
{
    if (node->kind == NODE_DIRECTORY && node->first != NULL) {
        return node->first;
    }
    while (node->next == NULL && node->parent != node) {
        node_finish(stage, node);
        node = node->parent;
    }
    node_finish(stage, node);
    return node->next;
}

static void files_make(struct stage *stage, const struct node *root)
{
    for (const struct node *node = root; node != NULL; node = node_next(stage, node)) {
        scratch_check();
        node_make(stage, node);
    }
    free(stage->files);
}

static time_t epoch_of_environment(void)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    if (text == NULL) {
        return -1;
    }
    char *end;
    errno = 0;
    const long epoch = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || epoch < 0) {
        fail(EXIT_USAGE, "SOURCE_DATE_EPOCH: '%s' is no number of seconds", text);
    }
    return epoch;
}

void stage_make(const struct node *root, const char *path)
{
    char *directory = scratch_path("root");
    struct stage stage = {.directory = directory, .epoch = epoch_of_environment()};
    files_make(&stage, root);
    char *epoch = text_make("%lld", (long long)stage.youngest.tv_sec + 1);
    // mkfs.erofs dates the volume by it, and makes no file younger.
    if (setenv("SOURCE_DATE_EPOCH", epoch, 1) != 0) {
        fail_errno("SOURCE_DATE_EPOCH");
    }
    free(epoch);
    command_run("erofs-utils",
                (const char *const[]){"mkfs.erofs", "--quiet", "--all-root", "-x-1",
                                      "-Enoinline_data", "-U00000000-0000-0000-0000-000000000000",
                                      path, directory, NULL});
    free(directory);
}
