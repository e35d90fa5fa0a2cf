# SPDX-License-Identifier: BSD-3-Clause
"""large.py: programs that ask how memory is mapped, for compare.py."""


def all_so(machine, name, command, count):
    """A command that prints a line for each promise: what, and 1."""
    status, out, err = machine.run(command)
    lines = out.decode().splitlines()
    ok = status == 0 and len(lines) == count and all(line.endswith(" 1") for line in lines)
    machine.case(name, ok, "status %d\n%s\n%s" % (status, out.decode(), err.decode(errors="replace")[-1500:]))


def flushes(machine, files):
    """How often translations are flushed."""
    all_so(machine, "flushes", machine.osv + [files["flushes"]], 11)


def collapses(machine, files):
    """Small pages become large ones."""
    all_so(machine, "collapses", machine.osv + [files["collapses"]], 21)


def policies(machine, files):
    """When large pages come, and what is counted of them."""
    all_so(machine, "policies", machine.osv + [files["policies"]], 28)
