// SPDX-License-Identifier: BSD-3-Clause
// gone.c: a program whose library may have lost a function, or its data, since it was linked.
#include <stdio.h>

int gone_function(void);
int kept_function(void);
int gone_optional(void) __attribute__((weak));

#ifdef DATA
extern int gone_data;
#endif

int main(int argc, char **argv)
{
    (void)argv;
    printf("kept: %d\n", kept_function());
    printf("optional: %d\n", gone_optional == NULL ? 0 : gone_optional());
#ifdef DATA
    printf("data: %d\n", gone_data);
#endif
    fflush(stdout);
    if (argc > 1) {
        printf("gone: %d\n", gone_function());
    }
    return 0;
}
