// SPDX-License-Identifier: BSD-3-Clause
// pack.c: what a program needs beside itself.
//
// The libraries of all libraries are looked up one after the other, breadth first, as the dynamic
// linker does: a name that has been loaded once is not looked for again.
#include "sim/image/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/image/fail.h"

enum { SCRIPT_DEPTH_MAX = 4, SCRIPT_LINE_SIZE = 256, PARTS_MAX = 4096, MODE_EXECUTE = 0111 };

// What the kernel is itself: core/elf/system.c has the same names.
static const char *const supplied[] = {
    "libc.so.6",      "libpthread.so.0",      "libdl.so.2",
    "librt.so.1",     "libutil.so.1",         "libanl.so.1",
    "libresolv.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
    "libtsan.so.0",   "libtsan.so.2"};

static bool is_supplied(const char *name)
{
    for (size_t i = 0; i < sizeof supplied / sizeof supplied[0]; ++i) {
        if (strcmp(supplied[i], name) == 0) {
            return true;
        }
    }
    return false;
}

// ---- Libraries -----------------------------------------------------------------------

struct parts {
    struct part *list[PARTS_MAX]; // [0] is the program
    size_t count;
};

static bool is_name_of(const struct part *part, const char *name)
{
    return strcmp(part->name, name) == 0 ||
           (part->object.soname != NULL && strcmp(part->object.soname, name) == 0);
}

static bool is_loaded(const struct parts *parts, const char *name)
{
    for (size_t i = 0; i < parts->count; ++i) {
        if (is_name_of(parts->list[i], name)) {
            return true;
        }
    }
    return false;
}

static void part_add(struct parts *parts, const struct node *node, const char *path,
                     const char *name, const struct part *needer)
{
    if (parts->count == PARTS_MAX) {
        fail(EXIT_FAILED, "%s: needs more than %d libraries", parts->list[0]->path, PARTS_MAX);
    }
    struct part *part = memory_new(sizeof *part);
    *part = (struct part){.node = node,
                          .path = text_make("%s", path),
                          .name = text_make("%s", name),
                          .needer = needer};
    object_read(&part->object, node->text);
    parts->list[parts->count++] = part;
}

static void needed_add(struct search *search, struct parts *parts, const struct part *needer)
{
    for (size_t i = 0; i < needer->object.needed_count; ++i) {
        const char *name = needer->object.needed[i];
        char *path;
        if (is_supplied(name) || is_loaded(parts, name)) {
            continue;
        }
        const struct node *node = search_library(search, parts->list[0], needer, name, &path);
        if (node == NULL) {
            fail(EXIT_FAILED, "%s: needs %s, which is nowhere; give it by --file HOST:GUEST",
                 needer->path, name);
        }
        part_add(parts, node, path, name, needer);
        free(path);
    }
}

static void libraries_pack(struct search *search, const struct node *node, const char *path)
{
    struct parts parts = {.count = 0};
    part_add(&parts, node, path, path, NULL);
    for (size_t i = 0; i < parts.count; ++i) {
        needed_add(search, &parts, parts.list[i]);
    }
    for (size_t i = 0; i < parts.count; ++i) {
        object_free(&parts.list[i]->object);
        free(parts.list[i]->path);
        free(parts.list[i]->name);
        free(parts.list[i]);
    }
}

// ---- Programs ------------------------------------------------------------------------

// The interpreter's path if the file is a script; line has room for it. NULL: it is none.
static const char *interpreter_of(const char *file, char line[SCRIPT_LINE_SIZE])
{
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    const ssize_t size = fd < 0 ? -1 : read(fd, line, SCRIPT_LINE_SIZE - 1);
    if (size < 0) {
        fail_errno(file);
    }
    close(fd);
    line[size] = 0;
    if (strncmp(line, "#!", 2) != 0) {
        return NULL;
    }
    char *word = line + 2 + strspn(line + 2, " \t");
    word[strcspn(word, " \t\n")] = 0;
    return word;
}

static struct node *program_take(struct search *search, const char *path, const char *needer)
{
    struct node *node = tree_pack(search->root, path);
    const char *what = node == NULL                       ? "no such file"
                       : node->kind == NODE_DIRECTORY     ? "is a directory"
                       : node->kind != NODE_FILE          ? "is no file"
                       : (node->mode & MODE_EXECUTE) == 0 ? "may not be executed (chmod +x)"
                                                          : NULL;
    if (what != NULL && needer == NULL) {
        fail(EXIT_FAILED, "%s: %s", path, what);
    }
    if (what != NULL) {
        fail(EXIT_FAILED, "%s: its interpreter %s: %s", needer, path, what);
    }
    return node;
}

void pack_program(struct search *search, const char *path)
{
    char lines[SCRIPT_DEPTH_MAX + 1][SCRIPT_LINE_SIZE];
    struct node *node = program_take(search, path, NULL);
    const char *interpreter = interpreter_of(node->text, lines[0]);
    for (int depth = 1; interpreter != NULL; ++depth) {
        if (depth > SCRIPT_DEPTH_MAX || interpreter[0] != '/') {
            fail(EXIT_FAILED, "%s: its interpreter '%s' is none", path, interpreter);
        }
        node = program_take(search, interpreter, path);
        path = interpreter;
        interpreter = interpreter_of(node->text, lines[depth]);
    }
    static const char *const wrong[] = {
        [OBJECT_NONE] = "is no program: neither ELF nor a script that begins with #!",
        [OBJECT_FOREIGN] = "is a program for another machine than x86_64",
        [OBJECT_STATIC] = "is a static program; the kernel runs those that are linked dynamically",
        [OBJECT_DYNAMIC] = NULL};
    const char *what = wrong[object_kind_of(node->text)];
    if (what != NULL) {
        fail(EXIT_FAILED, "%s: %s", path, what);
    }
    libraries_pack(search, node, path);
}

void pack_file(struct search *search, const char *path)
{
    const struct node *node = tree_find(search->root, path);
    if (node != NULL && node->kind == NODE_FILE && object_kind_of(node->text) == OBJECT_DYNAMIC) {
        libraries_pack(search, node, path);
    }
}
