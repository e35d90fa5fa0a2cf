#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""hunt.py: a million random operations, on each machine and with each kind of trouble, must answer as on Linux.

    hunt.py [--seconds N] [--from SEED] OSV-SIM PROGRAM

The plan (PLAN) goes round in pieces, each with seeds and a schedule of its own, until all its operations are made, or for
N seconds. Seeds are those from SEED on. Prints TAP: a case for each line of the plan, and of a piece that differs what
differ.py says of it.
"""
import argparse
import os
import runpy
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
# Machine, world, operations of all, operations of a piece, whether allocations fail by chance.
PLAN = [
    ("1", "memory", 200000, 20000, False),
    ("2", "memory", 200000, 20000, False),
    ("4", "memory", 200000, 20000, False),
    ("1", "files", 100000, 20000, False),
    ("2", "files", 100000, 20000, False),
    ("4", "files", 100000, 20000, False),
    ("4@1", "memory", 40000, 1600, False),
    ("4@1", "files", 40000, 1600, False),
    ("4@1", "memory", 10000, 400, True),
    ("4@1", "files", 20000, 800, True),
]
THREADS = 4


class Line:
    """One line of the plan, and how far it has come."""

    def __init__(self, differ, line, number, words):
        which, self.world, self.whole, self.step, faults = line
        self.differ, self.done, self.pieces, self.failed = differ, 0, 0, 0
        self.schedule, self.first = words.first, words.first + number * 10 ** 6  # no two lines make the same
        self.name = "%s on %s vCPUs%s%s" % (self.world, which.split("@")[0], ", seeded" if "@" in which else "",
                                            ", no memory now and then" if faults else "")
        self.options = differ["options_read"]([words.osv, which, words.program, "--world", self.world, "--threads",
                                               str(THREADS)] + (["--faults"] if faults else []))
        self.machine = differ["compare_py"]()["Machine"](words.osv, which, "hunt-%d" % number)
        self.machine.show(os.path.dirname(os.path.realpath(words.program)))

    def go_on(self):
        """Makes one piece; whether there are more."""
        length = self.differ["LENGTH"]
        made = self.differ["Differ"](self.machine, self.options)
        schedule = self.schedule + self.pieces if self.machine.is_seeded else 0
        seed, why = made.piece(self.first + self.done // length, self.step // length, schedule)
        self.done += self.step
        self.pieces += 1
        if seed is not None:
            self.failed += 1
            print("\n".join("# " + text for text in made.explain(seed, schedule, why).splitlines()[:40]), flush=True)
        return self.done < self.whole and self.failed == 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("osv")
    parser.add_argument("program")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--from", type=int, default=1, dest="first")
    words = parser.parse_args()
    differ = runpy.run_path(os.path.join(HERE, "differ.py"))
    end = time.monotonic() + words.seconds if words.seconds else None
    lines = [Line(differ, line, number, words) for number, line in enumerate(PLAN)]
    going = list(lines)
    while going and (end is None or time.monotonic() < end):
        for line in list(going):
            if not line.go_on():
                going.remove(line)
    for number, line in enumerate(lines, 1):
        line.machine.remove()
        print("%sok %d - %s: %d operations" % ("not " if line.failed else "", number, line.name, line.done))
    print("# %d operations in all" % sum(line.done for line in lines))
    print("1..%d" % len(lines))
    return 1 if any(line.failed for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
