// SPDX-License-Identifier: BSD-3-Clause
// trace.c: --debug=libs,symbols: what the loader does, in the words of glibc's LD_DEBUG.
#include "core/elf/object.h"

#include <stdarg.h>

#include "core/lib/format.h"

enum { LINE_SIZE = 1024 };

static unsigned traced; // set once, before anything is loaded

void elf_trace_set(unsigned trace)
{
    traced = trace;
}

bool elf_is_traced(enum elf_trace trace)
{
    return (traced & trace) != 0;
}

void elf_trace_print(enum elf_trace trace, const char *pattern, ...)
{
    if (!elf_is_traced(trace)) {
        return;
    }
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, pattern);
    format_list(line, sizeof(line), pattern, arguments);
    va_end(arguments);
    console_print("osv: %s\n", line);
}

void elf_trace_binding(const struct elf_object *object, const struct elf_reference *reference,
                       const struct elf_definition *definition)
{
    if (elf_is_traced(ELF_TRACE_SYMBOLS)) {
        const struct elf_version *version = reference->version;
        elf_trace_print(ELF_TRACE_SYMBOLS,
                        "binding file %s [0] to %s [0]: normal symbol `%s'%s%s%s", object->path,
                        definition->object->path, reference->name, version == NULL ? "" : " [",
                        version == NULL ? "" : version->name, version == NULL ? "" : "]");
    }
}
