// SPDX-License-Identifier: BSD-3-Clause
// gconv_modules.c: which conversions there are, and the cheapest route from one charset to another.
//
// The lists are those of the image's modules: DIRECTORY/gconv-modules, then the files
// gconv-modules.d/*.conf beside it, in lines `alias OTHER// NAME//` and `module FROM TO FILE COST`.
// The directories are those of GCONV_PATH, then that of the image. What a list says first counts.
// What is built in comes last. Invariant: once is_read, nothing changes. Source: the GNU C Library
// manual, "iconv Implementation in the GNU C Library".
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/elf/program.h"
#include "core/lib/format.h"
#include "core/libc/export.h"
#include "core/libc/gconv.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"

enum { PATH_SIZE = 1024, LIST_SIZE_MAX = 16 << 20, WORDS_MAX = 5 };

struct alias {
    const char *name, *of;
};

static struct mutex read_mutex;
static bool is_read;                                 // guarded by read_mutex
static void *aliases;                                // a tree of tsearch of struct alias
static struct gconv_module *modules, **modules_tail; // linked by same
static int module_count;
static const char **charsets; // what modules convert from or to, in order of their numbers
static int charset_count;

// The names of a built-in charset: the charset, then its other names.
static const char *const builtin_names[] = {
    "ISO-10646/UCS4/",
    "UCS4// UCS-4// UCS-4BE// CSUCS4// ISO-10646// 10646-1:1993// 10646-1:1993/UCS4/ "
    "OSF00010104// OSF00010105// OSF00010106//",
    "INTERNAL",
    "WCHAR_T//",
    "ISO-10646/UTF8/",
    "UTF8// UTF-8// ISO-IR-193// OSF05010001// ISO-10646/UTF-8/",
    "ISO-10646/UCS2/",
    "UCS2// UCS-2// OSF00010100// OSF00010101// OSF00010102// UNICODELITTLE// UCS-2LE//",
    "ANSI_X3.4-1968//",
    "ANSI_X3.4// ISO-IR-6// ANSI_X3.4-1986// ISO_646.IRV:1991// ASCII// ISO646-US// US-ASCII// "
    "US// IBM367// CP367// CSASCII// OSF00010020//",
    "UNICODEBIG//",
    "UCS-2BE//",
};

static int alias_compare(const void *one, const void *other)
{
    return strcmp(((const struct alias *)one)->name, ((const struct alias *)other)->name);
}

// The number of the charset; -1: no module knows it.
static int charset_find(const char *name)
{
    int index = charset_count - 1;
    while (index >= 0 && strcmp(charsets[index], name) != 0) {
        --index;
    }
    return index;
}

// The same, and gives it one. -1: no memory.
static int charset_add(const char *name)
{
    enum { PIECE = 64 };
    int index = charset_find(name);
    if (index >= 0) {
        return index;
    }
    if (charset_count % PIECE == 0) {
        const char **larger =
            heap_realloc(charsets, (size_t)(charset_count + PIECE) * sizeof *charsets);
        if (larger == NULL) {
            return -1;
        }
        charsets = larger;
    }
    charsets[charset_count] = name;
    return charset_count++;
}

// The texts stay for ever.
static void alias_add(const char *name, const char *of)
{
    struct alias *alias = heap_alloc(sizeof *alias);
    if (alias == NULL || charset_find(name) >= 0) {
        heap_free(alias);
        return;
    }
    *alias = (struct alias){name, of};
    struct alias **found = tsearch(alias, &aliases, alias_compare);
    if (found == NULL || *found != alias) {
        heap_free(alias);
    }
}

static void module_add(struct gconv_module *module)
{
    module->from_index = charset_add(module->from);
    module->to_index = charset_add(module->to);
    if (module->from_index < 0 || module->to_index < 0) {
        return;
    }
    for (struct gconv_module *other = modules; other != NULL; other = other->same) {
        if (other->from_index == module->from_index && other->to_index == module->to_index) {
            if (module->cost < other->cost) {
                other->file = module->file;
                other->cost = module->cost;
            }
            return;
        }
    }
    module->order = module_count++;
    *modules_tail = module;
    modules_tail = &module->same;
}

// ---- The lists

static char *text_of(const char *text, size_t size)
{
    char *copy = heap_alloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

// The path of a module's file, for ever.
static const char *module_path(const char *directory, const char *file)
{
    char path[PATH_SIZE];
    size_t length = strlen(file);
    bool has_suffix = length > 3 && strcmp(file + length - 3, ".so") == 0;
    format(path, sizeof path, "%s%s%s%s", file[0] == '/' ? "" : directory,
           file[0] == '/' ? "" : "/", file, has_suffix ? "" : ".so");
    return text_of(path, strlen(path));
}

static void module_line(const char *directory, char *words[WORDS_MAX], size_t count)
{
    int cost = count > 4 ? atoi(words[4]) : 1;
    struct gconv_module *module = heap_alloc(sizeof *module);
    const char *path = module_path(directory, words[3]);
    if (module == NULL || path == NULL) {
        heap_free(module);
        return;
    }
    *module = (struct gconv_module){
        .from = words[1], .to = words[2], .cost = cost < 1 ? 1 : cost, .file = path};
    module_add(module);
}

static void capitals(char *text)
{
    for (; *text != '\0'; ++text) {
        *text = *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text;
    }
}

// Cuts the line, which stays for ever, into its words.
static void line_take(const char *directory, char *line)
{
    char *words[WORDS_MAX];
    size_t count = 0;
    line[strcspn(line, "#")] = '\0';
    char *rest;
    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL && count < WORDS_MAX;
         word = strtok_r(NULL, " \t\r", &rest)) {
        words[count++] = word;
    }
    if (count < 3) {
        return;
    }
    capitals(words[1]);
    capitals(words[2]);
    if (strcmp(words[0], "alias") == 0) {
        alias_add(words[1], words[2]);
    } else if (strcmp(words[0], "module") == 0 && count > 3) {
        module_line(directory, words, count);
    }
}

// The whole file with a nul, for ever; NULL: there is none.
static char *file_read(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    char *text = NULL;
    if (fstat(fd, &status) == 0 && status.st_size < LIST_SIZE_MAX) {
        text = heap_alloc((size_t)status.st_size + 1);
    }
    size_t size = 0;
    ssize_t done = 1;
    while (text != NULL && done > 0 && size < (size_t)status.st_size) {
        done = read(fd, text + size, (size_t)status.st_size - size);
        size += done > 0 ? (size_t)done : 0;
    }
    if (text != NULL) {
        text[size] = '\0';
    }
    close(fd);
    return text;
}

static void list_take(const char *directory, const char *name)
{
    char path[PATH_SIZE];
    format(path, sizeof path, "%s/%s", directory, name);
    char *rest = file_read(path);
    while (rest != NULL && *rest != '\0') {
        char *line = rest;
        rest += strcspn(rest, "\n");
        if (*rest != '\0') {
            *rest++ = '\0';
        }
        line_take(directory, line);
    }
}

static void directory_take(const char *directory)
{
    char path[PATH_SIZE];
    list_take(directory, "gconv-modules");
    format(path, sizeof path, "%s/gconv-modules.d", directory);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0) {
            char name[sizeof entry->d_name + 32];
            format(name, sizeof name, "gconv-modules.d/%s", entry->d_name);
            list_take(directory, name);
        }
    }
    closedir(folder);
}

static void builtin_take(void)
{
    for (size_t i = 0; i < gconv_builtin_count; ++i) {
        module_add(&gconv_builtin_modules[i]);
    }
    for (size_t i = 0; i < sizeof builtin_names / sizeof builtin_names[0]; i += 2) {
        char *names = text_of(builtin_names[i + 1], strlen(builtin_names[i + 1]));
        char *rest;
        for (char *name = names == NULL ? NULL : strtok_r(names, " ", &rest); name != NULL;
             name = strtok_r(NULL, " ", &rest)) {
            alias_add(name, builtin_names[i]);
        }
    }
}

static void lists_read_locked(void)
{
    char path[PATH_SIZE];
    const char *wanted = getenv("GCONV_PATH");
    modules_tail = &modules;
    while (wanted != NULL && *wanted != '\0') {
        size_t size = strcspn(wanted, ":");
        if (size > 0 && size < sizeof path) {
            memcpy(path, wanted, size);
            path[size] = '\0';
            directory_take(path);
        }
        wanted += size + (wanted[size] != '\0');
    }
    format(path, sizeof path, "%s/gconv", elf_library_directory());
    directory_take(path);
    builtin_take();
}

// Opening a conversion is no cancellation point, reading files is.
static void lists_read(void)
{
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    mutex_lock(&read_mutex);
    if (!is_read) {
        lists_read_locked();
        is_read = true;
    }
    mutex_unlock(&read_mutex);
    pthread_setcancelstate(cancel_state, NULL);
}

// ---- Routes

// A charset on the cheapest way to it that is known.
struct place {
    struct gconv_module *module; // the last step; NULL: not reached
    size_t before;               // the place where that begins
    int cost, step_count;
    bool is_done; // all steps from here are followed
};

static int meaning(const char *name)
{
    const struct alias key = {name, NULL};
    struct alias **found = tfind(&key, &aliases, alias_compare);
    return charset_find(found == NULL ? name : (*found)->of);
}

static void place_follow(struct place *places, size_t index, int charset)
{
    const struct place *place = &places[index];
    for (struct gconv_module *module = modules; module != NULL; module = module->same) {
        struct place *next = &places[module->to_index];
        int cost = place->cost + module->cost;
        if (module->from_index == charset && place->step_count < GCONV_STEPS_MAX &&
            (next->module == NULL || cost < next->cost)) {
            *next = (struct place){module, index, cost, place->step_count + 1, next->is_done};
        }
    }
}

// The cheapest of count places that is not done; count: none.
static size_t place_next(const struct place *places, size_t count)
{
    size_t next = count;
    for (size_t i = 0; i < count; ++i) {
        if (places[i].module != NULL && !places[i].is_done &&
            (next == count || places[i].cost < places[next].cost)) {
            next = i;
        }
    }
    return next;
}

// Dijkstra's search. The places are the charsets, and behind them the one where the route begins:
// it is another one than the same charset when a route comes to it.
static size_t route_search(struct place *places, int from, int to,
                           struct gconv_module *route[GCONV_STEPS_MAX])
{
    size_t start = (size_t)charset_count, end = (size_t)to;
    place_follow(places, start, from);
    for (;;) {
        size_t next = place_next(places, start);
        if (next == start) {
            return 0;
        }
        if (places[end].module != NULL && places[end].cost <= places[next].cost) {
            break;
        }
        places[next].is_done = true;
        place_follow(places, next, (int)next);
    }
    size_t count = (size_t)places[end].step_count;
    for (size_t index = end, step = count; step > 0; --step) {
        route[step - 1] = places[index].module;
        index = places[index].before;
    }
    return count;
}

size_t gconv_route_find(const char *from, const char *to,
                        struct gconv_module *route[GCONV_STEPS_MAX])
{
    lists_read();
    int from_index = meaning(from), to_index = meaning(to);
    // INTERNAL is what every route leads through, and not the charset of texts at both of its ends.
    bool is_internal = from_index == to_index && from_index == charset_find("INTERNAL");
    if (from_index < 0 || to_index < 0 || is_internal) {
        return 0;
    }
    struct place *places = heap_alloc_zeroed((size_t)(charset_count + 1) * sizeof *places);
    if (places == NULL) {
        return 0;
    }
    size_t count = route_search(places, from_index, to_index, route);
    heap_free(places);
    return count;
}

// ---- What /usr/bin/iconv asks for to print all names

EXPORT(void *, __gconv_get_alias_db, void)
{
    lists_read();
    return aliases;
}

EXPORT(void *, __gconv_get_modules_db, void)
{
    lists_read();
    return modules;
}

// The lists in one binary file, which this library does not read.
EXPORT(void *, __gconv_get_cache, void)
{
    return NULL;
}
