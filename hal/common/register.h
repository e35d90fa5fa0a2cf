// SPDX-License-Identifier: BSD-3-Clause
// register.h: device memory, which is read and written by accesses of the size that the device
// expects.
#ifndef HAL_COMMON_REGISTER_H
#define HAL_COMMON_REGISTER_H

#include <stdint.h>

// size is 1, 2 or 4.
static inline uint32_t register_read(const volatile char *place, uint32_t size)
{
    switch (size) {
    case 1:
        return *(const volatile uint8_t *)place;
    case 2:
        return *(const volatile uint16_t *)place;
    default:
        return *(const volatile uint32_t *)place;
    }
}

static inline void register_write(volatile char *place, uint32_t size, uint32_t value)
{
    switch (size) {
    case 1:
        *(volatile uint8_t *)place = (uint8_t)value;
        break;
    case 2:
        *(volatile uint16_t *)place = (uint16_t)value;
        break;
    default:
        *(volatile uint32_t *)place = value;
        break;
    }
}

#endif
