# SPDX-License-Identifier: BSD-3-Clause
"""programs.py: the small programs of this folder and tests/system/*: output equal to Linux's, for compare.py."""
import os


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


def real_time_program(machine, files):
    """One that asks Linux for real-time threads: a container may not have any."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except PermissionError:
        if os.geteuid() == 0:
            machine.case("no real-time threads on this Linux", True)
            return
    program(machine, files)
