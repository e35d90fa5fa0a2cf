# SPDX-License-Identifier: BSD-3-Clause
"""mapped.py FOLDER: the mmap module, and sqlite3 with a write-ahead log and mapped pages, over files of FOLDER."""
import mmap
import os
import sqlite3
import sys
import tempfile
import threading

PAGE = mmap.PAGESIZE


def mapped(path):
    with open(path, "w+b") as file:
        file.write(bytes(range(256)) * 64)
        file.flush()
        with mmap.mmap(file.fileno(), 0) as shared, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as other:
            shared[100:106] = b"mapped"
            print(other[98:108], os.pread(file.fileno(), 8, 99), other.find(b"mapped"), len(shared))
            os.pwrite(file.fileno(), b"written", 3 * PAGE + 5)
            print(shared[3 * PAGE + 4:3 * PAGE + 13], shared.rfind(b"written"), shared.flush(), shared.flush(0, PAGE))
            shared.move(PAGE, 98, 12)
            shared.seek(PAGE)
            print(shared.read(12), shared.tell(), shared.read_byte(), shared.size())
            with mmap.mmap(file.fileno(), 2 * PAGE, access=mmap.ACCESS_COPY, offset=PAGE) as copy:
                copy[0:4] = b"copy"
                print(copy[0:12], shared[PAGE:PAGE + 12], len(copy))
            shared.resize(9 * PAGE + 100)
            shared[9 * PAGE:9 * PAGE + 5] = b"grown"
            print(len(shared), os.fstat(file.fileno()).st_size, os.pread(file.fileno(), 5, 9 * PAGE))
            shared.madvise(mmap.MADV_DONTNEED)
            print(shared[9 * PAGE:9 * PAGE + 5], hash(bytes(shared)) == hash(os.pread(file.fileno(), 10 * PAGE, 0)))
            try:
                other[0] = 1
            except TypeError as error:
                print(error)
        try:
            mmap.mmap(os.open(path, os.O_RDONLY), PAGE, prot=mmap.PROT_WRITE)
        except OSError as error:
            print(error)


def logged(path):
    def connect():
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA mmap_size=%d" % (1 << 24))
        return connection

    first = connect()
    print(first.execute("PRAGMA journal_mode=WAL").fetchone(), first.execute("PRAGMA mmap_size").fetchone())
    first.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, who INT, text TEXT)")

    def write(who):
        own = connect()
        for number in range(15):
            own.execute("BEGIN IMMEDIATE")
            own.executemany("INSERT INTO t(who, text) VALUES(?, ?)",
                            [(who, "%d-%d-" % (who, row) * 20) for row in range(number, number + 10)])
            own.execute("COMMIT")
        own.close()

    threads = [threading.Thread(target=write, args=(who,)) for who in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(first.execute("SELECT who, count(*), sum(length(text)) FROM t GROUP BY who").fetchall())
    print(os.path.exists(path + "-shm"), os.path.getsize(path + "-wal") > 0, first.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
    first.execute("DELETE FROM t WHERE text LIKE '1-1%'")
    print(first.execute("VACUUM").fetchall(), first.execute("PRAGMA integrity_check").fetchone())
    first.close()
    print(sorted(os.listdir(os.path.dirname(path))))
    again = sqlite3.connect(path)
    print(again.execute("SELECT count(*), sum(length(text)) FROM t").fetchone())
    again.close()


with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
    mapped(os.path.join(folder, "bytes"))
    logged(os.path.join(folder, "table.db"))
