// SPDX-License-Identifier: BSD-3-Clause
// options.c: the command line of osv-run. Options end at "--"; what follows is the program's.
#include "sim/run/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hal/hal.h"
#include "sim/run/failure.h"

#define MEMORY_MAX (1ul << 40)
#define MEMORY_DEFAULT (1ul << 30)

enum { TIMEOUT_MAX_S = 1000000, MEGABYTE_SHIFT = 20 };

static const char usage[] =
    "usage: osv-run [OPTIONS] IMAGE [-- PROGRAM ARGUMENTS...]\n"
    "Runs an image, or a kernel, in a virtual machine: QEMU's, started by libvirt.\n"
    "\n"
    "  -c, --cpus N                 virtual CPUs (default: the host's)\n"
    "  -m, --memory SIZE            memory, with k, M or G, else in M (default 1G)\n"
    "      --connect URI            which libvirt (default qemu:///session); one of this host\n"
    "      --direct                 QEMU without libvirt\n"
    "      --name NAME              the domain's name (default osv-run-PID)\n"
    "      --machine q35|pc|microvm the board (default q35)\n"
    "      --accel auto|kvm|tcg     KVM or emulation (default auto: KVM where it works)\n"
    "      --initrd FILE            loads FILE beside the kernel, as its root\n"
    "      --disk FILE[:ro]         a disk; repeatable: /dev/vda, /dev/vdb ...\n"
    "  -v, --mount HOST:GUEST[:ro]  shows a host directory to the program; repeatable\n"
    "      --net none|user|tap=NAME|bridge=NAME|network=NAME|switch=FOLDER\n"
    "                               a network device (default none): on QEMU's user network, a "
    "tap\n"
    "                               or a bridge of the host, a network of libvirt, a switch of "
    "all\n"
    "                               osv-run and osv-sim that name FOLDER\n"
    "  -p, --publish [ADDRESS:]HOST:GUEST[/tcp|/udp]\n"
    "                               with --net user, a port of the host's 127.0.0.1, or ADDRESS,\n"
    "                               leads to the guest's; repeatable\n"
    "      --pcap FILE              writes down what the device sends and receives, for tcpdump\n"
    "  -e, --env NAME=VALUE         sets an environment variable; repeatable\n"
    "      --cwd DIR                the program's current directory\n"
    "      --kernel-option OPTION   gives the kernel one more option; repeatable\n"
    "      --qemu-argument ARGUMENT gives QEMU one more argument; repeatable\n"
    "      --timeout SECONDS        ends the machine after that time\n"
    "      --help                   prints this\n"
    "\n"
    "IMAGE is what osv-image makes, or a kernel. PROGRAM takes the place of the image's.\n"
    "The exit status is the program's. Of its own osv-run has 2 (wrong options), 121 (the machine\n"
    "ended without a status), 122 (QEMU was killed), 123 (the machine reset itself), 124 "
    "(--timeout),\n"
    "125 (QEMU or libvirt cannot run it, or the kernel crashed), 126 (IMAGE is not bootable),\n"
    "127 (there is no IMAGE), 134 (an assertion of the kernel failed), and 128+N if signal N "
    "ended\n"
    "osv-run.\n";

enum {
    OPTION_HELP = 256,
    OPTION_CONNECT,
    OPTION_DIRECT,
    OPTION_NAME,
    OPTION_MACHINE,
    OPTION_ACCEL,
    OPTION_INITRD,
    OPTION_DISK,
    OPTION_NET,
    OPTION_PCAP,
    OPTION_CWD,
    OPTION_KERNEL,
    OPTION_QEMU,
    OPTION_TIMEOUT,
};

static const struct option names[] = {
    {"cpus", required_argument, NULL, 'c'},
    {"memory", required_argument, NULL, 'm'},
    {"mount", required_argument, NULL, 'v'},
    {"env", required_argument, NULL, 'e'},
    {"publish", required_argument, NULL, 'p'},
    {"pcap", required_argument, NULL, OPTION_PCAP},
    {"connect", required_argument, NULL, OPTION_CONNECT},
    {"direct", no_argument, NULL, OPTION_DIRECT},
    {"name", required_argument, NULL, OPTION_NAME},
    {"machine", required_argument, NULL, OPTION_MACHINE},
    {"accel", required_argument, NULL, OPTION_ACCEL},
    {"initrd", required_argument, NULL, OPTION_INITRD},
    {"disk", required_argument, NULL, OPTION_DISK},
    {"net", required_argument, NULL, OPTION_NET},
    {"cwd", required_argument, NULL, OPTION_CWD},
    {"kernel-option", required_argument, NULL, OPTION_KERNEL},
    {"qemu-argument", required_argument, NULL, OPTION_QEMU},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static uint32_t number_parse(const char *option, const char *text, uint32_t max)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || text[0] == '-' || number < 1 || number > max) {
        fail(STATUS_USAGE, "%s: '%s' is not a number from 1 to %u", option, text, max);
    }
    return (uint32_t)number;
}

static uint64_t memory_parse(const char *text)
{
    static const char units[] = "kmg";
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    const char *unit = *end == 0 ? NULL : strchr(units, *end | 0x20);
    if (errno != 0 || end == text || text[0] == '-' ||
        (*end != 0 && (unit == NULL || end[1] != 0))) {
        fail(STATUS_USAGE, "--memory: '%s' is not a size, such as 512M", text);
    }
    int shift = unit == NULL ? MEGABYTE_SHIFT : 10 * (int)(unit - units + 1);
    if (number > MEMORY_MAX >> shift) {
        fail(STATUS_USAGE, "--memory: %s is too much; at most %luG", text, MEMORY_MAX >> 30);
    }
    return number << shift;
}

static const char *board_parse(const char *text)
{
    static const char *const boards[] = {"q35", "pc", "microvm"};
    for (size_t i = 0; i < sizeof boards / sizeof *boards; ++i) {
        if (strcmp(text, boards[i]) == 0) {
            return boards[i];
        }
    }
    fail(STATUS_USAGE, "--machine: '%s' is none of q35, pc and microvm", text);
}

static enum acceleration acceleration_parse(const char *text)
{
    static const char *const kinds[] = {
        [ACCELERATION_AUTO] = "auto", [ACCELERATION_KVM] = "kvm", [ACCELERATION_TCG] = "tcg"};
    for (int i = ACCELERATION_AUTO; i <= ACCELERATION_TCG; ++i) {
        if (strcmp(text, kinds[i]) == 0) {
            return (enum acceleration)i;
        }
    }
    fail(STATUS_USAGE, "--accel: '%s' is none of auto, kvm and tcg", text);
}

static void list_add(struct option_list *list, const char *option, const char *item)
{
    if (list->count == OPTIONS_LIST_MAX) {
        fail(STATUS_USAGE, "%s: more than %d of them", option, OPTIONS_LIST_MAX);
    }
    list->items[list->count++] = item;
}

static void variable_add(struct options *options, const char *text)
{
    const char *value = strchr(text, '=');
    if (value == NULL || value == text) {
        fail(STATUS_USAGE, "--env: '%s' is not NAME=VALUE", text);
    }
    list_add(&options->variables, "--env", text);
}

// False: not one of these.
static bool list_take(struct options *options, int option)
{
    switch (option) {
    case 'v':
        list_add(&options->mounts, "--mount", optarg);
        return true;
    case 'e':
        variable_add(options, optarg);
        return true;
    case 'p':
        network_publish(&options->network, optarg);
        return true;
    case OPTION_DISK:
        list_add(&options->disks, "--disk", optarg);
        return true;
    case OPTION_KERNEL:
        list_add(&options->kernel, "--kernel-option", optarg);
        return true;
    case OPTION_QEMU:
        list_add(&options->qemu, "--qemu-argument", optarg);
        return true;
    default:
        return false;
    }
}

// False: not one of these.
static bool host_take(struct options *options, int option)
{
    switch (option) {
    case OPTION_CONNECT:
        options->connect = optarg;
        return true;
    case OPTION_DIRECT:
        options->is_direct = true;
        return true;
    case OPTION_NAME:
        options->name = optarg;
        return true;
    case OPTION_TIMEOUT:
        options->timeout_s = number_parse("--timeout", optarg, TIMEOUT_MAX_S);
        return true;
    case OPTION_ACCEL:
        options->acceleration = acceleration_parse(optarg);
        return true;
    default:
        return false;
    }
}

static void option_take(struct options *options, int option)
{
    switch (option) {
    case 'c':
        options->cpu_count = number_parse("--cpus", optarg, HAL_CPU_MAX);
        break;
    case 'm':
        options->memory_size = memory_parse(optarg);
        options->memory = optarg;
        break;
    case OPTION_MACHINE:
        options->board = board_parse(optarg);
        break;
    case OPTION_INITRD:
        options->initrd = optarg;
        break;
    case OPTION_NET:
        network_parse(&options->network, optarg);
        break;
    case OPTION_PCAP:
        options->network.capture = optarg;
        break;
    case OPTION_CWD:
        options->cwd = optarg;
        break;
    case OPTION_HELP:
        fputs(usage, stdout);
        exit(0);
    default:
        break;
    }
}

__attribute__((noreturn)) static void wrong_option(char **argv, int option)
{
    const char *word = argv[optind - 1];
    if (option == ':') {
        fail(STATUS_USAGE, "'%s' needs a value; try --help", word);
    }
    if (optopt > 0 && optopt < 256) {
        fail(STATUS_USAGE, "unknown option '-%c'; try --help", optopt);
    }
    fail(STATUS_USAGE, "unknown option '%s'; try --help", word);
}

void options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){.connect = "qemu:///session",
                                .board = "q35",
                                .memory = "1G",
                                .memory_size = MEMORY_DEFAULT};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "-:c:m:v:e:p:", names, NULL)) != -1) {
        if (option == ':' || option == '?') {
            wrong_option(argv, option);
        } else if (option == 1 && options->image != NULL) {
            fail(STATUS_USAGE, "'%s' stands behind the image; give the program behind --", optarg);
        } else if (option == 1) {
            options->image = optarg;
        } else if (!list_take(options, option) && !host_take(options, option)) {
            option_take(options, option);
        }
    }
    if (options->image == NULL) {
        fail(STATUS_USAGE, "no image given; try --help");
    }
    options->program = optind < argc ? argv + optind : NULL;
    if (options->cpu_count == 0) {
        long count = sysconf(_SC_NPROCESSORS_ONLN);
        options->cpu_count = count < 1 ? 1 : count > HAL_CPU_MAX ? HAL_CPU_MAX : (uint32_t)count;
    }
}
