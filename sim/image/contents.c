// SPDX-License-Identifier: BSD-3-Clause
// contents.c: what a file system in EROFS format holds, read by the kernel's own reader: what that
// complains of is a complaint here, too.
#include "sim/image/contents.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/lib/errno.h"
#include "core/vfs/erofs/image.h"
#include "hal/hal.h"
#include "sim/image/fail.h"

enum { INODE_UNIT = 32 };

struct pending { // a directory whose names are still to be read
    uint64_t number;
    char *path;
    struct pending *next;
};

struct walk {
    struct erofs_image image;
    struct contents *contents;
    struct pending *pending;
    unsigned char *seen; // by number: a damaged image may go in circles
};

// The kernel's console is our standard error.
void hal_console_write(const char *bytes, size_t size)
{
    fwrite(bytes, 1, size, stderr);
}

static void biggest_add(struct contents *contents, const char *path, uint64_t size)
{
    int place = CONTENTS_BIGGEST;
    while (place > 0 && (contents->biggest[place - 1].path == NULL ||
                         contents->biggest[place - 1].size < size)) {
        --place;
    }
    if (place == CONTENTS_BIGGEST) {
        return;
    }
    free(contents->biggest[CONTENTS_BIGGEST - 1].path);
    for (int i = CONTENTS_BIGGEST - 1; i > place; --i) {
        contents->biggest[i] = contents->biggest[i - 1];
    }
    contents->biggest[place].path = text_make("%s", path);
    contents->biggest[place].size = size;
}

// path becomes the walk's.
static int inode_add(struct walk *walk, uint64_t number, char *path)
{
    struct erofs_inode inode;
    const int error = erofs_inode_read(&walk->image, number, &inode);
    if (error != 0 || (walk->seen[number / 8] & 1 << number % 8) != 0) {
        free(path);
        return error;
    }
    walk->seen[number / 8] |= (unsigned char)(1 << number % 8);
    if ((inode.mode & MODE_TYPE) == MODE_DIRECTORY) {
        struct pending *pending = memory_new(sizeof *pending);
        *pending = (struct pending){number, path, walk->pending};
        walk->pending = pending;
        ++walk->contents->directory_count;
        return 0;
    }
    if ((inode.mode & MODE_TYPE) == MODE_FILE) {
        ++walk->contents->file_count;
        biggest_add(walk->contents, path, inode.size);
    } else if ((inode.mode & MODE_TYPE) == MODE_LINK) {
        ++walk->contents->link_count;
    }
    free(path);
    return 0;
}

static bool is_dots(const struct erofs_name *name)
{
    return name->text[0] == '.' &&
           (name->length == 1 || (name->length == 2 && name->text[1] == '.'));
}

static int directory_read(struct walk *walk, const struct pending *directory)
{
    struct erofs_inode inode;
    struct erofs_name name;
    int error = erofs_inode_read(&walk->image, directory->number, &inode);
    for (uint64_t position = 0; error == 0;) {
        error = erofs_name_read(&walk->image, &inode, position, &name, &position);
        if (error == 0 && !is_dots(&name)) {
            error = inode_add(walk, name.number,
                              text_make("%s/%.*s", directory->path, (int)name.length, name.text));
        }
    }
    return error == -ENOENT ? 0 : error; // the names have ended
}

static const char *error_text(int error)
{
    return error == 0             ? NULL
           : error == -EINVAL     ? "is not in EROFS format"
           : error == -EOPNOTSUPP ? "was made with features that the kernel does not know"
                                  : "is damaged";
}

const char *contents_read(struct contents *contents, const char *bytes, size_t size)
{
    struct walk walk = {.contents = contents};
    *contents = (struct contents){.file_count = 0};
    int error = erofs_image_open(&walk.image, bytes, size);
    if (error == 0) {
        walk.seen = memory_new(size / INODE_UNIT / 8 + 1);
        error = inode_add(&walk, walk.image.root, text_make("%s", ""));
        error = error == 0 && contents->directory_count == 0 ? -EIO : error; // as the kernel has it
    }
    while (error == 0 && walk.pending != NULL) {
        struct pending *directory = walk.pending;
        walk.pending = directory->next;
        error = directory_read(&walk, directory);
        free(directory->path);
        free(directory);
    }
    free(walk.seen);
    return error_text(error);
}
