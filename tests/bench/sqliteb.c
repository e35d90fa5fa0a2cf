// SPDX-License-Identifier: BSD-3-Clause
// sqliteb.c: SQLite: single-row INSERTs each its own transaction, INSERTs inside one transaction,
// and indexed SELECTs.  Database below argv[1] (default /tmp); ":memory:" as argv[1] keeps it in
// memory.  Link with -lsqlite3.
#include "bench.h"
#include <sqlite3.h>

static sqlite3 *db;

static void sql(const char *s)
{
    char *err = NULL;
    if (sqlite3_exec(db, s, NULL, NULL, &err) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", s, err);
        exit(1);
    }
}

static double inserts(int n, int one_txn)
{
    sqlite3_stmt *st;
    uint64_t t = now_ns();
    if (one_txn)
        sql("BEGIN");
    sqlite3_prepare_v2(db, "INSERT INTO t(k, v) VALUES(?, ?)", -1, &st, NULL);
    for (int i = 0; i < n; i++) {
        sqlite3_bind_int(st, 1, i);
        sqlite3_bind_text(st, 2, "the quick brown fox jumps over the lazy dog", -1, SQLITE_STATIC);
        if (sqlite3_step(st) != SQLITE_DONE) {
            fprintf(stderr, "insert: %s\n", sqlite3_errmsg(db));
            exit(1);
        }
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    if (one_txn)
        sql("COMMIT");
    return n * 1e9 / (double)(now_ns() - t);
}

static double selects(int n)
{
    sqlite3_stmt *st;
    uint64_t t = now_ns();
    sqlite3_prepare_v2(db, "SELECT v FROM t WHERE k = ?", -1, &st, NULL);
    for (int i = 0; i < n; i++) {
        sqlite3_bind_int(st, 1, (int)((i * 7919u) % (unsigned)n));
        while (sqlite3_step(st) == SQLITE_ROW)
            ;
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    return n * 1e9 / (double)(now_ns() - t);
}

int main(int argc, char **argv)
{
    const char *top = argc > 1 ? argv[1] : "/tmp";
    double a[BENCH_MAX_REPS], b[BENCH_MAX_REPS], c[BENCH_MAX_REPS];
    int reps = bench_reps();
    char path[512];
    bench_pin(0);
    if (strcmp(top, ":memory:"))
        snprintf(path, sizeof path, "%s/sqliteb.db", top);
    else
        snprintf(path, sizeof path, ":memory:");
    for (int r = 0; r < reps; r++) {
        unlink(path);
        if (sqlite3_open(path, &db) != SQLITE_OK) {
            fprintf(stderr, "open: %s\n", sqlite3_errmsg(db));
            return 1;
        }
        sql("CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, v TEXT)");
        a[r] = inserts(1000, 0);
        sql("DELETE FROM t");
        b[r] = inserts(60000, 1);
        sql("CREATE INDEX ti ON t(k)");
        c[r] = selects(60000);
        sqlite3_close(db);
    }
    unlink(path);
    bench_report("sqlite_insert_autocommit", a, reps, "rows/s");
    bench_report("sqlite_insert_one_txn", b, reps, "rows/s");
    bench_report("sqlite_select_indexed", c, reps, "rows/s");
    return 0;
}
