// SPDX-License-Identifier: BSD-3-Clause
// dl.c: dlopen, dlsym and their kin: scopes, versions, RTLD_NEXT, what an address belongs to, what
// is loaded.
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int versioned(void);
int versioned_old(void);
__asm__(".symver versioned_old, versioned@OLD_1");
int program_symbol(void);

int program_symbol(void)
{
    return 11;
}

int puts(const char *text)
{
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "puts");
    printf("(%d) ", real != puts);
    return real(text);
}

static void versions(void *library)
{
    int (*any)(void) = (int (*)(void))dlsym(library, "versioned");
    int (*old)(void) = (int (*)(void))dlvsym(library, "versioned", "OLD_1");
    int (*new)(void) = (int (*)(void))dlvsym(library, "versioned", "NEW_2");
    printf("versions: %d %d: %d %d %d\n", versioned(), versioned_old(), any(), old(), new ());
    printf("no such version: %d\n", dlvsym(library, "versioned", "NO_3") == NULL);
    printf("only old: %d %d\n", dlsym(library, "only_old") == NULL,
           dlvsym(library, "only_old", "OLD_1") != NULL);
}

static int visit(struct dl_phdr_info *info, size_t size, void *argument)
{
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash == NULL ? info->dlpi_name : slash + 1;
    int *index = argument;
    if ((*index)++ == 0) {
        printf("first: \"%s\" %d\n", info->dlpi_name, size >= sizeof(*info));
    }
    if (strncmp(name, "libdl_", 6) == 0) {
        printf("loaded: %s %d\n", name, info->dlpi_phnum > 3);
    }
    return strcmp(name, "libdl_local.so") == 0 ? 17 : 0;
}

static void local_and_global(void)
{
    void *local = dlopen("libdl_local.so", RTLD_NOW | RTLD_LOCAL);
    int (*function)(void) = (int (*)(void))dlsym(local, "local_function");
    printf("local: %d %d\n", function(), dlsym(RTLD_DEFAULT, "local_function") == NULL);
    printf("again: %d\n", dlopen("libdl_local.so", RTLD_NOW | RTLD_NOLOAD) == local);
    dlopen("libdl_local.so", RTLD_NOW | RTLD_GLOBAL);
    printf("global: %d\n", dlsym(RTLD_DEFAULT, "local_function") == (void *)function);
    printf("close: %d %d\n", dlclose(local), dlclose(local));
    int index = 0;
    printf("walk: %d\n", dl_iterate_phdr(visit, &index));
}

static void errors(void)
{
    printf("%s\n", dlopen("libno_such_library.so", RTLD_NOW) == NULL ? dlerror() : "?");
    printf("%d\n", dlerror() == NULL);
    printf("%d\n", dlopen("libno_such_library.so", RTLD_NOW | RTLD_NOLOAD) == NULL);
    dlerror();
    printf("%d\n", dlsym(RTLD_DEFAULT, "no_such_symbol") == NULL);
    const char *text = dlerror();
    printf("%d\n", text != NULL && strstr(text, "undefined symbol: no_such_symbol") != NULL);
}

// A plug-in whose symbol nobody defines is not loaded.
static void strict(void)
{
    printf("strict: %d\n", dlopen("libdl_strict.so", RTLD_NOW) == NULL);
    const char *text = dlerror();
    const char *colon = text == NULL ? NULL : strstr(text, "undefined symbol");
    printf("%s\n", colon == NULL ? "?" : colon);
    FILE *file = fopen("text.so", "w");
    fputs("this is a text, not a library at all: longer than an ELF header, to be sure\n", file);
    fclose(file);
    printf("text: %d\n", dlopen("./text.so", RTLD_NOW) == NULL);
    printf("%s\n", dlerror());
    remove("text.so");
}

static void maps(void *library)
{
    struct link_map *map = NULL;
    printf("dlinfo: %d\n", dlinfo(library, RTLD_DI_LINKMAP, &map));
    const char *slash = strrchr(map->l_name, '/');
    Dl_info info;
    printf("map: %s", slash == NULL ? "?" : slash + 1);
    printf(" %d", dladdr(dlsym(library, "library_place"), &info));
    printf(" %d %d\n", info.dli_fbase == (void *)map->l_addr, map->l_ld != NULL);
}

static void places(void *library)
{
    Dl_info info;
    char *address = dlsym(library, "library_place");
    printf("dladdr: %d", dladdr(address + 1, &info));
    printf(" %s %d %s\n", info.dli_sname, info.dli_saddr == (void *)address,
           strrchr(info.dli_fname, '/') + 1);
    printf("dladdr: %d\n", dladdr(&info, &info));
    printf("libc: %d", dladdr((void *)atoi, &info));
    printf(" %s %s %d\n", info.dli_fname, info.dli_sname, info.dli_saddr == (void *)atoi);
}

int main(void)
{
    void *self = dlopen(NULL, RTLD_NOW);
    int (*function)(void) = (int (*)(void))dlsym(self, "program_symbol");
    printf("self: %d\n", function == program_symbol ? function() : -1);
    void *library = dlopen("libdl_versions.so", RTLD_NOW);
    printf("library: %d\n", library != NULL);
    versions(library);
    local_and_global();
    places(library);
    errors();
    strict();
    maps(library);
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    printf("libc: %d\n",
           dlsym(libc, "strlen") != NULL && dlvsym(libc, "strlen", "GLIBC_2.2.5") != NULL);
    puts("end");
    return 0;
}
