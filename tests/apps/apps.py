# SPDX-License-Identifier: BSD-3-Clause
"""apps.py: real programs with real inputs, for compare.py."""


def names_only(output):
    """A benchmark's names and units: its values differ from run to run."""
    lines = []
    for line in output.decode().splitlines():
        words = line.split()
        lines.append(" ".join([words[0], words[-1]]) if words and words[0] != "#" else line)
    return "\n".join(lines).encode()


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
    """The same names in the same order; with one vCPU, without those that want two CPUs."""
    alone = machine.osv[2] == "1"

    def keep(output):
        lines = names_only(output).split(b"\n")
        two = (b"_2t", b"_2cpu", b"_nopin", b"_remote_free", b"#")
        return b"\n".join(line for line in lines if not (alone and any(word in line for word in two)))

    for name in ("syscost", "threads", "mutex", "ctxsw", "mallocb"):
        machine.same(name + " prints the same names", [files["bench_" + name]], keep=keep)


def cxx_many(machine, files):
    """200 runs in a row of the C++ program."""
    runs = 200
    want = machine.run([files["work_cxx"]])
    for number in range(runs):
        got = machine.run(machine.osv + [files["work_cxx"]])
        if got != want:
            machine.case("run %d of %d" % (number + 1, runs), False, machine.difference([want], [got]))
            return
    machine.case("%d runs in a row" % runs, True)
