# SPDX-License-Identifier: BSD-3-Clause
"""debug.py: gdb looks into osv-sim: what its users are promised.

Run by compare.py. Each case is one line that gdb's output must have, or several in this order.
"""
import os
import re


class Gdb:
    """One run of gdb with a script, whose output is then asked for lines in order."""

    def __init__(self, machine, script, command, environment=None):
        path = os.path.join(machine.directory, "script.gdb")
        head = ["set pagination off", "set width 0", "set confirm off", "set breakpoint pending on"]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(head + script) + "\n")
        osv_sim = os.path.realpath(machine.osv[0])
        trusted = "add-auto-load-safe-path " + os.path.dirname(osv_sim)
        status, out, err = machine.run(["gdb", "-nx", "-batch", "-iex", trusted, "-x", path, "--args"] + command)
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
    run = Gdb(machine, script, machine.osv + [program, "0"])
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
             7: (r"pipe_read", r"pipe_reader"), 8: (r"nanosleep", r"sleeper"), 9: (r"thread_join", r"joiner")}
    for number, (core, program_function) in waits.items():
        run.has("the backtrace of a thread that waits in %s" % core,
                r"thread_park", core, r" %s \(argument=" % program_function, r"isa_context_start",
                start=r"^\[thread %d\]" % number, end=r"^\[(thread %d|select)\]" % (number + 1))
    run.has("the backtrace of a thread that computes", r"^#\d+ .*computer \(argument=", r"isa_context_start",
            start=r"^\[thread 10\]", end=r"^\[select\]")
    run.has("osv thread selects, and lets go", r"^#1 .*switch_next", r"^#2 .*thread_park", r"^#0 .*everybody_waits",
            start=r"^\[select\]", end=r"^\[value\]")
    run.has("variables of the program", r"= \d+$", r"= 8$", start=r"^\[value\]", end=r"^\[core\]")
    run.has("a breakpoint in core", r"^#0 .*thread_park \(\)", start=r"^\[core\]", end=r"^\[die\]")
    run.has("the program's death stops in one function, and bt shows the culprit",
            r"osv_fatal_fault \(signal=(signal@entry=)?11, address=(address@entry=)?0x0",
            r"^#0 .*osv_fatal_fault", r"^#\d+ .*<signal handler called>",
            r"^#\d+ .*local_death \(target=.*library\.c", r"^#\d+ .*library_die", r"^#\d+ .*" + main,
            start=r"^\[die\]", end=r"^\[end\]")
    run.lacks("no command failed", r"Python Exception|^Error|[Tt]raceback|corrupt stack")
    machine.case("nothing to complain about", "Python" not in run.errors and "rror" not in run.errors, run.errors)
