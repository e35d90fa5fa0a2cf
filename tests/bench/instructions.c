// SPDX-License-Identifier: BSD-3-Clause
// instructions.c: a plug-in of QEMU's emulation: how many instructions and how much of the host's
// time the guest's first CPU takes from the first instruction at address `start` on until it comes
// to the marks of first.c. Standard error then has a line "mark NUMBER INSTRUCTIONS NANOSECONDS"
// for each. With count=off no instruction is counted, and none slowed down by it.
//
// The declarations are those of QEMU's documentation, "QEMU TCG Plugins", interface version 1:
// Debian has no header.
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPORTED __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
typedef uint64_t plugin_id;

enum { FLAGS_NONE = 0, OPERATION_ADD = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                           void (*translate)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
                                            void (*run)(unsigned, void *), int flags,
                                            void *argument);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction, int operation,
                                                void *number, uint64_t operand);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);

EXPORTED int qemu_plugin_version = 1;

static uint64_t start, count, count_at_start, time_at_start;
static bool is_started, is_counting = true;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void start_run(unsigned cpu, void *unused)
{
    (void)cpu;
    (void)unused;
    if (!is_started) {
        is_started = true;
        count_at_start = count;
        time_at_start = now_ns();
    }
}

static void mark_run(unsigned cpu, void *number)
{
    (void)cpu;
    fprintf(stderr, "mark %d %" PRIu64 " %" PRIu64 "\n", (int)(uintptr_t)number,
            count - count_at_start, now_ns() - time_at_start);
}

// The number of first.c's mark; 0: it is none.
static unsigned mark_of(const struct qemu_plugin_insn *instruction)
{
    const unsigned char *bytes = qemu_plugin_insn_data(instruction);
    const bool is_mark = qemu_plugin_insn_size(instruction) == 7 &&
                         memcmp(bytes, "\x0f\x1f\x80", 3) == 0 && memcmp(bytes + 4, "OSv", 3) == 0;
    return is_mark ? bytes[3] : 0;
}

static void translate(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); ++i) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        if (!is_started && qemu_plugin_insn_vaddr(instruction) == start) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, start_run, FLAGS_NONE, NULL);
        }
        if (is_counting) {
            qemu_plugin_register_vcpu_insn_exec_inline(instruction, OPERATION_ADD, &count, 1);
        }
        const unsigned number = mark_of(instruction);
        if (number != 0) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, mark_run, FLAGS_NONE,
                                                   (void *)(uintptr_t)number);
        }
    }
}

EXPORTED int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv);
EXPORTED int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; ++i) {
        if (strncmp(argv[i], "start=", 6) == 0) {
            start = strtoull(argv[i] + 6, NULL, 0);
        } else if (strcmp(argv[i], "count=off") == 0) {
            is_counting = false;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
