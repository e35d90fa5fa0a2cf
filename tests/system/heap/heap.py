# SPDX-License-Identifier: BSD-3-Clause
"""heap.py: what --leak and --check-heap say of a program's mistakes. Run by compare.py."""
import re

WHERE = r"^osv:  #\d+ +[0-9a-f]+ "


def said(machine, options, command):
    """(status, standard output, what core printed as lines)"""
    status, out, err = machine.run(machine.osv + options + command)
    text = (err + out if machine.is_kernel else err).decode(errors="replace").replace("\r", "")
    return status, out, [line for line in text.splitlines() if line.startswith("osv:")]


def has(machine, name, lines, *patterns):
    """The patterns match lines, in this order."""
    at = 0
    for pattern in patterns:
        found = next((i for i in range(at, len(lines)) if re.search(pattern, lines[i])), None)
        if found is None:
            machine.case(name, False, "no line matches %r after line %d of:\n%s" % (pattern, at, "\n".join(lines)))
            return
        at = found + 1
    machine.case(name, True)


def group(count, size, claim, function):
    """The lines about blocks that function allocated."""
    return [r"^osv: %d bytes? in %d blocks? %s, allocated here:$" % (size, count, claim), WHERE + r".*\(%s\+0x" % function]


LOST = [(1, 3 << 20, "lose_large"), (1, 333, "lose"), (1, 99, "end_without_block"), (1, 48, "lose_list")]
KEPT = [(1, 8960, "keep_in_table"), (1, 1000, "keep_inside"), (1, 444, "keep_in_table"), (4, 192, "keep_list"),
        (1, 88, "keep_argument"), (1, 77, "wait_with_block"), (1, 66, "keep_key"), (1, 55, "keep_variable")]


def leaks(machine, files):
    """Whatever way the program ends, and with what it keeps where."""
    path = files["leaks"]
    # The seeded machine does not preempt what only computes.
    ways = [("return", 5), ("exit", 3), ("_exit", 4), ("killed", 143)] + ([] if machine.is_seeded else [("computing", 5)])
    for how, status in ways:
        got, _, lines = said(machine, ["--leak"], [path, how])
        more = [(1, 70, "compute_with_block")] if how == "computing" else []
        kept = sorted(KEPT + more, key=lambda row: -row[1])
        machine.case("%s: the program's status" % how, got == status, "%d" % got)
        has(machine, "%s: the sums" % how, lines,
            r"^osv: leak: %d bytes in %d blocks definitely lost$" % (sum(row[1] for row in LOST), sum(row[0] for row in LOST)),
            r"^osv: leak: 192 bytes in 4 blocks lost with others$",
            r"^osv: leak: %d bytes in %d blocks still reachable$" % (sum(row[1] for row in kept), sum(row[0] for row in kept)))
        has(machine, "%s: who allocated what, most first" % how, lines,
            *[line for count, size, name in LOST for line in group(count, size, "definitely lost", name)],
            *group(4, 192, "lost with others", "lose_list"),
            *[line for count, size, name in kept for line in group(count, size, "still reachable", name)])
    has(machine, "callers are named", lines, r"\(lose\+0x", r"\(main\+0x", r"\(lose_list\+0x", r"\(main\+0x")
    got, _, lines = said(machine, ["--leak"], [path, "died"])
    machine.case("a crash is reported as it is without --leak", got == 134 and not any("leak:" in line for line in lines),
                 "\n".join(lines))
    got, _, lines = said(machine, [], [path, "return"])
    machine.case("nothing is said without --leak", got == 5 and not lines, "\n".join(lines))


# Name; what the first line says; whether it says who freed the block; who made the mistake.
MISTAKES = [
    ("write_far_behind", r"write to 0x\w+, 4 bytes behind the end of a block of 16 bytes", False, "write_far_behind"),
    ("read_behind", r"read of 0x\w+, 0 bytes behind the end of a block of 4096 bytes", False, "read_behind"),
    ("write_behind", r"write to 0x\w+, 1 bytes behind the end of a block of 13 bytes at 0x\w+; found by free", False, "drop"),
    ("write_before", r"write to 0x\w+, 3 bytes before a block of 100 bytes at 0x\w+; found by free", False, "drop"),
    ("write_before_exit", r"write to 0x\w+, 1 bytes before a block of 100 bytes at 0x\w+; found at exit", False, ""),
    ("copy_behind", r"write to 0x\w+, \d+ bytes behind the end of a block of 32 bytes", False, "copy_behind"),
    ("write_freed", r"write to 0x\w+, 7 bytes into a freed block of 48 bytes", True, "write_freed"),
    ("read_freed_large", r"read of 0x\w+, 1048576 bytes into a freed block of 3145728 bytes", True, "read_freed_large"),
    ("read_moved", r"read of 0x\w+, 5 bytes into a freed block of 48 bytes", True, "read_moved"),
    ("free_twice", r"free of 0x\w+, 0 bytes into a freed block of 24 bytes", True, "free_twice"),
    ("free_inside", r"free of 0x\w+, 32 bytes into a block of 240 bytes at 0x\w+, not its start", False, "free_inside"),
    ("ask_freed", r"malloc_usable_size of 0x\w+, 0 bytes into a freed block of 24 bytes", True, "ask_freed"),
    ("write_behind_many", r"write to 0x\w+, 1 bytes behind the end of a block of 40 bytes at 0x\w+; found by free", False,
     "write_behind_many"),
    ("write_freed_many", r"write to 0x\w+, 3 bytes into a freed block of 40 bytes at 0x\w+; found later", True, "drop"),
]


def mistakes(machine, files):
    path = files["mistakes"]
    for name, what, is_freed, who in MISTAKES:
        if machine.is_seeded and name.endswith("_many"):
            continue  # it takes its time
        status, out, lines = said(machine, ["--check-heap"], [path, name])
        freed = ["and freed here:$", WHERE + r".*\((drop|%s)\+0x" % name] if is_freed else []
        has(machine, name + ": what, who allocated it, who freed it, who did it", lines, "^osv: heap: " + what,
            "the block was allocated here:$", WHERE + r".*\(make(_many)?\+0x", *freed, r"^osv: SIGABRT: at", r"\(%s" % who)
        machine.case(name + ": the program ends by it", status == 134 and (b"done" in out) == (name == "write_before_exit"),
                     "status %d, %r" % (status, out))
    status, _, lines = said(machine, ["--check-heap"], [path, "free_local"])
    has(machine, "free_local", lines, r"^osv: heap: free of 0x\w+, which is no block of malloc$", r"\(free_local\+0x")
    status, out, lines = said(machine, ["--check-heap", "--leak"], [path, "none"])
    machine.case("nothing is said of what is right", status == 0 and b"done" in out and not any("heap:" in line for line in lines),
                 "\n".join(lines))
    has(machine, "both options at once", lines, "^osv: leak: 0 bytes in 0 blocks definitely lost$")
