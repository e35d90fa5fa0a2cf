-- SPDX-License-Identifier: BSD-3-Clause
-- work.sql: creates, fills and queries a database: 100 000 inserts in one transaction, indices, joins, a transaction
-- that is rolled back, an integrity check. The file's name is given on the command line.
.bail on
.headers on
PRAGMA journal_mode = DELETE;
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, city INTEGER);
CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
INSERT INTO city (name) VALUES ('Berlin'), ('Paris'), ('Rome'), ('Madrid'), ('Vienna'), ('Prague'), ('Oslo');
BEGIN;
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
INSERT INTO person (name, age, city)
SELECT 'person ' || substr('0000000' || (n * 7919 % 100003), -6), n * 31 % 97, n % 7 + 1 FROM numbers;
COMMIT;
CREATE INDEX person_by_age ON person (age);
CREATE INDEX person_by_name ON person (name);
ANALYZE;
SELECT count(*), min(name), max(name), sum(age), avg(age) FROM person;
SELECT c.name, count(*) AS people, round(avg(p.age), 3) AS age FROM person p JOIN city c ON c.id = p.city
GROUP BY c.id ORDER BY people DESC, c.name;
SELECT p.name, q.name FROM person p JOIN person q ON q.id = p.id + 50000 WHERE p.age = 42 AND q.age = 17 ORDER BY p.id LIMIT 10;
SELECT name FROM person WHERE name BETWEEN 'person 050000' AND 'person 050010' ORDER BY name;
EXPLAIN QUERY PLAN SELECT * FROM person WHERE age = 3;
UPDATE person SET age = age + 1 WHERE city = 3;
SELECT changes(), total(age) FROM person;
BEGIN;
DELETE FROM person WHERE age < 50;
SELECT count(*) FROM person;
ROLLBACK;
SELECT count(*) FROM person;
DELETE FROM person WHERE age > 90;
SELECT changes();
CREATE VIEW old AS SELECT name, age FROM person WHERE age > 85;
SELECT age, count(*) FROM old GROUP BY age ORDER BY age;
CREATE TRIGGER no_empty BEFORE INSERT ON city WHEN new.name = '' BEGIN SELECT raise(ABORT, 'empty name'); END;
WITH ranked AS (SELECT name, age, row_number() OVER (PARTITION BY city ORDER BY age, name) AS r, city FROM person)
SELECT city, name, age FROM ranked WHERE r = 1 ORDER BY city;
SELECT length(randomblob(9)), printf('%08.3f|%-6s|%+d', 3.14159, 'ab', 7), json_extract('{"a":[1,2,{"b":3}]}', '$.a[2].b');
SELECT group_concat(name, ', ') FROM (SELECT name FROM city ORDER BY name);
SELECT strftime('%Y-%m-%d', 0, 'unixepoch'), julianday('2000-01-01 12:00'), length(quote(zeroblob(3)));
VACUUM;
PRAGMA integrity_check;
