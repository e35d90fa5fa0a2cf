// SPDX-License-Identifier: BSD-3-Clause
// machine.c: from osv-run's options to the one description of the virtual machine.
//
// The kernel's command line: its options, then "--" and the program. Words are quoted as
// hal/common/cmdline.h reads them.
#include "sim/run/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/common/cmdline.h"
#include "sim/run/failure.h"
#include "sim/run/image.h"
#include "sim/run/options.h"

#define MEMORY_SPARE (2ul << 20) // what firmware and kernel need beside what is loaded

bool machine_has_pci(const struct machine *machine)
{
    return strcmp(machine->board, "microvm") != 0;
}

uint32_t machine_cpu_places(const struct machine *machine)
{
    return machine->accelerator == ACCELERATOR_TCG && machine->cpu_count == 1 ? 2
                                                                              : machine->cpu_count;
}

struct line {
    char text[CMDLINE_SIZE];
    size_t size, word_count;
};

static void line_byte(struct line *line, char byte)
{
    if (line->size == sizeof line->text - 1) {
        fail(STATUS_USAGE, "the kernel's command line would have more than %d bytes: give less",
             CMDLINE_SIZE - 1);
    }
    line->text[line->size++] = byte;
}

static void line_word(struct line *line, const char *word)
{
    if (line->word_count++ == CMDLINE_WORDS) {
        fail(STATUS_USAGE, "the kernel's command line would have more than %d words: give less",
             CMDLINE_WORDS);
    }
    if (line->size > 0) {
        line_byte(line, ' ');
    }
    const bool is_quoted = word[0] == 0 || strpbrk(word, " \t\n") != NULL;
    if (is_quoted) {
        line_byte(line, '"');
    }
    for (; *word != 0; ++word) {
        if (*word == '"' || *word == '\\') {
            line_byte(line, '\\');
        }
        line_byte(line, *word);
    }
    if (is_quoted) {
        line_byte(line, '"');
    }
}

static void line_option(struct line *line, const char *name, const char *value)
{
    char *option = text_make("%s%s", name, value);
    line_word(line, option);
    free(option);
}

static void command_line_make(struct machine *machine, const struct options *options)
{
    struct line line = {.size = 0};
    if (machine->initrd != NULL) {
        line_word(&line, "--root=initrd");
    }
    if (machine->has_streams) {
        line_word(&line, "--std=hvc0");
    }
    for (size_t i = 0; i < machine->mount_count; ++i) {
        const struct machine_mount *mount = &machine->mounts[i];
        char *word = text_make("--mount=virtiofs:%s:%s%s", mount->tag, mount->guest,
                               mount->read_only ? ":ro" : "");
        line_word(&line, word);
        free(word);
    }
    for (size_t i = 0; i < options->variables.count; ++i) {
        line_option(&line, "--env=", options->variables.items[i]);
    }
    if (options->cwd != NULL) {
        line_option(&line, "--cwd=", options->cwd);
    }
    for (size_t i = 0; i < options->kernel.count; ++i) {
        line_word(&line, options->kernel.items[i]);
    }
    if (options->program != NULL) {
        line_word(&line, "--");
    }
    for (char **word = options->program; word != NULL && *word != NULL; ++word) {
        line_word(&line, *word);
    }
    line_byte(&line, 0);
    machine->command_line = text_make("%s", line.text);
}

// Cuts ":ro" off text.
static bool read_only_cut(char *text)
{
    size_t size = strlen(text);
    if (size < 3 || strcmp(text + size - 3, ":ro") != 0) {
        return false;
    }
    text[size - 3] = 0;
    return true;
}

static void disk_add(struct machine *machine, const char *path, const char *format, bool read_only)
{
    if (machine->disk_count == MACHINE_DISK_MAX) {
        fail(STATUS_USAGE, "--disk: more than %d of them", MACHINE_DISK_MAX);
    }
    machine->disks[machine->disk_count++] =
        (struct machine_disk){.path = path, .format = format, .read_only = read_only};
}

static bool is_qcow2(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "rb");
    const bool is_read = file != NULL && fread(magic, sizeof magic, 1, file) == 1;
    if (file != NULL) {
        fclose(file);
    }
    return is_read && memcmp(magic, "QFI\xfb", 4) == 0;
}

static void disks_add(struct machine *machine, const struct options *options)
{
    for (size_t i = 0; i < options->disks.count; ++i) {
        char *text = text_make("%s", options->disks.items[i]);
        const bool read_only = read_only_cut(text);
        char *path = file_find("--disk ", text);
        if (!read_only && access(path, W_OK) != 0) {
            fail(STATUS_CANNOT, "--disk %s: may not be written; give %s:ro", text, text);
        }
        disk_add(machine, path, is_qcow2(path) ? "qcow2" : "raw", read_only);
        free(text);
    }
}

static void mounts_add(struct machine *machine, const struct options *options)
{
    for (size_t i = 0; i < options->mounts.count; ++i) {
        const char *given = options->mounts.items[i];
        char *text = text_make("%s", given);
        if (machine->mount_count == MACHINE_MOUNT_MAX) {
            fail(STATUS_USAGE, "--mount: more than %d of them", MACHINE_MOUNT_MAX);
        }
        struct machine_mount *mount = &machine->mounts[machine->mount_count++];
        mount->read_only = read_only_cut(text);
        char *colon = strrchr(text, ':');
        if (colon == NULL || colon == text || colon[1] != '/') {
            fail(STATUS_USAGE, "--mount: '%s' is not HOST:GUEST[:ro], GUEST an absolute path",
                 given);
        }
        *colon = 0;
        struct stat status;
        mount->host = realpath(text, NULL);
        if (mount->host == NULL || stat(mount->host, &status) != 0 || !S_ISDIR(status.st_mode)) {
            fail(STATUS_USAGE, "--mount: '%s' is not a directory", text);
        }
        mount->guest = colon + 1;
        (void)snprintf(mount->tag, sizeof mount->tag, "mount%zu", i);
    }
}

// QEMU would say that it cannot load the kernel, or the machine nothing at all.
static void memory_check(const struct machine *machine, const struct options *options,
                         const struct image *image)
{
    struct stat status;
    uint64_t needed = MEMORY_SPARE + image->memory_end;
    if (machine->initrd != NULL && stat(machine->initrd, &status) == 0) {
        needed += (uint64_t)status.st_size;
    }
    if (machine->memory_size < needed) {
        fail(STATUS_CANNOT, "--memory: %s is too little for %s: give at least %luM",
             options->memory, image->path, (needed >> 20) + 1);
    }
}

// A disk's boot loader has its own command line for the kernel.
static void disk_check(const struct options *options, const char *path)
{
    if (options->initrd != NULL || options->program != NULL || options->cwd != NULL ||
        options->variables.count + options->mounts.count + options->kernel.count > 0) {
        fail(STATUS_USAGE,
             "%s: a disk has its command line in it; what the program is to have goes into the "
             "image, or use its elf form",
             path);
    }
    if (strcmp(options->board, "microvm") == 0) {
        fail(STATUS_USAGE, "%s: microvm does not boot from a disk; use --machine q35", path);
    }
}

void machine_make(struct machine *machine, const struct options *options, const struct image *image)
{
    *machine = (struct machine){
        .board = options->board,
        .cpu_count = options->cpu_count,
        .memory_size = options->memory_size,
        .network = options->network,
        .more = options->qemu.items,
        .more_count = options->qemu.count,
    };
    machine->name = options->name == NULL ? text_make("osv-run-%d", (int)getpid()) : options->name;
    machine->has_streams = image->kind == IMAGE_KERNEL; // a disk's kernel is not told of them
    if (image->kind == IMAGE_KERNEL) {
        machine->kernel = image->path;
        machine->initrd = options->initrd == NULL ? NULL : file_find("--initrd ", options->initrd);
    } else {
        disk_check(options, image->path);
        disk_add(machine, image->path, image->kind == IMAGE_RAW_DISK ? "raw" : "qcow2", true);
    }
    memory_check(machine, options, image);
    disks_add(machine, options);
    mounts_add(machine, options);
    network_check(&machine->network, options->is_direct);
    if (machine->network.kind == NETWORK_NAMED && !machine_has_pci(machine)) {
        fail(STATUS_USAGE,
             "--net network=%s: not on microvm, whose devices libvirt does not know; "
             "use --machine q35",
             machine->network.name);
    }
    if (image->kind == IMAGE_KERNEL) {
        command_line_make(machine, options);
    }
}
