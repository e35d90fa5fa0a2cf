// SPDX-License-Identifier: BSD-3-Clause
// search.c: where the dynamic linker will find libraries, in the order of ld.so(8): DT_RPATH of the
// needer and of those who brought it in (where the needer has no DT_RUNPATH), LD_LIBRARY_PATH,
// DT_RUNPATH, the directories of /etc/ld.so.conf, the default ones. The image's own files come
// before the host's.
//
// The kernel reads no ld.so.conf but its cache, which an image need not have: a library that is
// found there only gets a link in a default directory.
#include "sim/image/search.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/image/fail.h"

enum { INCLUDES_MAX = 1000 };

static const char *const defaults[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib",
                                       "/usr/lib", NULL};

// ---- /etc/ld.so.conf ----------------------------------------------------------------

struct configuration {
    const char *host_root; // before the names of files
    char **files;          // still to be read
    size_t file_count;
    char **directories;
    size_t directory_count;
};

static void text_add(char ***list, size_t *count, const char *text)
{
    *list = memory_resize(*list, (*count + 2) * sizeof **list);
    (*list)[(*count)++] = text_make("%s", text);
    (*list)[*count] = NULL;
}

static void files_add(struct configuration *own, const char *pattern)
{
    glob_t found;
    char *absolute = text_make("%s%s%s", own->host_root, pattern[0] == '/' ? "" : "/etc/", pattern);
    if (glob(absolute, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && own->file_count < INCLUDES_MAX; ++i) {
            text_add(&own->files, &own->file_count, found.gl_pathv[i]);
        }
        globfree(&found);
    }
    free(absolute);
}

static void line_read(struct configuration *own, char *line)
{
    static const char blanks[] = " \t\r\n", include[] = "include";
    line[strcspn(line, "#")] = 0;
    char *word = strtok(line, blanks);
    if (word != NULL && strcmp(word, include) == 0) {
        while ((word = strtok(NULL, blanks)) != NULL) {
            files_add(own, word);
        }
    } else if (word != NULL && word[0] == '/') {
        text_add(&own->directories, &own->directory_count, word);
    }
}

// An image without the file is as good as a host without it.
static void configuration_read(struct search *search, const char *host_root)
{
    struct configuration own = {.host_root = host_root};
    files_add(&own, "/etc/ld.so.conf");
    for (size_t i = 0; i < own.file_count; ++i) {
        char *line = NULL;
        size_t size = 0;
        FILE *file = fopen(own.files[i], "re");
        while (file != NULL && getline(&line, &size, file) >= 0) {
            line_read(&own, line);
        }
        if (file != NULL) {
            fclose(file);
        }
        free(line);
        free(own.files[i]);
    }
    free(own.files);
    if (own.directories != NULL) {
        search->configured = own.directories;
    }
}

static char *const *configured(struct search *search)
{
    static char *none[] = {NULL};
    if (search->configured == NULL) {
        search->configured = none;
        configuration_read(search, "");
        if (search->host_root != NULL) {
            configuration_read(search, search->host_root);
        }
    }
    return search->configured;
}

// ---- Trying it --------------------------------------------------------------------------

// The value of the token that text begins with ("$ORIGIN", "${LIB}"), and its length.
static const char *token_value(const char *origin, const char *text, size_t *length)
{
    const struct {
        const char *name, *value;
    } tokens[] = {{"ORIGIN", origin}, {"LIB", "lib/x86_64-linux-gnu"}, {"PLATFORM", "x86_64"}};
    const size_t brace = text[1] == '{';
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; ++i) {
        const size_t size = strlen(tokens[i].name);
        if (strncmp(text + 1 + brace, tokens[i].name, size) == 0 &&
            (brace == 0 || text[1 + brace + size] == '}')) {
            *length = 1 + 2 * brace + size;
            return tokens[i].value;
        }
    }
    *length = 1;
    return "$";
}

// The path, for free(), with what its tokens stand for.
static char *tokens_expand(const struct part *owner, const char *path, size_t size)
{
    const char *slash = strrchr(owner->path, '/');
    char *origin = text_make("%.*s", (int)(slash - owner->path), owner->path);
    char *result = text_make("%s", "");
    for (const char *end = path + size; path < end;) {
        const char *dollar = memchr(path, '$', (size_t)(end - path));
        const size_t plain = (size_t)((dollar == NULL ? end : dollar) - path);
        size_t token_size = 0;
        const char *value = dollar == NULL ? "" : token_value(origin, dollar, &token_size);
        char *longer = text_make("%s%.*s%s", result, (int)plain, path, value);
        free(result);
        result = longer;
        path += plain + token_size;
    }
    free(origin);
    return result;
}

// Files for another machine are passed over.
static struct node *path_try(struct search *search, const char *path)
{
    struct node *node = tree_find(search->root, path);
    if (node == NULL && !search->is_closed && path[0] == '/' && access(path, F_OK) == 0) {
        node = tree_pack(search->root, path);
    }
    return node != NULL && node->kind == NODE_FILE && object_kind_of(node->text) == OBJECT_DYNAMIC
               ? node
               : NULL;
}

static struct node *directory_try(struct search *search, const char *directory, const char *name,
                                  char **path)
{
    *path = text_make("%s/%s", directory, name);
    struct node *node = path_try(search, *path);
    if (node == NULL) {
        free(*path);
    }
    return node;
}

// Directories with a colon between, in LD_LIBRARY_PATH also a semicolon. list may be NULL.
static struct node *list_try(struct search *search, const char *list, const char *separators,
                             const struct part *owner, const char *name, char **path)
{
    struct node *node = NULL;
    while (node == NULL && list != NULL && *list != 0) {
        const size_t size = strcspn(list, separators);
        char *directory = tokens_expand(owner, list, size);
        node = directory_try(search, directory, name, path);
        free(directory);
        list += size + (list[size] != 0);
    }
    return node;
}

static struct node *old_run_paths_try(struct search *search, const struct part *program,
                                      const struct part *needer, const char *name, char **path)
{
    struct node *node = NULL;
    bool had_program = false;
    if (needer->object.run_path != NULL) {
        return NULL;
    }
    for (const struct part *owner = needer; node == NULL && owner != NULL;) {
        had_program |= owner == program;
        if (owner->object.run_path == NULL) {
            node = list_try(search, owner->object.old_run_path, ":", owner, name, path);
        }
        owner = owner->needer != NULL || had_program ? owner->needer : program;
    }
    return node;
}

static struct node *directories_try(struct search *search, const char *const *directories,
                                    const char *name, char **path)
{
    struct node *node = NULL;
    for (; node == NULL && *directories != NULL; ++directories) {
        node = directory_try(search, *directories, name, path);
    }
    return node;
}

// Where ldconfig would look and the kernel does not.
static struct node *configured_try(struct search *search, const char *name, char **path)
{
    struct node *node =
        directories_try(search, (const char *const *)configured(search), name, path);
    for (size_t i = 0; node != NULL && defaults[i] != NULL; ++i) {
        const size_t size = strlen(defaults[i]);
        if (strncmp(*path, defaults[i], size) == 0 && strchr(*path + size + 1, '/') == NULL) {
            return node;
        }
    }
    if (node != NULL) {
        char *link = text_make("%s/%s", defaults[1], name);
        tree_link(search->root, link, *path);
        free(link);
    }
    return node;
}

struct node *search_library(struct search *search, const struct part *program,
                            const struct part *needer, const char *name, char **path)
{
    struct node *node;
    if (strchr(name, '/') != NULL) {
        *path = tokens_expand(needer, name, strlen(name));
        return path_try(search, *path);
    }
    node = old_run_paths_try(search, program, needer, name, path);
    node = node != NULL ? node : list_try(search, search->library_path, ":;", program, name, path);
    node = node != NULL ? node : list_try(search, needer->object.run_path, ":", needer, name, path);
    search->is_closed = true;
    node = node != NULL ? node : configured_try(search, name, path);
    node = node != NULL ? node : directories_try(search, defaults, name, path);
    search->is_closed = false;
    node = node != NULL ? node : configured_try(search, name, path);
    return node != NULL ? node : directories_try(search, defaults, name, path);
}
