// SPDX-License-Identifier: BSD-3-Clause
// rtc.c: the date, by the CMOS clock (Motorola MC146818): seconds, in UTC, of this century.
#include "rtc.h"

#include "hal/hal.h"

#include "cpu_registers.h"

enum {
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    CMOS_STATUS_A = 10,
    CMOS_STATUS_B = 11,
    CMOS_UPDATING = 0x80,
    CMOS_BINARY = 4,
    CMOS_24_HOURS = 2,
    CMOS_PM = 0x80,
    CMOS_TRIES = 100000,
};

static uint8_t cmos_read(uint8_t index)
{
    port_write8(CMOS_INDEX, index);
    return port_read8(CMOS_DATA);
}

struct date {
    uint32_t second, minute, hour, day, month, year;
};

static struct date date_read(void)
{
    for (int i = 0; i < CMOS_TRIES && (cmos_read(CMOS_STATUS_A) & CMOS_UPDATING) != 0; ++i) {
        hal_cpu_relax();
    }
    return (struct date){
        .second = cmos_read(0),
        .minute = cmos_read(2),
        .hour = cmos_read(4),
        .day = cmos_read(7),
        .month = cmos_read(8),
        .year = cmos_read(9),
    };
}

static uint32_t from_bcd(uint32_t value)
{
    return (value & 15) + (value >> 4) * 10;
}

static struct date date_decode(struct date date)
{
    const uint8_t status = cmos_read(CMOS_STATUS_B);
    const bool afternoon = (status & CMOS_24_HOURS) == 0 && (date.hour & CMOS_PM) != 0;
    date.hour &= 0x7f;
    if ((status & CMOS_BINARY) == 0) {
        date = (struct date){
            .second = from_bcd(date.second),
            .minute = from_bcd(date.minute),
            .hour = from_bcd(date.hour),
            .day = from_bcd(date.day),
            .month = from_bcd(date.month),
            .year = from_bcd(date.year),
        };
    }
    if ((status & CMOS_24_HOURS) == 0) {
        date.hour = date.hour % 12 + (afternoon ? 12 : 0);
    }
    return date;
}

// Seconds since 1970 of a date in 2000 .. 2099, where every fourth year is a leap year.
static uint64_t date_seconds(const struct date *date)
{
    static const uint16_t days_before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const uint32_t month = date->month >= 1 && date->month <= 12 ? date->month : 1;
    uint64_t days = 10957 + date->year * 365ull + (date->year + 3) / 4 + days_before[month - 1];
    days += date->year % 4 == 0 && month > 2 ? 1 : 0;
    days += date->day - 1;
    return ((days * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
}

// Twice the same, or an update came between.
uint64_t rtc_seconds(void)
{
    struct date date = date_read();
    for (int i = 0; i < 4; ++i) {
        const struct date again = date_read();
        if (again.second == date.second && again.minute == date.minute && again.hour == date.hour) {
            break;
        }
        date = again;
    }
    date = date_decode(date);
    return date_seconds(&date);
}
