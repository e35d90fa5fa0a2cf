# SPDX-License-Identifier: BSD-3-Clause
"""debug.py: gdb looks into osv-sim: what its users are promised.

Run by compare.py. Each case is one line that gdb's output must have, or several in this order.
"""
import os
import re


class Gdb:
    """One run of gdb with a script, whose output is then asked for lines in order."""

    def __init__(self, machine, script, command):
        path = os.path.join(machine.directory, "script.gdb")
        head = ["set pagination off", "set width 0", "set confirm off", "set breakpoint pending on"]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(head + script) + "\n")
        gdb_command = ["gdb", "-nx", "-batch"] + trust(machine) + ["-x", path]
        status, out, err = machine.run(gdb_command + command)
        self.machine = machine
        self.text = out.decode(errors="replace")
        self.errors = err.decode(errors="replace")
        self.status = status

    def has(self, name, *patterns, start=None, end=None):
        """The patterns match, one after another, between the lines that match start and end."""
        lines = self.text.splitlines()
        if start is not None:
            first = next((i for i, line in enumerate(lines) if re.search(start, line)), len(lines))
            last = next((i for i in range(first + 1, len(lines)) if end and re.search(end, lines[i])), len(lines))
            lines = lines[first:last]
        at = 0
        missing = None
        for pattern in patterns:
            found = next((i for i in range(at, len(lines)) if re.search(pattern, lines[i])), None)
            if found is None:
                missing = pattern
                break
            at = found + 1
        why = "no line matches %r after line %d of:\n%s\n%s" % (missing, at, "\n".join(lines), self.errors)
        self.machine.case(name, missing is None, why)

    def lacks(self, name, pattern):
        found = [line for line in self.text.splitlines() if re.search(pattern, line)]
        self.machine.case(name, not found, "\n".join(found))


# Stops in everybody_waits come again and again; this one is left when it is true.
UNTIL_WAITING = [
    "python",
    "while sum(t.task is not None and t.wait()[0] != '' for t in threads_all()) < 7:",
    "    gdb.execute('continue', to_string=True)",
    "end",
]


def trust(machine):
    """gdb's option that lets osv-sim's script load itself."""
    return ["-iex", "add-auto-load-safe-path " + os.path.dirname(os.path.realpath(machine.osv[0]))]


def echo(mark):
    return ["echo [%s]\\n" % mark]


def gdb(machine, files):
    """Breakpoints by name, before anything is loaded; backtraces; what each thread does; the end."""
    program = files["threads"]
    script = ["break library_compare", "break in_handler", "break everybody_waits", "run"]
    script += echo("library") + ["bt", "delete 1", "continue"]
    script += echo("handler") + ["bt", "continue"] + UNTIL_WAITING
    script += echo("threads") + ["osv threads"]
    script += echo("locks") + ["osv locks"]
    script += echo("files") + ["osv files"]
    script += echo("mmap") + ["osv mmap"]
    for number in range(3, 11):
        script += echo("thread %d" % number) + ["osv thread %d bt" % number]
    script += echo("select") + ["osv thread 3", "bt 3", "osv thread", "bt 1"]
    script += echo("value") + ["print held_mutex.__data.__owner != 0", "print waiting"]
    script += echo("core") + ["break thread_park", "continue", "bt 1", "delete"]
    script += echo("die") + ["continue", "bt"] + echo("end")
    run = Gdb(machine, script, ["--args"] + machine.osv + [program, "0"])
    main = r"main \(count=.*\) at .*threads\.c"
    run.has("a breakpoint in a library, set before the program is loaded, and a backtrace through all three",
            r"^#0 .*library_compare \(a=", r"^#1 .*compare \(", r"^#\d+ .*qsort.* core/libc/sort\.c",
            r"^#\d+ .*" + main, r"^#\d+ .*core/libc/start\.c", r"^#\d+ .*_start", start=r"^\[library\]",
            end=r"^\[handler\]")
    run.has("a backtrace out of a signal handler that an interrupt brought",
            r"^#0 .*in_handler \(\)", r"^#1 .*handler \(signal=10\)|^#1 .*handler \(",
            r"^#2 .*<signal handler called>", r"^#3 .*interrupted \(\)", r"^#4 .*" + main,
            start=r"^\[handler\]", end=r"^\[threads\]")
    run.has("osv threads says who waits for what",
            r"^2 +threads +(running|ready)",
            r"^3 +threads +waiting .*mutex 0x\w+ <held_mutex>, held by thread 2 \(threads\)",
            r"^4 +threads +waiting .*condition 0x\w+ <never>",
            r"^5 +threads +waiting .*rwlock 0x\w+ <held_rwlock>, held by 1 readers",
            r"^6 +threads +waiting .*semaphore 0x\w+ <empty>",
            r"^7 +threads +waiting .*bytes in the pipe of fd 3",
            r"^8 +threads +waiting .*time until \d+\.\d+ s",
            r"^9 +threads +waiting .*the end of thread 8",
            r"^10 +threads +(running|ready)", r"^c\d+ +signal ", start=r"^\[threads\]", end=r"^\[locks\]")
    run.has("osv locks says who holds them", r"^mutex 0x\w+ <held_mutex>: held by thread 2 \(threads\), waited for by 3",
            start=r"^\[locks\]", end=r"^\[files\]")
    run.has("osv files", r"^0 ", r"^1 ", r"^2 ", r"^3 +pipe +r ", r"^4 +pipe +w ", r"^5 +file +r +0 +\S*/threads$",
            start=r"^\[files\]", end=r"^\[mmap\]")
    run.has("osv mmap", r"r-xp [0-9a-f]+ \S*/threads$", r"rw-p .*\[heap\]|r-xp [0-9a-f]+ \S*library\.so$",
            start=r"^\[mmap\]", end=r"^\[thread 3\]")
    waits = {3: (r"mutex_lock", r"mutex_waiter"), 4: (r"condvar_wait", r"cond_waiter"),
             5: (r"rwlock_write_lock", r"rwlock_waiter"), 6: (r"semaphore_wait", r"semaphore_waiter"),
             7: (r"file_sleep", r"pipe_reader"), 8: (r"nanosleep", r"sleeper"), 9: (r"thread_join", r"joiner")}
    for number, (core, program_function) in waits.items():
        run.has("the backtrace of a thread that waits in %s" % core,
                r"thread_park", core, r" %s \(argument=" % program_function, r"isa_context_start",
                start=r"^\[thread %d\]" % number, end=r"^\[(thread %d|select)\]" % (number + 1))
    run.has("the backtrace of a thread that computes", r"^#\d+ .*computer \(argument=", r"isa_context_start",
            start=r"^\[thread 10\]", end=r"^\[select\]")
    run.has("osv thread selects, and lets go", r"^#1 .*switch_next", r"^#\d .*thread_park", r"^#0 .*everybody_waits",
            start=r"^\[select\]", end=r"^\[value\]")
    run.has("variables of the program", r"= \d+$", r"= 8$", start=r"^\[value\]", end=r"^\[core\]")
    run.has("a breakpoint in core", r"^#0 .*thread_park \(\)", start=r"^\[core\]", end=r"^\[die\]")
    run.has("the program's death stops in one function, and bt shows the culprit",
            r"osv_fatal_fault \(signal=(signal@entry=)?11, address=(address@entry=)?0x0",
            r"^#0 .*osv_fatal_fault", r"^#\d+ .*<signal handler called>",
            r"^#\d+ .*local_death \(target=.*library\.c", r"^#\d+ .*library_die", r"^#\d+ .*" + main,
            start=r"^\[die\]", end=r"^\[end\]")
    aborted = Gdb(machine, ["run", "bt"], ["--args"] + machine.osv + [program, "1"])
    aborted.has("so does abort", r"^#0 .*osv_fatal_fault \(signal=(signal@entry=)?6", r"^#\d+ .*abort \(\)",
                r"^#\d+ .*local_death \(target=.*library\.c", r"^#\d+ .*" + main)
    opened = Gdb(machine, ["break library_compare", "run", "bt"],
                 ["--args"] + machine.osv + [files["opens"], files["library.so"]])
    opened.has("a library that dlopen brought, for the second time", r"^#0 .*library_compare \(a=1, b=2\)",
               r"^#1 .*main")
    run.lacks("no command failed", r"Python Exception|^Error|[Tt]raceback|corrupt stack")
    machine.case("nothing to complain about", "Python" not in run.errors and "rror" not in run.errors, run.errors)


def lines_have(machine, name, text, *patterns):
    """The patterns match lines of the text, in this order."""
    lines = text.splitlines()
    at = 0
    for pattern in patterns:
        found = next((i for i in range(at, len(lines)) if re.search(pattern, lines[i])), None)
        if found is None:
            machine.case(name, False, "no line matches %r after line %d of:\n%s" % (pattern, at, text))
            return
        at = found + 1
    machine.case(name, True)


def report(machine, files):
    """A crash report names functions that only .symtab has, in the program, its libraries and core."""
    _, _, err = machine.run(machine.osv + [files["threads"], "0"])
    lines_have(machine, "a fault in a library's static function", err.decode(errors="replace"),
               r"^osv: SIGSEGV: address 0x0, at library\.so\+0x\w+ \(local_death\+0x\w+\), thread 2",
               r"#0 .* \(local_death\+0x", r"#1 .* \(library_die\+0x", r"#2 .* threads\+0x\w+ \(main\+0x",
               r"#3 .* \(glibc___libc_start_main\+0x", r"\(_start\+0x")
    _, _, err = machine.run(machine.osv + [files["threads"], "1"])
    lines_have(machine, "abort: core's own functions by name", err.decode(errors="replace"), r"^osv: SIGABRT",
               r" \(local_death\+0x",
               r" \(library_die\+0x", r"\(main\+0x")


def perf_map(machine, files):
    """--perf-map: a line for each function, also of what was loaded late."""
    command = ["/bin/sh", "-c", "echo $$; exec \"$@\"", "sh"] + machine.osv + ["--perf-map", files["opens"],
                                                                            files["library.so"]]
    status, out, err = machine.run(command)
    words = out.decode().split()
    path = "/tmp/perf-%s.map" % words[0]
    with open(path, encoding="utf-8") as file:
        lines = [line.split(" ", 2) for line in file.read().splitlines()]
    os.unlink(path)
    machine.case("the program ran", status == 0 and len(words) == 7, err.decode(errors="replace"))
    found = {name: (int(start, 16), int(size, 16)) for start, size, name in lines}
    for address, name in zip(words[1::2], words[2::2]):
        start, size = found.get(name, (0, 0))
        machine.case("%s is there, with its size" % name, start == int(address, 16) and size > 0, repr(found))
    machine.case("so is a static function of the library", "local_death" in found, repr(found))


def core(machine, files):
    """--core: gdb opens the file and finds threads, places and variables."""
    program = files["threads"]
    name = os.path.join(machine.directory, "core")
    status, _, err = machine.run(machine.osv + ["--core", name, program, "0"])
    text = err.decode(errors="replace")
    machine.case("the program dies of its signal", status == 139, text)
    lines_have(machine, "it is said that there is a core", text, r"^osv: core dumped to core$")
    size = os.stat(name)
    machine.case("the file is sparse", size.st_blocks * 512 < size.st_size // 2, repr(size))
    script = echo("bt") + ["bt", "frame function local_death", "print last_words", "up 2", "print arguments[1]"]
    script += ["print waiting", "print $_siginfo._sifields._sigfault.si_addr"]
    script += echo("threads") + ["info threads"] + echo("all") + ["thread apply all bt"]
    script += echo("osv") + ["osv threads", "osv mmap", "osv files"] + echo("end")
    run = Gdb(machine, script, [program, name])
    run.has("the signal", r"^Program terminated with signal SIGSEGV")
    run.has("the place, and variables of it and of its callers", r"^#0 .*local_death \(target=.*library\.c",
            r"^#1 .*library_die", r"^#2 .*main \(count=2", r"= 4711$", r'= 0x\w+ "0"$', r"= 8$", r"= \(void \*\) 0x0",
            start=r"^\[bt\]", end=r"^\[threads\]")
    run.has("all nine threads, the dead one first", r"^\* 1 +.*LWP 2 ", r"^  9 +.*LWP",
            start=r"^\[threads\]", end=r"^\[all\]")
    for number, where in ((3, "mutex_waiter"), (4, "cond_waiter"), (7, "pipe_reader"), (10, "computer")):
        run.has("the backtrace of %s" % where, r"^#\d+ .*%s \(argument=" % where, r"isa_context_start",
                start=r"^Thread \d+ \(.*LWP %d\)" % number, end=r"^Thread ")
    run.has("osv threads, mmap and files of the dead", r"^3 .* mutex 0x\w+ <held_mutex>, held by thread 2",
            r"r-xp .*/threads$", r"^5 +file ", start=r"^\[osv\]", end=r"^\[end\]")
    run.lacks("no command failed", r"Python Exception|[Tt]raceback|corrupt stack|Corrupted")
    status, _, err = machine.run(machine.osv + ["--core", name, program, "1"])
    machine.case("abort: the program dies of its signal", status == 134, err.decode(errors="replace"))
    run = Gdb(machine, ["bt"], [program, name])
    run.has("abort: its place", r"^Program terminated with signal SIGABRT", r"^#\d+ .*abort \(\)",
            r"^#\d+ .*local_death", r"^#\d+ .*main")
    os.unlink(name)
    status, _, err = machine.run(machine.osv + ["--core", name, program, "2"])
    machine.case("two threads that die at once: one core, and one report",
                 status == 139 and os.path.exists(name) and err.count(b"osv: SIGSEGV") == 1,
                 err.decode(errors="replace"))
    status, _, err = machine.run(machine.osv + ["--core", "/nonexistent/core", program, "0"])
    machine.case("a directory that is not there is an error at once",
                 status == 2 and b"/nonexistent: No such file or directory" in err, err.decode(errors="replace"))


def stats(machine, files):
    """--stats: calls by name with their time, and what the run was made of; nothing without it."""
    status, out, err = machine.run(machine.osv + ["--stats", files["calls"]])
    text = err.decode(errors="replace")
    machine.case("the program runs as without", status == 0 and out == b"", text)
    lines_have(machine, "the figures of the run", text, r"^osv: after \d+\.\d{3} s on \d+ CPUs:$",
               r"^osv: +[1-9]\d* switches$", r"^osv: +[1-9]\d* wakes$", r"^osv: +\d+ kicks, \d+ saved by \d+ looks of idle CPUs, ",
               r"^osv: +[1-9]\d* interrupts \(timer [1-9]\d*, kick \d+, devices and notices \d+\)$",
               r"^osv: +[1-9]\d* faults$")
    peak = re.search(r"(\d+) KiB of memory at most", text)
    machine.case("the high-water mark has what was freed since", peak and int(peak.group(1)) > 8192, text)
    lines_have(machine, "calls are counted", text, r"^osv: +1000 +\d+\.\d{3}  getppid$")
    sleep = re.search(r" 1 +(\d+)\.\d{3}  (clock_)?nanosleep", text)
    machine.case("their time is that of waiting too", sleep and int(sleep.group(1)) >= 2000, text)
    lines_have(machine, "and those that are not here", text, r"^osv: system calls that are not here.* acct 1$")
    _, _, err = machine.run(machine.osv + [files["calls"]])
    machine.case("nothing is said without it", err == b"", err.decode(errors="replace"))
