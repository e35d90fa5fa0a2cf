#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""budgets.py: instructions per operation of the benchmarks on the x86_64 kernel, held against budgets.txt.

    bazel test //tests/bench:budgets
    bazel run //tests/bench:budgets -- [--write] [NAME...]

QEMU runs with -icount: one instruction takes one nanosecond of the machine's own time, and nothing else takes any. So
what the benchmarks print as nanoseconds are instructions, the same in each run on any host. A figure may be 3 % over its
budget. --write prints all figures and makes them the budgets; NAMEs are programs, and all are meant where there is none.

budgets.txt has a line per figure: its name, the budget, what was asked for (or -), and what Linux and OSv need, measured
in the same way.
"""
import argparse
import os
import subprocess
import sys
import tempfile

MARGIN = 1.03

# Programs and their arguments. REPEATED runs twice, to show that nothing but the machine's instructions counts.
PROGRAMS = {
    "syscost": [],
    "syscall_inline": [],
    "threads": [],
    "mutex": [],
    "ctxsw": [],
    "mallocb": [],
    "vm": ["16"],
    "timerlat": [],
    "fileops": ["/tmp"],
    "ipc": [],
    "net": [],
}
REPEATED = "ctxsw"

QEMU = ("qemu-system-x86_64 -accel tcg -M q35 -cpu max -smp 1 -m 256 -icount shift=0,sleep=off -seed 1 "
        "-rtc base=2026-01-01,clock=vm -nic none -vga none -display none -monitor none -serial stdio -no-reboot "
        "-device isa-debug-exit,iobase=0xf4,iosize=4").split()
EXITED_0 = 1  # what isa-debug-exit makes of it


def read_budgets(path):
    """The table: name -> [budget, asked, linux, osv], as they stand there; and the lines before it."""
    budgets, preamble = {}, []
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.split()
            if line.startswith("#") or not words:
                preamble.append(line)
            elif len(words) != 5 or words[0] in budgets:
                raise SystemExit("%s: not NAME BUDGET ASKED LINUX OSV, or there twice: %s" % (path, line.strip()))
            else:
                budgets[words[0]] = words[1:]
    return budgets, preamble


def write_budgets(path, budgets, preamble):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(preamble)
        for name, words in budgets.items():
            file.write(("%-34s %9s %9s %9s %9s" % (name, *words)).rstrip() + "\n")


def figures_of(output):
    """name -> number, of the lines NAME NUMBER ns. Rates and milliseconds are no instructions of one operation."""
    figures = {}
    for line in output.splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == "ns":
            figures[words[0]] = float(words[1])
    return figures


def make_image(files, work):
    """A root with the programs, in EROFS format."""
    root, image = os.path.join(work, "root"), os.path.join(work, "image")
    for folder in ("bin", "dev", "proc", "tmp"):
        os.makedirs(os.path.join(root, folder))
    for name in PROGRAMS:
        with open(files["bench_" + name], "rb") as source, open(os.path.join(root, "bin", name), "wb") as target:
            target.write(source.read())
            os.fchmod(target.fileno(), 0o755)
    subprocess.run(["mkfs.erofs", "--quiet", "-T0", "-Enoinline_data", image, root], check=True, stdout=subprocess.DEVNULL)
    return image


def measure(kernel, image, name):
    """What the program prints: the medians of 5 times 4 ms. (In its first 10 ms the machine measures its clock.)"""
    arguments = " ".join(["--root=initrd --env=BENCH_MS=4 --env=BENCH_REPS=5 --", "/bin/" + name] + PROGRAMS[name])
    done = subprocess.run(QEMU + ["-kernel", kernel, "-initrd", image, "-append", arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240, check=False)
    output = done.stdout.decode(errors="replace")
    if done.returncode != EXITED_0:
        raise SystemExit("%s: QEMU's status is %d:\n%s" % (name, done.returncode, output))
    return output


def measure_all(options, names):
    """Prints a line for each figure as soon as it is there; answers all of them."""
    files = {os.path.basename(path): path for path in options.file}
    figures = {}
    with tempfile.TemporaryDirectory(prefix="osv-budgets-") as work:
        image = make_image(files, work)
        for name in names:
            output = measure(options.kernel, image, name)
            if name == REPEATED and measure(options.kernel, image, name) != output:
                raise SystemExit("%s: another run has other figures" % name)
            figures.update(figures_of(output))
    return figures


def shown(figure):
    return ("%.1f" % figure).replace(".0", "")


def judge(figures, budgets, all_measured):
    """Prints TAP; answers whether each figure is within its budget, and each budget within what was asked."""
    failed = 0
    claims = []
    for name, (budget, asked, linux, osv) in budgets.items():
        if name in figures:
            claims.append((figures[name] <= float(budget) * MARGIN,
                           "%s: %s, its budget is %s (Linux %s, OSv %s)" % (name, shown(figures[name]), budget, linux, osv)))
            if asked != "-" and float(budget) > float(asked):
                print("# %s: the budget is %s, asked were %s" % (name, budget, asked))
        elif all_measured:
            claims.append((False, "%s: no program printed it" % name))
    claims += [(False, "%s: %s, which has no budget; bazel run //tests/bench:budgets -- --write gives it one" %
                (name, shown(figures[name]))) for name in figures if name not in budgets]
    for number, (holds, claim) in enumerate(claims, 1):
        print("%s %d - %s" % ("ok" if holds else "not ok", number, claim))
        failed += not holds
    print("1..%d" % len(claims))
    return failed == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", help=argparse.SUPPRESS)
    parser.add_argument("--file", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--table", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--figures", help=argparse.SUPPRESS)  # a file with what programs have printed; nothing is measured
    parser.add_argument("--write", action="store_true", help="make what is measured the budgets")
    parser.add_argument("name", nargs="*", help="only these programs: " + " ".join(PROGRAMS))
    options = parser.parse_args()
    for name in options.name:
        if name not in PROGRAMS:
            parser.error("%s: there is no such program; there are: %s" % (name, " ".join(PROGRAMS)))
    budgets, preamble = read_budgets(options.table)
    if options.figures:
        with open(options.figures, encoding="ascii") as file:
            figures = figures_of(file.read())
    else:
        figures = measure_all(options, options.name or PROGRAMS)
    if not options.write:
        return 0 if judge(figures, budgets, not options.name) else 1
    for name, figure in figures.items():
        budgets.setdefault(name, ["-"] * 4)[0] = shown(figure)
        print("%-34s %9s %9s %9s %9s" % (name, *budgets[name]))
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    write_budgets(os.path.join(workspace, options.table) if workspace else options.table, budgets, preamble)
    return 0


if __name__ == "__main__":
    sys.exit(main())
