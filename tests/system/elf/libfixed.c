// SPDX-License-Identifier: BSD-3-Clause
// libfixed.c: the library's half of fixed.c.
int library_data[4] = {1, 2, 3, 4};
const char *const library_text = "text of the library";

extern int program_callback(int x);

int *library_data_address(void)
{
    return library_data;
}

int library_sum(void)
{
    return library_data[0] + library_data[1] + library_data[2] + library_data[3];
}

int library_twice(int x)
{
    return 2 * x;
}

int (*library_twice_address(void))(int)
{
    return library_twice;
}

int (*library_callback(void))(int)
{
    return program_callback;
}
