#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tidy_test.py: each rule of tidy.py finds what is planted for it, and nothing in a clean tree."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tidy  # noqa: E402

LICENCE = "// SPDX-License-Identifier: BSD-3-Clause\n"


def source(name, body):
    return LICENCE + "// %s: a planted file.\n" % os.path.basename(name) + body


def header(name, guard, body=""):
    return source(name, "#ifndef %s\n#define %s\n%s#endif\n" % (guard, guard, body))


CLEAN = {
    "WORKSPACE": "",
    "hal/hal.h": header("hal.h", "HAL_HAL_H"),
    "core/lib/list.h": header("list.h", "CORE_LIB_LIST_H", "struct list;\n"),
    "core/lib/list.c": source("list.c", '#include "core/lib/list.h"\n\n#include <stdint.h>\n\nint f(void)\n{\n'
                              "    return 0; // while (atomic_exchange(&x, 1));\n}\n"),
    "core/vm/vm.c": source("vm.c", '#include "core/lib/list.h"\n#include "hal/hal.h"\n'),
    "core/linux/process.c": source("process.c", "#include <errno.h>\n"),
    "hal-linux/vcpu.c": source("vcpu.c", '#include "hal-x86_64/isa/isa.h"\n#include <stdio.h>\n'),
}

# (rule, path, text)
PLANTED = [
    ("rule_includes", "core/lib/a.c", source("a.c", '#include "core/vm/vm.h"\n')),
    ("rule_includes", "core/dev/a.c", source("a.c", '#include "core/vm/vm.h"\n')),
    ("rule_includes", "core/lib/a.c", source("a.c", "#include <stdio.h>\n")),
    ("rule_includes", "core/lib/a.c", source("a.c", '#include "hal/upcall.h"\n')),
    ("rule_includes", "core/lib/a.c", source("a.c", '#include "tests/unit/hal/unit_hal.h"\n')),
    ("rule_includes", "core/lib/a.c", source("a.c", '#include "hal/regs_x86_64.h"\n')),
    ("rule_includes", "core/lib/a.c", source("a.c", '#include "hal-linux/irq.h"\n')),
    ("rule_includes", "hal-linux/a.c", source("a.c", '#include "core/lib/list.h"\n')),
    ("rule_includes", "hal-x86_64/isa/a.c", source("a.c", '#include "hal-x86_64/machine/apic.h"\n')),
    ("rule_includes", "hal/common/a.c", source("a.c", '#include "hal-linux/irq.h"\n')),
    ("rule_includes", "sim/a.c", source("a.c", '#include "core/lib/list.h"\n')),
    ("rule_own_header_first", "core/lib/list.c",
     source("list.c", '#include <stdint.h>\n#include "core/lib/list.h"\n')),
    ("rule_no_conditionals", "core/lib/a.c", source("a.c", "#ifdef X\n#endif\n")),
    ("rule_no_conditionals", "core/lib/a.c", source("a.c", "# if X\n#endif\n")),
    ("rule_no_conditionals", "core/lib/a.h", header("a.h", "CORE_LIB_A_H", "#ifndef Y\n#define Z\n#endif\n")),
    ("rule_function_length", "core/lib/a.c", source("a.c", "void f(void)\n{\n" + "    g();\n" * 71 + "}\n")),
    ("rule_no_recursion", "core/lib/a.c", source("a.c", "int f(int n)\n{\n    return f(n - 1);\n}\n")),
    ("rule_file_length", "core/lib/a.c", source("a.c", "\n" * 800)),
    ("rule_line_length", "core/lib/a.c", source("a.c", "int " + "a" * 97 + ";\n")),
    ("rule_line_length", "core/lib/a.h", source("a.h", "// " + "a" * 118 + "\n")),
    ("rule_white_space", "core/lib/a.c", source("a.c", "int a; \n")),
    ("rule_white_space", "core/lib/a.c", source("a.c", "\tint a;\n")),
    ("rule_white_space", "core/lib/a.c", source("a.c", "int a;\n\n")),
    ("rule_banned_words", "core/lib/a.c", source("a.c", "// TO" "DO: more\n")),
    ("rule_banned_words", "core/lib/a.c", source("a.c", "// see /wo" "rk/x\n")),
    ("rule_banned_code", "core/lib/a.c", source("a.c", "    while (atomic_exchange(&lock->held, true));\n")),
    ("rule_banned_code", "core/lib/a.c", source("a.c", "    while (atomic_exchange(&held, 1)) {\n    }\n")),
    ("rule_banned_code", "core/lib/a.c", source("a.c", "    while (atomic_exchange(&held, 1)) {\n"
                                                "        hal_cpu_relax();\n    }\n")),
    ("rule_banned_code", "core/lib/a.c",
     source("a.c", "    while (!atomic_compare_exchange_weak(&held, &old, 1)) { hal_cpu_relax(); }\n")),
    ("rule_banned_code", "core/lib/a.c", source("a.c", "struct spinlock lock;\n")),
    ("rule_banned_code", "core/lib/a.c", source("a.c", "    char *p = alloca(n);\n")),
    ("rule_banned_code", "core/lib/a.c", source("a.c", "typedef struct a a_t;\n")),
    ("rule_banned_code", "core/lib/a.c", source("a.c", "int do_read(void);\n")),
    ("rule_banned_code", "core/lib/a.c", source("a.c", "static _Thread_local int a;\n")),
    ("rule_file_names", "core/lib/util.c", source("util.c", "")),
    ("rule_licence", "core/lib/a.c", "int a;\n"),
    ("rule_preamble", "core/lib/a.c", LICENCE + "int a;\n"),
    ("rule_include_guard", "core/lib/a.h", source("a.h", "int a;\n")),
    ("rule_headers_compile", "core/lib/a.h", header("a.h", "CORE_LIB_A_H", "extern size_t a;\n")),
    ("rule_top_level", "more/a.c", source("a.c", "")),
]

# What looks like a violation and is none.
INNOCENT = [
    ("core/lib/a.c", source("a.c", '#include "core/lib/a_x86_64.h"\n')),
    ("core/linux/a.c", source("a.c", '#include "hal_regs.h"\n')),
    ("core/sched/a.c", source("a.c", '#include "hal/upcall.h"\nvoid upcall_kick(struct hal_frame *f)\n{\n}\n')),
    ("core/lib/a.c", source("a.c", "    while (!atomic_compare_exchange_weak(&head, &old, new)) {\n"
                            "        new->next = old;\n    }\n")),
    ("core/libc/musl_stdio.c", source("musl_stdio.c", '#include "stdio_impl.h"\n')),
    ("core/lib/a.c", source("a.c", "// #if is not used here, nor alloca(\n")),
]


def found_by(files):
    """The names of the rules that find something in a tree of files."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return {rule.__name__ for rule, found in tidy.findings(tidy.Tree(root)) if found}


def main():
    number = failed = 0

    def report(good, what):
        nonlocal number, failed
        number += 1
        failed += not good
        print("%sok %d - %s" % ("" if good else "not ", number, what))

    found = found_by(CLEAN)
    report(not found, "a clean tree is clean %s" % (sorted(found) or ""))
    for index, (rule, path, text) in enumerate(PLANTED):
        found = found_by({**CLEAN, path: text})
        report(rule in found, "%s finds planted file %d in %s" % (rule, index, path))
    for index, (path, text) in enumerate(INNOCENT):
        found = found_by({**CLEAN, path: text})
        report(not found, "innocent file %d in %s %s" % (index, path, sorted(found) or ""))
    planted = {rule for rule, _, _ in PLANTED}
    for rule in tidy.FILE_RULES + tidy.TREE_RULES:
        report(rule.__name__ in planted, "%s is tested" % rule.__name__)
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
