// SPDX-License-Identifier: BSD-3-Clause
// record.c: the lines of a recording, as the README has them.
//
// Those at the beginning and the end are written hosted, the others in guest context: into a
// buffer, which a raw system call empties.
#include <errno.h>

#include "hal-linux/seed/tape.h"
#include "hal-linux/syscall.h"

enum { BUFFER_SIZE = 65536 };

bool record_is_on;

static int record_fd;
static char buffer[BUFFER_SIZE];
static size_t used;
static bool wants_meetings, has_image;

static void buffer_empty(void)
{
    const char *at = buffer;
    while (used > 0) {
        long done = syscall3(SYS_write, record_fd, (long)at, (long)used);
        if (done < 0 && done != -EINTR) {
            static const char text[] = "osv-sim: --record: the file cannot be written\n";
            hal_console_write(text, sizeof text - 1);
            record_is_on = false;
            used = 0;
            return;
        }
        at += done < 0 ? 0 : done;
        used -= done < 0 ? 0 : (size_t)done;
    }
}

static void put(const char *text, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        if (used == BUFFER_SIZE) {
            buffer_empty();
        }
        buffer[used++] = text[i];
    }
}

static void put_text(const char *text)
{
    size_t size = 0;
    while (text[size] != 0) {
        ++size;
    }
    put(text, size);
}

static void put_number(uint64_t number, uint64_t base, char end)
{
    char digits[21];
    size_t at = sizeof digits;
    digits[--at] = end;
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    put(digits + at, sizeof digits - at);
}

void record_turn(enum seed_turn_kind kind, uint32_t cpu, uint64_t point, uint32_t to,
                 const void *place)
{
    static const char *const names[] = {"turn ", "wait ", "stand "};
    if (!record_is_on) {
        return;
    }
    put_text(names[kind]);
    put_number(cpu, 10, ' ');
    put_number(point, 10, ' ');
    put_number(to, 10, ' ');
    put_number((uintptr_t)place, 16, '\n');
}

void record_meeting(uint32_t cpu, uint64_t point, const void *place)
{
    if (record_is_on) {
        put_text("meet ");
        put_number(cpu, 10, ' ');
        put_number(point, 10, ' ');
        put_number(cpu, 10, ' ');
        put_number((uintptr_t)place, 16, '\n');
    }
}

void record_check(uint64_t point, uint64_t hash)
{
    if (record_is_on && !point_is_spoilt()) {
        put_text("check ");
        put_number(point, 10, ' ');
        put_number(hash, 16, '\n');
    }
}

static size_t bytes_left; // of the answer whose line has begun

void record_answer(const struct seed_answer *answer)
{
    put_text("stream ");
    put_number(answer->operation, 10, ' ');
    put_number(answer->stream, 10, ' ');
    put_number((uint64_t)answer->is_late | (uint64_t)answer->is_cut << 1, 10, ' ');
    put_number((uint64_t)-answer->error, 10, ' ');
    bytes_left = answer->size;
    if (bytes_left == 0) {
        put_text("-\n");
    }
}

void record_bytes(const char *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; ++i) {
        const unsigned char byte = (unsigned char)data[i];
        put((const char[]){digits[byte >> 4], digits[byte & 15]}, 2);
    }
    bytes_left -= size;
    if (size > 0 && bytes_left == 0) {
        put_text("\n");
    }
}

// ---- Any line ----------------------------------------------------------------------

// What would end the line is escaped, as in C.
static void put_escaped(const char *text)
{
    for (; *text != 0; ++text) {
        if (*text == '\n' || *text == '\\') {
            put_text(*text == '\n' ? "\\n" : "\\\\");
        } else {
            put(text, 1);
        }
    }
}

void machine_object(const char *path, const char *base)
{
    if (record_is_on) {
        meet_is_on = wants_meetings && has_image; // core's own is the first
        has_image = true;
        put_text("object ");
        put_number((uintptr_t)base, 16, ' ');
        put_escaped(path);
        put_text("\n");
    }
}

void record_text(const char *name, const char *text)
{
    put_text(name);
    put_text(" ");
    put_escaped(text);
    put_text("\n");
}

void record_number(const char *name, uint64_t number, uint64_t base)
{
    put_text(name);
    put_text(" ");
    put_number(number, base, '\n');
}

void record_begin(int fd, bool meetings)
{
    wants_meetings = meetings;
    record_fd = fd;
    record_is_on = true;
}

void record_end(const char *how, int code)
{
    put_text("end ");
    put_text(how);
    put_text(" ");
    put_number((uint64_t)code, 10, ' ');
    put_number(point_is_spoilt() ? 0 : point_count, 10, ' ');
    put_number(point_is_spoilt() ? 0 : point_hash, 16, '\n');
    buffer_empty();
    syscall3(SYS_close, record_fd, 0, 0);
}
