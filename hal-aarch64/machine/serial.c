// SPDX-License-Identifier: BSD-3-Clause
// serial.c: a PL011 as the console for people. Polled, so that it works in any state; the loader
// has set it up.
#include "serial.h"

#include "hal/hal.h"

enum { SERIAL_DATA = 0x00, SERIAL_FLAGS = 0x18, FLAGS_FULL = 0x20, WAIT_MAX = 1000000 };

static volatile uint32_t *serial;

void serial_set(char *window)
{
    serial = (volatile uint32_t *)window;
}

static void byte_write(uint8_t byte)
{
    for (int i = 0; i < WAIT_MAX && (serial[SERIAL_FLAGS / 4] & FLAGS_FULL) != 0; ++i) {
        hal_cpu_relax();
    }
    serial[SERIAL_DATA / 4] = byte;
}

void hal_console_write(const char *text, size_t size)
{
    for (size_t i = 0; serial != NULL && i < size; ++i) {
        byte_write((uint8_t)text[i]);
    }
}
