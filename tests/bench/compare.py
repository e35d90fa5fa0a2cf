#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""compare.py: the benchmarks on Linux and on osv-sim in turn: medians, their ratio, and what is asked of it.

    bazel run //tests/bench:compare [-- [--runs N] [NAME...]]

A line per figure: its name, the median on Linux and on osv-sim, the unit, how many times better osv-sim is (linux/osv
where less is better, osv/linux for rates), and where something is asked, that and whether it is reached. The exit
status is 0 if all that was measured is. Both machines run each program alternately within one call, so that drifts of
the machine's speed meet both.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

# What is asked: at least this many times better. A total may take 1.05 of Linux's time.
TOTAL = 1 / 1.05
REQUIRED = {
    "getppid": 15.0,
    "thread_create_join_1cpu": 6.0,
    "mutex_uncontended": 1 / 1.5,
    "mutex_contended_2t_work0": 1.0,
    "mutex_contended_2t_work500": 1.0,
    "ctxsw_condvar_1cpu": 7.0,
    "ctxsw_condvar_inside_1cpu": 7.0,
    "ctxsw_condvar_2cpu": 20.0,
    "ctxsw_yield_1cpu": 7.0,
    "timer_late_nanosleep_p50": 1.0,
    "file_open_close": 2.0,
    "file_stat": 2.0,
    "file_create_close_unlink": 2.0,
    "file_pread_4k_seq": 3.0,
    "pipe_rt_1cpu": 7.0,
    "eventfd_rt_1cpu": 7.0,
    "futex_rt_1cpu": 7.0,
    "mmap_munmap_2m": 2.0,
    "vm_touch_thp": 0.25,
    "tcp_rr_1B_1cpu": 4.0,
    "tcp_stream_64k_1cpu": 1.5,
    "tcp_connect_close_1cpu": 5.0,
    **{"malloc_pair_%s%d" % (threads, size): 0.95
       for threads in ("", "2t_") for size in (16, 64, 256, 1024, 4096, 16384, 65536)},
    **{"malloc_remote_free_%d" % size: 1.5 for size in (64, 512, 4096)},
    "lua_total": TOTAL,
    "sqlite_total": TOTAL,
    "xz_total": TOTAL,
    "zstd_total": TOTAL,
    "jq_total": TOTAL,
    "gawk_total": TOTAL,
    "perl_total": TOTAL,
    "python3_total": TOTAL,
}
LIMIT = {  # on osv-sim
    "hello_exec_to_exit": 10.0,
    "mutex_pair_to_two_locked": 1.25,
}

# The programs that print their figures, and their arguments. @MEMORY is a directory in memory: of /dev/shm on Linux,
# /tmp on osv-sim.
BENCHES = {
    "syscost": [],
    "syscall_inline": [],
    "threads": [],
    "mutex": [],
    "locked": [],
    "ctxsw": [],
    "mallocb": [],
    "vm": ["256"],
    "timerlat": [],
    "sqliteb": ["."],
    "fileops": ["@MEMORY"],
    "smallfile": ["@MEMORY"],
    "ipc": [],
    "net": [],
}

# Programs timed from exec to exit: the command, where @NAME is a file of tests/apps, and the inputs that it finds in
# the current directory: names of made_inputs.
PROGRAMS = {
    "lua": ("lua5.4 @work.lua 20", ()),
    "sqlite": ("sqlite3 work.db .read\t@work.sql", ()),
    "xz": ("xz -T2 -2 --block-size=1MiB -k prose8", ("prose8",)),
    "zstd": ("zstd -T2 -q -9 -B2MiB prose16", ("prose16",)),
    "jq": ("jq --arg who me -f @work.jq data.json", ("data.json",)),
    "gawk": ("gawk -f @work.awk lines", ("lines",)),
    "perl": ("perl @work.pl 40", ()),
    "python3": ("/usr/bin/python3 @work.py 20", ()),
}


def made_inputs(folder):
    """The inputs of PROGRAMS, once for all runs."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../apps"))
    import inputs  # pylint: disable=import-outside-toplevel
    for name, content in (("prose8", lambda: inputs.prose(8 << 20)), ("prose16", lambda: inputs.prose(16 << 20)),
                          ("data.json", lambda: inputs.records(12000)), ("lines", lambda: inputs.lines(300000))):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content())


class Figures:
    """name -> unit, and the values of both machines."""

    def __init__(self):
        self.values = {}

    def add(self, machine, name, value, unit):
        self.values.setdefault(name, (unit, {"linux": [], "osv": []}))[1][machine].append(value)

    def judge(self, name, ratio, osv, unit):
        """What is asked of a figure, in words, and whether it is reached; "" where nothing is."""
        if name in REQUIRED:
            return "asked %.2f" % REQUIRED[name], ratio >= REQUIRED[name]
        if name in LIMIT:
            return "asked < %g %s" % (LIMIT[name], unit), osv < LIMIT[name]
        return "", True

    def print(self):
        """The table; answers how many were asked, and the names of those that miss it."""
        asked, missed = 0, []
        print("%-36s %11s %11s %-6s %7s" % ("name", "linux", "osv", "unit", "ratio"))
        for name, (unit, values) in self.values.items():
            if not values["linux"] or not values["osv"]:
                print("%-36s only on %s" % (name, "osv" if values["osv"] else "linux"))
                missed += [name] if name in REQUIRED else []
                continue
            linux, osv = statistics.median(values["linux"]), statistics.median(values["osv"])
            ratio = osv / linux if unit.endswith("/s") else linux / osv
            wish, reached = self.judge(name, ratio, osv, unit)
            asked += bool(wish)
            missed += [] if reached else [name]
            verdict = "  %s: %s" % (wish, "reached" if reached else "MISSED") if wish else ""
            print("%-36s %11.4g %11.4g %-6s %7.2f%s" % (name, linux, osv, unit, ratio, verdict), flush=True)
        return asked, missed


def run_bench(figures, machine, command, folder, environment):
    out = subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.PIPE, check=True, timeout=600).stdout
    for line in out.decode().splitlines():
        words = line.split()
        if len(words) >= 3 and words[0] != "#":
            figures.add(machine, words[0], float(words[1]), words[2])


def run_timed(figures, machine, name, command, folder, environment):
    start = time.monotonic()
    done = subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, timeout=600,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    took = time.monotonic() - start
    if done.returncode not in (0, 3, 5, 7):  # the work scripts' own
        raise SystemExit("%s: status %d: %s" % (command, done.returncode, done.stderr.decode()[:500]))
    figures.add(machine, name, took * 1000, "ms")


def in_new_folder(action, inputs, made):
    """Calls action with a directory that holds copies of inputs; in memory, where the host has that."""
    with tempfile.TemporaryDirectory(prefix="osv-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        for name in inputs:
            shutil.copy(os.path.join(made, name), folder)
        action(folder)


def main():
    names = list(BENCHES) + list(PROGRAMS) + ["hello"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--osv-sim", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--file", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--osv-option", action="append", default=[], help="for osv-sim, such as --osv-option=-c1")
    parser.add_argument("name", nargs="*", help="only these: " + " ".join(names))
    options = parser.parse_args()
    for name in options.name:
        if name not in names:
            parser.error("%s: there is no such benchmark; there are: %s" % (name, " ".join(names)))
    files = {os.path.basename(path): os.path.realpath(path) for path in options.file}
    osv = [os.path.abspath(options.osv_sim)] + options.osv_option
    for folder in sorted({os.path.dirname(path) for path in files.values()}):
        osv += ["-v", "%s:%s:ro" % (folder, folder)]
    environment = dict(os.environ, LC_ALL="C", TZ="UTC", BENCH_MS="40", BENCH_REPS="3")
    figures = Figures()
    wanted = options.name or names
    with tempfile.TemporaryDirectory(prefix="osv-bench-") as made:
        if any(PROGRAMS[name][1] for name in wanted if name in PROGRAMS):
            made_inputs(made)
        for _ in range(options.runs):
            for name in wanted:
                measure(figures, name, files, osv, environment, made)
    asked, missed = figures.print()
    print("%d of %d asked figures reached%s" % (asked - len(missed), asked, "; missed: " + " ".join(missed) if missed else ""))
    return 1 if missed else 0


def measure(figures, name, files, osv, environment, made):
    """One run of one benchmark on both machines."""
    for machine, prefix in (("linux", []), ("osv", osv)):
        if name in BENCHES:
            command = prefix + [files["bench_" + name]]
            in_new_folder(lambda folder: run_bench(figures, machine, command + [
                word if word != "@MEMORY" else "/tmp" if prefix else folder for word in BENCHES[name]
            ], folder, environment), (), made)
            continue
        if name == "hello":
            # hello.so has no entry point on Linux; its PIE twin has.
            command, inputs, figure = prefix + [files["hello.so" if prefix else "hello_pie"]], (), "hello_exec_to_exit"
        else:
            words, inputs = PROGRAMS[name]
            words = [word.replace("\t", " ") for word in words.split(" ")]
            command = prefix + [word if "@" not in word else word.split("@")[0] + files[word.split("@")[1]] for word in words]
            figure = name + "_total"
        in_new_folder(lambda folder: run_timed(figures, machine, figure, command, folder, environment), inputs, made)


if __name__ == "__main__":
    sys.exit(main())
