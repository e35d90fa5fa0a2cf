#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""compare.py: the same command on Linux and on osv-sim must print the same, exit the same and leave the same files.

    compare.py OSV-SIM CPUS SUITE FILE...

SUITE names a function below, which is given the files by their names. Both commands run in the same directory, which
is emptied in between, with LC_ALL=C and TZ=UTC. Prints TAP.
"""
import os
import shutil
import subprocess
import sys
import tempfile

TIMEOUT = 300


class Machine:
    """Runs commands on Linux and on osv-sim and compares what they did."""

    def __init__(self, osv_sim, cpus):
        self.osv = [os.path.abspath(osv_sim), "-c", cpus]
        self.count = self.failed = 0
        self.directory = tempfile.mkdtemp(prefix="osv-apps-")
        self.environment = dict(os.environ, LC_ALL="C", TZ="UTC", HOME="/nonexistent", BENCH_MS="1", BENCH_REPS="1")

    def case(self, name, ok, why=""):
        self.count += 1
        self.failed += not ok
        print("%s %d - %s" % ("ok" if ok else "not ok", self.count, name), flush=True)
        if not ok:
            print("\n".join("# " + line for line in why.splitlines()[:40]), flush=True)

    def empty(self):
        for entry in os.scandir(self.directory):
            shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)

    def files(self):
        result = {}
        for root, _, names in os.walk(self.directory):
            for name in names:
                path = os.path.join(root, name)
                with open(path, "rb") as file:
                    result[os.path.relpath(path, self.directory)] = file.read()
        return result

    def run(self, command, stdin=None):
        """(status, output, errors) of one command; a signal's status is 128 + its number, as a shell has it."""
        try:
            done = subprocess.run(command, cwd=self.directory, env=self.environment, input=stdin, timeout=TIMEOUT,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        except subprocess.TimeoutExpired as late:
            return -1, late.stdout or b"", (late.stderr or b"") + b"\n(timed out)"
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return status, done.stdout, done.stderr

    def same(self, name, *commands, linux=None, stdin=None, keep=lambda output: output):
        """Runs commands one after the other, first all on Linux, then all on osv-sim. linux: instead of them there."""
        results = []
        for prefix, which in (([], linux or commands), (self.osv, commands)):
            self.empty()
            done = [self.run(prefix + command, stdin) for command in which]
            results.append([(status, keep(out), err) for status, out, err in done] + [self.files()])
        self.case(name, results[0] == results[1], difference(results[0], results[1]))


def difference(expected, got):
    for want, have in zip(expected, got):
        if want == have:
            continue
        if isinstance(want, dict):
            names = [n for n in sorted(set(want) | set(have)) if want.get(n) != have.get(n)]
            return "files differ: " + ", ".join(names)
        text = "status %d, want %d\n" % (have[0], want[0])
        for kind, w, h in (("stdout", want[1], have[1]), ("stderr", want[2], have[2])):
            if w != h:
                text += lines_that_differ(kind, w, h)
        return text
    return ""


def lines_that_differ(kind, want, have):
    want, have = want.split(b"\n"), have.split(b"\n")
    for number in range(max(len(want), len(have))):
        w = want[number] if number < len(want) else b"(no line)"
        h = have[number] if number < len(have) else b"(no line)"
        if w != h:
            rest = b"\n".join(have[number:number + 12]).decode(errors="replace")
            return "%s, line %d: want %r\n          have %r\n%s\n" % (kind, number + 1, w, h, rest)
    return ""


def names_only(output):
    """A benchmark's names and units: its values differ from run to run."""
    lines = []
    for line in output.decode().splitlines():
        words = line.split()
        lines.append(" ".join([words[0], words[-1]]) if words and words[0] != "#" else line)
    return "\n".join(lines)


# ---- Suites ----------------------------------------------------------------


def hello(machine, files):
    shared, pie, fixed = files["hello.so"], files["hello_pie"], files["hello_fixed"]
    for name, program in (("shared object with main", shared), ("PIE", pie), ("at its link address", fixed)):
        machine.same(name, [program], linux=[[pie]])
        machine.same(name + ", arguments and status", [program, "7", "a b", ""], linux=[[pie, "7", "a b", ""]])


def lua(machine, files):
    machine.same("lua5.4 work.lua", ["lua5.4", files["work.lua"]])
    machine.same("lua5.4 from standard input", ["lua5.4", "-", "1", "2"], stdin=b"print(#arg, arg[2], io.read and 1)")
    machine.same("lua5.4 -e", ["lua5.4", "-e", "print(('x'):rep(3)) os.exit(4)"])
    machine.same("lua5.4, an error", ["lua5.4", "-e", "error('no')"])


def sqlite(machine, files):
    with open(files["work.sql"], "rb") as file:
        work = file.read()
    machine.same("sqlite3 work.db < work.sql", ["sqlite3", "work.db"], stdin=work)
    work_file, reopen = ".read " + files["work.sql"], ".read " + files["reopen.sql"]
    machine.same("sqlite3: work, reopen, dump", ["sqlite3", "work.db", work_file], ["sqlite3", "work.db", reopen])
    machine.same("sqlite3 in memory", ["sqlite3", ":memory:", work_file])
    wal = "PRAGMA journal_mode=TRUNCATE; CREATE TABLE t(a); INSERT INTO t VALUES(1),(2); SELECT sum(a) FROM t;"
    machine.same("sqlite3 -csv -header", ["sqlite3", "-csv", "-header", "x.db", wal])


def bc(machine, files):
    machine.same("bc -l work.bc", ["bc", "-l", files["work.bc"]], stdin=b"")
    machine.same("bc from standard input", ["bc", "-lq"], stdin=b"scale=100; 4*a(1)\n2^4096\nquit\n")


def cxx(machine, files):
    machine.same("C++ run-time", [files["work_cxx"]])
    machine.same("C++ run-time, 64 threads", [files["work_cxx"], "64"])


def bench(machine, files):
    for name in ("syscost", "threads", "mutex", "ctxsw", "mallocb"):
        machine.same(name + " prints the same names", [files["bench_" + name]], keep=names_only)


def cxx_many(machine, files):
    """200 runs in a row of the C++ program."""
    runs = 200
    want = machine.run([files["work_cxx"]])
    for number in range(runs):
        got = machine.run(machine.osv + [files["work_cxx"]])
        if got != want:
            machine.case("run %d of %d" % (number + 1, runs), False, difference([want], [got]))
            return
    machine.case("%d runs in a row" % runs, True)


def main(arguments):
    osv_sim, cpus, suite = arguments[:3]
    files = {os.path.basename(path): os.path.abspath(path) for path in arguments[3:]}
    machine = Machine(osv_sim, cpus)
    try:
        globals()[suite](machine, files)
    finally:
        shutil.rmtree(machine.directory, ignore_errors=True)
    print("1..%d" % machine.count)
    return 1 if machine.failed or not machine.count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
