// SPDX-License-Identifier: BSD-3-Clause
// serial.h: where the console is.
#ifndef HAL_AARCH64_MACHINE_SERIAL_H
#define HAL_AARCH64_MACHINE_SERIAL_H

// The register window of a PL011. Until the first call nothing is written.
void serial_set(char *window);

#endif
