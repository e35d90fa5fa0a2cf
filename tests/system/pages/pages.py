# SPDX-License-Identifier: BSD-3-Clause
"""pages.py: a program that reads its own page tables, for compare.py."""


def collector(machine, files):
    """On Linux it starts as well."""
    status, out, _ = machine.run([files["collector"]])
    machine.case("starts on Linux", (status, out) == (0, b"no page tables here\n"))
    status, out, err = machine.run(machine.osv + [files["collector"]])
    lines = out.decode().splitlines()
    ok = status == 0 and len(lines) == 29 and all(line.endswith(" 1") for line in lines)
    machine.case("page tables", ok, "status %d\n%s\n%s" % (status, out.decode(), err.decode(errors="replace")[-1500:]))
