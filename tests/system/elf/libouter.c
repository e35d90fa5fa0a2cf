// SPDX-License-Identifier: BSD-3-Clause
// libouter.c: needs libgone.so and does not say where it is: that is found by the DT_RPATH of the
// program.
int kept_function(void);
int outer_function(void);

int outer_function(void)
{
    return 10 + kept_function();
}
