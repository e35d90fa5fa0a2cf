// SPDX-License-Identifier: BSD-3-Clause
// options.h: the command line of osv-image.
#ifndef SIM_IMAGE_OPTIONS_H
#define SIM_IMAGE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum image_format { FORMAT_ELF, FORMAT_RAW, FORMAT_QCOW2 };

struct option_list {
    const char **texts;
    size_t count;
};

struct option_file { // --file HOST:GUEST
    char *host, *guest;
};

struct build_options {
    const char *output;
    const char *root;   // a directory; NULL: none
    const char *kernel; // NULL: the one beside osv-image
    const char *cwd;    // NULL: /
    enum image_format format;
    bool is_root_on_disk; // not in memory
    struct option_file *files;
    size_t file_count;
    struct option_list env;   // NAME=VALUE
    struct option_list words; // more options of the kernel
    char **program;           // with its arguments; NULL ends
};

// Of "osv-image build"; arguments[0] is "build". A wrong command line ends the run.
void options_read(struct build_options *options, int count, char **arguments);

extern const char usage[];

#endif
