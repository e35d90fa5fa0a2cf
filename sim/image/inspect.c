// SPDX-License-Identifier: BSD-3-Clause
// inspect.c: osv-image inspect: what is in an image, and how big it is.
#include "sim/image/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/image/contents.h"
#include "sim/image/disk.h"
#include "sim/image/fail.h"
#include "sim/image/kernel.h"
#include "sim/image/output.h"
#include "sim/image/scratch.h"

static void size_print(uint64_t size)
{
    printf("%llu KiB (%llu bytes)\n", (unsigned long long)(size + 1023) / 1024,
           (unsigned long long)size);
}

// As the kernel's command line would have to say it.
static void word_print(const char *word)
{
    const char *quote = word[strcspn(word, " \t\n")] != 0 || word[0] == 0 ? "\"" : "";
    fputs(quote, stdout);
    for (; *word != 0; ++word) {
        printf(*word == '"' || *word == '\\' ? "\\%c" : "%c", *word);
    }
    fputs(quote, stdout);
}

static void words_print(const struct image *image)
{
    fputs("command: ", stdout);
    for (size_t at = 0; at < image->words_size; at += strlen(image->words + at) + 1) {
        putchar(' ');
        word_print(image->words + at);
    }
    putchar('\n');
}

// The size of what is in front of the symbols in a module of size bytes.
static size_t symbols_print(const struct image *image, size_t size)
{
    if (image->symbols_size == 0 || image->symbols_offset >= size) {
        return size;
    }
    fputs("symbols:  ", stdout);
    size_print(size - image->symbols_offset);
    return image->symbols_offset;
}

static void root_print(const char *file, const char *bytes, size_t size)
{
    struct contents contents;
    fputs("root:     ", stdout);
    size_print(size);
    fflush(stdout);
    const char *what = contents_read(&contents, bytes, size);
    if (what != NULL) {
        fail(EXIT_FAILED, "%s: its root %s", file, what);
    }
    printf("files:    %llu, in %llu directories, and %llu links\n",
           (unsigned long long)contents.file_count, (unsigned long long)contents.directory_count,
           (unsigned long long)contents.link_count);
    for (int i = 0; i < CONTENTS_BIGGEST && contents.biggest[i].path != NULL; ++i) {
        printf("%14llu  %s\n", (unsigned long long)contents.biggest[i].size,
               contents.biggest[i].path);
    }
}

static void kernel_print(const struct kernel *kernel, uint64_t size)
{
    printf("kernel:   x86_64, version %.*s, ", (int)sizeof kernel->image->kernel_version,
           kernel->image->kernel_version);
    size_print(size);
    words_print(kernel->image);
}

static void parse(struct kernel *kernel, const char *file, char *bytes, size_t size)
{
    const char *what = kernel_parse(kernel, bytes, size);
    if (what != NULL) {
        fail(EXIT_FAILED, "%s: %s", file, what);
    }
}

static void image_print(const char *format, uint64_t size)
{
    printf("image:    %s, ", format);
    size_print(size);
}

static void elf_inspect(const char *file, char *bytes, size_t size)
{
    struct kernel kernel;
    parse(&kernel, file, bytes, size);
    image_print("elf", size);
    const Elf64_Phdr *root = kernel_root(&kernel);
    kernel_print(&kernel, root == NULL ? kernel.size : root->p_offset - KERNEL_PAGE_SIZE);
    if (root == NULL) {
        puts("root:     none");
    } else {
        root_print(file, bytes + root->p_offset, symbols_print(kernel.image, root->p_filesz));
    }
}

static void layout_print(const char *bytes, size_t size)
{
    struct disk_place place;
    for (unsigned i = 1; disk_partition(bytes, size, i, &place); ++i) {
        printf("layout:   %u, %s: at %llu KiB, ", i, place.name,
               (unsigned long long)place.start / 1024);
        size_print(place.size);
    }
}

// raw: the same disk as file, in raw format, which has these bytes.
static void disk_inspect(const char *file, const char *format, const char *raw, const char *bytes,
                         size_t size)
{
    enum { ROOT_PARTITION = 3 };
    struct kernel kernel;
    struct disk_place root;
    char *kernel_file = scratch_path("kernel.elf"), *module_file = scratch_path("root.img");
    size_t kernel_size, module_size;
    disk_take(raw, bytes, kernel_file, module_file);
    char *kernel_bytes = file_read(kernel_file, &kernel_size);
    char *module_bytes = file_read(module_file, &module_size);
    parse(&kernel, file, kernel_bytes, kernel_size);
    image_print(format, file_size(file));
    layout_print(bytes, size);
    kernel_print(&kernel, kernel.size);
    const size_t module_root_size = symbols_print(kernel.image, module_size);
    if (disk_partition(bytes, size, ROOT_PARTITION, &root)) {
        root_print(file, bytes + root.start, root.size);
    } else {
        root_print(file, module_bytes, module_root_size);
    }
    free(kernel_bytes);
    free(module_bytes);
    free(kernel_file);
    free(module_file);
}

static void scratch_begin(void)
{
    const char *directory = getenv("TMPDIR");
    scratch_start(text_make("%s/osv-image", directory == NULL ? "/tmp" : directory));
}

static void packed_inspect(const char *file)
{
    size_t size;
    char *raw = scratch_path("raw");
    disk_unpack(file, raw);
    char *bytes = file_read(raw, &size);
    if (!disk_is_raw(bytes, size)) {
        fail(EXIT_FAILED, "%s: is no disk that osv-image has made", file);
    }
    disk_inspect(file, "qcow2", raw, bytes, size);
    free(bytes);
    free(raw);
}

void inspect(const char *file)
{
    size_t size;
    char *bytes = file_read(file, &size);
    if (disk_is_raw(bytes, size)) {
        scratch_begin();
        disk_inspect(file, "raw", file, bytes, size);
    } else if (disk_is_packed(bytes, size)) {
        scratch_begin();
        packed_inspect(file);
    } else {
        elf_inspect(file, bytes, size);
    }
    free(bytes);
}
