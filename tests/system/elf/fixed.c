// SPDX-License-Identifier: BSD-3-Clause
// fixed.c: an executable at its link address: functions have one address for all, data of a library
// is the program's copy, a weak symbol that nobody defines is 0.
#include <stdio.h>
#include <stdlib.h>

extern int library_data[4];
extern const char *const library_text;
int *library_data_address(void);
int library_sum(void);
int library_twice(int x);
int (*library_twice_address(void))(int);
int (*library_callback(void))(int);
extern int nowhere(void) __attribute__((weak));
extern int nowhere_data __attribute__((weak));

int program_callback(int x)
{
    return x * 3;
}

int main(void)
{
    printf("low: %d\n", (unsigned long)&main < 1UL << 31);
    printf("data: %d %d %d %s\n", library_data == library_data_address(), library_data[0],
           library_data[3], library_text);
    library_data[1] = 100;
    printf("sum: %d\n", library_sum());
    printf("function: %d %d\n", library_twice == library_twice_address(), library_twice(4));
    printf("callback: %d %d\n", library_callback() == program_callback, library_callback()(5));
    printf("weak: %d %d\n", nowhere == NULL, &nowhere_data == NULL);
    return 0;
}
