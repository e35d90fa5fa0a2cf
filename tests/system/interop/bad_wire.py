#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""bad_wire.py INTERFACE TAP LOSS DUPLICATE LATE DELAY SEED: a wire between an interface, whose frames it takes and sends as a packet socket
does, and a TAP, which it opens. All frames are delayed by DELAY milliseconds. Of a thousand frames it loses LOSS, gives DUPLICATE twice and lets
LATE be overtaken by others; which, a generator seeded with SEED says. Says "ready" when it is one, and ends with its standard input."""
import fcntl
import heapq
import os
import random
import selectors
import socket
import struct
import sys
import time

LATENESS = 0.006  # seconds
TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454ca, 2, 0x1000, 0x4000
SOL_PACKET, PACKET_VNET_HDR, PACKET_OUTGOING, ALL_PROTOCOLS = 263, 15, 4, 3
FRAME_MAX = 70000  # a header of virtio's, and a frame that is still to be cut


def tap_open(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    return fd


def interface_open(name):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    wire.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    wire.bind((name, 0))
    wire.setblocking(False)
    return wire


class Wire:
    def __init__(self, interface, tap, loss, duplicate, late, delay, seed):  # pylint: disable=too-many-arguments
        self.interface, self.tap = interface_open(interface), tap_open(tap)
        self.loss, self.duplicate, self.late = (number / 1000 for number in (loss, duplicate, late))
        self.delay = delay / 1000
        self.chance = random.Random(seed)
        self.under_way, self.number = [], 0  # (when, number, how, frame)

    def take(self, frame, send):
        for _ in range(2 if self.chance.random() < self.duplicate else 1):
            if self.chance.random() >= self.loss:
                when = time.monotonic() + self.delay + (LATENESS if self.chance.random() < self.late else 0)
                self.number += 1
                heapq.heappush(self.under_way, (when, self.number, send, frame))

    def from_interface(self):
        frame, address = self.interface.recvfrom(FRAME_MAX)
        if address[2] != PACKET_OUTGOING:
            self.take(frame, lambda data: os.write(self.tap, data))

    def from_tap(self):
        self.take(os.read(self.tap, FRAME_MAX), self.interface.send)

    def deliver(self):
        """What is due; how long until more is, or None."""
        while self.under_way:
            wait = self.under_way[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, send, frame = heapq.heappop(self.under_way)
            try:
                send(frame)
            except OSError:
                pass  # the other end is full, or down: the frame is lost
        return None

    def run(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.interface, selectors.EVENT_READ, self.from_interface)
            selector.register(self.tap, selectors.EVENT_READ, self.from_tap)
            selector.register(sys.stdin, selectors.EVENT_READ)
            print("ready", flush=True)
            while True:
                for key, _ in selector.select(self.deliver()):
                    if key.data is None:
                        return
                    try:
                        key.data()
                    except OSError:
                        pass  # nothing there any more, or the interface is down


def main(interface, tap, *numbers):
    Wire(interface, tap, *map(int, numbers)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
