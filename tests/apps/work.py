# SPDX-License-Identifier: BSD-3-Clause
"""work.py: what scripts do with python3: its modules, threads, files. Prints what it got; status 5."""
import array
import base64
import bisect
import bz2
import collections
import concurrent.futures
import configparser
import contextlib
import csv
import ctypes
import ctypes.util
import dataclasses
import datetime
import decimal
import difflib
import enum
import fractions
import functools
import glob
import hashlib
import heapq
import hmac
import io
import itertools
import json
import locale
import lzma
import math
import mmap
import operator
import os
import pathlib
import pickle
import queue
import random
import re
import shutil
import signal
import sqlite3
import statistics
import string
import struct
import sys
import tempfile
import textwrap
import threading
import time
import traceback
import typing
import unicodedata
import uuid
import xml.etree.ElementTree
import zipfile
import zlib

SCALE = int(sys.argv[1]) if len(sys.argv) > 1 else 1


def texts():
    generator = random.Random(3)
    words = ["".join(generator.choice(string.ascii_lowercase) for _ in range(generator.randint(1, 4)))
             for _ in range(5000 * SCALE)]
    text = " ".join(words)
    print(collections.Counter(words).most_common(5), re.findall(r"\b(\w)\s+\1\b", text)[:5])
    print(re.sub(r"(?P<first>\w)(?P<rest>\w*)", r"\g<rest>\g<first>", text)[:40], len(re.split(r"[aeiou]+", text)))
    print(textwrap.fill(text[:200], 50), text[:30].title(), repr("t\u00e9\n"), "{:>8.3f}|{:<5}|{:^7}|{:#x}".format(math.pi, "ab", "c", 255))
    print(unicodedata.name("\u20ac"), unicodedata.normalize("NFD", "\u00e9").encode(), "stra\u00dfe".upper(), ascii("\u20ac"))
    print("\n".join(difflib.unified_diff(["a", "b", "c"], ["a", "x", "c"], lineterm="")))
    print(locale.setlocale(locale.LC_ALL, "C"), string.Template("$a-$b").substitute(a=1, b=2), f"{3!r:>4}{text[:3]=}")


def numbers():
    print(2 ** 200, -7 // 2, -7 % 3, round(2.5), 0.1 + 0.2, 1e22, 1 / 3, float("inf"), math.nan, (2 + 3j) ** 2, int("zz", 36))
    decimal.getcontext().prec = 60
    print(decimal.Decimal(2).sqrt(), decimal.Decimal("1.10") + 2, fractions.Fraction(3, 12) + 1)
    generator = random.Random(42)
    values = [generator.gauss(0, 1) for _ in range(2000 * SCALE)]
    print(statistics.mean(values), statistics.stdev(values), math.fsum(values), generator.randint(1, 10 ** 12), generator.sample(range(100), 5))
    print([f(0.7) for f in (math.sin, math.exp, math.gamma, math.erf, math.log1p)], math.factorial(30), math.comb(40, 20), math.isqrt(10 ** 30))
    print(functools.reduce(operator.xor, (hash(v) & 0xffff for v in values)), sum(itertools.accumulate(range(100))))
    print([p for p in range(2, 60) if all(p % q for q in range(2, p))], (10 ** 40).bit_length(), (255).to_bytes(2, "big"), float.hex(0.1))


def containers():
    heap, ordered = [], []
    for value in random.Random(5).sample(range(1000), 200):
        heapq.heappush(heap, value)
        bisect.insort(ordered, value)
    print([heapq.heappop(heap) for _ in range(8)], ordered[:8], collections.deque(range(10), 3), collections.OrderedDict(b=1, a=2))
    Point = collections.namedtuple("Point", "x y")
    groups = {k: [w for w in g] for k, g in itertools.groupby(sorted("the quick brown fox jumps over".split(), key=len), key=len)}
    print(Point(1, 2)._replace(y=5), groups, list(itertools.islice(itertools.permutations("abc"), 3)), sorted({3, 1, 2}))
    print(array.array("d", [1.5, 2]).tobytes().hex(), bytearray(b"abc").translate(bytes.maketrans(b"a", b"z")), memoryview(b"abcdef")[1:4].tolist())

    @dataclasses.dataclass(order=True)
    class Item:
        size: int
        name: str = "x"
        tags: typing.List[str] = dataclasses.field(default_factory=list)

    class Colour(enum.Flag):
        RED = 1
        BLUE = 2

    print(sorted([Item(3), Item(1, "b"), Item(1, "a")]), Colour.RED | Colour.BLUE, Colour(2).name)


def formats():
    data = {"a": [1, 2.5, None, True], "b": {"c": "\u20ac", "d": []}}
    text = json.dumps(data, indent=1, sort_keys=True)
    print(text, json.loads(text) == data, pickle.loads(pickle.dumps(data)) == data)
    table = io.StringIO()
    csv.writer(table).writerows([[1, "a,b", 'q"'], [2, "", "x"]])
    print(repr(table.getvalue()), list(csv.reader(io.StringIO(table.getvalue()))))
    print(struct.pack("<IhBd3s", 1, -2, 3, 1.5, b"ab").hex(), struct.unpack(">HI", b"\x00\x01\x00\x00\x00\x02"))
    tree = xml.etree.ElementTree.fromstring("<a k='v'><b>text</b><b/></a>")
    print([e.tag for e in tree.iter()], xml.etree.ElementTree.tostring(tree), base64.b85encode(b"data"), uuid.uuid5(uuid.NAMESPACE_DNS, "x"))
    config = configparser.ConfigParser()
    config.read_string("[one]\nkey = value\n")
    print(config["one"]["key"], datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc) + datetime.timedelta(days=366, seconds=5))
    print(time.strftime("%a %d %b %Y %H:%M:%S", time.gmtime(1e9)), datetime.date.fromisoformat("2024-12-30").isocalendar())


def digests():
    blob = random.Random(9).randbytes(100000 * SCALE)
    for name in sorted(hashlib.algorithms_guaranteed):
        digest = hashlib.new(name, blob)
        print(name, digest.hexdigest(16) if name.startswith("shake") else digest.hexdigest()[:32])
    print(hmac.new(b"key", blob, "sha256").hexdigest(), zlib.crc32(blob), zlib.adler32(blob))
    repeated = blob[:1000] * 50
    for module in (zlib, bz2, lzma):
        packed = module.compress(repeated)
        print(module.__name__, len(packed), hashlib.md5(packed).hexdigest(), module.decompress(packed) == repeated)
    print(hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1000).hex(), hashlib.scrypt(b"p", salt=b"s", n=16, r=8, p=1).hex()[:20])


def threads():
    lock, total, results = threading.Lock(), [0], queue.Queue()

    def count(number):
        for _ in range(500):
            with lock:
                total[0] += number
        results.put(number)

    workers = [threading.Thread(target=count, args=(n,), name="worker %d" % n) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(total, sorted(results.get() for _ in workers))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        print(sum(pool.map(lambda n: int(hashlib.sha256(b"%d" % n).hexdigest(), 16) % 1000, range(200))))
        print(sorted(f.result() for f in concurrent.futures.as_completed([pool.submit(pow, n, 2) for n in range(9)])))
    barrier, event, local = threading.Barrier(3), threading.Event(), threading.local()
    local.value = 1
    seen = []

    def meet():
        barrier.wait()
        event.wait(10)
        seen.append(hasattr(local, "value"))

    meeting = [threading.Thread(target=meet) for _ in range(2)]
    for worker in meeting:
        worker.start()
    barrier.wait()
    event.set()
    for worker in meeting:
        worker.join()
    timer = threading.Timer(0.001, lambda: results.put("timer"))
    timer.start()
    print(seen, results.get(timeout=10), threading.Semaphore(2).acquire(timeout=1), threading.active_count() <= 2)
    signal.signal(signal.SIGUSR1, lambda number, frame: print("signal", signal.Signals(number).name))
    signal.raise_signal(signal.SIGUSR1)


def files():
    top = pathlib.Path("made")
    (top / "deep" / "er").mkdir(parents=True)
    (top / "text").write_text("one\ntwo\nthr\u00e9\u00e9\n", encoding="utf-8")
    (top / "deep" / "bytes").write_bytes(bytes(range(256)) * 20)
    os.utime(top / "text", (1000000000, 1000000000.5))
    (top / "link").symlink_to("text")
    os.link(top / "text", top / "hard")
    print(sorted(str(p) for p in top.rglob("*")), (top / "text").stat().st_mtime, os.readlink(top / "link"), (top / "hard").stat().st_nlink)
    print([line.rstrip() for line in open(top / "link", encoding="utf-8")], sorted(glob.glob("made/**/b*", recursive=True)))
    with open(top / "deep" / "bytes", "r+b") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            print(len(mapped), mapped[255:258], mapped.find(b"\x10\x11"))
        file.seek(-3, os.SEEK_END)
        print(file.read(), file.tell(), os.pread(file.fileno(), 4, 16), file.truncate(1000))
    for path in ("made/none", "made/text/below"):
        try:
            open(path, encoding="utf-8")
        except OSError as error:
            print(type(error).__name__, error)
    with tempfile.TemporaryDirectory(dir=".") as directory, tempfile.TemporaryFile() as scratch:
        scratch.write(b"scratch")
        print(os.path.isdir(directory), scratch.seek(0), scratch.read())
    shutil.copytree(top, "copied", symlinks=True)
    os.replace("copied/hard", "copied/soft")
    os.chmod("copied/soft", 0o600)
    with zipfile.ZipFile("made.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("inside", (1990, 1, 1, 0, 0, 0)), "text" * 100)
    print(zipfile.ZipFile("made.zip").testzip(), sorted(e.name for e in os.scandir("copied")), oct(os.stat("copied/soft").st_mode), shutil.disk_usage(".").total > 0)
    shutil.rmtree("copied/deep")
    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    print(os.read(reading, 100), os.path.realpath("made/link") == os.path.join(os.getcwd(), "made", "text"), os.path.relpath("/a/b", "/a/c"))


def database():
    with contextlib.closing(sqlite3.connect("work.db")) as base:
        base.execute("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT, w REAL)")
        base.executemany("INSERT INTO t(v, w) VALUES(?, ?)", [("value %d" % (n % 37), n / 7) for n in range(1000 * SCALE)])
        base.create_function("twice", 1, lambda value: value * 2)
        base.commit()
        print(base.execute("SELECT v, count(*), round(sum(twice(w)), 6) FROM t GROUP BY v ORDER BY 3 DESC LIMIT 3").fetchall())
        print(base.execute("PRAGMA integrity_check").fetchall(), sqlite3.sqlite_version)


def foreign():
    libc, libm = ctypes.CDLL(None), ctypes.CDLL("libm.so.6")
    libm.pow.restype = ctypes.c_double
    libm.pow.argtypes = [ctypes.c_double, ctypes.c_double]
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers_ = (ctypes.c_int * 5)(5, 3, 1, 4, 2)
    libc.qsort(numbers_, 5, ctypes.sizeof(ctypes.c_int), compare(lambda a, b: a[0] - b[0]))
    text = ctypes.create_string_buffer(20)
    libc.snprintf(text, ctypes.c_size_t(20), b"%05d|%s", 42, b"abc")
    print(list(numbers_), libm.pow(2, 0.5), text.value, libc.strlen(b"four"))


def errors():
    def deep(number):
        return 1 + deep(number + 1)

    for call in (lambda: deep(0), lambda: {}["k"], lambda: int("x"), lambda: 1 / 0, lambda: eval("1 +")):
        try:
            call()
        except Exception as error:
            print(type(error).__name__, error)
    try:
        raise ValueError("outer") from KeyError("inner")
    except ValueError:
        print(traceback.format_exc().splitlines()[0], len(traceback.format_exc().splitlines()))
    print("to the error stream", file=sys.stderr)


for part in (texts, numbers, containers, formats, digests, threads, files, database, foreign, errors):
    print("--", part.__name__)
    part()
sys.exit(5)
