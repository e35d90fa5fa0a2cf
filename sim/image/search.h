// SPDX-License-Identifier: BSD-3-Clause
// search.h: where the dynamic linker will find the libraries that a program needs.
#ifndef SIM_IMAGE_SEARCH_H
#define SIM_IMAGE_SEARCH_H

#include "sim/image/object.h"
#include "sim/image/tree.h"

// A program or library of the image.
struct part {
    struct object object;
    const struct node *node;
    char *path;                // in the image, as it is opened
    char *name;                // by which others need it
    const struct part *needer; // NULL: nobody
};

struct search {
    struct node *root;
    const char *host_root;    // a directory whose /etc/ld.so.conf counts before the host's; or NULL
    const char *library_path; // LD_LIBRARY_PATH of the program; or NULL
    char **configured;        // directories of ld.so.conf, ends with NULL; NULL: not yet read
    bool is_closed;           // only what the image has already is found
};

// The node of the library that needer, a part of program, asks for by name, packed if need be, and
// its path, for free(). NULL: it is nowhere.
struct node *search_library(struct search *search, const struct part *program,
                            const struct part *needer, const char *name, char **path);

#endif
