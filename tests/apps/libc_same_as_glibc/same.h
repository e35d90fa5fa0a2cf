// SPDX-License-Identifier: BSD-3-Clause
// same.h: the sections of the program; each prints what the C library answers.
#ifndef TESTS_APPS_SAME_H
#define TESTS_APPS_SAME_H

#include <errno.h>
#include <stdio.h>

void printf_section(void);
void printf_wide_section(void);
void scanf_section(void);
void number_section(void);
void string_section(void);
void random_section(void);
void locale_section(void);
void wide_section(void);
void time_section(void);
void stream_section(void);
void text_section(void);
void limit_section(void);
void search_section(void);
void vector_section(void);
void account_section(void);
void command_section(void);
void glob_section(void);
void pattern_section(void);
void semaphore_section(void);

// Prints what a call to snprintf returns, leaves in the buffer and in errno.
#define SHOW(...)                                                                                  \
    do {                                                                                           \
        char text_[8192] = "";                                                                     \
        errno = 0;                                                                                 \
        int length_ = snprintf(text_, sizeof text_, __VA_ARGS__);                                  \
        int error_ = errno;                                                                        \
        printf("%d: %d %d [%s]\n", __LINE__, length_, error_, text_);                              \
    } while (0)

// Prints an integer with the place it comes from.
#define NUMBER(value) printf("%d: %lld\n", __LINE__, (long long)(value))

// Prints an integer and errno after it was computed.
#define RESULT(value)                                                                              \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long long value_ = (long long)(value);                                                     \
        int error_ = errno;                                                                        \
        printf("%d: %lld errno %d\n", __LINE__, value_, error_);                                   \
    } while (0)

#define TEXT(text) same_text(__LINE__, text)

static inline void same_text(int line, const char *text)
{
    printf("%d: \"%s\"\n", line, text == NULL ? "NULL" : text);
}

#endif
