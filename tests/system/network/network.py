#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""network.py OSV-SIM STREAMS [--seeds FIRST-LAST] [--seconds N]: connections across simulated networks, each seed another network and another
schedule. Prints TAP, and the command of each run that goes wrong. With --seconds as many of the seeds as there is time for. With --cases what
simulated networks promise, and words that are refused."""
import argparse
import concurrent.futures
import os
import random
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import cases  # pylint: disable=wrong-import-position

TIMEOUT = 300  # of a run, in the host's time
# What a network may bring about; a SYN cookie may, too, where more call at once than a backlog has room for.
FINE = {"ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "EPIPE", "ENOTCONN"}  # errors that a network may bring about


def weather(seed):
    """Words of --net, and whether all streams must be whole there."""
    pick = random.Random(seed)
    words, is_mild = ["sim"], True
    loss = pick.choice((0, 0, 0.01, 0.05, 0.1, 0.2, 0.25))
    for name, values in (("duplicate", (0, 0, 0.01, 0.1)), ("corrupt", (0, 0, 0.01, 0.05)), ("reorder", (0, 0, 0.02, 0.2))):
        chance = pick.choice(values)
        if chance:
            words.append("%s=%g" % (name, chance))
        loss += chance if name == "corrupt" else 0
    if loss:
        words.append("loss=%g" % loss)
    is_mild = loss <= 0.06
    delay = pick.choice((0, 50, 1000, 20000, 200000))
    words.append("delay=%dus" % delay)
    if pick.random() < 0.5:
        words.append("jitter=%dus" % pick.randrange(1, 2 * delay + 100))
    if pick.random() < 0.4:
        words += ["rate=%dk" % pick.choice((500, 5000, 50000)), "queue=%d" % pick.choice((5000, 30000, 200000))]
    mtu = pick.choice((0, 0, 0, 600, 1280, 2900))
    if mtu:
        words.append("mtu=%d" % mtu)
    if pick.random() < 0.25:
        words.append("cut=%dms+%dms" % (pick.randrange(200, 3000), pick.choice((300, 3000, 30000, 2000000))))
        is_mild = is_mild and not words[-1].endswith("0000ms")  # shorter than what SYNs are repeated for
    return ",".join(words), is_mild, mtu == 0 or mtu >= 1280


def command_of(suite, seed):
    pick = random.Random(~seed)
    net, is_mild, has_v6 = weather(seed)
    count = pick.choice((1, 1, 2, 3, 5, 10, 20, 50))
    backlog = pick.choice((5, 64, 64))
    schedule = pick.choice(("random", "random", "pct:3", "turns:20"))
    addresses = [] if has_v6 else ["--ip", "10.0.0.1/24"]
    return [suite.sim, "--seed", str(seed), "-c", str(pick.choice((1, 2, 2, 3, 4))), "--schedule", schedule, "--trace-hash", "--net", net] + addresses + [
        suite.streams, str(seed), str(count), str(backlog), str(suite.bytes), "10.0.0.2", "fd00::2" if has_v6 else "-"], is_mild and count <= backlog


def judge(status, out, is_mild):
    """What is wrong with a run; None: nothing."""
    said = re.match(r"whole (\d+) of (\d+)((?: \w+/(?:\w+|-))*)\n", out)
    if status != 0 or said is None:
        return "status %d" % status
    errors = {name for pair in said.group(3).split() for name in pair.split("/")} - FINE - {"-", "0"}
    if errors:
        return "errors that no network brings about: " + " ".join(sorted(errors))
    if is_mild and said.group(1) != said.group(2):
        return "streams are broken off that need not be:" + said.group(3)
    return None


def frames(err):
    said = re.search(r"(?m)^osv-sim: network: (.*)$", err)
    return dict(word.rsplit(" ", 1) for word in said.group(1).split(", ")) if said else {}


def figures(out):
    """What /proc/net/dev and /proc/net/snmp say: {"eth0": [bytes, packets, ...], "Ip": {"InReceives": 1, ...}, ...}."""
    lines = out.splitlines()
    known = {line.split(":")[0].strip(): [int(word) for word in line.split(":")[1].split()] for line in lines if re.match(r" *(lo|eth0):", line)}
    for names, values in zip(lines, lines[1:]):
        kind = names.split(":")[0]
        if kind in ("Ip", "Icmp", "Tcp", "Udp") and values.startswith(kind + ":") and names.split()[1].isalpha():
            known[kind] = dict(zip(names.split()[1:], (int(word) for word in values.split()[1:])))
    return known


def fates(out, there):
    """Each frame that the network has delivered is counted by the interface, and each packet by what became of it. None: so it is."""
    known = figures(out)
    if not known or not there or there["no buffer"] != "0":
        return None
    ip, received = known["Ip"], known["Ip"]["InReceives"]  # on lo, too: messages about what did not arrive
    ends = {"InHdrErrors": ip["InHdrErrors"], "InAddrErrors": ip["InAddrErrors"], "InUnknownProtos": ip["InUnknownProtos"],
            "InDiscards": ip["InDiscards"], "pieces": ip["ReasmReqds"] - ip["ReasmOKs"], "Icmp": known["Icmp"]["InMsgs"],
            "Udp": sum(known["Udp"][name] for name in ("InDatagrams", "NoPorts", "InErrors")), "Tcp": known["Tcp"]["InSegs"]}
    if known["eth0"][1] + known["eth0"][3] != int(there["received"]) or received > known["eth0"][1] + known["lo"][1]:
        return "%s frames came, the interface counts %d, IP %d" % (there["received"], known["eth0"][1], received)
    if sum(ends.values()) != received:
        return "%d packets came, and these ends are counted: %r" % (received, ends)
    return None


def run(suite, seed):
    command, is_mild = command_of(suite, seed)
    try:
        done = subprocess.run(command, cwd=suite.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        return seed, "it takes more than %d s: %r" % (TIMEOUT, error.stdout), command, ""
    wrong = judge(done.returncode, done.stdout, is_mild) or fates(done.stdout, frames(done.stderr))
    return seed, wrong and "%s\n%s%s" % (wrong, done.stdout, done.stderr[-6000:]), command, done.stdout


def all_run(suite, seeds):
    """Each run that goes wrong is a case; the rest is one."""
    end = time.monotonic() + suite.seconds if suite.seconds else None
    number, runs, whole, total = 0, 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(suite.jobs) as pool:
        def one(seed):
            return None if end and time.monotonic() > end else run(suite, seed)
        for result in pool.map(one, seeds):
            if result is None:
                continue
            seed, wrong, command, out = result
            runs += 1
            said = re.match(r"whole (\d+) of (\d+)", out)
            whole, total = (whole + int(said.group(1)), total + int(said.group(2))) if said else (whole, total)
            if wrong:
                number += 1
                print("not ok %d - seed %d" % (number, seed))
                print("".join("# %s\n" % line for line in (shlex.join(command) + "\n" + wrong).splitlines()), end="", flush=True)
    print("ok %d - %d networks: of %d connections %d have all their bytes, the others an error" % (number + 1, runs, total, whole))
    print("1..%d" % (number + 1))
    return number > 0


# Each of these leaves all streams whole; what must be counted of the frames.
WHOLE = (
    ("sim", "received"),
    ("sim,duplicate=1", "duplicated"),
    ("sim,loss=1/20", "lost"),
    ("sim,corrupt=0.1", "corrupted"),
    ("sim,reorder=0.5,jitter=2ms", "received"),
    ("sim,mtu=1280,delay=0ns", "received"),
    ("sim,mtu=3000", "received"),
    ("sim,rate=2M,queue=8k", "no room"),
    ("sim,delay=1s,cut=3s+2s,cut=10s+500ms", "cut"),
)

REFUSED = (
    ("sim,lost=1", "--net sim: 'lost' is none of loss, duplicate, corrupt, reorder, delay, jitter, rate, queue, mtu and cut"),
    ("sim,", "--net sim: '' is none of "),
    ("sim,loss", "--net sim: loss: '' is not a chance from 0 to 1, such as 0.01 or 1/100"),
    ("sim,loss=2", "--net sim: loss: '2' is not a chance"),
    ("sim,delay=5", "--net sim: delay: '5' is not a time, such as 20ms, with ns, us, ms or s"),
    ("sim,jitter=-1ms", "--net sim: jitter: '-1ms' is not a time"),
    ("sim,rate=fast", "--net sim: rate: 'fast' is not a rate in bits per second, such as 10M"),
    ("sim,queue=-1", "--net sim: queue: '-1' is not a number of bytes, such as 64k"),
    ("sim,mtu=67", "--net sim: mtu: '67' is not a number of bytes from 68 to 3000"),
    ("sim,cut=1s", "--net sim: cut: '1s' is not a time and a span, such as 2s+500ms, at most 8 of them"),
    ("simple", "--net: 'simple' is none of none, user, switch=FOLDER, tap=NAME and sim"),
)


class Promises(cases.Cases):
    def __init__(self, suite):
        super().__init__()
        self.suite = suite

    def run(self, *words):
        done = subprocess.run([self.suite.sim] + list(words), cwd=self.suite.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        return done.returncode, done.stdout, done.stderr

    def all(self):
        streams = [self.suite.streams, "1", "5", "64", "200000", "10.0.0.2", "fd00::2"]
        for net, counted in WHOLE:
            got = self.run("--seed", "1", "--trace-hash", "--net", net, *streams)
            there = frames(got[2])
            self.case(net, got[0] == 0 and got[1].startswith("whole 5 of 5\n") and int(there.get(counted, 0)) > 0 and not fates(got[1], there), got)
        net = "sim,loss=0.05,duplicate=0.1,reorder=0.1,delay=5ms,jitter=1ms"
        file, frames_file = os.path.join(self.suite.folder, "run"), os.path.join(self.suite.folder, "frames")
        first = self.run("--seed", "3", "--trace-hash", "--net", net, *streams)
        again = self.run("--seed", "3", "--trace-hash", "--net", net, "--pcap", frames_file, *streams)
        there = frames(first[2])
        self.case("the same run again, and listened to", first[0] == 0 and first[:2] == again[:2] and there == frames(again[2]), (first, again))
        with open(frames_file, "rb") as capture:
            count, head = 0, capture.read(24)
            while capture.read(8):
                capture.seek(struct.unpack("<I", capture.read(4))[0] + 4, os.SEEK_CUR)
                count += 1
        self.case("all frames are heard", len(head) == 24 and count == int(there["sent"]) + int(there["received"]) + int(there["no buffer"]), (count, there))
        recorded = self.run("--seed", "3", "--trace-hash", "--net", net, "--record", file, *streams)
        replayed = self.run("--trace-hash", "--replay", file)
        self.case("a recorded run is made again", recorded[0] == 0 and recorded == replayed, (recorded, replayed))
        other = self.run("--seed", "4", "--trace-hash", "--net", net, *streams)
        self.case("another seed is another network", other[0] == 0 and frames(other[2]) != there, other)
        for net, said in REFUSED:
            got = self.run("--seed", "1", "--net", net, "true")
            self.case("refused: " + net, got[0] == 2 and got[2].startswith("osv-sim: " + said) and got[2].count("\n") == 1, got)
        got = self.run("--net", "sim,loss=0.1", "true")
        self.case("refused without a seed", got == (2, "", "osv-sim: --net sim,loss=0.1: only with --seed, which decides what happens there\n"), got)
        return self.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sim")
    parser.add_argument("streams")
    parser.add_argument("--seeds", default="1-1000")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--cases", action="store_true")
    parser.add_argument("--bytes", type=int, default=200000)
    parser.add_argument("--jobs", type=int, default=2)
    suite = parser.parse_args()
    suite.sim, suite.streams = os.path.abspath(suite.sim), os.path.abspath(suite.streams)
    first, last = (int(word) for word in suite.seeds.split("-"))
    with tempfile.TemporaryDirectory() as suite.folder:
        return Promises(suite).all() if suite.cases else all_run(suite, range(first, last + 1))


if __name__ == "__main__":
    sys.exit(main())
