// SPDX-License-Identifier: BSD-3-Clause
// serial.c: the first serial port (16550) as the console for people. Polled, so that it works in
// any state.
#include "hal/hal.h"

#include "cpu_registers.h"

enum {
    SERIAL_PORT = 0x3f8,
    SERIAL_STATUS = SERIAL_PORT + 5,
    STATUS_EMPTY = 0x20,
    WAIT_MAX = 1000000
};

// A port that never gets empty is not there: bytes are then lost, and the machine goes on.
static void byte_write(uint8_t byte)
{
    for (int i = 0; i < WAIT_MAX && (port_read8(SERIAL_STATUS) & STATUS_EMPTY) == 0; ++i) {
        hal_cpu_relax();
    }
    port_write8(SERIAL_PORT, byte);
}

void hal_console_write(const char *text, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        byte_write((uint8_t)text[i]);
    }
}
