#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""exports.py: writes the export table of core/libc/exports.h as assembly.

    exports.py NAMES NM > table.s        NAMES: glibc_names.txt; NM: nm -g of core and musl in one
    exports.py --glibc FILE... > NAMES   lists the names again from glibc's own libraries

Assembly and not C, because a C file would have to declare each name with some type.
"""
import subprocess
import sys

SHIM = "glibc_"
PRIVATE = "GLIBC_PRIVATE"


def glibc_names(paths):
    """The (name, version) pairs that the shared objects at paths define."""
    pairs = set()
    for path in paths:
        text = subprocess.check_output(["nm", "-D", "--defined-only", path], text=True)
        for line in text.splitlines():
            kind, symbol = line.split()[-2:]
            name, _, version = symbol.replace("@@", "@").partition("@")
            if kind != "A" and version:
                pairs.add((name, version))
    return sorted(pairs)


def defined_symbols(nm_lines):
    """The global names that an nm listing defines."""
    return {line.split()[2] for line in nm_lines if len(line.split()) == 3}


def export_rows(pairs, symbols):
    """(name, version, symbol) for each pair that symbols can serve.

    A shim wins. What glibc keeps private (its libm asks for some of it) needs a shim: a
    function of musl's that happens to have the same name is another function.
    """
    rows = []
    for name, version in sorted(set(pairs)):
        if SHIM + name in symbols:
            rows.append((name, version, SHIM + name))
        elif name in symbols and version != PRIVATE:
            rows.append((name, version, name))
    return rows


def assembly(rows):
    """The table as GNU assembly for any 64-bit ELF machine."""
    strings = sorted({text for row in rows for text in row[:2]})
    label = {text: ".Ltext%d" % index for index, text in enumerate(strings)}
    lines = ['.section .data.rel.ro,"aw"', ".balign 8",
             ".globl libc_exports", ".hidden libc_exports", "libc_exports:"]
    for name, version, symbol in rows:
        lines.append(".quad %s, %s, %s" % (label[name], label[version], symbol))
    lines += ['.section .rodata,"a"', ".balign 8",
              ".globl libc_export_count", ".hidden libc_export_count", "libc_export_count:",
              ".quad %d" % len(rows)]
    for text in strings:
        lines.append('%s: .asciz "%s"' % (label[text], text))
    lines.append('.section .note.GNU-stack,"",%progbits')
    return "\n".join(lines) + "\n"


def main(arguments):
    if arguments[0] == "--glibc":
        for name, version in glibc_names(arguments[1:]):
            print(name, version)
        return
    names_path, nm_path = arguments
    with open(names_path) as names, open(nm_path) as nm:
        pairs = [tuple(line.split()) for line in names if line[0] != "#"]
        symbols = defined_symbols(nm)
    sys.stdout.write(assembly(export_rows(pairs, symbols)))


if __name__ == "__main__":
    main(sys.argv[1:])
