// SPDX-License-Identifier: BSD-3-Clause
// scopes.c: which definition a symbol is bound to: LOCAL, GLOBAL and what becomes GLOBAL, DEEPBIND,
// RTLD_NEXT; NOLOAD; what dlinfo and dladdr1 tell.
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *who(void);
const char *who(void)
{
    return "program";
}

static const char *ask(void *library, const char *name)
{
    const char *(*function)(void) = (const char *(*)(void))dlsym(library, name);
    return function == NULL ? "(nobody)" : function();
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void local_and_global(void)
{
    void *c = dlopen("libunload_c.so", RTLD_LAZY);
    printf("local: %s\n", ask(RTLD_DEFAULT, "c_count") == NULL ? "?" : ask(RTLD_DEFAULT, "c_who"));
    void *user = dlopen("libunload_user.so", RTLD_NOW);
    printf("now, while c is local: %s\n", user == NULL ? name_of(dlerror()) : "loaded");
    printf("promoted: %d\n", dlopen("libunload_c.so", RTLD_LAZY | RTLD_NOLOAD | RTLD_GLOBAL) == c);
    user = dlopen("libunload_user.so", RTLD_NOW);
    printf("now, while c is global: %s\n", user == NULL ? name_of(dlerror()) : "loaded");
    printf("default: %s\n", ask(RTLD_DEFAULT, "c_who"));
    dlclose(c);
    dlclose(c);
    printf("third close: %d\n", dlclose(c));
    dlclose(user);
    printf("gone: %s\n", ask(RTLD_DEFAULT, "c_who"));
}

static void interposition(void)
{
    void *b = dlopen("libunload_b.so", RTLD_NOW);
    printf("b: %s %s, c: %s\n", ask(b, "who"), ask(b, "b_who"), ask(b, "c_who"));
    dlclose(b);
    b = dlopen("libunload_b.so", RTLD_NOW | RTLD_DEEPBIND);
    printf("deep: %s %s, c: %s\n", ask(b, "who"), ask(b, "b_who"), ask(b, "c_who"));
    dlclose(b);
    b = dlopen("libunload_b.so", RTLD_LAZY | RTLD_DEEPBIND);
    printf("deep and lazy: %s %s, c: %s\n", ask(b, "who"), ask(b, "b_who"), ask(b, "c_who"));
    dlclose(b);
    printf("next: %s\n", ask(RTLD_NEXT, "who"));
}

static void nothing(void)
{
    printf("noload: %d", dlopen("libunload_a.so", RTLD_LAZY | RTLD_NOLOAD) == NULL);
    const char *text = dlerror();
    printf(" %s\n", text == NULL ? "(no error)" : text);
    printf("mode: %d", dlopen("libunload_a.so", RTLD_GLOBAL) == NULL);
    printf(" %s\n", dlerror());
    printf("self: %d\n", dlclose(dlopen(NULL, RTLD_NOW)));
}

static void search_paths(void *library)
{
    Dl_serinfo size, *info;
    printf("size: %d", dlinfo(library, RTLD_DI_SERINFOSIZE, &size));
    info = malloc(size.dls_size);
    *info = size;
    printf(" %d, %u\n", dlinfo(library, RTLD_DI_SERINFO, info), info->dls_cnt);
    for (unsigned i = 0; i < info->dls_cnt; i++) {
        printf("search: %s %#x\n", info->dls_serpath[i].dls_name, info->dls_serpath[i].dls_flags);
    }
    free(info);
}

static void told(void)
{
    void *a = dlopen("libunload_a.so", RTLD_NOW);
    struct link_map *map;
    char origin[4096];
    Lmid_t space = 7;
    size_t module = 0;
    void *block = NULL, *extra;
    dlinfo(a, RTLD_DI_LINKMAP, &map);
    dlinfo(a, RTLD_DI_ORIGIN, origin);
    printf("origin: %d\n", strncmp(map->l_name, origin, strlen(origin)));
    int error = dlinfo(a, RTLD_DI_LMID, &space);
    printf("space: %d %ld\n", error, (long)space);
    error = dlinfo(a, RTLD_DI_TLS_MODID, &module);
    printf("tls: %d %d\n", error, module != 0);
    error = dlinfo(a, RTLD_DI_TLS_DATA, &block);
    printf("block: %d %d\n", error, block != NULL);
    ((int (*)(void))dlsym(a, "a_count"))();
    error = dlinfo(a, RTLD_DI_TLS_DATA, &block);
    printf("block: %d %d\n", error, block != NULL);
    printf("what: %d", dlinfo(a, 99, &block));
    printf(" %s\n", dlerror());
    search_paths(a);
    Dl_info info;
    void *address = dlsym(a, "a_who");
    int found = dladdr1(address, &info, &extra, RTLD_DL_LINKMAP);
    printf("map: %d %d\n", found, extra == map);
    found = dladdr1(address, &info, &extra, RTLD_DL_SYMENT);
    const Elf64_Sym *symbol = extra;
    printf("symbol: %d %d %s\n", found, map->l_addr + symbol->st_value == (uintptr_t)address,
           info.dli_sname);
}

int main(void)
{
    local_and_global();
    interposition();
    nothing();
    told();
    return 0;
}
