#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""differ.py: random operations on Linux and on osv-sim, or on the kernel, must answer the same.

    differ.py OSV-SIM|KERNEL MACHINE PROGRAM [--world W] [--operations N] [--from SEED] [--threads N] [--faults] [--seeds N]
    differ.py OSV-SIM|KERNEL MACHINE PROGRAM --world TABLE [--cases N] [--only OPERATION] [--faults]
    differ.py OSV-SIM|KERNEL MACHINE PROGRAM [--world W] --quick

MACHINE is compare.py's: CPUS, CPUS@SEED (the seeded machine) or BOARD:CPUS (the kernel in QEMU). A world that is a table
(memory_calls) has cases, all of which are made, or --cases of each operation; --only: one operation. Else a sequence has 100
operations; sequences are made from seeds FROM, FROM + 1 ... --faults: of the seeded machine's allocations some fail; then
what Linux does must come after all, and an operation that failed must have changed nothing; where the program itself
had no memory to begin with, the next schedule is taken. --seeds: schedules of the
seeded machine that the sequences are dealt to. --quick: as many as a machine makes in a few seconds.

The first sequence with a difference is shown as short as it can be made: the command of either side, and what they said.
Prints TAP.
"""
import argparse
import os
import runpy
import shlex
import sys

LENGTH = 100
PIECE = 2000  # sequences of one run of the program
TRIES = 200
FAULTS = "page=0.01"
TABLES = {"memory_calls", "memory_files", "memory_growth", "memory_rare", "memory_segments"}
SHOWN = 12  # cases of a table that differ
NOT_STARTED, STARTS = (126, 3), 20  # statuses of osv-sim and of the program; schedules that are tried


def compare_py():
    here = os.path.dirname(os.path.realpath(__file__))
    return runpy.run_path(os.path.join(here, "..", "system", "compare.py"))


def options_read(words):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("osv")
    parser.add_argument("machine")
    parser.add_argument("program")
    parser.add_argument("--world", default="memory")
    parser.add_argument("--operations", type=int, default=1000000)
    parser.add_argument("--from", type=int, default=1, dest="first")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--only", action="append")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args(words)


class Differ:
    """One program, run on Linux (as) and here."""

    def __init__(self, machine, options):
        self.machine, self.options = machine, options
        self.program = os.path.realpath(options.program)
        self.osv = machine.osv + (["--faults", FAULTS] if options.faults else [])

    def run(self, prefix, words):
        extra = ["-r"] if self.options.faults and prefix else []
        return self.machine.run(prefix + [self.program, self.options.world] + [str(word) for word in words] + extra)

    def prefix(self, schedule):
        """The seeded machine's schedules are those from its own seed on."""
        osv = list(self.osv)
        if schedule:
            at = osv.index("--seed") + 1
            osv[at] = str(int(osv[at]) + schedule)
        return osv

    def here(self, words, schedule=0):
        """The run here, by the first schedule from this one on by which the program starts."""
        for later in range(STARTS if self.options.faults else 1):
            result = self.run(self.prefix(schedule + later), words)
            if result[0] not in NOT_STARTED:
                break
        return result, schedule + later

    def repeats(self, words):
        """Whether Linux says the same where each operation that may fail is made again until it does not."""
        return self.run([], words) == self.run([], words + ["-r"])

    def piece(self, first, count, schedule):
        """The first seed that differs, and what was wrong with the run; (None, None): none."""
        words = [first, count, LENGTH, "-t", self.options.threads]
        linux, (here, _) = self.run([], words), self.here(words, schedule)
        if linux[:2] == here[:2] and linux[0] == 0:
            return None, None
        pairs = zip(linux[1].splitlines(), here[1].splitlines())
        seeds = [int(want.split()[0]) for want, have in pairs if want != have]
        return seeds[0] if seeds else first, "Linux: status %d; here: status %d\n%s" % (
            linux[0], here[0], here[2].decode(errors="replace")[:2000])

    def lines(self, prefix, seed, chosen):
        status, out, err = self.run(prefix, [seed, 1, LENGTH, "-l"] + chosen)
        return [b"status %d" % status] + out.splitlines() + (err.splitlines()[:3] if status else [])

    def differs(self, seed, chosen, prefix):
        """The first two lines that differ, or None."""
        linux, here = self.lines([], seed, chosen), self.lines(prefix, seed, chosen)
        if linux == here:
            return None
        # What an operation says counts before the status of it all.
        for want, have in zip(linux[1:] + [b"(nothing)"], here[1:] + [b"(nothing)"]):
            if want != have:
                return want.decode(errors="replace"), have.decode(errors="replace")
        return linux[0].decode(), here[0].decode()

    def shrink(self, seed, prefix):
        """The numbers of as few operations as differ."""
        found = self.differs(seed, [], prefix)
        if found is None:
            return None, None
        number = found[0].split()[0].rstrip(".")
        chosen = list(range(int(number) + 1)) if number.isdigit() else list(range(LENGTH))
        size, tries = max(1, len(chosen) // 2), 0
        while size > 0 and tries < TRIES:
            at = 0
            while at < len(chosen) and len(chosen) > 1 and tries < TRIES:
                fewer = chosen[:at] + chosen[at + size:]
                tries += 1
                less = self.differs(seed, fewer, prefix) if fewer else None
                if less is None:
                    at += size
                else:
                    chosen, found = fewer, less
            size //= 2
        return chosen, found

    def explain(self, seed, schedule, why):
        schedule = self.here([seed, 1, LENGTH], schedule)[1]
        prefix = self.prefix(schedule)
        chosen, found = self.shrink(seed, prefix)
        text = "seed %d: %s\n" % (seed, why)
        if chosen is None:
            return text + "alone the sequence does not differ"
        words = [self.program, self.options.world, str(seed), "1", str(LENGTH), "-l"] + (
            ["-r"] if self.options.faults else []) + [str(number) for number in chosen]
        text += "on Linux: %s\nhere: %s\n" % (shlex.join(words), shlex.join(prefix + words))
        text += "\n".join(line.decode(errors="replace")[:200] for line in self.lines([], seed, chosen)[1:]) + "\n"
        return text + "operation %s\nLinux: %s\nhere:  %s" % (chosen[-1], *differing(*found))


class Table(Differ):
    """A world whose cases are all made."""

    def words(self):
        return ["-n", self.options.cases] if self.options.cases else []

    def operation(self, name):
        """What differs of one operation: a text, or an empty one."""
        words = self.words() + ["-l", name]
        linux, (here, schedule) = self.run([], words), self.here(words)
        pairs = list(zip(linux[1].splitlines(), here[1].splitlines()))
        pairs = [(want, have) for want, have in pairs if want != have]
        if not pairs and linux[:2] == here[:2]:
            return ""
        text = "%s: %d cases differ; status %d, on Linux %d\n" % (name, len(pairs), here[0], linux[0])
        text += here[2].decode(errors="replace")[:500] if here[0] else ""
        for want, have in pairs[:SHOWN]:
            text += "Linux: %s\nhere:  %s\n" % (want.decode(errors="replace"), have.decode(errors="replace"))
        words = [self.program, self.options.world, "-l", name] + ([pairs[0][0].decode().split()[1]] if pairs else [])
        return text + "all that is seen: %s\n" % shlex.join(self.prefix(schedule) + words)

    def compare(self):
        linux, (here, _) = self.run([], self.words()), self.here(self.words())
        have = {line.split()[0]: line for line in here[1].decode().splitlines()}
        self.machine.case("%s: the tables end as on Linux" % self.options.world, linux[0] == here[0] == 0,
                          "status %d, on Linux %d\n%s" % (here[0], linux[0], here[2].decode(errors="replace")[:2000]))
        for line in linux[1].decode().splitlines():
            name, count = line.split()[:2]
            if not self.options.only or name in self.options.only:
                is_same = have.get(name) == line
                self.machine.case("%s: %s cases of %s" % (self.options.world, count, name), is_same,
                                  "" if is_same else self.operation(name))


def differing(want, have):
    """Two long lines, without most of the words that are the same."""
    want, have = want.split(), have.split()
    if len(want) != len(have) or len(want) < 40:
        return " ".join(want), " ".join(have)
    odd = [i for i, pair in enumerate(zip(want, have)) if pair[0] != pair[1]][:8]
    return " ".join(want[:1] + ["[%d] %s" % (i, want[i]) for i in odd]), " ".join(have[:1] + ["[%d] %s" % (i, have[i]) for i in odd])


def compare(machine, options):
    if options.world in TABLES:
        Table(machine, options).compare()
        return
    differ = Differ(machine, options)
    whole = max(1, options.operations // LENGTH)
    size = min(PIECE, -(-whole // options.seeds))
    seed, why, done, piece = None, None, 0, 0
    while done < whole and seed is None:
        count = min(size, whole - done)
        seed, why = differ.piece(options.first + done, count, piece % options.seeds)
        done += count
        piece += seed is None
    name = "%s: %d operations from seed %d%s" % (
        options.world, done * LENGTH, options.first, ", no memory now and then" if options.faults else "")
    machine.case(name, seed is None, "" if seed is None else differ.explain(seed, piece % options.seeds, why))


def quick(machine, options):
    """What a test does: fewer on the machines that are slow."""
    options.threads = 2
    options.cases = 300 if machine.is_kernel else 100 if machine.is_seeded else 0
    options.operations = 2000 if machine.is_kernel else 1000 if machine.is_seeded else 20000
    compare(machine, options)
    if not (machine.is_kernel or machine.is_seeded):
        words = ["-n", 100] if options.world in TABLES else [180, 20, LENGTH] # 194 copies a page to itself
        machine.case("%s: to repeat changes nothing" % options.world, Differ(machine, options).repeats(words))
    if machine.is_seeded:
        options.operations, options.threads, options.faults, options.cases = 200, 1, True, 20
        compare(machine, options)


def main(words):
    options = options_read(words)
    machine = compare_py()["Machine"](options.osv, options.machine, "differ")
    machine.show(os.path.dirname(os.path.realpath(options.program)))
    try:
        (quick if options.quick else compare)(machine, options)
    finally:
        machine.remove()
    print("1..%d" % machine.count)
    return 1 if machine.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
