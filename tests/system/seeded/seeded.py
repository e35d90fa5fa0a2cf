# SPDX-License-Identifier: BSD-3-Clause
"""seeded.py: what osv-sim --seed promises, for compare.py: the same seed gives the same run, to the last bit."""
import array
import ctypes
import difflib
import errno
import fcntl
import os
import pty
import re
import resource
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

HASH = re.compile(rb"osv-sim: trace hash ([0-9a-f]{16}), (\d+) points, \d+ ns, [^\n]+\n")
SPOILT = b"osv-sim: this run cannot be repeated: "


def prefix_of(machine, seed, cpus="2"):
    return machine.osv[:1] + ["-c", cpus, "--seed", str(seed), "--trace-hash"] + machine.osv[3:]


def run(machine, seed, command, *options, cpus="2", environment=None):
    """(status, output, errors without the hash, hash, points) of one run in an empty directory."""
    machine.empty()
    prefix = prefix_of(machine, seed, cpus) + list(options)
    status, out, err = machine.run(prefix + command, environment=environment)
    found = HASH.search(err)
    return status, out, HASH.sub(b"", err), found and found.group(1), int(found.group(2)) if found else 0


def repeats(machine, files):
    """The same seed, the same run; another seed, another run."""
    lua = ["lua5.4", "-e", "for i = 1, 100 do print(i, math.random(), os.time(), {}) end"]
    for name, command in (("all that is chance elsewhere", [files["chance"]]), ("lua", lua),
                          ("C++ threads", [files["work_cxx"]])):
        for cpus in ("1", "2", "4"):
            runs = [run(machine, 7, command, cpus=cpus) for _ in range(10)]
            same = all(r == runs[0] for r in runs) and runs[0][3] is not None
            machine.case("%s, %s vCPUs: ten runs are one" % (name, cpus), same,
                         "\n".join(sorted({repr(r[3:]) for r in runs})))
        hashes = {run(machine, seed, command)[3] for seed in range(1, 9)}
        machine.case("%s: eight seeds are eight runs" % name, len(hashes) == 8, repr(hashes))
    outputs = {run(machine, seed, [files["chance"]])[1].split(b"\n")[1] for seed in range(1, 9)}
    machine.case("seeds decide in which order threads come", len(outputs) > 4, repr(outputs))
    with_clutter = run(machine, 7, [files["chance"]], environment={"A": "b"})
    without = run(machine, 7, [files["chance"]], environment={"A": "c"})
    machine.case("the environment's values do not matter", with_clutter == without)


def schedules(machine, files):
    """Every way of choosing gives runs that are right, and that repeat."""
    expected = machine.run([files["work_cxx"]])
    for schedule in ("random", "pct:3", "pct:20", "turns:0", "turns:10"):
        runs = [run(machine, seed, [files["work_cxx"]], "--schedule", schedule, cpus="3") for seed in range(1, 11)]
        machine.case("%s: C++ threads as on Linux" % schedule, all(r[:3] == expected for r in runs))
        again = run(machine, 10, [files["work_cxx"]], "--schedule", schedule, cpus="3")
        machine.case("%s: repeats" % schedule, again == runs[-1])
    for wrong in ("often", "pct:", "turns:x"):
        status, _, err, _, _ = run(machine, 1, [files["chance"]], "--schedule", wrong)
        machine.case("--schedule %s is refused by name" % wrong, status == 2 and err.count(b"\n") == 1 and
                     b"--schedule: '%s'" % wrong.encode() in err, repr(err))


def deadlock(machine, files):
    """Two mutexes in opposite order: some seed finds it, and says how to see it again."""
    runs = {seed: run(machine, seed, [files["locks"]], "--schedule", "pct:2") for seed in range(1, 101)}
    stuck = {seed: r for seed, r in runs.items() if r[0] != 0}
    fine = [r for r in runs.values() if r[:3] == (0, b"done\n", b"")]
    machine.case("some schedules end", len(fine) > 0)
    machine.case("some do not", 0 < len(stuck) == 100 - len(fine), "%d of 100" % len(stuck))
    print("# deadlock in %d of 100 seeds" % len(stuck))
    for seed, got in list(stuck.items())[:2]:
        said = got[2].decode()
        machine.case("it is said at once", got[0] == 134 and "deadlock: no thread can ever go on" in said, said)
        machine.case("with every thread", said.count("waiting") >= 2, said)
        replay = re.search(r"osv-sim: replay: (.*)\n", said)
        again = machine.run(shlex.split(replay.group(1))) if replay else None
        machine.case("the command printed repeats it", again is not None and again[0] == 134 and
                     HASH.search(again[2]).group(1) == got[3], repr(again))


def spinning(machine, files):
    """A program that never calls the kernel is interrupted, and the run says what that means."""
    status, out, err, _, _ = run(machine, 1, [files["spins"]], "--schedule", "turns:0", cpus="1")
    machine.case("it ends", (status, out) == (0, b"done\n"), repr((status, out, err)))
    machine.case("it says that it cannot be repeated", err.startswith(SPOILT) and err.count(b"\n") == 1, repr(err))


RACES = re.compile(rb"osv-sim: data races: (\d+); the stacks of both sides: (.*)\n")


def races(machine, files):
    """A race is found, reported with both stacks, and makes the run fail; what has none is as it is without looking."""
    base = machine.osv[:1] + ["-c", "2", "--trace-hash"]
    runs = [machine.run(base + ["--seed", str(seed), "--races", "--selftest=fail"]) for seed in range(1, 41)]
    racing = [err for status, _, err in runs if status == 66 and RACES.search(err)]
    machine.case("some of forty seeds find that two threads add without a lock", len(racing) > 2, repr(runs))
    machine.case("the others fail as without looking", len([r for r in runs if r[0] == 1]) == 40 - len(racing))
    print("# found in %d of 40 seeds" % len(racing))
    for err in racing[:2]:
        found = RACES.search(err)
        machine.case("all that are counted are shown", err.count(b"osv: data race: ") == int(found.group(1)), repr(err))
        again_status, _, again = machine.run(shlex.split(found.group(2).decode()))
        machine.case("the command printed makes the same run", again_status == 66 and
                     HASH.search(again).group(1) == HASH.search(err).group(1), repr(again))
        reports = re.split(rb"osv: data race: ", again)[1:]
        sides = [side for report in reports for side in re.split(rb"osv: the (?:later|earlier): ", report)[1:]]
        stacks = [re.findall(rb" #\d+ +([0-9a-f]+) ", side) for side in sides]
        machine.case("it has the stacks of both sides", len(stacks) == 2 * len(reports) > 0 and
                     all(len(stack) > 2 and stack[1:] == stacks[0][1:] for stack in stacks), repr(again))
    for command in (["--selftest"], [files["work_cxx"]], [files["stress"]], ["lua5.4", "-e", "print(1)"]):
        want = machine.run(base + machine.osv[3:] + ["--seed", "3"] + command)
        got = machine.run(base + machine.osv[3:] + ["--seed", "3", "--races"] + command)
        machine.case("%s: the same run, and no race" % os.path.basename(command[0]), got == want and want[0] != 66,
                     repr((want, got)))
    for name, what in (("crowd", "the same files"), ("contend", "the same libraries")):
        expected = machine.run([files[name]])
        differ = [seed for seed in range(1, 21)
                  if run(machine, seed, [files[name]], "--races", cpus="4")[:3] != expected]
        machine.case("threads in %s: as on Linux, and no race" % what, not differ, "seeds %r" % differ)
    for wrong in ("x", "1,,2", "0"):
        status, _, err = machine.run(base + ["--seed", "1", "--races=" + wrong, "true"])
        machine.case("--races=%s is refused" % wrong, status == 2 and b"--races: '%s'" % wrong.encode() in err, repr(err))


REFUSED = [  # what is done to a recording, and what is said
    ("another processor", rb"(?m)^processor .*", b"processor 8086", b" was recorded on another processor, 8086;"),
    ("another build", rb"(?m)^kernel .*", b"kernel 1", b" was recorded by another build of osv-sim;"),
    ("another directory", rb"(?m)^directory .*", b"directory /else", b" was recorded in /else: "),
    ("another version", rb"recording 1\n", b"recording 2\n", b": a recording of version 2; this osv-sim reads 1\n"),
    ("another file", rb"\Aosv", b"vos", b": not a recording of osv-sim\n"),
    ("no end", rb"(?m)^end .*\n", b"", b": cut short: "),
    ("half a line", rb"(?s)\nend .*", b"\nend", b": cut short in line "),
    ("a strange line", rb"\nkernel", b"\ncolonel", b": line 2 is not one of a recording\n"),
    ("a strange turn", rb"\nend", b"\nturn 0 1\nend", b" is not one of a recording\n"),
    ("a vCPU too many", rb"\nend", b"\nturn 0 1 256 0\nend", b" is not one of a recording\n"),
    ("no program", rb"(?m)^argument [^-].*\n", b"", b": no command of a run\n"),
]


def first_failing(machine, command, after=0):
    return next(seed for seed in range(after + 1, 1001) if run(machine, seed, command)[0] != 0)


def recording(machine, files):
    """What was recorded is made again, by the file alone; what cannot be is refused in one line."""
    folder = machine.folder("recordings")
    file = os.path.join(folder, "run")
    replay = machine.osv[:1] + ["--trace-hash", "--replay", file]

    def again(*options):
        machine.empty()
        status, out, err = machine.run(replay + list(options), environment={"HOME": "/elsewhere"})
        found = HASH.search(err)
        return status, out, HASH.sub(b"", err), found and found.group(1), int(found.group(2)) if found else 0

    counter = [files["planted_counter.gcc"], "planted", "2"]
    for name, seed, schedule in (("chance", 7, "random"), ("work_cxx", 8, "random"), ("work_cxx", 9, "pct:9"),
                                 ("chance", 3, "faults"), ("planted_counter.gcc", 10, "turns:20"),
                                 ("planted_counter.gcc", first_failing(machine, counter), "random")):
        command = counter if "planted" in name else [files[name]]
        chosen = ["--faults", "stall=1/20,delay,short,clock"] if schedule == "faults" else ["--schedule", schedule]
        recorded = run(machine, seed, command, *chosen, "--record", file)
        title = "%s, seed %d, %s" % (name, seed, schedule)
        machine.case("%s: recording changes nothing" % title, recorded == run(machine, seed, command, *chosen))
        runs = {again() for _ in range(20)}
        machine.case("%s: twenty replays are that run" % title, runs == {recorded}, repr((recorded, runs)))
        machine.case("%s: with --races, too" % title, again("--races")[3] == recorded[3])
    with open(file, "rb") as opened:
        text = opened.read()
    machine.case("the last one went wrong", recorded[0] == 1, repr(recorded))
    for name, pattern, other, said in REFUSED:
        with open(file, "wb") as opened:
            opened.write(re.sub(pattern, other, text))
        status, out, err, _, _ = again()
        machine.case("%s: refused in one line" % name, status == 2 and not out and err.count(b"\n") == 1 and
                     err.startswith(b"osv-sim: --replay: ") and said in err, repr((status, out, err)))
    with open(file, "wb") as opened:
        opened.write(text.replace(b"argument planted\n", b"argument right\n"))
    status, _, err, _, _ = again()
    machine.case("another argument: it says where it departs", status == 67 and
                 re.search(rb"not the run of \S+: it departs from that between points \d+ and \d+; ", err), repr((status, err)))
    os.unlink(file)
    for options, said in ((["--replay", file], b": No such file or directory\n"),
                          (["--seed", "1", "--record", "/no/such", "true"], b"--record: /no/such: No such file"),
                          (["--record", file, "true"], b"--record: only runs with --seed can be made again\n")):
        status, _, err = machine.run(machine.osv[:1] + options)
        machine.case("%s: refused" % " ".join(options[:1] + options[2:]), status == 2 and err.count(b"\n") == 1 and said in err, repr(err))


def outcome(status, out, err):
    """As run() has it, without the number of points."""
    found = HASH.search(err)
    return status, out, HASH.sub(b"", err), found and found.group(1)


def started(machine, options, out, typed):
    """The outcome of a run to which typed writes its input; what it prints to a pipe goes by out."""
    machine.empty()
    process = subprocess.Popen(machine.osv[:1] + ["--trace-hash"] + options, cwd=machine.directory, stdin=subprocess.PIPE,
                               env=machine.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    typed(process.stdin)
    process.stdin.close()
    text = out(process.stdout)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    status = process.wait(60)
    return outcome(status if status >= 0 else 128 - status, text, err)


def read_all(pipe):
    return b"".join(iter(lambda: pipe.read(65536), b""))


def in_pieces(*pieces):
    """Each is written once the one before has been read: what reads find does not depend on time."""
    def write(pipe):
        for piece in pieces:
            pipe.write(piece)
            while array.array("i", fcntl.ioctl(pipe, termios.FIONREAD, b"1234"))[0] > 0:
                time.sleep(0.001)
    return write


def when_asked(delay, text):
    def write(pipe):
        time.sleep(delay)
        pipe.write(text)
    return write


def reading_slowly(pipe):
    time.sleep(0.3)
    return read_all(pipe)


def streams(machine, files):
    """How fast the host gives input and takes output is no part of a run."""
    def at(text):
        return lambda pipe: pipe.write(text)

    options = ["-c", "2", "--seed", "7"] + machine.osv[3:]
    runs = {started(machine, options + ["seq", "1", "30000"], out, at(b"")) for out in (read_all, reading_slowly) * 3}
    machine.case("more output than a pipe holds, read at once or later: one run", len(runs) == 1,
                 repr([(r[0], len(r[1]), r[2:]) for r in runs]))
    runs = {started(machine, options + ["cat"], read_all, when_asked(delay, b"text\n")) for delay in (0, 0.01, 0.1, 0.3)}
    machine.case("input at once or later: one run", len(runs) == 1 and {r[:3] for r in runs} == {(0, b"text\n", b"")}, repr(runs))
    names = ["readlink", "/proc/self/fd/0", "/proc/self/fd/1"]
    runs = {started(machine, options + names, read_all, at(b"")) for _ in range(3)}
    machine.case("the numbers of pipes: one run", len(runs) == 1, repr(runs))
    with open("/dev/null", "rb") as other:
        runs = [subprocess.run(machine.osv[:1] + ["--trace-hash"] + options + ["cat", "/etc/hostname"], cwd=machine.directory,
                               env=machine.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                               stderr=subprocess.PIPE, pass_fds=fds) for fds in ([], [other.fileno()])]
    runs = {outcome(r.returncode, r.stdout, r.stderr) for r in runs}
    machine.case("other descriptors that are inherited: one run", len(runs) == 1, repr(runs))
    asks = [sys.executable, "-c", "import os; os.set_blocking(0, False)\ntry: print(os.read(0, 9))\nexcept OSError as e: print(e)"]
    pipe, end = os.pipe()
    late = subprocess.run(machine.osv[:1] + options + asks, stdin=pipe, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, env=machine.environment, cwd=machine.directory)
    os.close(pipe)
    os.close(end)
    machine.case("no input within a second, and no wait for it: that is said", b"unavailable" in late.stdout and
                 late.stderr == SPOILT + b"a standard stream was not ready within a second\n", repr(late))


def recorded_streams(machine, files):
    """What a run reads from its streams is in its recording: it is made again without them."""
    file = os.path.join(machine.folder("recordings"), "run")
    echo = ["lua5.4", "-e", "for l in io.lines() do print(#l, l) end io.stderr:write(tostring(io.read()))"]
    begin = ["-c", "2", "--seed", "5", "--record", file] + machine.osv[3:]

    def again(stdin=subprocess.DEVNULL, **others):
        machine.empty()
        done = subprocess.run(machine.osv[:1] + ["--trace-hash", "--replay", file], cwd=machine.directory, stdin=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=machine.environment, check=False, **others)
        return outcome(done.returncode, done.stdout, done.stderr)

    def on(stdin):
        machine.empty()
        done = subprocess.run(machine.osv[:1] + ["--trace-hash"] + begin + echo, cwd=machine.directory, stdin=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=machine.environment, check=False)
        return outcome(done.returncode, done.stdout, done.stderr)

    text = b"".join(b"%d %s\n" % (i, b"x" * (i % 90)) for i in range(600))
    shown = b"".join(b"%d\t%s\n" % (len(line), line) for line in text.splitlines())
    kinds = {"a pipe": started(machine, begin + echo, read_all, in_pieces(text[:5], text[5:700], text[700:]))}
    kept = {"a pipe": machine.content(file)}
    with tempfile.TemporaryFile() as given:
        given.write(b"skipped\n" + text)
        given.flush()
        os.lseek(given.fileno(), 8, os.SEEK_SET)
        kinds["a file"] = on(given)
        kept["a file"] = machine.content(file)
    ours, theirs = socket.socketpair()
    ours.sendall(text[:9000])
    ours.sendall(text[9000:])
    ours.shutdown(socket.SHUT_WR)
    kinds["a socket"] = on(theirs)
    kept["a socket"] = machine.content(file)
    leader, follower = pty.openpty()
    os.write(leader, b"typed\n\x04\x04")
    kinds["a terminal"] = on(follower)
    kept["a terminal"] = machine.content(file)
    for name, recorded in kinds.items():
        with open(file, "wb") as out:
            out.write(kept[name])
        want = (0, b"5\ttyped\n" if name == "a terminal" else shown, b"nil")
        machine.case("%s: it is read" % name, recorded[:3] == want, repr(recorded)[:2000])
        with open(file, "rb") as other:
            got = [again(), again(other), again(None, preexec_fn=lambda: os.close(0))]
        machine.case("%s: made again without it, with another, with none" % name, got == [recorded] * 3, repr((recorded, got))[:3000])
    said = started(machine, begin + ["seq", "1", "100000"], lambda pipe: pipe.read(100), lambda pipe: None)
    got = again()
    machine.case("a reader that goes away: made again", said[0] == got[0] == 141 and said[3] == got[3] and said[1] == got[1][:100],
                 repr((said, got))[:2000])
    fails = ["lua5.4", "-e", "os.exit(io.read() == 'bad' and 3 or 0)"]
    machine.empty()
    status, _, err = machine.run(machine.osv[:1] + ["--shrink"] + begin + fails, stdin=b"bad\n")
    machine.case("--shrink: what comes through a pipe is there in each run", status == 0 and
                 re.match(rb"osv-sim: --shrink: the run \(exit, status 3\) needs 0 of \d+ preemptions; \d+ runs\n", err) is not None, repr(err))
    machine.case("--shrink: and in what it leaves", again()[0] == 3)


def host_files(machine, files):
    """Which inodes the host's files have, in which order they are listed, and times that nobody looks at, are no part of a run; recorded or not."""
    file = os.path.join(machine.folder("recordings"), "run")
    begin = machine.osv[:1] + ["-c", "2", "--seed", "9", "--trace-hash"] + machine.osv[3:]
    read = ["lua5.4", "-e", "for i = 1, 9 do io.write(io.open('f' .. i):read('a')) end"]
    look = ["stat", "-c", "%n %i %h %s %y %z"] + ["f%d" % i for i in range(1, 10)]
    listed = ["ls", "-U", "-i"]

    def write(name, text):
        with open(os.path.join(machine.directory, name), "wb") as out:
            out.write(text)

    def fill(order, clutter, day):
        machine.empty()
        for i in order:
            for j in range(clutter):
                write("clutter%d.%d" % (i, j), b"")
            write("f%d" % i, b"%d\n" % i)
            os.utime(os.path.join(machine.directory, "f%d" % i), (0, 86400 * day))
        for name in os.listdir(machine.directory):
            if name.startswith("clutter"):
                os.unlink(os.path.join(machine.directory, name))

    for name, command in (("contents", read), ("inodes and times", look), ("a list", listed)):
        fill(range(1, 10), 0, 1)
        first = outcome(*machine.run(begin + ["--record", file] + command))
        fill(range(9, 0, -1), 3, 1)
        again = [outcome(*machine.run(begin + command)), outcome(*machine.run(machine.osv[:1] + ["--trace-hash", "--replay", file]))]
        machine.case("%s: copied files are the same" % name, first[0] == 0 and again == [first] * 2, repr((first, again)))
    machine.case("a list is by name", [line.split()[1] for line in first[1].splitlines()] == [b"f%d" % i for i in range(1, 10)],
                 repr(first))
    fill(range(1, 10), 0, 1)
    first = outcome(*machine.run(begin + ["--record", file] + read))
    fill(range(1, 10), 0, 2)
    again = [outcome(*machine.run(begin + read)), outcome(*machine.run(machine.osv[:1] + ["--trace-hash", "--replay", file]))]
    machine.case("other times at which nobody looks: the same run", first[0] == 0 and again == [first] * 2, repr((first, again)))


def cpuid_forbid():
    """For this process and what it executes, arch_prctl(ARCH_SET_CPUID) answers ENODEV, as where the host has no such trap."""
    def bpf(code, true, false, value):
        return struct.pack("HBBI", code, true, false, value)

    load, equal, answer = 0x20, 0x15, 0x06
    program = b"".join([bpf(load, 0, 0, 0), bpf(equal, 0, 3, 158),  # the number of arch_prctl
                        bpf(load, 0, 0, 16), bpf(equal, 0, 1, 0x1012),  # its first argument
                        bpf(answer, 0, 0, 0x50000 | errno.ENODEV), bpf(answer, 0, 0, 0x7fff0000)])
    buffer = ctypes.create_string_buffer(program)
    filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(filters)), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def processor(machine, files):
    """Where cpuid cannot be trapped the run says so, names the processor, and is not made again elsewhere."""
    file = os.path.join(machine.folder("recordings"), "run")
    begin = ["-c", "2", "--seed", "4", "--trace-hash", "--verbose"] + machine.osv[3:]

    def bare(options):
        machine.empty()
        done = subprocess.run(machine.osv[:1] + options, cwd=machine.directory, env=machine.environment, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=cpuid_forbid)
        return done.returncode, done.stdout, done.stderr

    untrapped = [bare(begin + ["--record", file, files["chance"]]) for _ in range(8)]
    said = re.search(rb"cannot trap cpuid: the run can be repeated on this processor only: (.+)\n", untrapped[0][2])
    machine.case("without the trap it says so", untrapped[0][0] == 0 and said is not None, repr(untrapped[0]))
    named = said.group(1) if said else b"?"
    machine.case("the hash names the processor", re.search(rb"trace hash [^\n]*, " + re.escape(named) + rb"\n", untrapped[0][2]) is not None,
                 repr(untrapped[0]))
    hashes = {outcome(*one)[3] for one in untrapped}
    machine.case("and is the same again", len(hashes) == 1, repr(hashes))
    machine.case("there it is made again", bare(["--trace-hash", "--replay", file])[0] == 0)
    if machine.run(machine.osv[:1] + begin + ["true"])[2].count(b"cannot trap") == 0:
        status, _, err = machine.run(machine.osv[:1] + ["--replay", file])
        machine.case("elsewhere it is refused", status == 2 and err.count(b"\n") == 1 and
                     b" was recorded on another processor, " + named in err, repr(err))


def rate(machine, files):
    """A million points a second, at least, with sqlite3 running: in the time of the processor, not of the clock."""
    sql = "create table t(a, b); with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000) insert into t " \
          "select i, i * i from n; create index x on t(b); select count(*), sum(b) from t where b % 7 = 3;"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    got = run(machine, 1, ["sqlite3", ":memory:", sql])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    points = got[4] / max(seconds, 1e-3)
    machine.case("points per second", got[0] == 0 and got[4] > 1000000 and points > 1e6, "%.3g; %r" % (points, got))
    print("# %.3g points per second of processor time" % points)


NEEDED = {"counter": "add", "join": "work"}  # preempted there


def shrink_one(machine, name, command, seed, function, file):
    """How many preemptions are left of a run that goes wrong in function."""
    failed = run(machine, seed, command)
    status, out, err, _, _ = run(machine, seed, command, "--shrink", "--record", file)
    said = re.match(rb"osv-sim: --shrink: the run \(exit, status (\d+)\) needs (\d+) of (\d+) preemptions; (\d+) runs\n", err)
    machine.case("%s: %s" % (name, said and said.group().decode().strip()), status == 0 and not out and said is not None and
                 int(said.group(1)) == failed[0] and int(said.group(2)) <= int(said.group(3)), repr((status, out, err)))
    shown = re.findall(rb"(?m)^osv-sim: preemption \d+: CPU [01] goes on in place of CPU [01], before (\w+) \(\S+:[\d?]+\)$", err)
    machine.case("%s: each has a line; one is in %s" % (name, function), said is not None and function.encode() in shown and
                 len(shown) == int(said.group(2)), repr(err))
    again = re.search(rb"(?m)^osv-sim: replay: (.*)$", err)
    machine.empty()
    got = machine.run(shlex.split(again.group(1).decode())) if again else None
    machine.case("%s: the command printed goes wrong likewise" % name, got is not None and got[:2] == failed[:2] and
                 b"departs" not in got[2], repr((failed, got)))
    return int(said.group(2)) if said else 1000


def shrink(machine, files):
    """A run that goes wrong is reduced to a few preemptions, one of them where the mistake is, and can be made again."""
    file = os.path.join(machine.folder("recordings"), "run")
    for name, function in sorted(NEEDED.items()):
        seed, counts = 0, []
        while len(counts) < 3:
            seed = first_failing(machine, [files["planted_%s.gcc" % name], "planted", "1"], seed)
            counts.append(shrink_one(machine, "%s, seed %d" % (name, seed), [files["planted_%s.gcc" % name], "planted", "1"],
                                     seed, function, file))
        # Of most: where each that is taken away moves all that follow, nothing less goes wrong likewise.
        machine.case("%s: few are left: %r" % (name, counts), sorted(counts)[1] <= 10)
    for options, said in ((["--seed", "1", "true"], b"osv-sim: --shrink: this run does not fail: its exit status is 0\n"),
                          (["true"], b"osv-sim: --shrink: only with --seed or --replay\n"),
                          (["--replay", "/dev/null"], b"osv-sim: --replay: /dev/null: not a recording of osv-sim\n")):
        status, out, err = machine.run(machine.osv[:1] + ["--shrink"] + options)
        machine.case("%s: refused" % " ".join(options), (status, out, err) == (2, b"", said), repr((status, out, err)))
    left = [name for name in os.listdir("/tmp") if name.startswith("osv-sim-") and len(name) == len("osv-sim-XXXXXX")
            and os.path.isdir(os.path.join("/tmp", name)) and not os.listdir(os.path.join("/tmp", name))]
    machine.case("nothing is left behind", not left, repr(left))


def enumeration(machine, files):
    """All schedules with one preemption find a mistake, name its line, and how to make the run again."""
    file = os.path.join(machine.folder("recordings"), "run")
    for name, function in (("counter", "add"), ("join", "work"), ("once", "table_make")):
        command = [files["planted_%s.gcc" % name], "planted", "1"]
        status, out, err, _, _ = run(machine, 1, command, "--schedule", "enumerate:2", "--record", file)
        said = re.match(rb"osv-sim: --schedule: run (\d+) fails \(exit, status 1\)\n"
                        rb"osv-sim: preemption 1: CPU ([01]) goes on in place of CPU (?!\2)[01], before (\w+) \(\S+:\d+\)\n"
                        rb"osv-sim: replay: (.*)\n\Z", err)
        machine.case("%s: found by run %s, one preemption, in %s" % (name, said and said.group(1).decode(), function),
                     (status, out) == (1, b"") and said is not None and said.group(3) == function.encode(), repr((status, out, err)))
        machine.empty()
        got = machine.run(shlex.split(said.group(4).decode())) if said else None
        machine.case("%s: the command printed goes wrong" % name, got is not None and got[0] == 1 and
                     got[1].startswith(b"wrong: ") and got[2] == b"", repr(got))
    right = [files["planted_counter.gcc"], "right", "1"]
    got = run(machine, 1, right, "--schedule", "enumerate:2,60")
    machine.case("what is right passes", got[:3] == (0, b"", b"osv-sim: --schedule: none of 60 runs fails; there are more: "
                                                     b"it was given up\n"), repr(got))
    for wrong in ("enumerate", "enumerate:0", "enumerate:9", "enumerate:1,", "enumerate:1,0", "enumerate:-1"):
        status, _, err, _, _ = run(machine, 1, right, "--schedule", wrong)
        machine.case("%s is refused" % wrong, status == 2 and err.count(b"\n") == 1 and b"--schedule: '%s' is not " % wrong.encode() in err,
                     repr(err))


def thousand(machine, files):
    """One seed 1000 times: one hash."""
    runs = [run(machine, 7, [files["chance"]], cpus="4") for _ in range(1000)]
    kinds = {r[3] for r in runs}
    machine.case("one seed a thousand times: one hash", len(kinds) == 1 and None not in kinds, repr(kinds))
    machine.case("one output", all(r[:3] == runs[0][:3] for r in runs))


def gdb_look(machine, command):
    """What gdb shows of where command stops. The numbers of processes are the host's, and so is what AVX-512's masks are
    left at, since osv-sim sets none where it stops."""
    # A shell would say where it is: the environment's size is input.
    script = ["set pagination off", "set width 0", "set startup-with-shell off", "run", "bt", "info registers", "osv threads"]
    trusted = ["-iex", "add-auto-load-safe-path " + os.path.dirname(os.path.realpath(machine.osv[0]))]
    options = [word for line in script for word in ("-ex", line)]
    machine.empty()
    _, out, err = machine.run(["gdb", "-nx", "-batch"] + trusted + options + ["--args"] + command)
    said = re.sub(r"(?m)^k[0-7] .*\n", "", (out + err).decode(errors="replace"))
    return re.sub(r"(LWP|process) \d+", r"\1", said)


def crash(machine, files):
    """A crash that a seed found is opened in gdb, at the same place each time."""
    for seed in range(1, 201):
        got = run(machine, seed, [files["crashes"]])
        if got[0] != 0:
            break
    said = got[2].decode(errors="replace")
    place = re.search(r"rip ([0-9a-f]{16})", said)
    machine.case("some seed finds the crash", got[0] == 139 and place is not None, said)
    if place is None:
        return
    print("# seed %d" % seed)
    looks = [gdb_look(machine, prefix_of(machine, seed) + [files["crashes"]]) for _ in range(3)]
    where = r"(?m)^#\d+ +0x%s in use \(\) at .*crashes\.c" % place.group(1)
    machine.case("gdb stops in the program, where the report says", re.search(where, looks[0]) is not None, looks[0])
    machine.case("and shows core's threads", re.search(r"(?m)^2 +crashes +running", looks[0]) is not None, looks[0])
    unlike = [line for look in looks[1:] for line in difflib.unified_diff(looks[0].split("\n"), look.split("\n"), lineterm="", n=0)]
    machine.case("three times the same", not unlike, "\n".join(unlike))


def fresh(machine, files):
    """Programs under many seeds; OSV_SEEDS=FROM-TO says which."""
    first, last = (int(word) for word in os.environ.get("OSV_SEEDS", "1-20").split("-"))
    script = os.path.join(machine.folder("scripts"), "work.lua")
    with open(script, "wb") as file:
        file.write(b"local t = {} for i = 1, 2000 do t[i] = ('x'):rep(i % 50) .. i end table.sort(t)\n"
                   b"print(#table.concat(t), os.getenv('HOME'), string.format('%.3f', math.pi))\n")
    sql = "create table t(a, b); with recursive n(i) as (select 1 union all select i + 1 from n where i < 500) " \
          "insert into t select i, i * i from n; select count(*), sum(b) from t; pragma integrity_check;"
    for name, command in (("lua", ["lua5.4", script]), ("sqlite3", ["sqlite3", ":memory:", sql]),
                          ("C++ threads", [files["work_cxx"]]), ("threads that meet", [files["stress"]]),
                          ("threads in the same files", [files["crowd"]])):
        expected = machine.run(command)
        wrong = []
        for seed in range(first, last + 1):
            got = run(machine, seed, command, cpus=str(1 + seed % 4))
            if got[:3] != expected:
                wrong.append("osv-sim --seed %d -c %d: %r" % (seed, 1 + seed % 4, got))
        machine.case("%s: seeds %d to %d as on Linux" % (name, first, last), not wrong, "\n".join(wrong))


if __name__ == "__main__":
    sys.exit("see compare.py")
