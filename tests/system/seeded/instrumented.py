# SPDX-License-Identifier: BSD-3-Clause
"""instrumented.py: programs compiled with -fsanitize=thread, for compare.py.

Each is compared with what the same compiler makes of the same source otherwise, run on Linux: with the compilers' own
run-time a signal handler waits until the thread blocks, so programs that spin until then never end there.
"""
import os
import re
import sys

HASH = re.compile(rb"osv-sim: trace hash ([0-9a-f]{16}), [^\n]*\n")
END = {".gcc": ".gcc_plain", ".clang.so": ".clang_plain"}


def programs(files):
    """(name, the instrumented file, the plain one); but for those that race."""
    for name, path in sorted(files.items()):
        if "racers" in name:
            continue
        for end, plain in END.items():
            if name.endswith(end):
                yield name, path, files[name[:-len(end)] + plain]


def instrumented(machine, files):
    """On the ordinary machine it is as if they were not."""
    for name, path, plain in programs(files):
        machine.same("%s: as on Linux" % name, [path], linux=[[plain]])


RACING = {"plain", "half-locked", "published-relaxed"}
ORDERED = {"locked", "bytes", "published", "block", "semaphore"}


def racers(machine, files):
    """Two threads race or do not, on one vCPU as on two, whatever really comes first."""
    osv_sim, shown = machine.osv[0], machine.osv[3:]
    for name in ("tsan_racers.gcc", "tsan_racers.clang.so"):
        for way in sorted(RACING | ORDERED):
            found, wrong = [], []
            for seed in range(1, 7):
                command = [osv_sim, "-c", str(1 + seed % 3), "--seed", str(seed), "--races"] + shown + [files[name], way]
                status, out, err = machine.run(command)
                races = err.count(b"osv: data race: ")
                if races > 0:
                    found.append(seed)
                if (status, races > 0) not in ((0, False), (66, True)) or out != b"done\n":
                    wrong.append(repr((seed, status, out, err)))
            machine.case("%s %s: exit status and report agree" % (name, way), not wrong, "\n".join(wrong))
            machine.case("%s %s: %s" % (name, way, "is found by each seed" if way in RACING else "is no race"),
                         len(found) == (6 if way in RACING else 0), repr(found))
    command = [osv_sim, "-c", "1", "--seed", "1", "--races"] + shown + [files["tsan_racers.gcc"], "plain"]
    _, _, err = machine.run(command)
    machine.case("threads, places and the one CPU are named", b"the later: " in err and b"the earlier: " in err and
                 err.count(b"tsan_racers.gcc+0x") >= 2 and err.count(b", CPU 0\n") == 2 * err.count(b"data race: "), repr(err))


def instrumented_seeds(machine, files):
    """Their accesses are points: the same under every seed, and the same run under the same one."""
    first, last = (int(word) for word in os.environ.get("OSV_SEEDS", "1-20").split("-"))
    osv_sim, shown = machine.osv[0], machine.osv[3:]

    def run(path, seed):
        machine.empty()
        command = [osv_sim, "-c", str(1 + seed % 4), "--seed", str(seed), "--races", "--trace-hash"] + shown + [path]
        status, out, err = machine.run(command)
        found = HASH.search(err)
        return (status, out, HASH.sub(b"", err)), found and found.group(1)

    for name, path, plain in programs(files):
        machine.empty()
        expected = machine.run([plain])
        seeds = range(first, last + 1)[::1 if path.endswith(".gcc") else 4]
        runs = {seed: run(path, seed) for seed in seeds}
        wrong = ["osv-sim --seed %d -c %d: %s" % (seed, 1 + seed % 4, machine.difference([expected], [got]))
                 for seed, (got, _) in runs.items() if got != expected]
        machine.case("%s: %d seeds from %d as on Linux" % (name, len(seeds), first), not wrong, "\n".join(wrong))
        hashes = {found for _, found in runs.values()}
        machine.case("%s: each seed is another run" % name, len(hashes) == len(runs) and None not in hashes, repr(hashes))
        machine.case("%s: the same seed is the same run" % name, run(path, seeds[-1]) == runs[seeds[-1]], repr(runs[seeds[-1]]))


if __name__ == "__main__":
    sys.exit("see compare.py")
