// SPDX-License-Identifier: BSD-3-Clause
// places.c: asks addr2line, of binutils or LLVM, for the lines of a place. Without it, or where the
// object has no such lines, the place is named by its object.
#include "sim/places.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/recording.h"

enum { LINE_SIZE = 1024 };

// The object that begins last before the place.
static const struct recording_object *object_of(const struct recording *recording, uint64_t place)
{
    const struct recording_object *best = NULL;
    for (size_t i = 0; i < recording->object_count; ++i) {
        const struct recording_object *object = &recording->objects[i];
        if (object->base <= place && (best == NULL || object->base >= best->base)) {
            best = object;
        }
    }
    return best;
}

static void lines_ask(const char *path, uint64_t address, int out)
{
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, address);
    int null = open("/dev/null", O_WRONLY);
    dup2(out, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execlp("addr2line", "addr2line", "-f", "-C", "-e", path, text, (char *)NULL);
    execlp("llvm-addr2line", "llvm-addr2line", "-f", "-C", "-e", path, text, (char *)NULL);
    _exit(1);
}

static bool line_get(FILE *from, char line[LINE_SIZE])
{
    if (fgets(line, LINE_SIZE, from) == NULL) {
        return false;
    }
    line[strcspn(line, "\n")] = 0;
    return line[0] != '?';
}

// The function, and its file and line, of the code at the address that the object's symbols know.
static bool lines_find(const char *path, uint64_t address, char function[LINE_SIZE],
                       char line[LINE_SIZE])
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0) {
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        lines_ask(path, address, pair[1]);
    }
    close(pair[1]);
    FILE *from = fdopen(pair[0], "r");
    bool has_function = from != NULL && line_get(from, function);
    bool has_line = has_function && line_get(from, line);
    if (from != NULL) {
        fclose(from);
    }
    waitpid(pid, NULL, 0);
    if (has_function && !has_line) {
        line[0] = 0;
    }
    return has_function;
}

// As the build knows the file: without the directory that stands for it, and without what addr2line
// adds.
static const char *line_tidy(char line[LINE_SIZE])
{
    static const char build[] = "/proc/self/cwd/";
    char *extra = strstr(line, " (discriminator");
    if (extra != NULL) {
        *extra = 0;
    }
    return strncmp(line, build, sizeof build - 1) == 0 ? line + sizeof build - 1 : line;
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

void place_print(const struct recording *recording, uint64_t place, FILE *out)
{
    char function[LINE_SIZE], line[LINE_SIZE];
    const struct recording_object *object = object_of(recording, place);
    if (object == NULL) {
        fprintf(out, "0x%" PRIx64, place);
        return;
    }
    uint64_t address = place - object->base;
    // A return address is behind the call, which is what has the line.
    if (!lines_find(object->path, address - 1, function, line)) {
        fprintf(out, "%s+0x%" PRIx64, last_of(object->path), address);
        return;
    }
    fprintf(out, "%s (%s", function, line[0] == 0 ? last_of(object->path) : line_tidy(line));
    fputs(line[0] == 0 ? ", no line known)" : ")", out);
}
