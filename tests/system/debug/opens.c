// SPDX-License-Identifier: BSD-3-Clause
// opens.c: loads the library given to it, takes it away, loads it again, and says where functions
// are: its own, and the library's.
#include <dlfcn.h>
#include <stdio.h>

__attribute__((noinline)) static void static_function(void)
{
    __asm__ volatile("" : : : "memory");
}

int main(int count, char **arguments)
{
    void *library = dlopen(arguments[count - 1], RTLD_NOW);
    if (library != NULL) {
        dlclose(library);
    }
    library = dlopen(arguments[count - 1], RTLD_NOW);
    int (*compare)(int, int) = library == NULL ? NULL : dlsym(library, "library_compare");
    static_function();
    if (compare == NULL || compare(1, 2) >= 0) {
        return 1;
    }
    printf("%lx main\n", (unsigned long)&main);
    printf("%lx static_function\n", (unsigned long)&static_function);
    printf("%lx library_die\n", library == NULL ? 0 : (unsigned long)dlsym(library, "library_die"));
    return 0;
}
