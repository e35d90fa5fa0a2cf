// SPDX-License-Identifier: BSD-3-Clause
// origin.c: what a run comes from: the first lines of its recording, and whether it can be made
// again here. Hosted.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hal-linux/seed/tape.h"

enum { STATUS_USAGE = 2 };

extern const char __executable_start[], etext[]; // the linker's

// "osv-sim: OPTION: NAME...", and the end of the process.
static __attribute__((format(printf, 3, 4), noreturn)) void
fail(const char *option, const char *name, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "osv-sim: %s: %s", option, name);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(STATUS_USAGE);
}

// What tells this machine's code from that of another build.
static uint64_t kernel(void)
{
    uint64_t hash = 0, word;
    for (const char *at = __executable_start; at + sizeof word <= etext; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return hash;
}

static void replay_check(const struct seed_recording *recording)
{
    const char *processor = trap_processor();
    if (strcmp(recording->processor, processor) != 0) {
        fail("--replay", recording->name,
             " was recorded on another processor, %s; this host makes runs of %s",
             recording->processor, processor);
    }
    if (recording->kernel != kernel()) {
        fail("--replay", recording->name,
             " was recorded by another build of osv-sim; record the run again, with --seed");
    }
}

static void recording_begin(const struct seed_options *options, const struct hal_boot *boot)
{
    int fd = open(options->record, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char *directory = getcwd(NULL, 0);
    if (fd < 0 || directory == NULL) {
        fail("--record", options->record, ": %s", strerror(errno));
    }
    record_begin(fd, options->records_meetings);
    record_text("osv-sim recording", "1");
    record_number("kernel", kernel(), 16);
    record_number("start", file_start_s(), 10);
    record_text("processor", trap_processor());
    record_text("directory", directory);
    record_text("spins", choice_at_spin() ? "go" : "stay");
    for (size_t i = 0; options->words[i] != NULL; ++i) {
        record_text("argument", options->words[i]);
    }
    for (size_t i = 0; boot->env[i] != NULL; ++i) {
        record_text("environment", boot->env[i]);
    }
    machine_object(boot->image_path == NULL ? "osv-sim-seed" : boot->image_path, boot->image);
    free(directory);
}

void origin_begin(const struct seed_options *options, const struct hal_boot *boot)
{
    if (options->replay != NULL) {
        replay_check(options->replay);
    }
    if (options->record != NULL) {
        recording_begin(options, boot);
    }
    if (!trap_is_whole() && options->is_verbose) {
        fprintf(stderr,
                "osv-sim: this host cannot trap cpuid: the run can be repeated on this "
                "processor only: %s\n",
                trap_processor());
    }
}

bool origin_end(const struct seed_options *options, const char *how, int code)
{
    uint64_t from, to;
    const bool is_departed = tape_is_departed(&from, &to);
    if (is_departed) {
        fprintf(stderr,
                "osv-sim: --replay: this is not the run of %s: it departs from that between points "
                "%lu and %lu; the program, a file, a stream or the host is another\n",
                options->replay->name, from, to);
    }
    if (record_is_on) {
        record_end(how, code);
    }
    return is_departed;
}
