# SPDX-License-Identifier: BSD-3-Clause
"""faults.py: osv-sim --seed --faults, for compare.py: what is planted strikes, repeats, and breaks only who may break."""
import os
import re
import sys

HASH = re.compile(rb"osv-sim: trace hash ([0-9a-f]{16}), [^\n]*\n")
COUNTS = re.compile(rb"osv-sim: faults: ([^\n]*)\n")
KINDS = ("page", "io", "delay", "short", "clock", "stall")
HARMLESS = {"delay": "delay", "short": "short", "clock": "clock=0.5", "stall": "stall"}
# What they would print: what one read of a pipe gives; what is left of a few milliseconds.
SPARED = {"events": ("delay", "short", "stall"), "fifos": ("short",), "pipes": ("short",)}
STAYS = ("events", "fifos", "pipes")  # waits for a thread that could not start


def run(machine, seed, faults, command):
    """(status, output, errors, hash, how often each kind struck) of one run in an empty directory."""
    return made(machine, ["-c", "2", "--seed", str(seed), "--faults", faults] + machine.osv[3:] + command)


def made(machine, options):
    machine.empty()
    status, out, err = machine.run(machine.osv[:1] + ["--trace-hash"] + options)
    found, counts = HASH.search(err), COUNTS.search(err)
    struck = {}
    for word in counts.group(1).decode().split(", ") if counts else []:
        struck[word.split()[0]] = int(word.split()[1])
    return status, out, COUNTS.sub(b"", HASH.sub(b"", err)), found and found.group(1), struck


def clean(result):
    """It ended by itself: core neither crashed nor hung."""
    return 0 <= result[0] <= 128 and result[3] is not None and b"deadlock" not in result[2]


def faults(machine, files):
    """Each kind strikes where it is asked for and nowhere else, as the seed says."""
    script = os.path.join(machine.folder("scripts"), "work.lua")
    with open(script, "wb") as file:
        file.write(b"local t = {} for i = 1, 50 do t[i] = {os.time()} io.open('f', 'a'):write(i):close() end\n"
                   b"print(('0123456789'):rep(2000), #io.open('f'):read('a'))\n")
    command = ["lua5.4", script]
    machine.empty()
    expected = machine.run(command)
    for kind in KINDS:
        chance = {"page": 0.05, "io": 0.01, "delay": 0.3, "short": 0.7, "clock": 0.3, "stall": 0.05}[kind]
        runs = [run(machine, seed, "%s=%s" % (kind, chance), command) for seed in range(1, 9)]
        again = run(machine, 8, "%s=%s" % (kind, chance), command)
        machine.case("%s: the same seed, the same faults" % kind, again == runs[-1] and again[3] is not None,
                     repr((again, runs[-1])))
        machine.case("%s: it strikes" % kind, sum(r[4].get(kind, 0) for r in runs) > 0, repr(runs))
        machine.case("%s: no other does" % kind, all(r[4].get(k) == 0 for r in runs for k in KINDS if k != kind))
        if kind in HARMLESS:
            wrong = [r for r in runs if r[:3] != expected]
            machine.case("%s: as without" % kind, not wrong, "\n".join(map(repr, wrong[:2])))
        else:
            wrong = [r for r in runs if not clean(r)]
            machine.case("%s: a clean end" % kind, not wrong, "\n".join(map(repr, wrong[:2])))
            machine.case("%s: who is struck may fail" % kind, any(r[0] != 0 for r in runs), repr([r[0] for r in runs]))
    none = run(machine, 3, "all=0", command)
    machine.case("all=0: nothing strikes", none[:3] == expected and not any(none[4].values()), repr(none))
    every = run(machine, 3, "all", command)
    machine.case("all", clean(every) and sum(count > 0 for count in every[4].values()) >= 3, repr(every))
    for wrong, said in (("page=2", b"page=2"), ("io=", b"io="), ("delay=1/0", b"delay=1/0"), ("often", b"often"),
                        ("page,,io", b"''"), ("stall=0.1x", b"stall=0.1x")):
        status, out, err, _, _ = run(machine, 1, wrong, command)
        machine.case("--faults %s is refused by name" % wrong, (status, out) == (2, b"") and err.count(b"\n") == 1 and
                     err.startswith(b"osv-sim: --faults: '") and said in err, repr(err))
    status, _, err = machine.run(machine.osv[:1] + ["--faults", "all"] + command)
    machine.case("without --seed it is refused", status == 2 and err == b"osv-sim: --faults: only with --seed\n",
                 repr(err))


def faults_harmless(machine, files):
    """What a correct program does not notice changes nothing that it prints."""
    for name, path in sorted(files.items()):
        if name.endswith(".py"):
            continue
        machine.empty()
        expected = machine.run([path])
        chosen = ",".join(HARMLESS[kind] for kind in HARMLESS if kind not in SPARED.get(name, ()))
        runs = {seed: run(machine, seed, chosen, [path]) for seed in range(1, 5)}
        wrong = ["--seed %d: %s" % (seed, machine.difference([expected], [got[:3]])) for seed, got in runs.items()
                 if got[:3] != expected]
        machine.case("%s: as on Linux" % name, not wrong, "\n".join(wrong))


def faults_clean(machine, files):
    """Without memory, and with files that fail, a program ends; core goes on until then."""
    for name, path in sorted(files.items()):
        if name.endswith(".py"):
            continue
        for chosen in ("page=0.002", "io=0.02") if name in STAYS else ("page=0.002", "page=0.02", "io=0.02"):
            runs = {seed: run(machine, seed, chosen, [path]) for seed in range(1, 7)}
            wrong = ["--seed %d: %r" % item for item in runs.items() if item[1][3] is None or
                     b"deadlock" in item[1][2] or b"assert" in item[1][2]]
            machine.case("%s, %s: a clean end" % (name, chosen), not wrong, "\n".join(wrong))


def faults_recorded(machine, files):
    """What strikes strikes again when a recorded run is made again, shrunk, or looked at for races."""
    file = os.path.join(machine.folder("recordings"), "run")
    for name, path in sorted(files.items()):
        if name.endswith(".py") or name.startswith("planted"):
            continue
        harmless = ",".join(kind for kind in HARMLESS if kind not in SPARED.get(name, ()))
        for seed, chosen in enumerate(("page=0.002", "io=0.01", harmless, "all=0.003"), 11):
            once = run(machine, seed, chosen, [path])
            title = "%s, %s" % (name, chosen)
            machine.case("%s: recording changes nothing" % title, run(machine, seed, chosen, ["--record", file, path]) == once and
                         once[3] is not None, repr(once))
            again = [made(machine, ["--replay", file]) for _ in range(2)]
            machine.case("%s: made again" % title, again == [once] * 2, repr((once, again)))
            looked = [run(machine, seed, chosen, ["--races", path]), made(machine, ["--replay", file, "--races"])]
            machine.case("%s: with --races, too" % title, looked == [once] * 2, repr((once, looked)))
    counter = [files["planted_counter.gcc"], "planted", "1"]
    lua = ["lua5.4", "-e", "local t = {} for i = 1, 20000 do t[i] = {} end"]
    for command, chosen, struck, most in ((counter, "stall=0.05", 1, 12), (counter, "stall=0.05 --races", 66, 2), (lua, "page=0.05", 1, 0),
                                          (lua, "page=0.02,delay,stall", 1, 0)):
        words = chosen.split()
        failing = next(seed for seed in range(1, 400) if run(machine, seed, words[0], words[1:] + command)[0] == struck)
        machine.empty()
        begin = machine.osv[:1] + ["--shrink", "--record", file, "-c", "2", "--seed", str(failing), "--faults"] + words
        status, _, err = machine.run(begin + machine.osv[3:] + command)
        said = re.match(rb"osv-sim: --shrink: the run \((?:exit|races), status (\d+)\) needs (\d+) of (\d+) preemptions; (\d+) runs\n", err)
        machine.case("%s --faults %s: %s" % (os.path.basename(command[0]), chosen, said and said.group().decode().strip()), status == 0 and
                     said is not None and int(said.group(1)) == struck and int(said.group(2)) <= most, repr((status, err)))
        left = made(machine, ["--replay", file])
        machine.case("%s --faults %s: what is left fails alike" % (os.path.basename(command[0]), chosen), left[0] == struck and
                     b"departs" not in left[2] and sum(left[4].values()) > 0, repr(left))


def clock(machine, files):
    """Who waits for a time on the wall notices that the clock is set beyond it, unless it is set back at once."""
    late = count = 0
    for seed in range(1, 11):
        status, out, err, _, _ = run(machine, seed, "clock=0.05", [files["wall"]])
        found = re.match(rb"(\d+) of (\d+) late\n$", out)
        machine.case("--seed %d: all wake, none too early" % seed, status == 0 and found is not None, repr((out, err)))
        late, count = late + int(found[1]) if found else late, count + int(found[2]) if found else count
    machine.case("few are late", late * 5 < count, "%d of %d" % (late, count))


if __name__ == "__main__":
    sys.exit("see compare.py")
