// SPDX-License-Identifier: BSD-3-Clause
// glob.c: the names of files that a pattern means, with GNU's braces, tildes and directory
// functions.
//
// A pattern without braces is gone through component by component, with a list of the names that
// its beginning means: a component with a wildcard makes of each folder of the list what matches in
// it, any other is appended. Invariant: the caller's list is whole, and ends with NULL, after each
// pattern.
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"

enum { // glibc's, which musl has not
    MAGIC_FOUND = 1 << 8,
    OWN_FUNCTIONS = 1 << 9,
    BRACES = 1 << 10,
    NO_MAGIC = 1 << 11,
    ONLY_FOLDERS = 1 << 13,
    FLAGS_ALL = (1 << 15) - 1,
    USER_BUFFER_SIZE = 4096,
};

struct glob { // glob_t
    size_t count;
    char **names;
    size_t offset;
    int flags;
    void (*close)(void *);
    struct dirent *(*read)(void *);
    void *(*open)(const char *);
    int (*link_status)(const char *, struct stat *);
    int (*status)(const char *, struct stat *);
};

_Static_assert(sizeof(struct glob) == sizeof(glob_t), "glob_t");

typedef int error_function(const char *path, int error);

struct search {
    const struct glob *functions;
    int flags;
    error_function *failed;
};

// Texts that it owns.
struct list {
    char **texts;
    size_t count, room;
};

static void list_free(struct list *list)
{
    for (size_t i = 0; i < list->count; ++i) {
        libc_free(list->texts[i]);
    }
    libc_free(list->texts);
    *list = (struct list){0};
}

// Adds before, between and behind as one text. False: no memory.
static bool list_add(struct list *list, const char *before, size_t before_length, const char *text,
                     size_t text_length, const char *behind)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : list->room * 2;
        char **texts = libc_realloc(list->texts, room * sizeof *texts);
        if (texts == NULL) {
            return false;
        }
        list->texts = texts;
        list->room = room;
    }
    size_t behind_length = strlen(behind);
    char *joined = libc_malloc(before_length + text_length + behind_length + 1);
    if (joined == NULL) {
        return false;
    }
    memcpy(joined, before, before_length);
    memcpy(joined + before_length, text, text_length);
    memcpy(joined + before_length + text_length, behind, behind_length + 1);
    list->texts[list->count++] = joined;
    return true;
}

// Whether the first length bytes have a wildcard; *is_odd: or a backslash or a bracket.
static bool has_magic(const char *text, size_t length, bool escapes, bool *is_odd)
{
    bool is_open = false;
    for (size_t i = 0; i < length; ++i) {
        switch (text[i]) {
        case '?':
        case '*':
            return true;
        case '\\':
            if (escapes) {
                *is_odd = true;
                ++i;
            }
            break;
        case '[':
            is_open = true;
            *is_odd = true;
            break;
        case ']':
            if (is_open) {
                return true;
            }
            break;
        default:
            break;
        }
    }
    return false;
}

EXPORT(int, glob_pattern_p, const char *pattern, int escapes)
{
    bool is_odd = false;
    return has_magic(pattern, strlen(pattern), escapes != 0, &is_odd);
}

static bool status_get(const struct search *search, const char *path, bool follows,
                       struct stat *status)
{
    if ((search->flags & OWN_FUNCTIONS) != 0) {
        int (*get)(const char *, struct stat *) =
            follows ? search->functions->status : search->functions->link_status;
        return get(path, status) == 0;
    }
    return (follows ? stat(path, status) : lstat(path, status)) == 0;
}

static bool is_folder(const struct search *search, const char *path)
{
    struct stat status;
    return status_get(search, path, true, &status) && S_ISDIR(status.st_mode);
}

// May what reading has failed at be passed over?
static bool is_passed(const struct search *search, const char *path, int error)
{
    bool ends = search->failed != NULL && search->failed(path, error) != 0;
    return !ends && (search->flags & GLOB_ERR) == 0;
}

static bool type_fits(const struct search *search, const struct dirent *entry)
{
    int type = entry->d_type;
    return (search->flags & ONLY_FOLDERS) == 0 || type == DT_UNKNOWN || type == DT_DIR ||
           type == DT_LNK;
}

static int entries_add(const struct search *search, void *stream, const char *folder,
                       const char *pattern, struct list *found)
{
    bool is_own = (search->flags & OWN_FUNCTIONS) != 0;
    int flags = FNM_PATHNAME | ((search->flags & GLOB_NOESCAPE) != 0 ? FNM_NOESCAPE : 0) |
                ((search->flags & GLOB_PERIOD) != 0 ? 0 : FNM_PERIOD);
    const struct dirent *entry;
    while ((entry = is_own ? search->functions->read(stream) : readdir(stream)) != NULL) {
        const char *name = entry->d_name;
        if (!type_fits(search, entry) || fnmatch(pattern, name, flags) != 0) {
            continue;
        }
        if (!list_add(found, folder, strlen(folder), name, strlen(name), "")) {
            return GLOB_NOSPACE;
        }
        bool is_sure = (search->flags & ONLY_FOLDERS) == 0 || entry->d_type == DT_DIR;
        if (!is_sure && !is_folder(search, found->texts[found->count - 1])) {
            libc_free(found->texts[--found->count]);
        }
    }
    return 0;
}

// Adds what matches in the folder, whose name ends with a slash or is empty.
static int folder_search(const struct search *search, const char *folder, const char *pattern,
                         struct list *found)
{
    bool is_own = (search->flags & OWN_FUNCTIONS) != 0;
    size_t length = strlen(folder);
    char *path = strdup(*folder == '\0' ? "." : folder);
    if (path == NULL) {
        return GLOB_NOSPACE;
    }
    if (length > 1) {
        path[length - 1] = '\0';
    }
    void *stream = is_own ? search->functions->open(path) : (void *)opendir(path);
    int result = 0;
    if (stream == NULL) {
        result = errno == ENOTDIR || is_passed(search, path, errno) ? 0 : GLOB_ABORTED;
    } else {
        result = entries_add(search, stream, folder, pattern, found);
        if (is_own) {
            search->functions->close(stream);
        } else {
            closedir(stream);
        }
    }
    libc_free(path);
    return result;
}

static void unescape(char *text)
{
    char *to = text;
    for (; *text != '\0'; ++text) {
        text += *text == '\\' && text[1] != '\0';
        *to++ = *text;
    }
    *to = '\0';
}

// Makes of the list's names those that begin with them, go on with text and are there.
static int text_append(const struct search *search, struct list *list, const char *text,
                       bool must_exist)
{
    struct list longer = {0};
    int result = 0;
    for (size_t i = 0; i < list->count && result == 0; ++i) {
        struct stat status;
        if (!list_add(&longer, list->texts[i], strlen(list->texts[i]), text, strlen(text), "")) {
            result = GLOB_NOSPACE;
        } else if (must_exist &&
                   !status_get(search, longer.texts[longer.count - 1], false, &status)) {
            libc_free(longer.texts[--longer.count]);
        }
    }
    list_free(list);
    *list = longer;
    return result;
}

static int pattern_append(const struct search *search, struct list *list, const char *pattern)
{
    struct list longer = {0};
    int result = 0;
    for (size_t i = 0; i < list->count && result == 0; ++i) {
        result = folder_search(search, list->texts[i], pattern, &longer);
    }
    list_free(list);
    *list = longer;
    return result;
}

// One component: up to the next slash, and the slashes behind it. *list: the names so far.
static int component_append(struct search *search, struct list *list, const char *component,
                            size_t length, bool *was_magic)
{
    bool escapes = (search->flags & GLOB_NOESCAPE) == 0;
    bool is_odd = false;
    bool is_magic = has_magic(component, length, escapes, &is_odd);
    size_t slashes = strspn(component + length, "/");
    bool is_last = component[length + slashes] == '\0';
    char *text = strndup(component, length);
    if (text == NULL) {
        return GLOB_NOSPACE;
    }
    int flags = search->flags;
    if (slashes > 0) {
        search->flags |= ONLY_FOLDERS;
        search->flags &= ~GLOB_PERIOD; // it is for the last component
    }
    int result;
    if (is_magic) {
        result = pattern_append(search, list, text);
    } else {
        if (is_odd) {
            unescape(text);
        }
        result = text_append(search, list, text, length > 0 && (is_last || *was_magic));
    }
    *was_magic |= is_magic;
    libc_free(text);
    search->flags = flags;
    char *separator = result == 0 && slashes > 0 ? strndup(component + length, slashes) : NULL;
    if (separator != NULL) {
        result = text_append(search, list, separator, is_last && !is_magic);
        libc_free(separator);
    }
    return result;
}

// The home of the user that the pattern begins with, "~" or "~name": 0 and *home, or an error.
static int home_find(const char *pattern, size_t length, char **home)
{
    char buffer[USER_BUFFER_SIZE];
    struct passwd user;
    struct passwd *found = NULL;
    const char *variable = getenv("HOME");
    *home = NULL;
    if (length == 1 && variable != NULL && *variable != '\0') {
        *home = strdup(variable);
        return *home == NULL ? GLOB_NOSPACE : 0;
    }
    if (length == 1) {
        getpwuid_r(getuid(), &user, buffer, sizeof buffer, &found);
    } else {
        char *name = strndup(pattern + 1, length - 1);
        if (name == NULL) {
            return GLOB_NOSPACE;
        }
        unescape(name);
        getpwnam_r(name, &user, buffer, sizeof buffer, &found);
        libc_free(name);
    }
    if (found != NULL) {
        *home = strdup(found->pw_dir);
        return *home == NULL ? GLOB_NOSPACE : 0;
    }
    return 0;
}

// Sets *rest behind the tilde and adds the home to the list, or nothing to it.
static int tilde_expand(const struct search *search, const char **rest, struct list *list)
{
    char *home = NULL;
    size_t length = strcspn(*rest, "/");
    if ((search->flags & (GLOB_TILDE | GLOB_TILDE_CHECK)) != 0 && **rest == '~') {
        int error = home_find(*rest, length, &home);
        if (error != 0) {
            return error;
        }
        if (home == NULL && (search->flags & GLOB_TILDE_CHECK) != 0) {
            return GLOB_NOMATCH;
        }
        *rest += home != NULL ? length : 0;
    }
    const char *start = home == NULL ? "" : home;
    bool has_slashes = home != NULL && strcmp(home, "/") == 0 && **rest == '/';
    bool is_added = list_add(list, start, has_slashes ? 0 : strlen(start), "", 0, "");
    libc_free(home);
    return is_added ? 0 : GLOB_NOSPACE;
}

static int text_compare(const void *a, const void *b)
{
    return strcoll(*(char *const *)a, *(char *const *)b);
}

// Moves the found names to the caller's.
static int result_add(struct glob *result, struct list *found)
{
    size_t old = result->offset + result->count;
    char **names = libc_realloc(result->names, (old + found->count + 1) * sizeof *names);
    if (names == NULL) {
        return GLOB_NOSPACE;
    }
    if (result->names == NULL) {
        memset(names, 0, result->offset * sizeof *names);
    }
    if (found->count > 0) {
        memcpy(names + old, found->texts, found->count * sizeof *names);
    }
    result->names = names;
    result->count += found->count;
    names[old + found->count] = NULL;
    found->count = 0;
    return 0;
}

static int names_find(struct search *search, const char *pattern, struct list *found)
{
    const char *rest = pattern;
    bool was_magic = false;
    int result = tilde_expand(search, &rest, found);
    bool is_tilde = (search->flags & (GLOB_TILDE | GLOB_TILDE_CHECK)) != 0 && *pattern == '~';
    if (result == 0 && is_tilde && strchr(rest, '/') == NULL) { // need not exist
        return text_append(search, found, rest, false);
    }
    while (result == 0 && *rest != '\0') {
        size_t length = strcspn(rest, "/");
        result = component_append(search, found, rest, length, &was_magic);
        rest += length + strspn(rest + length, "/");
    }
    return result;
}

// With only_folders the others go; GLOB_MARK gives folders a slash.
static int folders_mark(const struct search *search, struct list *found, bool only_folders)
{
    size_t kept = 0;
    for (size_t i = 0; i < found->count; ++i) {
        char *name = found->texts[i];
        size_t length = strlen(name);
        bool has_slash = length > 0 && name[length - 1] == '/';
        bool is_marked = !has_slash && is_folder(search, name);
        if (only_folders && !has_slash && !is_marked) {
            libc_free(name);
            continue;
        }
        found->texts[kept++] = name;
        if ((search->flags & GLOB_MARK) != 0 && is_marked) {
            char *longer = libc_realloc(name, length + 2);
            if (longer == NULL) {
                return GLOB_NOSPACE;
            }
            strcpy(longer + length, "/");
            found->texts[kept - 1] = longer;
        }
    }
    found->count = kept;
    return 0;
}

// Slashes at the end ask for folders, which get one slash; of a name without wildcards, only if it
// is a folder's.
static int slashes_find(struct search *search, const char *pattern, size_t length, bool is_magic,
                        struct list *found)
{
    char *shorter = strndup(pattern, length);
    if (shorter == NULL) {
        return GLOB_NOSPACE;
    }
    int flags = search->flags;
    search->flags |= GLOB_MARK | ONLY_FOLDERS;
    if (length == 1) {
        search->flags &= ~GLOB_PERIOD; // glibc sees a folder's name here, longer ones as patterns
    }
    int error = names_find(search, shorter, found);
    error = error != 0 ? error : folders_mark(search, found, is_magic);
    search->flags = flags;
    libc_free(shorter);
    return error;
}

// A pattern without braces: its names are added to the caller's.
static int plain_glob(struct search *search, const char *pattern, struct glob *result)
{
    struct list found = {0};
    bool escapes = (search->flags & GLOB_NOESCAPE) == 0;
    bool is_odd = false;
    size_t length = strlen(pattern);
    size_t named = length;
    while (named > 1 && pattern[named - 1] == '/') {
        --named;
    }
    bool is_magic = has_magic(pattern, length, escapes, &is_odd);
    const char *last = strrchr(pattern, '/');
    last = last == NULL ? pattern : last + 1;
    is_odd = false;
    is_odd |= has_magic(last, strlen(last), escapes, &is_odd);
    int error;
    result->flags &= ~MAGIC_FOUND;
    if (named < length) {
        error = slashes_find(search, pattern, named, is_magic, &found);
    } else {
        error = names_find(search, pattern, &found);
        bool marks = (search->flags & GLOB_MARK) != 0;
        error = error != 0 || !marks ? error : folders_mark(search, &found, false);
    }
    bool is_none = error == 0 && (found.count == 0 || length == 0);
    if (is_none) {
        list_free(&found);
        error = GLOB_NOMATCH;
    } else if (error == 0) {
        result->flags |= is_odd ? MAGIC_FOUND : 0;
    }
    if (is_none && ((search->flags & GLOB_NOCHECK) != 0 ||
                    ((search->flags & NO_MAGIC) != 0 && !is_magic && !is_odd && length > 0))) {
        error = list_add(&found, pattern, length, "", 0, "") ? 0 : GLOB_NOSPACE;
    } else if (error == 0 && (search->flags & GLOB_NOSORT) == 0) {
        qsort(found.texts, found.count, sizeof *found.texts, text_compare);
    }
    if (error == 0) {
        error = result_add(result, &found);
    }
    list_free(&found);
    return error;
}

// The next of a brace's alternatives ends here: at ',' or '}'; NULL: the brace is not closed.
static const char *brace_next(const char *at, bool escapes)
{
    for (int depth = 0; *at != '\0'; ++at) {
        if (*at == '\\' && escapes && at[1] != '\0') {
            ++at;
        } else if (*at == '{') {
            ++depth;
        } else if ((*at == '}' && depth-- == 0) || (*at == ',' && depth == 0)) {
            return at;
        }
    }
    return NULL;
}

static const char *brace_find(const char *pattern, bool escapes)
{
    while (*pattern != '\0' && *pattern != '{') {
        pattern += *pattern == '\\' && escapes && pattern[1] != '\0';
        ++pattern;
    }
    return *pattern == '{' ? pattern : NULL;
}

// What is behind the brace that opens before `at`; NULL: it is not closed.
static const char *brace_end(const char *at, bool escapes)
{
    while ((at = brace_next(at, escapes)) != NULL && *at == ',') {
        ++at;
    }
    return at == NULL ? NULL : at + 1;
}

// Puts the pattern's alternatives on the stack, the first one on top. False: no memory.
static bool brace_expand(struct list *stack, const char *pattern, const char *brace, bool escapes)
{
    const char *behind = brace_end(brace + 1, escapes);
    size_t first = stack->count;
    for (const char *at = brace + 1; at < behind;) {
        const char *end = brace_next(at, escapes);
        if (!list_add(stack, pattern, (size_t)(brace - pattern), at, (size_t)(end - at), behind)) {
            return false;
        }
        at = end + 1;
    }
    for (size_t low = first, high = stack->count - 1; low < high; ++low, --high) {
        char *text = stack->texts[low];
        stack->texts[low] = stack->texts[high];
        stack->texts[high] = text;
    }
    return true;
}

static int brace_glob(struct search *search, const char *pattern, struct glob *result)
{
    bool escapes = (search->flags & GLOB_NOESCAPE) == 0;
    struct list stack = {0};
    size_t first = result->count;
    int wish = search->flags & (GLOB_NOCHECK | NO_MAGIC);
    int error = list_add(&stack, pattern, strlen(pattern), "", 0, "") ? 0 : GLOB_NOSPACE;
    search->flags &= ~(GLOB_NOCHECK | NO_MAGIC);
    while (error == 0 && stack.count > 0) {
        char *top = stack.texts[--stack.count];
        const char *brace = brace_find(top, escapes);
        if (brace != NULL && brace_end(brace + 1, escapes) != NULL) {
            error = brace_expand(&stack, top, brace, escapes) ? 0 : GLOB_NOSPACE;
        } else {
            error = plain_glob(search, top, result);
            error = error == GLOB_NOMATCH ? 0 : error;
        }
        libc_free(top);
    }
    list_free(&stack);
    search->flags |= wish;
    if (error == 0 && result->count == first) {
        struct list found = {0};
        error = GLOB_NOMATCH;
        if (wish != 0) {
            error = list_add(&found, pattern, strlen(pattern), "", 0, "")
                        ? result_add(result, &found)
                        : GLOB_NOSPACE;
            list_free(&found);
        }
    }
    return error;
}

EXPORT(int, glob, const char *pattern, int flags, error_function *failed, struct glob *result)
{
    if (pattern == NULL || result == NULL || (flags & ~FLAGS_ALL) != 0) {
        errno = EINVAL;
        return -1;
    }
    if ((flags & GLOB_DOOFFS) == 0) {
        result->offset = 0;
    }
    if ((flags & GLOB_APPEND) == 0) {
        result->count = 0;
        result->names = NULL;
    }
    result->flags = flags;
    struct search search = {.functions = result, .flags = flags, .failed = failed};
    const char *brace =
        (flags & BRACES) == 0 ? NULL : brace_find(pattern, (flags & GLOB_NOESCAPE) == 0);
    bool is_brace = brace != NULL && brace_end(brace + 1, (flags & GLOB_NOESCAPE) == 0) != NULL;
    int error =
        is_brace ? brace_glob(&search, pattern, result) : plain_glob(&search, pattern, result);
    return error;
}

EXPORT(void, globfree, struct glob *result)
{
    for (size_t i = 0; result->names != NULL && i < result->count; ++i) {
        libc_free(result->names[result->offset + i]);
    }
    libc_free(result->names);
    result->names = NULL;
}
