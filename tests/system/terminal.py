# SPDX-License-Identifier: BSD-3-Clause
"""terminal.py: the same conversation over a terminal on Linux and on osv-sim, for compare.py."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time


def set_size(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    def __init__(self, machine, command):
        self.ours, theirs = pty.openpty()
        self.text = b""
        set_size(self.ours, 24, 80)
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=machine.environment,
                                        cwd=machine.directory, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.theirs = theirs  # kept open: the modes that are left behind are looked at

    def wait_for(self, word):
        """What has been said up to the word at the end of a line; the terminal shows a Ctrl-C before it."""
        end = time.monotonic() + 60
        while word + b"\r\n" not in self.text and time.monotonic() < end:
            if select.select([self.ours], [], [], 1)[0]:
                self.text += os.read(self.ours, 4096)

    def write(self, data):
        os.write(self.ours, data)

    def finish(self):
        self.wait_for(b"end")
        status = self.process.wait(timeout=60)
        modes = termios.tcgetattr(self.theirs)[:4]
        os.close(self.ours)
        os.close(self.theirs)
        return status, self.text.decode(), modes


def converse(machine, command):
    terminal = Terminal(machine, command)
    terminal.wait_for(b"type")
    terminal.write(b"\x03\x04x")
    terminal.wait_for(b"line")
    terminal.write(b"hello\n")
    terminal.wait_for(b"interrupt")
    terminal.write(b"\x03")
    terminal.wait_for(b"resize")
    set_size(terminal.ours, 40, 132)
    return terminal.finish()


def terminal(machine, files):
    program = files["terminal"]
    want, got = (converse(machine, prefix + [program]) for prefix in ([], machine.osv))
    machine.case("a conversation over a terminal", want == got, "want %r\nhave %r" % (want, got))
