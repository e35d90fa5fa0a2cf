// SPDX-License-Identifier: BSD-3-Clause
// missing.c: what stands in for a function that nobody defines.
//
// Many programs name functions that they never call. So each missing one whose address is wanted
// becomes a few instructions that say, when called, which symbol is missing and who needs it, and
// end the process. The instructions are written into writable pages, which become executable (and
// read-only) before the load ends.
#include "core/elf/object.h"

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/mem/heap.h"
#include "core/vm/vm.h"

enum { STUBS_SIZE = 4 * HAL_PAGE_SIZE, MISSING_STATUS = 127 };

struct missing {
    struct missing *next;
    char *stub;
    const struct elf_object *needer;
    const char *name;
    const struct elf_version *version; // NULL: none
};

// Loader's mutex.
static char *stubs;
static size_t stubs_used;
static bool is_verbose;
static elf_missing_hook *hook;
static struct missing *all;
static struct missing *unused; // their needers are gone; the stubs can serve again

void elf_missing_register(elf_missing_hook *missing_hook)
{
    hook = missing_hook;
}

void elf_missing_verbose_set(bool verbose)
{
    is_verbose = verbose;
}

void elf_die(const char *text)
{
    if (hook != NULL) {
        hook(text);
    }
    console_print("osv: %s\n", text);
    hal_halt(HAL_POWER_OFF, MISSING_STATUS);
}

void elf_missing_die(const char *name, const struct elf_version *version,
                     const struct elf_object *needer)
{
    char text[ELF_MESSAGE_SIZE];
    format(text, sizeof(text), "symbol %s%s%s, needed by %s, is missing", name,
           version == NULL ? "" : ", version ", version == NULL ? "" : version->name, needer->path);
    elf_die(text);
}

// Runs on the application's thread, called by a stub in place of the function.
static void missing_report(void *argument)
{
    const struct missing *missing = argument;
    elf_missing_die(missing->name, missing->version, missing->needer);
}

static int stubs_renew(void)
{
    if (stubs != NULL && stubs_used + ELF_STUB_SIZE <= STUBS_SIZE) {
        return 0;
    }
    int error = elf_missing_finish();
    char *va = NULL;
    if (error == 0) {
        error = vm_map(&va, STUBS_SIZE, HAL_READ | HAL_WRITE, 0, NULL, 0);
    }
    if (error == 0) {
        stubs = va;
        stubs_used = 0;
    }
    return error;
}

int elf_missing_finish(void)
{
    if (stubs == NULL) {
        return 0;
    }
    int error = vm_protect(stubs, STUBS_SIZE, HAL_READ | HAL_EXEC);
    hal_code_sync(stubs, STUBS_SIZE);
    stubs = NULL;
    return error;
}

static struct missing *missing_take(void)
{
    struct missing *missing = unused;
    if (missing != NULL) {
        unused = missing->next;
        return missing;
    }
    missing = heap_alloc(sizeof(*missing));
    if (missing == NULL || stubs_renew() != 0) {
        heap_free(missing);
        return NULL;
    }
    missing->stub = stubs + stubs_used;
    stubs_used += ELF_STUB_SIZE;
    elf_stub_write(missing->stub, missing_report, missing);
    return missing;
}

int elf_missing_stub(const char *name, const struct elf_version *version,
                     const struct elf_object *needer, char **stub)
{
    struct missing *missing = missing_take();
    if (missing == NULL) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", needer->path);
    }
    *missing = (struct missing){all, missing->stub, needer, name, version};
    all = missing;
    *stub = missing->stub;
    if (is_verbose) {
        console_print("osv: symbol %s%s%s, needed by %s, is missing\n", name,
                      version == NULL ? "" : ", version ", version == NULL ? "" : version->name,
                      needer->path);
    }
    return 0;
}

// Nobody can call the needer's stubs any more.
void elf_missing_forget(const struct elf_object *needer)
{
    struct missing **link = &all;
    while (*link != NULL) {
        struct missing *missing = *link;
        if (missing->needer == needer) {
            *link = missing->next;
            missing->next = unused;
            unused = missing;
        } else {
            link = &missing->next;
        }
    }
}
