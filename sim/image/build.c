// SPDX-License-Identifier: BSD-3-Clause
// build.c: osv-image build: from options to an image.
#include "sim/image/build.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/image/disk.h"
#include "sim/image/fail.h"
#include "sim/image/kernel.h"
#include "sim/image/options.h"
#include "sim/image/output.h"
#include "sim/image/pack.h"
#include "sim/image/scratch.h"
#include "sim/image/stage.h"
#include "sim/image/tree.h"

enum {
    ENVIRONMENT_MAX = 64,       // core/boot/options.h has the same
    ROOT_SIZE_MAX = 0x70000000, // loaders put it in one piece below the hole that ends at 4 GiB
};

// ---- The command line ----------------------------------------------------------------

static void word_add(struct image *image, size_t *count, const char *word)
{
    const size_t size = strlen(word) + 1;
    if (size > IMAGE_WORDS_SIZE - image->words_size || ++*count > IMAGE_WORDS_MAX) {
        fail(EXIT_FAILED,
             "the program's arguments and environment are too long: an image has room for %d bytes "
             "and %d words",
             IMAGE_WORDS_SIZE, IMAGE_WORDS_MAX);
    }
    memcpy(image->words + image->words_size, word, size);
    image->words_size += (uint32_t)size;
}

static void pair_add(struct image *image, size_t *count, const char *option, const char *value)
{
    char *word = text_make("%s%s", option, value);
    word_add(image, count, word);
    free(word);
}

// root: as the kernel is to find it.
static void words_set(struct image *image, const struct build_options *options, const char *root,
                      const char *program)
{
    size_t count = 0;
    pair_add(image, &count, "--root=", root);
    for (size_t i = 0; i < options->env.count; ++i) {
        pair_add(image, &count, "--env=", options->env.texts[i]);
    }
    if (options->cwd != NULL) {
        pair_add(image, &count, "--cwd=", options->cwd);
    }
    for (size_t i = 0; i < options->words.count; ++i) {
        word_add(image, &count, options->words.texts[i]);
    }
    word_add(image, &count, "--");
    word_add(image, &count, program);
    for (char **argument = options->program + 1; *argument != NULL; ++argument) {
        word_add(image, &count, *argument);
    }
}

// ---- The root ------------------------------------------------------------------------

static const char *environment_value(const struct build_options *options, const char *name)
{
    const size_t length = strlen(name);
    for (size_t i = options->env.count; i > 0; --i) {
        const char *text = options->env.texts[i - 1];
        if (strncmp(text, name, length) == 0 && text[length] == '=') {
            return text + length + 1;
        }
    }
    return NULL;
}

static bool is_program(struct node *root, const char *path)
{
    struct stat status;
    const struct node *node = tree_find(root, path);
    return node != NULL
               ? node->kind == NODE_FILE
               : stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

// The absolute path of a program without a slash. NULL: it is in none of the directories.
static char *path_search(struct node *root, const char *directories, const char *name)
{
    while (directories != NULL && *directories != 0) {
        const size_t size = strcspn(directories, ":");
        char *path = text_make("%.*s/%s", (int)size, directories, name);
        if (path[0] == '/' && is_program(root, path)) {
            return path;
        }
        free(path);
        directories += size + (directories[size] != 0);
    }
    return NULL;
}

// The absolute path of the program in the image.
static char *program_find(struct node *root, const struct build_options *options)
{
    const char *name = options->program[0];
    if (name[0] == '/') {
        return text_make("%s", name);
    }
    char *path = NULL;
    if (strchr(name, '/') == NULL) {
        path = path_search(root, environment_value(options, "PATH"), name);
        path = path != NULL ? path : path_search(root, getenv("PATH"), name);
    } else {
        path = realpath(name, NULL);
    }
    if (path == NULL) {
        fail(EXIT_FAILED, "%s: no such program%s", name,
             strchr(name, '/') == NULL ? " in PATH" : "");
    }
    return path;
}

// The file of the root, and the program's path in it.
static char *root_make(const struct build_options *options, const char *file)
{
    struct node *root = tree_new();
    if (options->root != NULL) {
        tree_add(root, options->root, "/");
    }
    for (size_t i = 0; i < options->file_count; ++i) {
        tree_add(root, options->files[i].host, options->files[i].guest);
    }
    struct search search = {.root = root,
                            .host_root = options->root,
                            .library_path = environment_value(options, "LD_LIBRARY_PATH")};
    char *program = program_find(root, options);
    pack_program(&search, program);
    for (size_t i = 0; i < options->file_count; ++i) {
        pack_file(&search, options->files[i].guest);
    }
    if (options->cwd != NULL) {
        const struct node *directory = tree_find(root, options->cwd);
        if (directory == NULL || directory->kind != NODE_DIRECTORY) {
            fail(EXIT_FAILED, "--cwd: the image has no directory %s", options->cwd);
        }
    }
    tree_file(root, "/etc/resolv.conf"); // the kernel shows its name servers there, if it is
    stage_make(root, file);
    return program;
}

// ---- The image -----------------------------------------------------------------------

// In the tree that Bazel makes, or in the same directory.
static char *kernel_default(void)
{
    static const char *const places[] = {"%s/../hal-x86_64/kernel.elf", "%s/kernel.elf"};
    char self[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) {
        fail_errno("/proc/self/exe");
    }
    self[length] = 0;
    *strrchr(self, '/') = 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; ++i) {
        char *path = text_make(places[i], self);
        if (access(path, F_OK) == 0) {
            return path;
        }
        free(path);
    }
    fail(EXIT_FAILED, "no kernel.elf beside osv-image; name one by --kernel FILE");
}

// At the end of file, of whole blocks, which is loaded with the kernel.
static void symbols_add(struct kernel *kernel, const char *file)
{
    kernel->image->symbols_offset = file_size(file);
    kernel->image->symbols_size = kernel->symbols_size;
    file_append(file, kernel->symbols, kernel->symbols_size);
}

static void size_check(const char *root)
{
    const uint64_t size = file_size(root);
    if (size > ROOT_SIZE_MAX) {
        fail(EXIT_FAILED,
             "the root has %llu MiB: more than loaders can load (%d MiB); give --format raw "
             "--root-on-disk",
             (unsigned long long)size >> 20, ROOT_SIZE_MAX >> 20);
    }
}

static void disk_make(struct kernel *kernel, enum image_format format,
                      const struct disk_parts *parts, const char *path)
{
    char *raw = scratch_path("raw");
    disk_write(kernel, parts, format == FORMAT_RAW ? path : raw);
    if (format == FORMAT_QCOW2) {
        disk_pack(raw, path);
    }
    free(raw);
}

static void image_write(struct kernel *kernel, const struct build_options *options,
                        const char *root, const char *program, const char *path)
{
    if (options->is_root_on_disk) {
        char id[DISK_ID_TEXT_SIZE];
        char *symbols = scratch_path("symbols"); // all that is loaded
        struct disk_parts parts = {.module = symbols, .root = root};
        output_close(output_open(symbols));
        symbols_add(kernel, symbols);
        disk_id_make(parts.id, root);
        disk_id_print(parts.id, id);
        char *name = text_make("partuuid:%s", id);
        words_set(kernel->image, options, name, program);
        disk_make(kernel, options->format, &parts, path);
        free(name);
        free(symbols);
        return;
    }
    size_check(root);
    words_set(kernel->image, options, "initrd", program);
    symbols_add(kernel, root);
    if (options->format == FORMAT_ELF) {
        kernel_write_with_root(kernel, root, path);
    } else {
        disk_make(kernel, options->format, &(struct disk_parts){.module = root}, path);
    }
}

// An image in a directory that goes into it would hold what is left of the last one.
static void output_check(const char *output, const char *host)
{
    const char *slash = strrchr(output, '/');
    char *name = slash == NULL ? text_make(".") : text_make("%.*s/", (int)(slash - output), output);
    char *directory = realpath(name, NULL), *source = realpath(host, NULL);
    const size_t length = source == NULL ? 0 : strlen(source);
    if (directory != NULL && length > 0 && strncmp(directory, source, length) == 0 &&
        (length == 1 || strchr("/", directory[length]) != NULL)) {
        fail(EXIT_FAILED, "%s: lies in %s, which goes into the image; write it elsewhere", output,
             host);
    }
    free(name);
    free(directory);
    free(source);
}

void build(const struct build_options *options)
{
    struct kernel kernel;
    if (options->env.count > ENVIRONMENT_MAX) {
        fail(EXIT_FAILED, "--env: more than %d of them", ENVIRONMENT_MAX);
    }
    kernel_read(&kernel, options->kernel != NULL ? options->kernel : kernel_default());
    if (options->root != NULL) {
        output_check(options->output, options->root);
    }
    for (size_t i = 0; i < options->file_count; ++i) {
        output_check(options->output, options->files[i].host);
    }
    scratch_start(options->output);
    char *root = scratch_path("root.erofs"), *image = scratch_path("image");
    char *program = root_make(options, root);
    image_write(&kernel, options, root, program, image);
    scratch_publish("image");
    free(program);
    free(root);
    free(image);
}
