// SPDX-License-Identifier: BSD-3-Clause
// perfmap.c: a line for each function: start and size in hexadecimal, name (Linux
// tools/perf/Documentation/jit-interface.txt). Objects are appended as they are loaded.
//
// The loader's mutex guards all of it.
#include "core/linux/perfmap.h"

#include <stdbool.h>

#include "core/elf/program.h"
#include "core/lib/format.h"
#include "core/linux/process.h"
#include "core/vfs/vfs.h"

enum { BUFFER_SIZE = 16384, LINE_MAX = ELF_NAME_SIZE + 48, MODE = 0644 };

static struct file *map;
static uint64_t written;
static char buffer[BUFFER_SIZE];
static size_t used;
static bool has_failed;

static void buffer_write(void)
{
    size_t done = 0;
    if (used > 0 && !has_failed) {
        int error = file_write_at(map, written, buffer, used, &done);
        if (error != 0 || done != used) {
            console_print("osv: --perf-map: the file cannot be written (error %d); it ends here\n",
                          -error);
            has_failed = true;
        }
    }
    written += done;
    used = 0;
}

static void function_add(const struct elf_function *function, void *argument)
{
    (void)argument;
    if (used > BUFFER_SIZE - LINE_MAX) {
        buffer_write();
    }
    // A function of no size, as assembly's may be, is at least its first byte.
    used += format(buffer + used, LINE_MAX, "%lx %zx %.*s\n", (uintptr_t)function->start,
                   function->size == 0 ? 1 : function->size, ELF_NAME_SIZE, function->name);
}

static void update(void)
{
    elf_functions_walk_new(function_add, NULL);
    buffer_write();
}

int perfmap_start(const struct process_output *output)
{
    int error = vfs_device_file_make(output->device, output->name, MODE, &map);
    if (error == 0) {
        elf_loaded_hook_set(update);
    }
    return error;
}
