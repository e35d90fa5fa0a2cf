# SPDX-License-Identifier: BSD-3-Clause
"""programs.py: the small programs of this folder and tests/system/*: output equal to Linux's, for compare.py."""


def program(machine, files):
    """The one program that is given, without arguments."""
    for name, path in sorted(files.items()):
        if not name.endswith(".so"):
            machine.same(name, [path])


def program_and_folder(machine, files):
    """The same over its own files in memory, and over the host's current directory."""
    for name, path in sorted(files.items()):
        machine.same(name, [path])
        machine.same(name + " .", [path, "."])
