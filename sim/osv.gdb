# SPDX-License-Identifier: BSD-3-Clause
# osv.gdb: gdb for a program inside osv-sim:  gdb -x sim/osv.gdb --args bazel-bin/sim/osv-sim PROGRAM
#
# The program and its libraries lie in a memfd, where gdb finds no file: once they are loaded, `osv-symbols` tells it
# which file is where. Then break, bt and list work in them as in any program. gdb names guest threads by what the
# thread pointer suggests, and `next` and `finish` follow the host thread where a guest thread moves to another.

# Demand faults, interrupts and caught system calls are daily business.
handle SIGSEGV nostop noprint pass
handle SIGURG nostop noprint pass
handle SIGSYS nostop noprint pass

python
import os
import struct


class OsvSymbols(gdb.Command):
    """osv-symbols: reads the symbols of the program and the libraries that osv-sim has loaded."""

    # Offsets in core/elf/object.h's struct elf_object, which begins as glibc's struct link_map.
    BASE, NEXT, PATH = 0, 24, 40

    def __init__(self):
        super().__init__("osv-symbols", gdb.COMMAND_FILES)
        self.known = set()

    def word(self, address):
        memory = gdb.selected_inferior().read_memory(address, 8)
        return struct.unpack("<Q", memory.tobytes())[0]

    def invoke(self, argument, from_tty):
        item = self.word(int(gdb.parse_and_eval("(unsigned long)&first")))
        while item:
            base, path = self.word(item + self.BASE), self.word(item + self.PATH)
            item = self.word(item + self.NEXT)
            if path == 0 or base in self.known:
                continue
            name = gdb.Value(path).cast(gdb.lookup_type("char").pointer()).string()
            if os.path.exists(name):
                self.known.add(base)
                gdb.execute("add-symbol-file %s -o %#x" % (name, base), to_string=True)
                print("%#x %s" % (base, name))


OsvSymbols()
end
