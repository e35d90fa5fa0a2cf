// SPDX-License-Identifier: BSD-3-Clause
// options.h: the machine's command line (hal_boot.args): options of core, "--", the program and its
// arguments.
//
//   --mount=virtiofs:TAG:PATH[:ro|:rw]   the file-system device TAG at PATH; in this order
//   --root=virtiofs:TAG[:ro|:rw]   such a device is the root; --root=NAME: a module in EROFS
//   format;
//   --root=/dev/vda          a disk in that format, or a partition (/dev/vda1, partuuid:GUID)
//   --std=TAG                the device whose nodes 0, 1, 2 are the standard streams
//   --exec=PATH              the program's file; without it, the first argument names it
//   --ip=ADDRESS/BITS[,GATEWAY]   an address of eth0, of either version of IP; without one it asks
//                            for one by DHCP
//   --dns=ADDRESS            a name server, whatever the network says of others
//   --cwd=PATH  --umask=OCTAL  --uid=N  --gid=N
//   --ignore=N               a signal that the program ignores from the start; as often as need be
//   --debug=libs,symbols     the dynamic linker prints what it does, as with LD_DEBUG
//   --strace  --verbose  --stats  --leak  --check-heap  --selftest[=fail]
//   --core=TAG:NAME  --perf-map=TAG:NAME   files that core makes in the root of the device TAG
#ifndef CORE_BOOT_OPTIONS_H
#define CORE_BOOT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/linux/process.h"

enum {
    OPTION_MOUNT_MAX = 32,
    OPTION_ADDRESS_MAX = 8,
    OPTION_TEXT_MAX = 4096,
    OPTION_ENVIRONMENT_MAX = 64,
    OPTION_TAG_SIZE = 64
};

struct option_mount {
    char tag[OPTION_TAG_SIZE];
    char *path; // of the heap; shorter than OPTION_TEXT_MAX
    bool is_read_only;
};

struct options {
    struct process_options process;
    const char *directory; // NULL: /
    const char *streams;   // NULL: the console
    const char *root; // a module or a disk that is the root, or of root_tag; NULL: an empty root
    char root_tag[OPTION_TAG_SIZE]; // of a file-system device; empty: none
    bool is_root_read_only;
    const char *environment[OPTION_ENVIRONMENT_MAX + 1]; // of options; NULL ends
    size_t environment_count;                            // 0: it is the machine's
    const char *library_path, *preload;                  // of the environment
    bool bind_now;                                       // of the environment
    unsigned trace;                                      // enum elf_trace
    struct option_mount mounts[OPTION_MOUNT_MAX];
    size_t mount_count;
    const char *addresses[OPTION_ADDRESS_MAX]; // of --ip, in their form
    size_t address_count;
    const char *name_servers[OPTION_ADDRESS_MAX]; // of --dns
    size_t name_server_count;
    bool is_self_test, is_self_test_to_fail;
};

// Reads boot's arguments, after heap_init. An unknown option or a bad value halts the machine with
// status 2 and one line.
void options_read(struct options *options, const char *const *arguments,
                  const char *const *environment);

#endif
