# SPDX-License-Identifier: BSD-3-Clause
# osv_gdb.py: gdb for a program inside osv-sim. It is part of osv-sim (section .debug_gdb_scripts) and loads itself:
#   gdb --args osv-sim PROGRAM
# The same for the kernel in QEMU (-gdb), which is told where the files of its root are:
#   gdb -x osv_gdb.py -ex "set sysroot DIR" -ex "target remote :1234" kernel.elf
#
# gdb takes the host's ld.so for the only one, so it is told of what core has loaded by a breakpoint of our own on
# elf_debug_state, which core calls whenever its list of objects has changed and before any initialiser runs.
#
# A guest thread that is not on a vCPU has no host thread. `osv thread N` shows it by an unwinder: the frame that the
# selected host thread is in unwinds, while N is selected, to where N was switched out. No register is changed, so
# going on is safe at any time.
#
# Everything is read by core's debug information; names that a program may have too are qualified by core's file.
import os
import struct

import gdb
import gdb.unwinder

CONTEXT_WORDS = ("control", "r15", "r14", "r13", "r12", "rbx", "rbp", "rip")  # hal-x86_64/isa/switch.S


def core(file, name):
    """A variable of core."""
    return gdb.parse_and_eval("'core/%s'::%s" % (file, name))


def number(value):
    return int(value.cast(gdb.lookup_type("unsigned long")))


def text(pointer):
    """A C string, or "" for NULL."""
    return pointer.string(errors="replace") if number(pointer) else ""


def plain(value):
    """A value without _Atomic and const, which gdb's Python cannot look through."""
    return value.cast(value.type.unqualified())


def word(address):
    return struct.unpack("<Q", gdb.selected_inferior().read_memory(address, 8).tobytes())[0]


def symbol_of(address):
    """" <name>" of the variable at an address, or ""."""
    answer = gdb.execute("info symbol %#x" % address, to_string=True)
    return "" if answer.startswith("No symbol") else " <%s>" % answer.split(" in section ")[0]


# ---- What is loaded


def host_path(path):
    """Where a file of the guest's is here; None: nowhere."""
    root = gdb.parameter("sysroot") or ""
    for found in (root.rstrip("/") + path if root and not root.startswith("target:") else path, path):
        if os.path.exists(found):
            return found
    return None


class Symbols:
    """The objects that core has loaded, as far as gdb has been told."""

    def __init__(self):
        self.known = {}
        gdb.events.exited.connect(lambda event: self.forget(list(self.known)))

    def update(self):
        loaded = {}
        item = core("elf/walk.c", "first")
        while number(item):
            path = host_path(text(item["path"]))
            if path is not None:
                loaded[path] = number(item["base"])
            item = item["next"]
        self.forget([path for path, base in self.known.items() if loaded.get(path) != base])
        for path, base in loaded.items():
            if path not in self.known:
                self.known[path] = base
                gdb.execute("add-symbol-file -o %#x '%s'" % (base, path), to_string=True)

    def forget(self, paths):
        """They are unloaded, or the run has ended: the next loads them again, perhaps elsewhere."""
        for path in paths:
            del self.known[path]
            for objfile in gdb.objfiles():
                if path in (objfile.filename, objfile.username):
                    gdb.execute("remove-symbol-file '%s'" % objfile.filename, to_string=True)
                    break


class LoadBreakpoint(gdb.Breakpoint):
    def __init__(self, symbols):
        super().__init__(source="core/elf/debug.c", function="elf_debug_state", internal=True)
        self.silent = True
        self.symbols = symbols

    def stop(self):
        self.symbols.update()
        return False


# ---- Threads


def cpus():
    """Core's struct cpu of each vCPU that runs."""
    table = core("sched/sched.c", "sched_cpus")
    return [table[i].dereference() for i in range(number(core("sched/sched.c", "sched_count")))]


class Thread:
    """A struct thread of core."""

    def __init__(self, value, running):
        self.value = value
        self.address = number(value.address)
        self.name = text(value["name"].address.cast(gdb.lookup_type("char").pointer()))
        self.state = number(value["state"])
        self.cpu = running.get(self.address)
        user = value["user"]
        task = gdb.lookup_symbol("task_create")[0]
        self.task = None
        if number(user) and task is not None:
            kind = task.type.fields()[0].type.target().target()
            self.task = number(user.cast(kind.pointer())["id"])
        # Core's own threads have no number that the program could know.
        self.id = str(self.task) if self.task is not None else "c%d" % number(value["id"])

    def order(self):
        return (self.task is None, self.task or 0, number(self.value["id"]))

    def state_name(self):
        if self.cpu is not None:
            return "running"
        return ("ready", "waiting", "ready", "new", "ended")[self.state]

    def cpu_name(self):
        if self.cpu is not None:
            return str(self.cpu)
        home = self.value["cpu"]
        return "(%d)" % number(home["index"]) if number(home) else "-"

    def wait(self):
        """(kind, address) of what it waits for; kind "" where it does not, or that has no name."""
        if self.state_name() != "waiting":
            return "", 0
        names = [field.name for field in gdb.lookup_type("enum thread_wait").fields()]
        kind = names[number(self.value["wait_kind"])][len("THREAD_WAIT_"):].lower()
        return ("" if kind == "none" else kind), number(self.value["wait_object"])

    def wait_text(self, threads):
        kind, address = self.wait()
        until = ""
        if self.value["timer_armed"] and self.state_name() == "waiting":
            until = " until %.3f s" % (number(self.value["timer_node"]["key"]) / 1e9)
        where = "%#x%s" % (address, symbol_of(address)) if address else ""
        if kind == "mutex":
            owner = mutex_owner(address, threads)
            return "mutex %s%s%s" % (where, ", held by %s" % owner if owner else "", until)
        if kind == "rwlock":
            return "rwlock %s, %s%s" % (where, rwlock_holder(address, threads), until)
        if kind == "condvar":
            return "condition %s%s" % (where, until)
        if kind == "queue":
            return "%s%s" % (queue_name(address), until)
        if kind == "futex":
            value = gdb.selected_inferior().read_memory(address, 4).tobytes()
            return "futex %s = %d%s" % (where, struct.unpack("<I", value)[0], until)
        if kind == "join":
            found = [thread for thread in threads if thread.address == address]
            return "the end of thread %s%s" % (found[0].id if found else where, until)
        if kind == "sleep":
            return "time%s" % until
        if kind == "poll":
            return "files (poll)%s" % until
        if kind == "device":
            return "a device"
        return (kind + " " + where).strip() + until

    def registers(self):
        """Where it was switched out, by name."""
        sp = number(self.value["context"]["sp"])
        found = {name: word(sp + 8 * i) for i, name in enumerate(CONTEXT_WORDS)}
        del found["control"]
        found["rsp"] = sp + 8 * len(CONTEXT_WORDS)
        return found


def threads_all():
    """The program's threads first, by number; then core's own, without those that run where nothing else does."""
    running = {number(cpu["current"]): index for index, cpu in enumerate(cpus())}
    dead = 4
    found = []
    item = core("sched/thread.c", "all_threads")
    while number(item):
        thread = Thread(item.dereference(), running)
        if item["live"] and thread.state != dead:
            found.append(thread)
        item = item["all_next"]
    return sorted(found, key=Thread.order)


def is_started():
    try:
        return gdb.selected_inferior().pid != 0 and number(core("sched/thread.c", "all_threads")) != 0
    except (gdb.error, gdb.MemoryError):
        return False


def need_guest():
    if not is_started():
        raise gdb.GdbError("No guest yet: osv-sim has to run first.")


# ---- Locks


def lock_type(function, address):
    """The lock at an address, with the type of function's first parameter."""
    kind = gdb.lookup_global_symbol(function) or gdb.lookup_static_symbol(function)
    return gdb.Value(address).cast(kind.type.fields()[0].type.unqualified()).dereference()


def mutex_owner(address, threads):
    owner = number(lock_type("mutex_lock_contended", address)["owner"])
    found = [thread for thread in threads if thread.address == owner]
    return "thread %s (%s)" % (found[0].id, found[0].name) if found else ""


def rwlock_holder(address, threads):
    writer_bit, readers_mask = 1 << 31, (1 << 30) - 1
    lock = lock_type("rwlock_read_lock", address)
    state = number(lock["state"])
    if state & writer_bit:
        writer = number(lock["guard"]["kind"])
        found = [thread for thread in threads if number(thread.value["id"]) == writer]
        return "held by thread %s (%s)" % (found[0].id, found[0].name) if found else "held by a writer"
    return "held by %d readers" % (state & readers_mask)


# Waitqueues of file types: the type's structure, the queue in it, what is waited for.
QUEUES = (("pipe", "readers", "bytes in the pipe of fd %d"), ("pipe", "writers", "room in the pipe of fd %d"),
          ("eventfd", "waiters", "the eventfd of fd %d"), ("timerfd", "readers", "the timer of fd %d"),
          ("epoll", "waiters", "the epoll of fd %d"))


def queue_name(address):
    """What the waitqueue at an address belongs to."""
    for fd, file in files_open():
        operations = symbol_of(number(file["ops"]))
        for kind, field, phrase in QUEUES:
            if operations.startswith(" <%s_ops" % kind):
                state = file["state"].cast(gdb.lookup_type("struct " + kind).pointer())
                if address == number(state[field].address):
                    return phrase % fd
    return "queue %#x%s" % (address, symbol_of(address))


# ---- Files


def files_open():
    """(descriptor, struct file) of each open file."""
    chunks = core("vfs/fdtable.c", "chunks")
    found = []
    for index in range(chunks.type.range()[1] + 1):
        chunk = chunks[index]
        if number(chunk) == 0:
            continue
        slots = chunk["slots"]
        size = slots.type.range()[1] + 1
        for slot in range(size):
            if number(slots[slot]):
                found.append((index * size + slot, slots[slot].dereference()))
    return found


def file_kind(file):
    kinds = {0o100000: "file", 0o040000: "directory", 0o120000: "link", 0o020000: "device", 0o010000: "fifo",
             0o140000: "socket", 0o060000: "block device"}
    operations = symbol_of(number(file["ops"]))
    for name in ("pipe", "eventfd", "timerfd", "epoll", "signalfd", "host_stream"):
        if operations.startswith(" <" + name):
            return name.replace("host_stream", "stream")
    vnode = file["vnode"]
    return kinds.get(number(vnode["type"]), "?") if number(vnode) else "?"


def file_flags(flags):
    names = [("r", "w", "rw", "?")[flags & 3]]
    for bit, name in ((0o2000, "append"), (0o4000, "nonblock")):
        if flags & bit:
            names.append(name)
    return ",".join(names)


# ---- Memory


def tree_nodes(root):
    """The nodes of a tree, in order."""
    stack, node, found = [], root, []
    while stack or number(node):
        while number(node):
            stack.append(node)
            node = node["left"]
        node = stack.pop()
        found.append(node)
        node = node["right"]
    return found


def areas_all():
    kind = gdb.lookup_global_symbol("area_remove") or gdb.lookup_static_symbol("area_remove")
    area_type = kind.type.fields()[0].type.unqualified()
    offset = [field.bitpos // 8 for field in area_type.target().fields() if field.name == "node"][0]
    return [gdb.Value(number(node) - offset).cast(area_type).dereference()
            for node in tree_nodes(core("vm/area.c", "areas")["root"])]


def area_source(area):
    """(file, offset in it) of an area; ("", 0): anonymous."""
    pager = area["pager"]
    if number(pager) == 0:
        return text(area["name"]), 0
    if symbol_of(number(pager["read"])).startswith(" <pager_read"):
        own = pager.cast(gdb.lookup_type("struct file_pager").pointer())
        return text(own["file"]["path"]), number(area["offset"])
    return "?", number(area["offset"])


# ---- A guest thread as gdb's frames


class FrameId:
    """Lower than every stack, so that what it unwinds to never looks inner."""

    def __init__(self, pc):
        self.sp = gdb.Value(1)
        self.pc = gdb.Value(pc)


class GuestFilter:
    """Leaves out the host's frame, which is no frame of the guest thread."""

    def __init__(self):
        self.name = "osv-guest-thread"
        self.priority = 100
        self.enabled = False
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        return (frame for frame in frames if frame.inferior_frame().level() > 0)


class GuestUnwinder(gdb.unwinder.Unwinder):
    def __init__(self):
        super().__init__("osv-guest-thread")
        self.selected = None  # registers of the guest thread, and the place that is to unwind to it
        self.place = None
        self.filter = GuestFilter()
        gdb.events.stop.connect(lambda event: self.clear())
        gdb.events.cont.connect(lambda event: self.clear())

    def set(self, selected, place):
        self.selected, self.place = selected, place
        self.filter.enabled = selected is not None
        gdb.invalidate_cached_frames()

    def clear(self):
        if self.selected is not None:
            self.set(None, None)

    def select(self, registers):
        self.clear()
        frame = gdb.newest_frame()
        self.set(registers, (frame.pc(), number(frame.read_register("rsp"))))

    def __call__(self, pending_frame):
        if self.selected is None:
            return None
        pc = number(pending_frame.read_register("rip"))
        if (pc, number(pending_frame.read_register("rsp"))) != self.place:
            return None
        info = pending_frame.create_unwind_info(FrameId(pc))
        for name, value in self.selected.items():
            kind = pending_frame.read_register(name).type
            info.add_saved_register(name, gdb.Value(value).cast(kind))
        return info


# ---- Commands


def host_of(cpu):
    """gdb's thread that is a CPU of the guest's: a host thread, in QEMU a virtual CPU; by its GS, which hal_cpu_self reads."""
    percpu_cpu = 8  # hal-x86_64/isa/percpu.h
    selected, found = gdb.selected_thread(), None
    wanted = number(core("sched/sched.c", "sched_cpus")[cpu])
    for host in gdb.selected_inferior().threads():
        host.switch()
        base = number(gdb.parse_and_eval("$gs_base"))
        if base != 0 and word(base + percpu_cpu) == wanted:
            found = host
    selected.switch()
    if found is None:
        raise gdb.GdbError("CPU %d is not to be found." % cpu)
    return found


class OsvCommand(gdb.Command):
    """Looks into the guest of osv-sim: threads, locks, memory, files."""

    def __init__(self):
        super().__init__("osv", gdb.COMMAND_DATA, prefix=True)


class ThreadsCommand(gdb.Command):
    """osv threads: every guest thread: number, name, state, vCPU (of one that does not run: the last one), and what it waits for.
Numbers with a c before them are core's own threads."""

    def __init__(self):
        super().__init__("osv threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        need_guest()
        threads = threads_all()
        gdb.write("%-6s %-16s %-8s %-4s %s\n" % ("Id", "Name", "State", "CPU", "Waits for"))
        for thread in threads:
            line = "%-6s %-16s %-8s %-4s %s" % (thread.id, thread.name, thread.state_name(), thread.cpu_name(),
                                                thread.wait_text(threads))
            gdb.write(line.rstrip() + "\n")


class ThreadCommand(gdb.Command):
    """osv thread N: selects a guest thread: bt, frame, up and print are about it until the program goes on.
osv thread N bt [...]: its backtrace; the selection stays as it was.
osv thread: back to the host's thread."""

    def __init__(self, unwinder):
        super().__init__("osv thread", gdb.COMMAND_STACK)
        self.unwinder = unwinder

    def invoke(self, argument, from_tty):
        need_guest()
        words = argument.split(None, 1)
        if not words:
            self.unwinder.clear()
            gdb.execute("frame 0")
            return
        rest = words[1].strip() if len(words) > 1 else ""
        if rest and rest.split()[0] not in ("bt", "backtrace", "where"):
            raise gdb.GdbError("osv thread N [bt ...]")
        found = [thread for thread in threads_all() if thread.id == words[0]]
        if not found:
            raise gdb.GdbError("No guest thread %s; see 'osv threads'." % words[0])
        if rest:
            self.backtrace(found[0], rest)
        else:
            self.select(found[0])
            gdb.execute("frame")

    def backtrace(self, thread, command):
        host, selected, place = gdb.selected_thread(), self.unwinder.selected, self.unwinder.place
        try:
            self.select(thread)
            gdb.execute(command)
        finally:
            host.switch()
            self.unwinder.set(selected, place)

    def select(self, thread):
        """The thread on a vCPU is that vCPU's host thread; another one is where it was switched out."""
        self.unwinder.clear()
        if thread.cpu is not None:
            host_of(thread.cpu).switch()
            return
        if thread.state_name() == "new":
            raise gdb.GdbError("Thread %s has not started." % thread.id)
        self.unwinder.select(thread.registers())
        gdb.execute("frame 1", to_string=True)


class MmapCommand(gdb.Command):
    """osv mmap: the program's areas of memory: addresses, protection, file and offset."""

    def __init__(self):
        super().__init__("osv mmap", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        need_guest()
        shared, lazy = 8, 4  # enum vm_flags
        for area in areas_all():
            prot, flags = number(area["prot"]), number(area["flags"])
            letters = "".join(letter if prot & bit else "-" for letter, bit in (("r", 1), ("w", 2), ("x", 4)))
            name, offset = area_source(area)
            is_file = number(area["pager"]) != 0
            line = "%012x-%012x %s%s %s%s%s" % (
                number(area["start"]), number(area["end"]), letters, "s" if flags & shared else "p",
                "%08x " % offset if is_file else "", name, " (lazy)" if flags & lazy else "")
            gdb.write(line.rstrip() + "\n")


class FilesCommand(gdb.Command):
    """osv files: the program's open files: descriptor, kind, flags, offset, path."""

    def __init__(self):
        super().__init__("osv files", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        need_guest()
        gdb.write("%-4s %-10s %-12s %-10s %s\n" % ("Fd", "Kind", "Flags", "Offset", "Path"))
        for fd, file in files_open():
            offset = "-" if file["is_stream"] else str(number(file["offset"]))
            line = "%-4d %-10s %-12s %-10s %s" % (fd, file_kind(file), file_flags(number(file["flags"])), offset,
                                                  text(file["path"]))
            gdb.write(line.rstrip() + "\n")


class LocksCommand(gdb.Command):
    """osv locks: the locks that somebody waits for: who holds them, and who waits.
A lock that is held and not waited for is known to its holder alone, and cannot be listed."""

    def __init__(self):
        super().__init__("osv locks", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        need_guest()
        threads = threads_all()
        waiters = {}
        for thread in threads:
            kind, address = thread.wait()
            if kind in ("mutex", "rwlock", "condvar", "semaphore"):
                waiters.setdefault((address, kind), []).append("%s (%s)" % (thread.id, thread.name))
        for (address, kind), names in sorted(waiters.items()):
            holder = {"mutex": lambda: mutex_owner(address, threads),
                      "rwlock": lambda: rwlock_holder(address, threads)}.get(kind, lambda: "")()
            holder = "held by " + holder if kind == "mutex" and holder else holder
            gdb.write("%s %#x%s: %swaited for by %s\n" % (
                kind, address, symbol_of(address), holder + ", " if holder else "", ", ".join(names)))
        if not waiters:
            gdb.write("No thread waits for a lock.\n")


class SymbolsCommand(gdb.Command):
    """osv symbols: reads the symbols of what is loaded: after attaching to a running osv-sim."""

    def __init__(self, symbols):
        super().__init__("osv symbols", gdb.COMMAND_FILES)
        self.symbols = symbols

    def invoke(self, argument, from_tty):
        need_guest()
        self.symbols.update()


def environment_restore():
    """gdb adds its window's size to the program's environment, whose size is input of a run that a seed decides."""
    with open("/proc/self/environ", "rb") as own:
        names = {entry.split(b"=")[0].decode(errors="replace") for entry in own.read().split(b"\0")}
    for name in {"LINES", "COLUMNS"} - names:
        gdb.execute("unset environment " + name)


def start():
    environment_restore()
    # Demand faults, interrupts and caught system calls are daily business.
    for name in ("SIGSEGV", "SIGURG", "SIGSYS"):
        gdb.execute("handle %s nostop noprint pass" % name, to_string=True)
    symbols, unwinder = Symbols(), GuestUnwinder()
    gdb.unwinder.register_unwinder(None, unwinder, True)
    for command in (OsvCommand, ThreadsCommand, MmapCommand, FilesCommand, LocksCommand):
        command()
    ThreadCommand(unwinder)
    SymbolsCommand(symbols)
    LoadBreakpoint(symbols)
    gdb.Breakpoint(source="core/linux/report.c", function="osv_fatal_fault", internal=True)
    gdb.Breakpoint(source="core/lib/assert.c", function="assert_fail", internal=True)


if not getattr(gdb, "osv_is_loaded", False):  # by itself, and by -x
    gdb.osv_is_loaded = True
    start()
