// SPDX-License-Identifier: BSD-3-Clause
// main.c: osv-sim: runs a Linux program on core, with this process as its machine.
//
// Makes the devices and hands core its arguments: options, "--", the program and its arguments.
// Core's options are
//   --mount=virtiofs:TAG:GUEST:ro|rw   mount the device of that name, in this order
//   --std=TAG                 the device whose files 0, 1, 2 are the standard streams
//   --exec=PATH               the program's file
//   --cwd=PATH --umask=OCTAL --uid=N --gid=N --hostname=NAME   what a process inherits
//   --ignore=N                a signal that it ignores from the start; one option for each
//   --strace --verbose --stats --leak --check-heap --debug=LIST  as given to osv-sim
//   --ip=ADDRESS/BITS[,GATEWAY] --dns=ADDRESS  as given to osv-sim
//   --core=TAG:NAME --perf-map=TAG:NAME   a file, and the device that serves its directory
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal-linux/boot.h"
#include "hal-linux/dev/balloon.h"
#include "hal-linux/dev/disk.h"
#include "hal-linux/dev/entropy.h"
#include "hal-linux/dev/fs.h"
#include "sim/balloon.h"
#include "sim/enumerate.h"
#include "sim/mounts.h"
#include "sim/network.h"
#include "sim/options.h"
#include "sim/outputs.h"
#include "sim/program.h"
#include "sim/recording.h"
#include "sim/seed.h"
#include "sim/shrink.h"

enum { ARGUMENTS_EXTRA = MOUNTS_MAX + OUTPUTS_MAX + 2 * OPTIONS_ADDRESS_MAX + _NSIG + 16 };

struct arguments {
    const char **list;
    size_t count;
};

__attribute__((format(printf, 2, 3))) static void argument_add(struct arguments *arguments,
                                                               const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    va_end(list);
    arguments->list[arguments->count++] = text;
}

static void inherited_add(struct arguments *arguments, const char *cwd)
{
    char hostname[256] = "osv";
    (void)gethostname(hostname, sizeof hostname - 1);
    mode_t mask = umask(0);
    umask(mask);
    argument_add(arguments, "--cwd=%s", cwd);
    argument_add(arguments, "--umask=%03o", mask);
    argument_add(arguments, "--uid=%u", getuid());
    argument_add(arguments, "--gid=%u", getgid());
    argument_add(arguments, "--hostname=%s", hostname);
}

// What our parent ignores (nohup, a shell's background job) the program ignores, too.
static void ignored_add(struct arguments *arguments)
{
    for (int i = 1; i < _NSIG; ++i) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
            argument_add(arguments, "--ignore=%d", i);
        }
    }
}

static const char *const *arguments_make(const struct options *options)
{
    if (options->self_test != NULL) {
        static const char *list[2];
        list[0] = options->self_test;
        return list;
    }
    char *program = program_find(options->program[0]);
    size_t program_count = 0;
    while (options->program[program_count] != NULL) {
        ++program_count;
    }
    char *cwd = getcwd(NULL, 0);
    struct arguments arguments = {calloc(program_count + ARGUMENTS_EXTRA, sizeof(char *)), 0};
    if (cwd == NULL || arguments.list == NULL) {
        options_fail(EXIT_USAGE, "the current directory: %s", strerror(errno));
    }
    ignored_add(&arguments); // before a device ignores one for itself
    arguments.count += mounts_add(options, program, cwd, arguments.list + arguments.count);
    argument_add(&arguments, "--std=std");
    argument_add(&arguments, "--exec=%s", program);
    inherited_add(&arguments, options->cwd == NULL ? cwd : options->cwd);
    for (size_t i = 0; i < options->address_count; ++i) {
        argument_add(&arguments, "--ip=%s", options->addresses[i]);
    }
    for (size_t i = 0; i < options->name_server_count; ++i) {
        argument_add(&arguments, "--dns=%s", options->name_servers[i]);
    }
    if (options->debug != NULL) {
        argument_add(&arguments, "--debug=%s", options->debug);
    }
    if (options->strace) {
        argument_add(&arguments, "--strace");
    }
    if (options->verbose) {
        argument_add(&arguments, "--verbose");
    }
    if (options->stats) {
        argument_add(&arguments, "--stats");
    }
    if (options->leak) {
        argument_add(&arguments, "--leak");
    }
    if (options->check_heap) {
        argument_add(&arguments, "--check-heap");
    }
    arguments.count += outputs_add(options, arguments.list + arguments.count);
    argument_add(&arguments, "--");
    memcpy(arguments.list + arguments.count, options->program, program_count * sizeof(char *));
    free(program);
    free(cwd);
    return arguments.list;
}

static void disks_add(const struct options *options)
{
    for (size_t i = 0; i < options->disk_count; ++i) {
        const struct options_disk *disk = &options->disks[i];
        const char name[] = {'v', 'd', (char)('a' + i), 0};
        const int error = disk_add(name, disk->host, disk->read_only);
        if (error != 0) {
            options_fail(EXIT_USAGE, "--disk: %s: %s", disk->host,
                         error == -EINVAL ? "not a file of at least a sector (512 bytes)"
                                          : strerror(-error));
        }
    }
}

static void balloon_make(const struct options *options)
{
    const struct options_balloon *balloon = &options->balloon;
    if (!balloon->is_there) {
        return;
    }
    if (balloon_add(balloon->size, balloon->gives_back) != 0) {
        options_fail(EXIT_USAGE, "--balloon: cannot make the device");
    }
    if (balloon->socket != NULL) {
        balloon_listen(balloon->socket, options->memory_size);
    }
}

static void environment_set(const struct options *options)
{
    if (options->replay != NULL) {
        environ = options->replay->environment; // --env is in it
        return;
    }
    for (size_t i = 0; i < options->env_count; ++i) {
        if (putenv((char *)options->env[i]) != 0) {
            options_fail(EXIT_USAGE, "out of memory");
        }
    }
}

int main(int argc, char **argv)
{
    static struct options options;
    options_read(&options, argc, argv);
    if (options.enumerated_depth != 0) {
        enumerate(&options, argv[0]);
    }
    if (options.shrinks) {
        shrink(&options, argv[0]);
    }
    if (options.is_seeded || machine_is_seeded()) {
        seed_execute(argv);
        size_t rest = 0;
        options.seed.command = seed_command(argv, &rest);
        options.seed.command_rest = options.seed.command + rest;
    }
    environment_set(&options);
    const struct boot_options boot = {.cpu_count = options.cpu_count,
                                      .memory_size = options.memory_size,
                                      .node_count = options.node_count,
                                      .args = arguments_make(&options),
                                      .env = (const char *const *)environ,
                                      .seed = &options.seed,
                                      .verbose = options.verbose,
                                      .is_profiled = options.perf_map};
    if (fs_add_streams("std") != 0 || entropy_add() != 0) {
        options_fail(EXIT_USAGE, "cannot make the devices");
    }
    disks_add(&options);
    balloon_make(&options);
    network_add(&options);
    int status = boot_run(&boot);
    if (status != 0 && options.self_test == NULL) {
        mounts_explain(options.program);
    }
    return status;
}
