// SPDX-License-Identifier: BSD-3-Clause
// seed.c: how osv-sim --seed becomes the seeded machine: a program of its own, beside osv-sim, in
// which core is compiled otherwise.
#include "sim/seed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "hal-linux/machine.h"
#include "sim/options.h"

static const char name[] = "osv-sim-seed";

// Where this process's program is, with another last component.
static char *sibling(void)
{
    static char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - sizeof name);
    if (size < 0) {
        options_fail(EXIT_USAGE, "/proc/self/exe: %s", strerror(errno));
    }
    path[size] = 0;
    strcpy(strrchr(path, '/') + 1, name);
    return path;
}

void seed_execute(char **argv)
{
    int before = personality(0xffffffff);
    bool is_fixed = before != -1 && (before & ADDR_NO_RANDOMIZE) != 0;
    if (machine_is_seeded() && is_fixed) {
        closefrom(STDERR_FILENO +
                  1); // the numbers of files that are opened are not to depend on them
        return;
    }
    if (!is_fixed && personality((unsigned long)before | ADDR_NO_RANDOMIZE) == -1) {
        options_fail(EXIT_USAGE, "--seed: this host does not let us fix addresses: %s",
                     strerror(errno));
    }
    char *path = sibling();
    execv(path, argv);
    options_fail(EXIT_USAGE, "--seed: cannot execute %s: %s", path, strerror(errno));
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:=,+@%";
    return *word != 0 && word[strspn(word, plain)] == 0;
}

// One word as a shell takes it back.
static void word_write(FILE *out, const char *word)
{
    if (is_plain(word)) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word != 0; ++word) {
        fputs(*word == '\'' ? "'\\''" : (const char[]){*word, 0}, out);
    }
    fputc('\'', out);
}

char *seed_command(char **argv, size_t *rest)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    for (size_t i = 0; argv[i] != NULL; ++i) {
        fputs(i == 0 ? "" : " ", out);
        word_write(out, argv[i]);
        if (i == 0) {
            fflush(out);
            *rest = size;
        }
    }
    fclose(out);
    return text;
}
