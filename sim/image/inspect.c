// SPDX-License-Identifier: BSD-3-Clause
// inspect.c: osv-image inspect: what is in an image, and how big it is.
#include "sim/image/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/image/contents.h"
#include "sim/image/fail.h"
#include "sim/image/kernel.h"
#include "sim/image/output.h"

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

// The segment that is the root; NULL: none is.
static const Elf64_Phdr *root_segment(const struct kernel *kernel)
{
    for (unsigned i = 0; i < kernel->header->e_phnum; ++i) {
        const Elf64_Phdr *segment = &kernel->segments[i];
        if (segment->p_type == PT_LOAD && kernel->image->root_size != 0 &&
            segment->p_paddr == kernel->image->root_start) {
            return segment;
        }
    }
    return NULL;
}

void inspect(const char *file)
{
    struct kernel kernel;
    size_t size;
    char *bytes = file_read(file, &size);
    const char *what = kernel_parse(&kernel, bytes, size);
    if (what != NULL) {
        fail(EXIT_FAILED, "%s: %s", file, what);
    }
    printf("image:    elf, ");
    size_print(size);
    const Elf64_Phdr *root = root_segment(&kernel);
    kernel_print(&kernel, root == NULL ? kernel.size : root->p_offset - KERNEL_PAGE_SIZE);
    if (root == NULL) {
        puts("root:     none");
    } else {
        root_print(file, bytes + root->p_offset, root->p_filesz);
    }
    free(bytes);
}
