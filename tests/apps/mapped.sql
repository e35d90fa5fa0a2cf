-- Pages of the database by mapping, changes by a write-ahead log, whose index is a shared mapping.
PRAGMA mmap_size=33554432;
PRAGMA journal_mode=WAL;
CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL);
CREATE INDEX by_name ON t(name);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO t SELECT i, printf('%05d-name', (i * 7919) % 3001), i / 3.0 FROM n;
BEGIN;
UPDATE t SET value = value + 1 WHERE id % 5 = 0;
DELETE FROM t WHERE id % 7 = 0;
COMMIT;
PRAGMA wal_checkpoint(FULL);
INSERT INTO t SELECT id + 5000, name || 'x', value FROM t WHERE id < 500;
SELECT count(*), round(sum(value), 3), max(name), min(name) FROM t;
SELECT name, value FROM t WHERE name LIKE '0123%' ORDER BY name LIMIT 5;
PRAGMA integrity_check;
PRAGMA journal_mode=DELETE;
VACUUM;
SELECT count(*) FROM t;
