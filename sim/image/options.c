// SPDX-License-Identifier: BSD-3-Clause
// options.c: the command line of osv-image. Options end at PROGRAM; the rest is the program's.
#include "sim/image/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/common/image.h"
#include "sim/image/fail.h"

const char usage[] =
    "usage: osv-image build -o FILE [OPTIONS] PROGRAM [ARGUMENTS...]\n"
    "       osv-image inspect FILE\n"
    "Makes one file that boots: a kernel, the files that PROGRAM needs, and its command line.\n"
    "\n"
    "  -o, --output FILE        the image\n"
    "      --root DIR           all that is in DIR is the root of the image\n"
    "  -f, --file HOST:GUEST    a file or a directory of the host as GUEST; repeatable\n"
    "  -e, --env NAME=VALUE     an environment variable of the program; repeatable\n"
    "      --cwd DIR            the program's current directory\n"
    "      --option WORD        an option of the kernel, such as --option=--std=hvc0; repeatable\n"
    "      --kernel FILE        the kernel (default: the one that was built with osv-image)\n"
    "      --format FORMAT      elf: for qemu -kernel and its like (default); raw, qcow2: a disk "
    "that\n"
    "                           boots by BIOS and by UEFI\n"
    "      --root-on-disk       raw, qcow2: files are read from the disk when they are needed, and "
    "take\n"
    "                           no memory; it has to be a disk of virtio's (QEMU: if=virtio). "
    "Without,\n"
    "                           the loader loads all of them, from any disk\n"
    "      --version            prints the version\n"
    "      --help               prints this\n"
    "\n"
    "PROGRAM, its interpreter if it is a script, and the libraries that these and each --file "
    "need\n"
    "are looked for in the image first, and else taken from the host with their paths. PROGRAM\n"
    "without a slash is looked up in PATH, of --env and of the host. The C library is the kernel\n"
    "itself. What programs load by dlopen, and data, --file or --root has to name.\n"
    "Nothing comes into /tmp, /dev, /proc and /sys, over which the kernel mounts what is its own:\n"
    "a PROGRAM there needs another place, by --file /tmp/a:/bin/a, and to be called /bin/a.\n"
    "Files keep mode, links and date, but none is younger than SOURCE_DATE_EPOCH, where the\n"
    "environment has it. The same files make the same image.\n";

enum long_only {
    OPTION_ROOT = 256,
    OPTION_CWD,
    OPTION_WORD,
    OPTION_KERNEL,
    OPTION_FORMAT,
    OPTION_ROOT_ON_DISK,
    OPTION_VERSION,
    OPTION_HELP,
};

static void list_add(struct option_list *list, const char *text)
{
    list->texts = memory_resize(list->texts, (list->count + 1) * sizeof *list->texts);
    list->texts[list->count++] = text;
}

static void file_add(struct build_options *options, const char *text)
{
    char *host = text_make("%s", text), *guest = strrchr(host, ':');
    if (guest == NULL || guest == host || guest[1] != '/') {
        fail(EXIT_USAGE, "--file: '%s' is not HOST:GUEST with an absolute GUEST", text);
    }
    *guest++ = 0;
    for (size_t length = strlen(guest); length > 1 && guest[length - 1] == '/'; --length) {
        guest[length - 1] = 0;
    }
    options->files =
        memory_resize(options->files, (options->file_count + 1) * sizeof *options->files);
    options->files[options->file_count++] = (struct option_file){host, guest};
}

static void env_add(struct build_options *options, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        fail(EXIT_USAGE, "--env: '%s' is not NAME=VALUE", text);
    }
    list_add(&options->env, text);
}

static void word_add(struct build_options *options, const char *text)
{
    if (strncmp(text, "--", 2) != 0 || text[2] == 0) {
        fail(EXIT_USAGE, "--option: '%s' is no option of the kernel, which begin with --", text);
    }
    list_add(&options->words, text);
}

static enum image_format format_parse(const char *text)
{
    static const char *const names[] = {
        [FORMAT_ELF] = "elf", [FORMAT_RAW] = "raw", [FORMAT_QCOW2] = "qcow2"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (strcmp(names[i], text) == 0) {
            return (enum image_format)i;
        }
    }
    fail(EXIT_USAGE, "--format: '%s' is not elf, raw or qcow2", text);
}

static const char *directory_of_guest(const char *text)
{
    if (text[0] != '/') {
        fail(EXIT_USAGE, "--cwd: '%s' is no absolute path", text);
    }
    return text;
}

static const struct option longs[] = {
    {"output", required_argument, NULL, 'o'},
    {"root", required_argument, NULL, OPTION_ROOT},
    {"file", required_argument, NULL, 'f'},
    {"env", required_argument, NULL, 'e'},
    {"cwd", required_argument, NULL, OPTION_CWD},
    {"option", required_argument, NULL, OPTION_WORD},
    {"kernel", required_argument, NULL, OPTION_KERNEL},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"root-on-disk", no_argument, NULL, OPTION_ROOT_ON_DISK},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

_Noreturn static void text_print(const char *text)
{
    fputs(text, stdout);
    exit(0);
}

static void option_take(struct build_options *options, int option, const char *word)
{
    switch (option) {
    case 'o':
        options->output = optarg;
        break;
    case 'f':
        file_add(options, optarg);
        break;
    case 'e':
        env_add(options, optarg);
        break;
    case OPTION_ROOT:
        options->root = optarg;
        break;
    case OPTION_CWD:
        options->cwd = directory_of_guest(optarg);
        break;
    case OPTION_WORD:
        word_add(options, optarg);
        break;
    case OPTION_KERNEL:
        options->kernel = optarg;
        break;
    case OPTION_FORMAT:
        options->format = format_parse(optarg);
        break;
    case OPTION_ROOT_ON_DISK:
        options->is_root_on_disk = true;
        break;
    case OPTION_VERSION:
        text_print("osv-image " IMAGE_KERNEL_VERSION "\n");
    case OPTION_HELP:
        text_print(usage);
    case ':':
        fail(EXIT_USAGE, "option '%s' needs a value", word);
    default:
        fail(EXIT_USAGE, "unknown option '%s'; try 'osv-image --help'", word);
    }
}

void options_read(struct build_options *options, int count, char **arguments)
{
    int option;
    *options = (struct build_options){.format = FORMAT_ELF};
    opterr = 0;
    for (;;) {
        const int at = optind;
        option = getopt_long(count, arguments, "+:o:f:e:", longs, NULL);
        if (option < 0) {
            break;
        }
        option_take(options, option, arguments[at]);
    }
    if (optind == count || arguments[optind][0] == 0) {
        fail(EXIT_USAGE, "no program given; try 'osv-image --help'");
    }
    if (options->is_root_on_disk && options->format == FORMAT_ELF) {
        fail(EXIT_USAGE, "--root-on-disk goes with --format raw or qcow2");
    }
    if (options->output == NULL) {
        fail(EXIT_USAGE, "no image given; say -o FILE");
    }
    options->program = arguments + optind;
}
