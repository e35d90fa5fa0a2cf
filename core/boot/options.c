// SPDX-License-Identifier: BSD-3-Clause
// options.c: reading the machine's command line.
#include "core/boot/options.h"

#include <stdint.h>

#include "core/elf/program.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "hal/hal.h"

HAL_NORETURN static void refuse(const char *option, const char *why)
{
    console_print("osv: option %s: %s\n", option, why);
    hal_halt(HAL_POWER_OFF, 2);
}

// The value where text starts with name, else NULL.
static const char *value_of(const char *text, const char *name)
{
    size_t length = strlen(name);
    return strncmp(text, name, length) == 0 ? text + length : NULL;
}

static uint32_t number_read(const char *option, const char *digits, uint32_t base)
{
    uint64_t number = 0;
    for (const char *p = digits; *p != 0; ++p) {
        if (*p < '0' || *p >= (char)('0' + base) || number > UINT32_MAX) {
            refuse(option, "not a number");
        }
        number = number * base + (uint64_t)(*p - '0');
    }
    return (uint32_t)number;
}

// Takes :ro or :rw off the end of text's size characters. True: it was :ro.
static bool mode_take(const char *text, size_t *size)
{
    enum { LENGTH = 3 };
    const char *mode = *size > LENGTH ? text + *size - LENGTH : "...";
    const bool is_read_only = memcmp(mode, ":ro", LENGTH) == 0;
    *size -= is_read_only || memcmp(mode, ":rw", LENGTH) == 0 ? LENGTH : 0;
    return is_read_only;
}

static void text_copy(const char *option, char *to, size_t room, const char *text, size_t size)
{
    if (size == 0 || size >= room) {
        refuse(option, "a part of it is empty or too long");
    }
    memcpy(to, text, size);
    to[size] = 0;
}

// virtiofs:TAG:PATH[:ro|:rw]; a path may hold colons, a tag may not.
static void mount_read(struct options *options, const char *option, const char *value)
{
    const char *tag = value_of(value, "virtiofs:");
    const char *colon = tag == NULL ? NULL : strchr(tag, ':');
    if (colon == NULL || colon[1] != '/' || options->mount_count == OPTION_MOUNT_MAX) {
        refuse(option, "wants virtiofs:TAG:/DIRECTORY[:ro], at most 32 times");
    }
    struct option_mount *mount = &options->mounts[options->mount_count++];
    text_copy(option, mount->tag, sizeof mount->tag, tag, (size_t)(colon - tag));
    size_t size = strlen(colon + 1);
    mount->is_read_only = mode_take(colon + 1, &size);
    size_t room = size < OPTION_TEXT_MAX ? size + 1 : OPTION_TEXT_MAX;
    mount->path = heap_alloc(room);
    if (mount->path == NULL) {
        refuse(option, "not enough memory; try a larger -m");
    }
    text_copy(option, mount->path, room, colon + 1, size);
}

// virtiofs:TAG[:ro|:rw], or the name of a module.
static void root_read(struct options *options, const char *option, const char *value)
{
    const char *tag = value_of(value, "virtiofs:");
    options->root = value;
    if (tag != NULL) {
        size_t size = strlen(tag);
        options->is_root_read_only = mode_take(tag, &size);
        text_copy(option, options->root_tag, sizeof options->root_tag, tag, size);
    }
}

// NAME=VALUE, which takes the place of an earlier one of that NAME.
static void environment_read(struct options *options, const char *option, const char *value)
{
    const char *end = strchr(value, '=');
    size_t at = 0;
    while (end != NULL && at < options->environment_count &&
           strncmp(options->environment[at], value, (size_t)(end - value) + 1) != 0) {
        ++at;
    }
    if (end == NULL || at == OPTION_ENVIRONMENT_MAX) {
        refuse(option, "wants NAME=VALUE, at most 64 times");
    }
    options->environment[at] = value;
    options->environment_count += at == options->environment_count;
}

static void ignored_read(struct process_options *process, const char *option, const char *value)
{
    uint32_t signal = number_read(option, value, 10);
    if (signal < 1 || signal > 64) {
        refuse(option, "is no signal");
    }
    process->ignored_signals |= (uint64_t)1 << (signal - 1);
}

// False: not one of these.
static bool number_option(struct process_options *process, const char *option)
{
    const char *value;
    if ((value = value_of(option, "--umask=")) != NULL) {
        process->umask = number_read(option, value, 8);
    } else if ((value = value_of(option, "--uid=")) != NULL) {
        process->uid = number_read(option, value, 10);
    } else if ((value = value_of(option, "--gid=")) != NULL) {
        process->gid = number_read(option, value, 10);
    } else if ((value = value_of(option, "--ignore=")) != NULL) {
        ignored_read(process, option, value);
    } else {
        return false;
    }
    return true;
}

// Words with commas between.
static void debug_read(struct options *options, const char *option, const char *words)
{
    for (;;) {
        size_t size = 0;
        while (words[size] != 0 && words[size] != ',') {
            ++size;
        }
        if (size == 4 && memcmp(words, "libs", size) == 0) {
            options->trace |= ELF_TRACE_LIBS;
        } else if (size == 7 && memcmp(words, "symbols", size) == 0) {
            options->trace |= ELF_TRACE_SYMBOLS;
        } else {
            refuse(option, "knows libs and symbols, with a comma between");
        }
        if (words[size] == 0) {
            return;
        }
        words += size + 1;
    }
}

// TAG:NAME
static void output_read(struct process_output *output, const char *option, const char *value)
{
    const char *name = strchr(value, ':');
    size_t tag_size = name == NULL ? 0 : (size_t)(name - value);
    if (tag_size == 0 || tag_size >= sizeof output->device || name[1] == 0) {
        refuse(option, "wants TAG:NAME");
    }
    memcpy(output->device, value, tag_size);
    output->name = name + 1;
}

// What people learn of the program. False: not one of these.
static bool report_option(struct process_options *process, const char *option)
{
    const char *value;
    if (strcmp(option, "--strace") == 0) {
        process->trace = true;
    } else if (strcmp(option, "--verbose") == 0) {
        process->verbose = true;
    } else if (strcmp(option, "--stats") == 0) {
        process->stats = true;
    } else if (strcmp(option, "--leak") == 0) {
        process->leak = true;
    } else if (strcmp(option, "--check-heap") == 0) {
        process->check_heap = true;
    } else if ((value = value_of(option, "--core=")) != NULL) {
        output_read(&process->core, option, value);
    } else if ((value = value_of(option, "--perf-map=")) != NULL) {
        output_read(&process->perf_map, option, value);
    } else {
        return false;
    }
    return true;
}

static void address_add(const char **addresses, size_t *count, const char *option,
                        const char *value)
{
    if (*count == OPTION_ADDRESS_MAX) {
        refuse(option, "at most 8 addresses");
    }
    addresses[(*count)++] = value;
}

static void option_read(struct options *options, const char *option)
{
    const char *value;
    if (number_option(&options->process, option) || report_option(&options->process, option)) {
        return;
    }
    if ((value = value_of(option, "--mount=")) != NULL) {
        mount_read(options, option, value);
    } else if ((value = value_of(option, "--std=")) != NULL) {
        options->streams = value;
    } else if ((value = value_of(option, "--ip=")) != NULL) {
        address_add(options->addresses, &options->address_count, option, value);
    } else if ((value = value_of(option, "--dns=")) != NULL) {
        address_add(options->name_servers, &options->name_server_count, option, value);
    } else if ((value = value_of(option, "--env=")) != NULL) {
        environment_read(options, option, value);
    } else if ((value = value_of(option, "--root=")) != NULL) {
        root_read(options, option, value);
    } else if ((value = value_of(option, "--exec=")) != NULL) {
        options->process.executable = value;
    } else if ((value = value_of(option, "--cwd=")) != NULL) {
        options->directory = value;
    } else if ((value = value_of(option, "--debug=")) != NULL) {
        debug_read(options, option, value);
    } else if (strcmp(option, "--selftest") == 0 || strcmp(option, "--selftest=fail") == 0) {
        options->is_self_test = true;
        options->is_self_test_to_fail = option[10] == '=';
    } else if (value_of(option, "--hostname=") == NULL) {
        refuse(option, "unknown");
    }
}

static const char *environment_value(const char *const *environment, const char *name)
{
    for (; environment != NULL && *environment != NULL; ++environment) {
        const char *value = value_of(*environment, name);
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}

void options_read(struct options *options, const char *const *arguments,
                  const char *const *environment)
{
    options->process.umask = 022;
    for (; *arguments != NULL && strcmp(*arguments, "--") != 0; ++arguments) {
        option_read(options, *arguments);
    }
    options->process.arguments = *arguments == NULL ? arguments : arguments + 1;
    environment = options->environment_count > 0 ? options->environment : environment;
    options->process.environment = environment;
    if (options->process.executable == NULL) {
        options->process.executable = options->process.arguments[0];
    }
    options->library_path = environment_value(environment, "LD_LIBRARY_PATH=");
    options->preload = environment_value(environment, "LD_PRELOAD=");
    const char *bind_now = environment_value(environment, "LD_BIND_NOW=");
    options->bind_now = bind_now != NULL && bind_now[0] != 0;
}
