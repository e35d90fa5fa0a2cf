// SPDX-License-Identifier: BSD-3-Clause
// main.c: osv-image: makes images that boot, and says what is in one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/common/image.h"
#include "sim/image/build.h"
#include "sim/image/fail.h"
#include "sim/image/inspect.h"
#include "sim/image/options.h"

int main(int count, char **arguments)
{
    const char *verb = count < 2 ? "" : arguments[1];
    setenv("TZ", "UTC", 1); // of the programs that it runs
    if (strcmp(verb, "build") == 0) {
        struct build_options options;
        options_read(&options, count - 1, arguments + 1);
        build(&options);
    } else if (strcmp(verb, "inspect") == 0) {
        if (count != 3) {
            fail(EXIT_USAGE, "inspect: give it one image");
        }
        inspect(arguments[2]);
    } else if (strcmp(verb, "--help") == 0) {
        fputs(usage, stdout);
    } else if (strcmp(verb, "--version") == 0) {
        puts("osv-image " IMAGE_KERNEL_VERSION);
    } else {
        fail(EXIT_USAGE, "'%s' is not build or inspect; try 'osv-image --help'", verb);
    }
    return 0;
}
