-- SPDX-License-Identifier: BSD-3-Clause
-- reopen.sql: what work.sql left, seen by another process.
PRAGMA integrity_check;
PRAGMA foreign_key_check;
SELECT name FROM sqlite_master ORDER BY name;
SELECT count(*), sum(age), max(id) FROM person;
INSERT INTO city (name) VALUES ('');
INSERT INTO city (name) VALUES ('Lisbon');
SELECT * FROM city ORDER BY id;
.dump city
SELECT * FROM no_such_table;
