// SPDX-License-Identifier: BSD-3-Clause
// halt.c: the end of the machine, and the last words before it.
//
// The hosted main thread ends the process, because exit() runs what tools (coverage, leak checks)
// hung there and needs a thread pointer of the host's.
#include "hal-linux/halt.h"

#include <stdatomic.h>

#include "hal-linux/irq.h"
#include "hal-linux/syscall.h"

int halt_main_tid;
static _Atomic uint32_t halt_claimed; // the first caller's word counts
static _Atomic uint32_t halt_said;    // how and code are valid
static enum hal_halt halt_how;
static int halt_code;

void hal_halt(enum hal_halt how, int code)
{
    (void)hal_irq_save();
    if (atomic_exchange(&halt_claimed, 1) == 0) {
        halt_how = how;
        halt_code = code;
        atomic_store_explicit(&halt_said, 1, memory_order_release); // pairs with halt_requested
        syscall3(SYS_tgkill, vcpu_pid, halt_main_tid, VCPU_SIGNAL);
    }
    for (;;) {
        syscall3(SYS_pause, 0, 0, 0);
    }
}

bool halt_requested(enum hal_halt *how, int *code)
{
    bool said = atomic_load_explicit(&halt_said, memory_order_acquire) != 0;
    if (said) {
        *how = halt_how;
        *code = halt_code;
    }
    return said;
}

struct line {
    char text[160];
    size_t size;
};

static void line_text(struct line *line, const char *text)
{
    while (*text != 0 && line->size < sizeof line->text - 1) {
        line->text[line->size++] = *text++;
    }
}

static void line_number(struct line *line, uint64_t number)
{
    char digits[20] = " 0x";
    size_t count = 3;
    int shift = 60;
    while (shift > 0 && number >> shift == 0) {
        shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
        digits[count++] = "0123456789abcdef"[number >> shift & 15];
    }
    digits[count] = 0;
    line_text(line, digits);
}

static void line_print(struct line *line)
{
    line->text[line->size++] = '\n';
    hal_console_write(line->text, line->size);
}

void halt_fatal(const char *what, long number)
{
    struct line line = {.size = 0};
    line_text(&line, "osv-sim: ");
    line_text(&line, what);
    line_number(&line, (uint64_t)number);
    line_print(&line);
    hal_halt(HAL_CRASH, 128 + SIGABRT);
}

void halt_fault(const char *what, int signal, uint64_t ip, const char *va)
{
    struct line line = {.size = 0};
    line_text(&line, "osv-sim: ");
    line_text(&line, what);
    line_text(&line, " at ip");
    line_number(&line, ip);
    line_text(&line, " address");
    line_number(&line, (uint64_t)va);
    line_print(&line);
    hal_halt(HAL_CRASH, 128 + signal);
}
