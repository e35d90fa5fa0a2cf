# SPDX-License-Identifier: BSD-3-Clause
"""pressure.py: programs that use all of little memory, for compare.py."""


def small(machine, size="48M"):
    """The machine's command with that much memory."""
    return machine.osv + ["-m", size]


def all_so(machine, name, command, count):
    """A command that prints a line for each promise: what, and 1."""
    status, out, err = machine.run(command)
    lines = out.decode().splitlines()
    ok = status == 0 and len(lines) == count and all(line.endswith(" 1") for line in lines)
    machine.case(name, ok, "status %d\n%s\n%s" % (status, out.decode(), err.decode(errors="replace")[-1500:]))


def shrinking(machine, files):
    """The program's own shrinkers; on Linux it starts as well."""
    status, out, _ = machine.run([files["shrinking"]])
    machine.case("starts on Linux", (status, out) == (0, b"no shrinkers here\n"))
    all_so(machine, "shrinkers of the program", small(machine) + [files["shrinking"]], 11)


def usage(machine, files):
    """What /proc says of memory: laid out as Linux does, and true."""
    machine.same("formats", [files["usage"], "formats"])
    all_so(machine, "values", machine.osv + [files["usage"], "values"], 17)


def freed(machine, files):
    """What malloc was given back."""
    all_so(machine, "memory that malloc has free", small(machine) + [files["freed"]], 6)


REPORT = b"osv: memory has ended: "


def exhausting(machine, files):
    """All memory taken, given back, and again; what is said of that."""
    command = small(machine) + [files["exhausting"]]
    rounds = "10" if machine.is_seeded else "1000"
    for kind in "small", "large", "mapped":
        all_so(machine, "%s, %s times" % (kind, rounds), command + [kind, rounds], 4)
    all_so(machine, "calls where there is no memory", command + ["calls"], 9)
    all_so(machine, "what was granted", command + ["untouched"], 4)
    status, out, err = machine.run(command + ["untouched"])
    said = out + err
    ok = status == 0 and 1 <= said.count(REPORT) <= 2 and b"by a larger -m SIZE" in said
    machine.case("each shortage is reported once", ok, said.decode(errors="replace"))
