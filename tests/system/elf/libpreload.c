// SPDX-License-Identifier: BSD-3-Clause
// libpreload.c: takes the place of a function of libgone.so.
int kept_function(void);

int kept_function(void)
{
    return 99;
}
