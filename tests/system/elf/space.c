// SPDX-License-Identifier: BSD-3-Clause
// space.c: asks for a namespace of its own, and prints what dlerror says.
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    void *library = count < 2 ? NULL : dlmopen(LM_ID_NEWLM, arguments[1], RTLD_NOW);
    printf("%s\n", library == NULL ? dlerror() : "loaded");
    library = dlmopen(LM_ID_BASE, "libz.so.1", RTLD_NOW);
    printf("%s\n", library == NULL ? dlerror() : "loaded");
    return 0;
}
