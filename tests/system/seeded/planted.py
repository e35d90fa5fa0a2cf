# SPDX-License-Identifier: BSD-3-Clause
"""planted.py: mistakes in small programs, for compare.py: seeds find each, where stress finds none.

A program is its own correct twin, which the same seeds must pass (planted/planted.h).
"""
import re
import shlex
import sys

SEEDS = 1000
ROUNDS = "10"  # in each run
RIGHT_SEEDS = 20  # at least
RACES = 66  # the exit status
NATIVE_ROUNDS = 100000
BY_CALLS = {"wakeup"}  # those that show without points in the program


def programs(files):
    """(name, file): the programs as they are to be run under seeds."""
    for file, path in sorted(files.items()):
        name, _, end = file.removeprefix("planted_").partition(".")
        if end == "gcc" or (end == "gcc_plain" and name in BY_CALLS):
            yield name + (" (not instrumented)" if end == "gcc_plain" else ""), path


def run(machine, path, seed, kind):
    machine.empty()
    return machine.run(machine.osv[:1] + ["-c", "2", "--seed", str(seed)] + machine.osv[3:] + [path, kind, ROUNDS])


def planted(machine, files):
    """Each is found within SEEDS seeds, and what is right passes the same."""
    for name, path in programs(files):
        found = next((seed for seed in range(1, SEEDS + 1) if run(machine, path, seed, "planted")[0] != 0), None)
        machine.case("%s: found after %s seeds" % (name, found), found is not None)
        seeds = range(1, max(found or SEEDS, RIGHT_SEEDS) + 1)
        wrong = [(seed, got) for seed, got in ((seed, run(machine, path, seed, "right")) for seed in seeds)
                 if got != (0, b"done\n", b"")]
        machine.case("%s: what is right passes %d seeds" % (name, len(seeds)), not wrong, repr(wrong[:2]))
        if found is not None:
            again = [run(machine, path, found, "planted") for _ in range(2)]
            machine.case("%s: seed %d finds it again" % (name, found), again[0] == again[1] and again[0][0] != 0)


def planted_races(machine, files):
    """A race is reported with both stacks and the seed; where there is none, there is no report."""
    osv = machine.osv[:1] + ["-c", "2"] + machine.osv[3:] + ["--races"]
    for end in (".gcc", ".clang.so"):
        machine.empty()
        status, _, err = machine.run(osv + ["--seed", "2", files["planted_counter" + end], "planted", ROUNDS])
        again = re.search(r"; the stacks of both sides: (.*)\n", err.decode())
        machine.case("counter%s: a race, and its seed" % end, status == RACES and again is not None and
                     " --seed 2 " in again.group(1), repr((status, err)))
        status, _, err = machine.run(shlex.split(again.group(1)) if again else ["false"])
        sides = err.decode().split("osv: the ")[1:]
        machine.case("counter%s: both stacks" % end, len(sides) >= 2 and
                     all("(add+0x" in side and "(add_all+0x" in side for side in sides), repr(err))
    for name, path in programs(files):
        wrong = [(seed, got) for seed, got in
                 ((seed, machine.run(osv + ["--seed", str(seed), path, "right", ROUNDS])) for seed in range(1, 21))
                 if got != (0, b"done\n", b"")]
        machine.case("%s: what is right does not race" % name, not wrong, repr(wrong[:1]))


def planted_natively(machine, files):
    """None of them shows in as many rounds on Linux."""
    for file, path in sorted(files.items()):
        if file.endswith(".gcc_plain"):
            got = machine.run(["timeout", "60", path, "planted", str(NATIVE_ROUNDS)])
            machine.case("%s: %d rounds on Linux" % (file, NATIVE_ROUNDS), got == (0, b"done\n", b""), repr(got))


if __name__ == "__main__":
    sys.exit("see compare.py")
